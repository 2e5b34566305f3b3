//! What clients can do to counts.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission, Refusal,
    count::{NewCount, Scan, Scanned, StockCount as Row},
};
use entity::id::{CategoryId, ItemId, LocationId, LotId, StockCountId};

use super::StockCount;
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// A count to be.
#[derive(InputObject)]
pub struct StockCountOpenInput {
    /// What lies at this location and below it is counted: a place in the shop, with at most 10,000 places in all. Places that are made
    /// later, or moved there, are not part of the count.
    location_id: ID,
    /// Only items of this category, and of those below it.
    category_id: Option<ID>,
    /// Whether what should be there is not shown as long as people count.
    #[graphql(default = true)]
    is_blind: bool,
    /// What differs by more per cent of what should be there is better counted again: from 0, that is whatever differs, to 100.
    tolerance: Option<Decimal>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Something that was found. Of a serial it is enough to say that it is there, however often; all else adds up, whoever scans it.
#[derive(InputObject)]
pub struct StockCountScanLineInput {
    /// Given by whoever scans, at most 100 characters: the same again in this count is the same scan, and changes nothing.
    scan_id: String,
    /// Which item.
    item_id: ID,
    /// Of which lot or serial, if the item has such.
    lot_id: Option<ID>,
    /// Where.
    location_id: ID,
    /// How many, in the item's unit; 1 without. Less than 0 takes back what was scanned by mistake.
    quantity: Option<Decimal>,
    /// What those weigh, without stones, in grams. Of an item that is weighed; a serial need not be put on the scale again.
    weight: Option<Decimal>,
}

/// What was found.
#[derive(InputObject)]
pub struct StockCountScanInput {
    /// Which count.
    id: ID,
    /// What was found: at most 1,000 scans at once.
    scans: Vec<StockCountScanLineInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Counting to end.
#[derive(InputObject)]
pub struct StockCountFinishInput {
    /// Which count.
    id: ID,
    /// Refuse when the count's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Lines to count again.
#[derive(InputObject)]
pub struct StockCountRecountInput {
    /// Which count.
    id: ID,
    /// Which of its lines, at most 1,000; all that need it when there are none.
    #[graphql(default)]
    lines: Vec<i64>,
    /// Refuse when the count's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A count to approve.
#[derive(InputObject)]
pub struct StockCountApproveInput {
    /// Which count.
    id: ID,
    /// Refuse when the count's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A count to give up.
#[derive(InputObject)]
pub struct StockCountCancelInput {
    /// Which count.
    id: ID,
    /// Refuse when the count's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! count_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The count; null when it was refused.
            count: Option<StockCount>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: Outcome) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { count: row.map(StockCount::new), user_errors })
            }
        }
    )+};
}

count_payloads! {
    /// What became of opening a count.
    StockCountOpenPayload,
    /// What became of ending to count.
    StockCountFinishPayload,
    /// What became of counting again.
    StockCountRecountPayload,
    /// What became of approving a count.
    StockCountApprovePayload,
    /// What became of giving a count up.
    StockCountCancelPayload,
}

/// What became of scans.
#[derive(SimpleObject)]
pub struct StockCountScanPayload {
    /// The count; null when the scans were refused.
    count: Option<StockCount>,
    /// How many of the scans are new; null when they were refused.
    accepted: Option<usize>,
    /// Why they were refused, all of them; empty when they were added.
    user_errors: Vec<UserError>,
}

/// Mutations of counts.
#[derive(Default)]
pub struct CountMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl CountMutation {
    /// Opens a count. A place is in one count at a time. Needs `stock.write`.
    async fn stock_count_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be counted, and how.")] input: StockCountOpenInput,
    ) -> async_graphql::Result<StockCountOpenPayload> {
        StockCountOpenPayload::of(ctx, open(ctx, input).await)
    }

    /// Adds scans to a count: all of them, or none. Several people may scan at once. A line's tally is about the moment of its last scan:
    /// when something of it moved between two scans, let it be counted again. Needs `stock.write`.
    async fn stock_count_scan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which count, and what was found.")] input: StockCountScanInput,
    ) -> async_graphql::Result<StockCountScanPayload> {
        let (scanned, user_errors) = settle(ctx, scan(ctx, input).await)?;
        let (count, accepted) = scanned
            .map(|Scanned { count, accepted }| (StockCount::new(count), accepted))
            .unzip();
        Ok(StockCountScanPayload {
            count,
            accepted,
            user_errors,
        })
    }

    /// Ends counting, and compares what was found with what should have been there. What nobody has scanned was not there. Needs
    /// `stock.write`.
    async fn stock_count_finish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which count.")] input: StockCountFinishInput,
    ) -> async_graphql::Result<StockCountFinishPayload> {
        StockCountFinishPayload::of(ctx, finish(ctx, input).await)
    }

    /// Lets lines be counted again: their tallies begin anew, and all others stay. At most nine rounds. Needs `stock.write`.
    async fn stock_count_recount(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which count, and which of its lines.")] input: StockCountRecountInput,
    ) -> async_graphql::Result<StockCountRecountPayload> {
        StockCountRecountPayload::of(ctx, recount(ctx, input).await)
    }

    /// Gives a count up that was not approved. Needs `stock.write`.
    async fn stock_count_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which count.")] input: StockCountCancelInput,
    ) -> async_graphql::Result<StockCountCancelPayload> {
        StockCountCancelPayload::of(ctx, cancel(ctx, input).await)
    }
}

