//! What clients can do to metal rates.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    metal_rate::{MetalRate as Row, NewMetalRate},
};

use super::{Metal, MetalRate};
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    payload::{UserError, settle},
};

/// A rate to be recorded.
#[derive(InputObject)]
pub struct MetalRateRecordInput {
    /// Of which metal.
    metal: Metal,
    /// Of which fineness the price is, as people write it: `"750"`, `"18K"`, `"۱۸ عیار"`, `"75%"`; see `finenessParse`.
    fineness: String,
    /// ISO 4217 code of the currency.
    currency: String,
    /// Price of one gram of that fineness, in the currency's main unit. At most six digits behind the point.
    price_per_gram: Decimal,
    /// From when on it holds: now, when it is not given. It may lie in the past, and at most five minutes ahead.
    effective_at: Option<DateTime<Utc>>,
    /// Where it comes from, such as the name of an exchange.
    source: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of recording a rate.
#[derive(SimpleObject)]
pub struct MetalRateRecordPayload {
    /// The rate; null when it was refused.
    metal_rate: Option<MetalRate>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of metal rates.
#[derive(Default)]
pub struct MetalRateMutation;

#[Object(guard = "Needs(Permission::PricingWrite)")]
impl MetalRateMutation {
    /// Records what a gram of metal costs. Every price that depends on it follows at once; no item is changed. Needs `pricing.write`.
    async fn metal_rate_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rate.")] input: MetalRateRecordInput,
    ) -> async_graphql::Result<MetalRateRecordPayload> {
        let (row, user_errors) = settle(ctx, record(ctx, input).await)?;
        Ok(MetalRateRecordPayload {
            metal_rate: row.map(MetalRate::new),
            user_errors,
        })
    }
}

async fn record(ctx: &Context<'_>, input: MetalRateRecordInput) -> domain::Result<Row> {
    let MetalRateRecordInput {
        metal,
        fineness,
        currency,
        price_per_gram,
        effective_at,
        source,
        idempotency_key,
    } = input;
    let new = NewMetalRate {
        metal: metal.into(),
        fineness,
        currency,
        price_per_gram: price_per_gram.0,
        effective_at,
        source,
    };
    let rates = ctx.domain().metal_rates();
    rates
        .record(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}
