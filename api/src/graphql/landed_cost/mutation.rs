//! What clients can do with landed cost.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    landed_cost::{LandedCost as Row, NewLandedCost, Particulars},
};
use entity::id::{StockEntryId, StockLandedCostId};

use super::{StockLandedCost, StockLandedCostKind, StockLandedCostMethod, prefetch};
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// What makes a receipt cost more or less.
#[derive(InputObject)]
pub struct StockLandedCostAddInput {
    /// The receipt: an entry that brought goods in from outside and was not undone.
    entry_id: ID,
    /// Over which of its lines, from 1, at most 1,000; all of them without.
    lines: Option<Vec<i32>>,
    /// What it is for.
    kind: StockLandedCostKind,
    /// How it is spread.
    method: StockLandedCostMethod,
    /// In the shop's currency, in whole smallest units. Below 0 for a rebate: then no line may come to less than nothing, beginning with what
    /// was said that it cost.
    amount: Decimal,
    /// The paper behind it, such as the carrier's invoice.
    document: Option<String>,
    /// What somebody has to say about it.
    description: Option<String>,
    /// When it arose: now without; not before the receipt. Whenever that was, it counts from the receipt on; what is closed since then stays.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A landed cost to undo.
#[derive(InputObject)]
pub struct StockLandedCostReverseInput {
    /// Which one.
    id: ID,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    description: Option<String>,
    /// When it was undone: now without; not before it arose.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct StockLandedCostAddPayload {
    /// What was added; null when it was refused.
    landed_cost: Option<StockLandedCost>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct StockLandedCostReversePayload {
    /// What undoes it; null when it was refused.
    landed_cost: Option<StockLandedCost>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of landed cost.
#[derive(Default)]
pub struct LandedCostMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl LandedCostMutation {
    /// Adds freight, duty, insurance or a late price to what a receipt has cost. It falls on what is left of the goods and on what was sold, as
    /// their cost methods have it: usually at once, otherwise within seconds (`isPending`). Needs `stock.write` and `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn stock_landed_cost_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How much, and of which receipt.")] input: StockLandedCostAddInput,
    ) -> async_graphql::Result<StockLandedCostAddPayload> {
        let (landed_cost, user_errors) = settled(ctx, add(ctx, input).await).await?;
        Ok(StockLandedCostAddPayload {
            landed_cost,
            user_errors,
        })
    }

    /// Undoes a landed cost, once: everything has cost afterwards what it would have without. Needs `stock.write` and `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn stock_landed_cost_reverse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: StockLandedCostReverseInput,
    ) -> async_graphql::Result<StockLandedCostReversePayload> {
        let (landed_cost, user_errors) = settled(ctx, reverse(ctx, input).await).await?;
        Ok(StockLandedCostReversePayload {
            landed_cost,
            user_errors,
        })
    }
}

async fn settled(
    ctx: &Context<'_>,
    outcome: domain::Result<Row>,
) -> async_graphql::Result<(Option<StockLandedCost>, Vec<UserError>)> {
    let (row, user_errors) = settle(ctx, outcome)?;
    let selected = ctx.look_ahead().field("landedCost");
    prefetch(ctx, &selected, row.iter()).await?;
    Ok((row.map(StockLandedCost::new), user_errors))
}

async fn add(ctx: &Context<'_>, input: StockLandedCostAddInput) -> domain::Result<Row> {
    let StockLandedCostAddInput {
        entry_id,
        lines,
        kind,
        method,
        amount: Decimal(amount),
        document,
        description,
        effective_at,
        idempotency_key,
    } = input;
    let new = NewLandedCost {
        entry_id: StockEntryId::parse("entryId", &entry_id)?,
        lines,
        kind: kind.into(),
        method: method.into(),
        amount,
    };
    let particulars = Particulars {
        document,
        description,
        effective_at,
    };
    let key = idempotency_key.as_deref();
    let use_cases = ctx.domain().landed_costs();
    use_cases.add(ctx.viewer(), new, particulars, key).await
}

async fn reverse(ctx: &Context<'_>, input: StockLandedCostReverseInput) -> domain::Result<Row> {
    let StockLandedCostReverseInput {
        id,
        document,
        description,
        effective_at,
        idempotency_key,
    } = input;
    let id = StockLandedCostId::parse("id", &id)?;
    let particulars = Particulars {
        document,
        description,
        effective_at,
    };
    let key = idempotency_key.as_deref();
    let use_cases = ctx.domain().landed_costs();
    use_cases.reverse(ctx.viewer(), id, particulars, key).await
}
