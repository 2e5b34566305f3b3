//! What clients can do to stock.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    stock::{StockEntry as Row, StockingChange, Transformation},
};
use entity::id::{ItemId, LocationId, StockEntryId};

use super::{
    CostMethod, ItemStocking, StockEntry,
    input::{
        StockAdjustLineInput, StockAdjustReason, StockIssueLineInput, StockIssueReason,
        StockMoveLineInput, StockOutputLineInput, StockReceiveLineInput, StockReceiveReason,
        StockTransformReason, parse_all, particulars,
    },
    query::prefetch_entries,
};
use crate::graphql::{
    category::patch,
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// Goods that come in.
#[derive(InputObject)]
pub struct StockReceiveInput {
    /// Why; that also says from where.
    reason: StockReceiveReason,
    /// From where, when it is another location than the one that every shop has for that.
    from_id: Option<ID>,
    /// What: at most 1,000 lines and 50,000 pieces with serial numbers, all of them or none.
    lines: Vec<StockReceiveLineInput>,
    /// The paper behind it, such as a delivery note.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; in a period that is not closed. At most five minutes ahead, which is now.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Goods that go from one place in the shop to another.
#[derive(InputObject)]
pub struct StockMoveInput {
    /// What: at most 1,000 lines, all of them or none.
    lines: Vec<StockMoveLineInput>,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; in a period that is not closed. At most five minutes ahead, which is now.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Goods that leave.
#[derive(InputObject)]
pub struct StockIssueInput {
    /// Why; that also says to where.
    reason: StockIssueReason,
    /// To where, when it is another location than the one that every shop has for that.
    to_id: Option<ID>,
    /// What: at most 1,000 lines, all of them or none.
    lines: Vec<StockIssueLineInput>,
    /// The paper behind it, such as an invoice.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; in a period that is not closed. At most five minutes ahead, which is now.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Goods of which there are more or fewer than was known.
#[derive(InputObject)]
pub struct StockAdjustInput {
    /// Why.
    reason: StockAdjustReason,
    /// What: at most 1,000 lines, all of them or none.
    lines: Vec<StockAdjustLineInput>,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; in a period that is not closed. At most five minutes ahead, which is now.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Things made of others.
#[derive(InputObject)]
pub struct StockTransformInput {
    /// What is done.
    reason: StockTransformReason,
    /// What is used up: at most 1,000 lines.
    inputs: Vec<StockIssueLineInput>,
    /// What comes of it: at most 1,000 lines.
    outputs: Vec<StockOutputLineInput>,
    /// How many grams of pure metal may be lost, because an assay finds less than went in; none without. None is ever gained.
    max_loss: Option<Decimal>,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; in a period that is not closed. At most five minutes ahead, which is now.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// An entry to undo.
#[derive(InputObject)]
pub struct StockReverseInput {
    /// Which entry.
    id: ID,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened: now without; not before the entry itself.
    effective_at: Option<DateTime<Utc>>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// How an item is to be kept. What is not given stays; null clears.
#[derive(InputObject)]
pub struct ItemStockingSetInput {
    /// Which item.
    item_id: ID,
    /// Whether every movement has a weight beside its pieces. Cannot change any more once the item has stock.
    is_weighed: Option<bool>,
    /// Grams that may be over or missing when the last piece leaves a place, with at most 6 decimal places: they are written off in the same
    /// entry.
    weight_tolerance: Option<Decimal>,
    /// When no more than this is available in the whole shop, in the item's unit, more should be bought.
    reorder_point: MaybeUndefined<Decimal>,
    /// Up to how much, in the item's unit: more than the reorder point.
    maximum: MaybeUndefined<Decimal>,
    /// How it is found what it has cost; the usual way when null. Cannot change any more once the item has stock. `SPECIFIC` is for items with
    /// lots or serial numbers.
    cost_method: MaybeUndefined<CostMethod>,
    /// Refuse when the version is another; 0 as long as nothing was ever said.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! entry_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The entry; null when it was refused.
            entry: Option<StockEntry>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            async fn of(ctx: &Context<'_>, result: Outcome) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                prefetch_entries(ctx, &ctx.look_ahead().field("entry"), row.iter()).await?;
                Ok(Self { entry: row.map(StockEntry::new), user_errors })
            }
        }
    )+};
}

entry_payloads! {
    /// What became of goods that come in.
    StockReceivePayload,
    /// What became of moving goods.
    StockMovePayload,
    /// What became of goods that leave.
    StockIssuePayload,
    /// What became of adjusting stock.
    StockAdjustPayload,
    /// What became of making things into others.
    StockTransformPayload,
    /// What became of undoing an entry.
    StockReversePayload,
}

/// What became of saying how an item is kept.
#[derive(SimpleObject)]
pub struct ItemStockingSetPayload {
    /// How it is kept; null when it was refused.
    stocking: Option<ItemStocking>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of stock.
#[derive(Default)]
pub struct StockMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl StockMutation {
    /// Takes goods in from outside. Needs `stock.write`.
    async fn stock_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What comes in, and where it is put.")] input: StockReceiveInput,
    ) -> async_graphql::Result<StockReceivePayload> {
        StockReceivePayload::of(ctx, receive(ctx, input).await).await
    }

    /// Moves goods from one place in the shop to another. Needs `stock.write`.
    async fn stock_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes where.")] input: StockMoveInput,
    ) -> async_graphql::Result<StockMovePayload> {
        StockMovePayload::of(ctx, move_about(ctx, input).await).await
    }

    /// Lets goods leave. Nothing leaves that is not there, or is held for somebody else. Needs `stock.write`.
    async fn stock_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What leaves, and from where.")] input: StockIssueInput,
    ) -> async_graphql::Result<StockIssuePayload> {
        StockIssuePayload::of(ctx, issue(ctx, input).await).await
    }

    /// Writes down that there is more or less somewhere than was known. Needs `stock.write`.
    async fn stock_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What there is more or less of, and where.")] input: StockAdjustInput,
    ) -> async_graphql::Result<StockAdjustPayload> {
        StockAdjustPayload::of(ctx, adjust(ctx, input).await).await
    }

    /// Makes things into others: melts, splits, merges, assembles or takes apart. Pure metal comes out to the microgram as it went in, but for
    /// what may be lost. Needs `stock.write`.
    async fn stock_transform(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is made of what.")] input: StockTransformInput,
    ) -> async_graphql::Result<StockTransformPayload> {
        StockTransformPayload::of(ctx, transform(ctx, input).await).await
    }

    /// Undoes an entry: what it moved goes back where it came from, once. Needs `stock.write`.
    async fn stock_reverse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry.")] input: StockReverseInput,
    ) -> async_graphql::Result<StockReversePayload> {
        StockReversePayload::of(ctx, reverse(ctx, input).await).await
    }

    /// Says how an item is kept in stock. Needs `stock.write` and `catalogue.write`.
    #[graphql(guard = "Needs(Permission::CatalogueWrite)")]
    async fn item_stocking_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item, and how it is kept.")] input: ItemStockingSetInput,
    ) -> async_graphql::Result<ItemStockingSetPayload> {
        let (row, user_errors) = settle(ctx, set_stocking(ctx, input).await)?;
        Ok(ItemStockingSetPayload {
            stocking: row.map(|row| ItemStocking::new(Some(row))),
            user_errors,
        })
    }
}

