//! Queues that stand still: what waits in them waits on, and what runs comes to its end.

use chrono::{DateTime, Utc};
use entity::{
    id::QueuePauseId,
    queue_pause::{ActiveModel, Column, Entity, Model as QueuePause},
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait,
    DatabaseTransaction, EntityTrait as _, QueryFilter as _,
};

use super::{Jobs, Queue};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::Result,
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::statement,
    text,
    viewer::Viewer,
};

/// Longest reason, in characters.
const REASON_MAX: usize = 500;
/// The lock that `job_begin` shares, and that whoever stops a queue has alone.
const LOCK: i64 = 0x6a6f_6270_6175_7365;

impl Jobs<'_> {
    /// Stops a queue: once this has returned, no attempt at a job of it begins. One that stands still already stays as it is.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such queue, or the reason is too long.
    pub async fn pause(
        &self,
        viewer: &Viewer,
        queue: &str,
        reason: Option<&str>,
        key: Option<&str>,
    ) -> Result<Queue> {
        viewer.require(Permission::JobManage)?;
        let queue = Queue::parse("queue", queue)?;
        let reason = reason.map(|reason| text::line("reason", reason, 1, REASON_MAX));
        let reason = reason.transpose()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let input = (queue.as_str(), &reason);
        let claim = claim_in_tx::<String>(&tx, viewer, key, "queue.pause", &input, now);
        let claim = match claim.await? {
            Claimed::Before(_same) => return Ok(queue),
            Claimed::Now(claim) => claim,
        };
        lock_in_tx(&tx).await?;
        if find(&tx, queue.as_str()).await?.is_none() {
            let pause = insert_in_tx(&tx, viewer, now, queue, reason).await?;
            record_in_tx(&tx, viewer, now, "queue.pause", None, Some(&pause)).await?;
        }
        claim.keep_in_tx(&tx, &queue.as_str()).await?;
        self.domain.commit(tx).await?;
        Ok(queue)
    }

    /// Lets a queue go on; one that does not stand still is left alone.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, or there is no such queue.
    pub async fn resume(&self, viewer: &Viewer, queue: &str, key: Option<&str>) -> Result<Queue> {
        viewer.require(Permission::JobManage)?;
        let queue = Queue::parse("queue", queue)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let name = queue.as_str();
        let claim = claim_in_tx::<String>(&tx, viewer, key, "queue.resume", &name, now);
        let claim = match claim.await? {
            Claimed::Before(_same) => return Ok(queue),
            Claimed::Now(claim) => claim,
        };
        lock_in_tx(&tx).await?;
        if let Some(pause) = find(&tx, name).await? {
            Entity::delete_by_id(pause.id).exec(&tx).await?;
            record_in_tx(&tx, viewer, now, "queue.resume", Some(&pause), None).await?;
        }
        claim.keep_in_tx(&tx, &queue.as_str()).await?;
        self.domain.commit(tx).await?;
        Ok(queue)
    }
}

/// The queue's standing still, if it does.
pub(super) async fn find(db: &impl ConnectionTrait, queue: &str) -> Result<Option<QueuePause>> {
    let pause = Entity::find().filter(Column::Queue.eq(queue));
    Ok(pause.one(db).await?)
}

/// Waits until every attempt that is being begun has begun, and keeps others from beginning until the transaction has ended.
async fn lock_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    let lock = statement("SELECT pg_advisory_xact_lock($1)", [LOCK.into()]);
    tx.execute_raw(lock).await?;
    Ok(())
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    queue: Queue,
    reason: Option<String>,
) -> Result<QueuePause> {
    let Actor { kind, id, name } = Actor::of(viewer);
    let row = ActiveModel {
        id: Set(QueuePauseId(new_id(now))),
        queue: Set(queue.as_str().to_owned()),
        reason: Set(reason),
        since: Set(now),
        actor_kind: Set(kind.to_owned()),
        actor_id: Set(id),
        actor_name: Set(name),
    };
    Ok(row.insert(tx).await?)
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&QueuePause>,
    after: Option<&QueuePause>,
) -> Result<()> {
    let Some(pause) = before.or(after) else {
        return Ok(());
    };
    let change = Change {
        action,
        aggregate_type: "queue_pause",
        aggregate_id: pause.id.0,
        before,
        after,
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

#[cfg(test)]
mod tests {
    use super::LOCK;

    #[test]
    fn the_lock_is_the_one_that_beginning_shares() {
        // In migration 0038: x'6a6f627061757365'.
        assert_eq!(&LOCK.to_be_bytes(), b"jobpause");
    }
}
