//! Handing jobs to Redis: which ones a relay takes, and which it takes again.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{Jobs, Queue};
use crate::{
    error::Result,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// A job that the relay has to hand to Redis.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Relayed {
    /// Which job.
    pub id: JobId,
    /// The queue that carries it.
    pub queue: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// A higher one comes first; 0 is the usual one.
    pub priority: i16,
}

impl Jobs<'_> {
    /// Takes at most `limit` jobs of each of these queues that Redis does not have yet, unless the queue stands still: those of the highest
    /// priority, and of these the oldest. Several relays never take the same one.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn claim_for_relay(
        &self,
        viewer: &Viewer,
        queues: &[Queue],
        limit: i64,
    ) -> Result<Vec<Relayed>> {
        viewer.require_system()?;
        claim(&self.domain.db, self.domain.now(), queues, limit).await
    }

    /// Takes at most `limit` unfinished jobs of each of these queues that were handed over longer than `since` ago: Redis may have lost them.
    /// Handing over a job that waits or runs there changes nothing.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn reclaim(
        &self,
        viewer: &Viewer,
        queues: &[Queue],
        since: TimeDelta,
        limit: i64,
    ) -> Result<Vec<Relayed>> {
        viewer.require_system()?;
        let now = self.domain.now();
        reclaim(&self.domain.db, now, now - since, queues, limit).await
    }

    /// Gives jobs back that could not be handed over.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn release(&self, viewer: &Viewer, ids: &[JobId]) -> Result<()> {
        viewer.require_system()?;
        let sql = "UPDATE job SET relayed_at = NULL WHERE id = ANY($1) AND state = 'queued'";
        let release = statement(sql, [uuids(ids)]);
        self.domain.db.execute_raw(release).await?;
        Ok(())
    }
}

async fn claim(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    queues: &[Queue],
    limit: i64,
) -> Result<Vec<Relayed>> {
    let sql = "UPDATE job SET relayed_at = $1
               WHERE id IN (SELECT waiting.id FROM unnest($2::text[]) AS q (queue)
                            CROSS JOIN LATERAL (SELECT id FROM job
                                                WHERE relayed_at IS NULL AND state = 'queued' AND queue = q.queue
                                                ORDER BY priority DESC, created_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) waiting
                            WHERE NOT EXISTS (SELECT FROM queue_pause p WHERE p.queue = q.queue))
               RETURNING id, queue, request_id, priority";
    let values = [now.into(), names(queues), limit.into()];
    let claimed = Relayed::find_by_statement(statement(sql, values));
    let mut claimed = claimed.all(db).await?;
    // In whatever order PostgreSQL has changed them: Redis is to get them in the order of their creation.
    claimed.sort_unstable_by_key(|job| job.id);
    Ok(claimed)
}

async fn reclaim(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    queues: &[Queue],
    limit: i64,
) -> Result<Vec<Relayed>> {
    let sql = "UPDATE job SET relayed_at = $1
               WHERE id IN (SELECT lost.id FROM unnest($3::text[]) AS q (queue)
                            CROSS JOIN LATERAL (SELECT id FROM job
                                                WHERE relayed_at < $2 AND state IN ('queued', 'running', 'failed') AND queue = q.queue
                                                ORDER BY relayed_at LIMIT $4 FOR UPDATE SKIP LOCKED) lost)
               RETURNING id, queue, request_id, priority";
    let values = [now.into(), before.into(), names(queues), limit.into()];
    Ok(Relayed::find_by_statement(statement(sql, values))
        .all(db)
        .await?)
}

fn names(queues: &[Queue]) -> Value {
    let names = queues.iter().map(|queue| queue.as_str().to_owned());
    names.collect::<Vec<_>>().into()
}