type Outcome = domain::Result<Row>;

async fn receive(ctx: &Context<'_>, input: StockReceiveInput) -> Outcome {
    let StockReceiveInput {
        reason,
        from_id,
        lines,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let from = from_id
        .map(|id| LocationId::parse("fromId", &id))
        .transpose()?;
    let lines = parse_all("lines", lines, StockReceiveLineInput::parse)?;
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .receive(ctx.viewer(), reason.into(), from, lines, particulars, key)
        .await
}

async fn move_about(ctx: &Context<'_>, input: StockMoveInput) -> Outcome {
    let StockMoveInput {
        lines,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let lines = parse_all("lines", lines, StockMoveLineInput::parse)?;
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .move_about(ctx.viewer(), lines, particulars, key)
        .await
}

async fn issue(ctx: &Context<'_>, input: StockIssueInput) -> Outcome {
    let StockIssueInput {
        reason,
        to_id,
        lines,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let to = to_id.map(|id| LocationId::parse("toId", &id)).transpose()?;
    let lines = parse_all("lines", lines, StockIssueLineInput::parse)?;
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .issue(ctx.viewer(), reason.into(), to, lines, particulars, key)
        .await
}

async fn adjust(ctx: &Context<'_>, input: StockAdjustInput) -> Outcome {
    let StockAdjustInput {
        reason,
        lines,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let lines = parse_all("lines", lines, StockAdjustLineInput::parse)?;
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .adjust(ctx.viewer(), reason.into(), lines, particulars, key)
        .await
}

async fn transform(ctx: &Context<'_>, input: StockTransformInput) -> Outcome {
    let StockTransformInput {
        reason,
        inputs,
        outputs,
        max_loss,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let what = Transformation {
        inputs: parse_all("inputs", inputs, StockIssueLineInput::parse)?,
        outputs: parse_all("outputs", outputs, StockOutputLineInput::parse)?,
        max_loss: max_loss.map(|Decimal(grams)| grams),
    };
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .transform(ctx.viewer(), reason.into(), what, particulars, key)
        .await
}

async fn reverse(ctx: &Context<'_>, input: StockReverseInput) -> Outcome {
    let StockReverseInput {
        id,
        document,
        note,
        effective_at,
        idempotency_key,
    } = input;
    let id = StockEntryId::parse("id", &id)?;
    let particulars = particulars(document, note, effective_at);
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock.reverse(ctx.viewer(), id, particulars, key).await
}

async fn set_stocking(
    ctx: &Context<'_>,
    input: ItemStockingSetInput,
) -> domain::Result<domain::stock::ItemStocking> {
    let ItemStockingSetInput {
        item_id,
        is_weighed,
        weight_tolerance,
        reorder_point,
        maximum,
        cost_method,
        expected_version,
        idempotency_key,
    } = input;
    let item = ItemId::parse("itemId", &item_id)?;
    let change = StockingChange {
        is_weighed,
        weight_tolerance: weight_tolerance.map(|Decimal(grams)| grams),
        reorder_point: patch(reorder_point.map_value(|Decimal(point)| point)),
        maximum: patch(maximum.map_value(|Decimal(most)| most)),
        cost_method: patch(cost_method.map_value(Into::into)),
    };
    let key = idempotency_key.as_deref();
    let stock = ctx.domain().stock();
    stock
        .set_stocking(ctx.viewer(), item, change, expected_version, key)
        .await
}
