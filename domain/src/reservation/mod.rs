//! Reservations: stock that is held for somebody, in one table for whoever holds it.
//!
//! One whose time is over holds nothing any more, whether or not anybody has noticed it yet: whoever posts or reserves lets go of it first,
//! and whoever reads does not count it.

mod query;
mod write;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ItemId, LocationId, LotId, StockReservationId};
use rust_decimal::Decimal;
use serde::Serialize;

pub use entity::stock_reservation::{Model as StockReservation, State};
pub(crate) use write::{Use, hold_in_tx, let_go_in_tx, use_in_tx};

use crate::{
    Domain,
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    permission::Permission,
    stock::{self, LEAST, MOST, check_conditions, check_lines, parse_document},
    text, version,
    viewer::Viewer,
};

/// Longest name of who something is held for, in characters.
const CONSUMER_MAX: usize = 50;
/// Longest time that something is held, unless it is held for ever.
const HELD_MAX: TimeDelta = TimeDelta::days(3650);
/// Something to hold.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ReserveLine {
    /// Which item.
    pub item_id: ItemId,
    /// Where.
    pub location_id: LocationId,
    /// Of which lot; of any without.
    pub lot_id: Option<LotId>,
    /// How many, in the item's unit.
    pub quantity: Decimal,
}

/// What is to be held, for whom and for how long.
#[derive(Clone, Debug, Serialize)]
pub struct NewReservations {
    /// What.
    pub lines: Vec<ReserveLine>,
    /// Who it is held for, such as `cart` or `order`.
    pub consumer: String,
    /// The paper behind it, such as the number of the order.
    pub document: Option<String>,
    /// Until when; for ever without.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether less is held where there is not enough.
    pub partial: bool,
}

/// Which reservations. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct ReservationFilter {
    /// Of these items.
    pub item_ids: Option<Vec<ItemId>>,
    /// At this location.
    pub location_id: Option<LocationId>,
    /// Of this lot.
    pub lot_id: Option<LotId>,
    /// Held for this consumer.
    pub consumer: Option<String>,
    /// With this paper behind it.
    pub document: Option<String>,
    /// That hold something now, or do not.
    pub active: Option<bool>,
}

/// Reservations: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Reservations<'a> {
    pub(crate) domain: &'a Domain,
}

impl Reservations<'_> {
    /// Holds stock for somebody: all that is asked for, or nothing; with `partial`, of each line as much as there is. A line of which there
    /// is nothing holds nothing, and is not among the answers.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing is held.
    pub async fn reserve(
        &self,
        viewer: &Viewer,
        new: NewReservations,
        key: Option<&str>,
    ) -> Result<Vec<StockReservation>> {
        viewer.require(Permission::StockWrite)?;
        let now = self.domain.now();
        let draft = parse(&new, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "stock.reserve", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        match hold_in_tx(&tx, viewer, now, &draft).await {
            Ok(reservations) => {
                claim.keep_in_tx(&tx, &reservations).await?;
                self.domain.commit(tx).await?;
                Ok(reservations)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(stock::explain(&self.domain.reads, failure).await)
            }
        }
    }

    /// Lets go of what is held, or of a part of it. One that holds nothing any more stays as it is.
    ///
    /// # Errors
    /// When there is no such reservation, it holds less than `quantity`, or somebody changed it since `expected_version`.
    pub async fn release(
        &self,
        viewer: &Viewer,
        id: StockReservationId,
        quantity: Option<Decimal>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockReservation> {
        viewer.require(Permission::StockWrite)?;
        let quantity = quantity.map(|quantity| within("quantity", quantity, (LEAST, MOST), 6));
        let quantity = quantity.transpose()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, quantity, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "stock.release", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = write::lock_in_tx(&tx, now, id).await?;
        let before = expected(before, expected_version)?;
        let reservation = if before.state == State::Active {
            let let_go = quantity.unwrap_or(before.open);
            if let_go > before.open {
                let refusal = Refusal::new(Code::OutOfRange, "quantity");
                return Err(refusal
                    .with("min", LEAST)
                    .with("max", before.open.normalize())
                    .into());
            }
            let released = write::release_in_tx(&tx, now, &before, let_go).await?;
            write::record_in_tx(&tx, viewer, now, "stock.release", Some(&before), &released)
                .await?;
            released
        } else {
            before
        };
        claim.keep_in_tx(&tx, &reservation).await?;
        self.domain.commit(tx).await?;
        Ok(reservation)
    }

    /// Lets go of some of what holds something although its time is over, so that nobody has to when they need it; tells how many.
    ///
    /// # Errors
    /// When the viewer may not move stock.
    pub async fn expire(&self, viewer: &Viewer, most: u32) -> Result<u64> {
        viewer.require(Permission::StockWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let expired = write::expire_in_tx(&tx, viewer, now, most).await?;
        self.domain.commit(tx).await?;
        Ok(expired)
    }

    /// The reservations with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[StockReservationId],
    ) -> Result<Vec<StockReservation>> {
        viewer.require(Permission::StockRead)?;
        query::by_ids(&self.domain.reads, ids, self.domain.now()).await
    }

    /// A page of reservations, by creation.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &ReservationFilter,
        args: &PageArgs,
    ) -> Result<Page<StockReservation>> {
        viewer.require(Permission::StockRead)?;
        check_conditions(filter.item_ids.as_ref().map_or(0, Vec::len))?;
        for text in [&filter.consumer, &filter.document].into_iter().flatten() {
            crate::filter::check_text(text)?;
        }
        query::page(&self.domain.reads, filter, args, self.domain.now()).await
    }
}

/// What is to be held: valid.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) lines: Vec<ReserveLine>,
    pub(crate) consumer: String,
    pub(crate) document: Option<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) partial: bool,
}

fn parse(new: &NewReservations, now: DateTime<Utc>) -> Result<Hold> {
    let NewReservations {
        lines,
        consumer,
        document,
        expires_at,
        partial,
    } = new;
    check_lines("lines", lines.len())?;
    let mut refusals = Refusals::default();
    for (row, line) in lines.iter().enumerate() {
        let path = format!("lines.{row}.quantity");
        refusals.take(within(&path, line.quantity, (LEAST, MOST), 6));
    }
    let consumer = refusals.take(text::line("consumer", consumer, 1, CONSUMER_MAX));
    let document = refusals.take(parse_document(document.as_deref()));
    if expires_at.is_some_and(|at| at <= now || at > now + HELD_MAX) {
        let refusal = Refusal::new(Code::TimeOutOfRange, "expiresAt");
        refusals.push(
            refusal
                .with("min", now.to_rfc3339())
                .with("max", (now + HELD_MAX).to_rfc3339()),
        );
    }
    let draft = consumer.zip(document).map(|(consumer, document)| Hold {
        lines: lines.clone(),
        consumer,
        document,
        expires_at: *expires_at,
        partial: *partial,
    });
    refusals.into_result(draft)
}

/// The reservation, if there is one, and of the version that is expected.
fn expected(
    found: Option<StockReservation>,
    expected_version: Option<i64>,
) -> Result<StockReservation, Refusal> {
    let reservation = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(reservation.version, expected_version)?;
    Ok(reservation)
}
