//! Events: what happened, written by the transaction that made it happen, for everybody who listens.
//!
//! A listener sees events in the order of their *position*. Rows are numbered when they are written, but transactions do not commit in
//! that order; were the number the position, a listener that has seen 10 would miss 9 when it commits later. So positions are given
//! after the commit, by one sequencer at a time: every process sequences what is committed before it reads on.

mod interest;
mod many;
mod query;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use uuid::Uuid;

pub use entity::event::Model as Event;
pub use interest::Interest;
pub(crate) use many::write_many_in_tx;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
    wake::Wakeups,
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What an account may not fall below was set, or taken away.
    AccountFloorChanged,
    /// The category tree has another shape, or a category another face.
    CategoryTreeChanged,
    /// A subsidiary account, cost centre or project has changed, or is new.
    DimensionValueChanged,
    /// An item, one of its pictures or its code has changed.
    ItemChanged,
    /// A job has got on.
    JobChanged,
    /// Something is held that is going to be posted, or not any more.
    JournalHoldChanged,
    /// An entry was posted to the books.
    JournalPosted,
    /// The tree of stock locations has another shape, or a location has changed.
    LocationTreeChanged,
    /// A metal rate was recorded.
    MetalRateChanged,
    /// A schedule has changed, or one of its times has come.
    ScheduleChanged,
    /// Stock was moved, or is held for somebody, or not any more.
    StockChanged,
}

impl Kind {
    /// The stable text in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountFloorChanged => "account_floor.changed",
            Self::CategoryTreeChanged => "category_tree.changed",
            Self::DimensionValueChanged => "dimension_value.changed",
            Self::ItemChanged => "item.changed",
            Self::JobChanged => "job.changed",
            Self::JournalHoldChanged => "journal_hold.changed",
            Self::JournalPosted => "journal.posted",
            Self::LocationTreeChanged => "location_tree.changed",
            Self::MetalRateChanged => "metal_rate.changed",
            Self::ScheduleChanged => "schedule.changed",
            Self::StockChanged => "stock.changed",
        }
    }

    /// What a viewer needs who wants to hear of it.
    fn permission(self) -> Permission {
        match self {
            Self::CategoryTreeChanged | Self::ItemChanged | Self::MetalRateChanged => {
                Permission::CatalogueRead
            }
            Self::JobChanged | Self::ScheduleChanged => Permission::JobRead,
            Self::AccountFloorChanged
            | Self::DimensionValueChanged
            | Self::JournalHoldChanged
            | Self::JournalPosted => Permission::BooksRead,
            Self::LocationTreeChanged | Self::StockChanged => Permission::StockRead,
        }
    }

    /// The aggregate that it happens to.
    pub(crate) fn aggregate_type(self) -> &'static str {
        match self {
            Self::AccountFloorChanged => "account_floor",
            Self::CategoryTreeChanged => "category",
            Self::DimensionValueChanged => "dimension_value",
            Self::ItemChanged => "item",
            Self::JobChanged => "job",
            Self::JournalHoldChanged => "journal_hold",
            Self::JournalPosted => "journal_entry",
            Self::LocationTreeChanged => "location",
            Self::MetalRateChanged => "metal_rate",
            Self::ScheduleChanged => "schedule",
            Self::StockChanged => "stock",
        }
    }
}

/// What was done, such as `item.update`; empty when the event does not say.
#[must_use]
pub fn action(event: &Event) -> &str {
    let action = event.payload.get("action");
    action
        .and_then(|action| action.as_str())
        .unwrap_or_default()
}

/// Events that were read together, and how far the reading went.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The events that are wanted, in order.
    pub events: Vec<Event>,
    /// All up to this position has been looked at.
    pub position: i64,
    /// Whether there were more than were asked for.
    pub is_cut: bool,
}

/// Something that has just happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEvent<'a, P> {
    pub(crate) kind: Kind,
    pub(crate) aggregate_id: Uuid,
    pub(crate) aggregate_version: i64,
    pub(crate) payload: &'a P,
}

