//! Entries that other use cases make: a part of what they do, in their transaction.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, LotId, StockReservationId},
    stock_entry::{Kind, Model as StockEntry, Reason},
};
use rust_decimal::Decimal;
use sea_orm::DatabaseTransaction;

use super::{
    fault::Failure,
    line::{Line, LotWish, Place},
    post::{Head, settle_in_tx, write_in_tx},
};
use crate::{error::Result, idempotency::Claim, viewer::Viewer};

/// Goods that go from one place to another, as a part of something larger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    /// Which row of the input it is about.
    pub(crate) row: usize,
    pub(crate) item: ItemId,
    pub(crate) lot: Option<LotId>,
    pub(crate) from: LocationId,
    pub(crate) to: LocationId,
    pub(crate) quantity: Decimal,
    /// Grams.
    pub(crate) weight: Option<Decimal>,
    pub(crate) reservation: Option<StockReservationId>,
}

/// Moves all of them in one entry, and tells what each weighed.
pub(crate) async fn post_legs_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    head: (&'static str, Kind, Reason, Option<String>),
    legs: Vec<Leg>,
) -> Result<Vec<Decimal>, Failure> {
    let (_, weights) = enter_legs_in_tx(tx, viewer, now, head, legs).await?;
    Ok(weights)
}

/// The same, and the entry that it was.
pub(crate) async fn enter_legs_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (operation, kind, reason, document): (&'static str, Kind, Reason, Option<String>),
    legs: Vec<Leg>,
) -> Result<(StockEntry, Vec<Decimal>), Failure> {
    let count = legs.len();
    let lines = legs.into_iter().map(line).collect();
    let settled = settle_in_tx(tx, now, reason, lines, Decimal::ZERO).await?;
    // What a scale found over or missing comes behind them.
    let weights = settled.movements.iter().take(count);
    let weights = weights.map(|movement| movement.weight).collect();
    let head = Head {
        operation,
        kind,
        reason,
        document: document.as_deref(),
        note: None,
        effective_at: settled.moment,
        reverses: None,
    };
    let entry = write_in_tx(tx, viewer, now, (&head, Claim::NONE), settled.movements).await?;
    Ok((entry, weights))
}

fn line(leg: Leg) -> Line {
    Line {
        lot: leg.lot.map_or(LotWish::Untracked, LotWish::Known),
        quantity: Some(leg.quantity),
        weight: leg.weight,
        reservation: leg.reservation,
        ..Line::new(Place::new("lines", leg.row), leg.item, leg.from, leg.to)
    }
}