/// What is done to counts by those who answer for them.
#[derive(Default)]
pub struct CountApprovalMutation;

#[Object(guard = "Needs(Permission::StockApprove)")]
impl CountApprovalMutation {
    /// Approves a count: what differs is put right by one entry with the reason `COUNTED`, applied to what lies there by now. Refused as a
    /// whole when something of it cannot be, such as when what is missing is held for somebody. Needs `stock.approve`.
    async fn stock_count_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which count.")] input: StockCountApproveInput,
    ) -> async_graphql::Result<StockCountApprovePayload> {
        StockCountApprovePayload::of(ctx, approve(ctx, input).await)
    }
}

type Outcome = domain::Result<Row>;

async fn open(ctx: &Context<'_>, input: StockCountOpenInput) -> Outcome {
    let StockCountOpenInput {
        location_id,
        category_id,
        is_blind,
        tolerance,
        note,
        idempotency_key,
    } = input;
    let category = category_id.map(|id| CategoryId::parse("categoryId", &id));
    let new = NewCount {
        location_id: LocationId::parse("locationId", &location_id)?,
        category_id: category.transpose()?,
        is_blind,
        tolerance: tolerance
            .map(|Decimal(tolerance)| tolerance)
            .unwrap_or_default(),
        note,
    };
    let key = idempotency_key.as_deref();
    ctx.domain().counts().open(ctx.viewer(), new, key).await
}

async fn scan(ctx: &Context<'_>, input: StockCountScanInput) -> domain::Result<Scanned> {
    let StockCountScanInput {
        id,
        scans,
        idempotency_key,
    } = input;
    let scans = scans.into_iter().enumerate().map(|(row, scan)| {
        let StockCountScanLineInput {
            scan_id,
            item_id,
            lot_id,
            location_id,
            quantity,
            weight,
        } = scan;
        let lot = lot_id.map(|id| LotId::parse(&format!("scans.{row}.lotId"), &id));
        Ok(Scan {
            scan_id,
            item_id: ItemId::parse(&format!("scans.{row}.itemId"), &item_id)?,
            lot_id: lot.transpose()?,
            location_id: LocationId::parse(&format!("scans.{row}.locationId"), &location_id)?,
            quantity: quantity.map_or(rust_decimal::Decimal::ONE, |Decimal(quantity)| quantity),
            weight: weight.map(|Decimal(weight)| weight),
        })
    });
    let id = StockCountId::parse("id", &id)?;
    let scans = scans.collect::<Result<_, Refusal>>()?;
    let key = idempotency_key.as_deref();
    ctx.domain()
        .counts()
        .scan(ctx.viewer(), id, scans, key)
        .await
}

async fn finish(ctx: &Context<'_>, input: StockCountFinishInput) -> Outcome {
    let StockCountFinishInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockCountId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let counts = ctx.domain().counts();
    counts.finish(ctx.viewer(), id, expected_version, key).await
}

async fn recount(ctx: &Context<'_>, input: StockCountRecountInput) -> Outcome {
    let StockCountRecountInput {
        id,
        lines,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockCountId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let counts = ctx.domain().counts();
    counts
        .recount(ctx.viewer(), id, lines, expected_version, key)
        .await
}

async fn approve(ctx: &Context<'_>, input: StockCountApproveInput) -> Outcome {
    let StockCountApproveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockCountId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let counts = ctx.domain().counts();
    counts
        .approve(ctx.viewer(), id, expected_version, key)
        .await
}

async fn cancel(ctx: &Context<'_>, input: StockCountCancelInput) -> Outcome {
    let StockCountCancelInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockCountId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let counts = ctx.domain().counts();
    counts.cancel(ctx.viewer(), id, expected_version, key).await
}