/// Writes an event into the outbox.
pub(crate) async fn write_in_tx<P: Serialize + Sync>(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    event: NewEvent<'_, P>,
) -> Result<()> {
    let NewEvent {
        kind,
        aggregate_id,
        aggregate_version,
        payload,
    } = event;
    let sql = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        kind.as_str().into(),
        kind.aggregate_type().into(),
        aggregate_id.into(),
        aggregate_version.into(),
        serde_json::to_value(payload)?.into(),
        viewer.request_id.clone().into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// Events: the outbox that feeds subscriptions.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    pub(crate) domain: &'a Domain,
}

/// Any number will do, as long as nothing else locks it.
const SEQUENCER: i64 = 0x6576_656e_7473;
/// How many events get their position in one transaction.
const SEQUENCE_MAX: i64 = 1000;

impl Events<'_> {
    /// Woken whenever events are committed.
    #[must_use]
    pub fn wakeups(&self) -> Wakeups {
        Wakeups::new(&self.domain.settings, "goldshop_event")
    }

    /// The position of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest(&self) -> Result<i64> {
        self.sequence().await?;
        query::newest(&self.domain.db).await
    }

    /// Where a listener begins: at `after`, or from now on.
    ///
    /// # Errors
    /// When the viewer may not hear of this; [`Code::NotFound`] when events so far back are no longer kept, [`Code::OutOfRange`] when
    /// there has not been such a position.
    pub async fn begin(
        &self,
        viewer: &Viewer,
        interest: &Interest,
        after: Option<i64>,
    ) -> Result<i64> {
        interest.require(viewer)?;
        let newest = self.newest().await?;
        match after {
            None => Ok(newest),
            Some(position) if position > newest || position < 0 => {
                Err(Refusal::new(Code::OutOfRange, "after").into())
            }
            Some(position) if position < query::oldest(&self.domain.db).await? => {
                Err(Refusal::new(Code::NotFound, "after").into())
            }
            Some(position) => Ok(position),
        }
    }

    /// The wanted events behind `position`, at most `limit` of them. Gives all committed events their position first.
    ///
    /// # Errors
    /// [`Code::NotFound`] when not all of them are kept any more, and when the database fails.
    pub async fn wanted(&self, interest: &Interest, position: i64, limit: u64) -> Result<Batch> {
        self.sequence().await?;
        let batch = query::wanted(&self.domain.db, interest, position, limit).await?;
        // Looked at afterwards: what was removed while we read is missed here.
        if position < query::oldest(&self.domain.db).await? {
            return Err(Refusal::new(Code::NotFound, "after").into());
        }
        Ok(batch)
    }

    /// At most `limit` events behind `position`, in order. Gives all committed events their position first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&self, position: i64, limit: u64) -> Result<Vec<Event>> {
        self.sequence().await?;
        query::after(&self.domain.db, position, limit).await
    }

    /// Gives every committed event its position.
    async fn sequence(&self) -> Result<()> {
        while query::is_any_unsequenced(&self.domain.db).await?
            && self.sequence_some().await? == SEQUENCE_MAX.unsigned_abs()
        {}
        Ok(())
    }

    /// The lock is waited for: whoever holds it may have looked before our event was committed.
    async fn sequence_some(&self) -> Result<u64> {
        let tx = self.domain.db.begin().await?;
        tx.execute_raw(statement(
            "SELECT pg_advisory_xact_lock($1)",
            [SEQUENCER.into()],
        ))
        .await?;
        let sql = "UPDATE event e SET position = s.position
                   FROM (SELECT number, nextval('event_position') AS position
                         FROM (SELECT number FROM event WHERE position IS NULL ORDER BY number LIMIT $1) fresh) s
                   WHERE e.number = s.number";
        let sequenced = tx
            .execute_raw(statement(sql, [SEQUENCE_MAX.into()]))
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(sequenced)
    }
}
