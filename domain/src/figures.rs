//! Figures of the shop as a whole, for those who look after it: each a single statement that keeps to indexes and to rows that are few.
//!
//! They are asked for again and again, so nothing here counts what grows for ever. What would have to is left out, or cut off and says so.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;

use crate::{
    Domain,
    error::{Error, Result},
    permission::Permission,
    sql::{Sql, statement},
    stock::push_is_low,
    viewer::Viewer,
};

/// How many items that run out are counted at most.
pub const LOW_STOCK_MAX: i64 = 10_000;

/// How many events and jobs that wait are counted at most.
pub const WAITING_MAX: i64 = 10_000;

/// What the shop has, and how much has been written down.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Business {
    /// The shop's currency; none before it has one.
    pub currency: Option<String>,
    /// What all stock has cost, in that currency. A row is read for each item that ever came in.
    pub stock_value: Decimal,
    /// Items whose cost is to be computed anew.
    pub to_recost: i64,
    /// Items of which no more is available than their reorder point, up to [`LOW_STOCK_MAX`]. The levels of each item that has such a point
    /// are read.
    pub low_stock: i64,
    /// Reservations that still hold something and will run out. Those without an end are not counted: no index knows them apart.
    pub reservations: i64,
    /// Entries of the books, in all fiscal years.
    pub journal_entries: i64,
    /// The number of the newest entry of stock. An entry that was refused may have taken a number.
    pub stock_entry: i64,
}

/// What waits to be handed on.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Outbox {
    /// The position of the newest event that has one.
    pub event_position: i64,
    /// Events that have none yet, up to [`WAITING_MAX`].
    pub events_waiting: i64,
    /// When the oldest of these happened.
    pub event_oldest_at: Option<DateTime<Utc>>,
    /// Jobs that Redis has not been given yet, of queues that do not stand still, up to [`WAITING_MAX`].
    pub jobs_waiting: i64,
    /// When the oldest of these was asked for.
    pub job_oldest_at: Option<DateTime<Utc>>,
}

/// Figures of the shop as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    pub(crate) domain: &'a Domain,
}

impl Figures<'_> {
    /// What the shop has. It reads some rows for each item: whoever asks often keeps the answer for a while.
    ///
    /// # Errors
    /// When the viewer may not see stock, costs and books, or the database fails.
    pub async fn business(&self, viewer: &Viewer) -> Result<Business> {
        viewer.require(Permission::StockRead)?;
        viewer.require(Permission::CostRead)?;
        viewer.require(Permission::BooksRead)?;
        let mut sql = Sql::new(
            "SELECT (SELECT currency FROM shop) AS currency,
                    COALESCE((SELECT sum(value) FROM stock_value), 0) AS stock_value,
                    (SELECT count(*) FROM stock_value WHERE recost_from IS NOT NULL) AS to_recost,
                    (SELECT count(*) FROM stock_reservation WHERE open > 0 AND expires_at IS NOT NULL) AS reservations,
                    COALESCE((SELECT sum(last_number) FROM journal_sequence), 0)::bigint AS journal_entries,
                    COALESCE((SELECT max(number) FROM stock_entry), 0) AS stock_entry,
                    (SELECT count(*) FROM (SELECT k.item_id FROM item_stocking k WHERE ",
        );
        push_is_low(&mut sql, None, self.domain.now());
        sql.push(" LIMIT ")
            .bind(LOW_STOCK_MAX)
            .push(") low) AS low_stock");
        one(Business::find_by_statement(sql.build())
            .one(&self.domain.reads)
            .await?)
    }

    /// What waits to be handed on.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or the database fails.
    pub async fn outbox(&self, viewer: &Viewer) -> Result<Outbox> {
        viewer.require(Permission::JobRead)?;
        let sql = "
            SELECT COALESCE((SELECT max(position) FROM event), 0) AS event_position,
                   e.waiting AS events_waiting, e.oldest_at AS event_oldest_at, j.waiting AS jobs_waiting, j.oldest_at AS job_oldest_at
            FROM (SELECT count(*) AS waiting, min(created_at) AS oldest_at
                  FROM (SELECT created_at FROM event WHERE position IS NULL ORDER BY number LIMIT $1) fresh) e
            CROSS JOIN (SELECT count(*) AS waiting, min(created_at) AS oldest_at
                        FROM (SELECT created_at FROM job WHERE relayed_at IS NULL AND state = 'queued'
                              AND NOT EXISTS (SELECT FROM queue_pause p WHERE p.queue = job.queue) LIMIT $1) fresh) j";
        let outbox = Outbox::find_by_statement(statement(sql, [WAITING_MAX.into()]));
        one(outbox.one(&self.domain.reads).await?)
    }
}

fn one<T>(row: Option<T>) -> Result<T> {
    row.ok_or_else(|| Error::internal("figures without a row"))
}
