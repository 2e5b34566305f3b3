//! Jobs that an operator starts by hand: errands, each of which makes sense at any time. Others belong to something that is asked for in a way of
//! its own, such as an import with its file.

use chrono::{DateTime, Utc};
use entity::id::ItemId;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use serde::Serialize;

use super::{Enqueued, Job, Jobs, new::under_way_in_tx, query, rules};
use crate::{
    audit::{self, Change},
    errand::{Errand, Order},
    error::{Error, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// What an operator wants to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewErrand {
    /// What.
    pub errand: Errand,
    /// To which item; of what is done to one.
    pub item: Option<ItemId>,
    /// From -100 to 100: a higher one comes first, 0 is the usual one.
    pub priority: i16,
}

impl Jobs<'_> {
    /// Asks for a job, and tells whether it is new: of those that are started by hand there is one of each at a time, and whoever asks for another
    /// gets that one. A schedule's does not count.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, or not do what this job does; when an item is missing, or is named where none is needed, there is no
    /// such item, or the priority is out of range.
    pub async fn enqueue(
        &self,
        viewer: &Viewer,
        new: &NewErrand,
        key: Option<&str>,
    ) -> Result<(Job, bool)> {
        viewer.require(Permission::JobManage)?;
        let order = Order::parse(new.errand, new.item)?;
        viewer.require(order.permission())?;
        let priority = rules::parse_priority(new.priority)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "job.enqueue", new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let Enqueued { id, is_new } = ask_in_tx(&tx, viewer, now, order, priority).await?;
        let job = query::find(&tx, id).await?;
        let job = job.ok_or_else(|| Error::internal("a job that was asked for is not there"))?;
        if is_new {
            let change = Change::of_new("job.enqueue", "job", job.id.0, &job);
            audit::write_in_tx(&tx, viewer, now, change).await?;
        }
        let answer = (job, is_new);
        claim.keep_in_tx(&tx, &answer).await?;
        self.domain.commit(tx).await?;
        Ok(answer)
    }
}

async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    order: Order,
    priority: i16,
) -> Result<Enqueued> {
    let key = order.unique_key();
    if let Some(key) = &key {
        own_in_tx(tx, key).await?;
        if let Some(id) = under_way_in_tx(tx, key).await? {
            return Ok(Enqueued { id, is_new: false });
        }
    }
    let asked = order.ask_in_tx(tx, viewer, now, None).await?;
    if asked.is_new {
        // What has a key of its own keeps it: others ask for the same in other ways.
        let sql =
            "UPDATE job SET unique_key = COALESCE(unique_key, $2), priority = $3 WHERE id = $1";
        let values = [asked.id.into(), key.into(), priority.into()];
        tx.execute_raw(statement(sql, values)).await?;
    }
    Ok(asked)
}

/// Whoever asks for the same at the same time waits until this transaction ends.
async fn own_in_tx(tx: &DatabaseTransaction, key: &str) -> Result<()> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    let lock = format!("errand {key}");
    tx.execute_raw(statement(sql, [lock.into()])).await?;
    Ok(())
}
