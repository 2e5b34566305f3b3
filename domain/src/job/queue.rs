//! How queues stand.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::Serialize;

use super::Jobs;
use crate::{
    error::{Code, Error, Refusal, Result},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// Of how many jobs that have ended it is looked when: what ends within an hour has no bound of its own.
const ENDED_MAX: i64 = 100_000;

/// What carries jobs of one nature, with limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Files of any number of rows: minutes, mostly the database's.
    Bulk,
    /// Small things: milliseconds.
    Codes,
    /// Pictures and files to print: seconds of processor time and much memory.
    Media,
    /// Backups, one after the other: as long as the shop is large, and no import is to wait for them.
    Operations,
}

impl Queue {
    /// Every queue there is.
    pub const ALL: &[Self] = &[Self::Bulk, Self::Codes, Self::Media, Self::Operations];

    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Codes => "codes",
            Self::Media => "media",
            Self::Operations => "operations",
        }
    }

    /// The queue of this name.
    pub(super) fn parse(path: &str, name: &str) -> Result<Self, Refusal> {
        let mut all = Self::ALL.iter().copied();
        all.find(|queue| queue.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|queue| queue.as_str()).collect();
            Refusal::new(Code::NotAnOption, path)
                .with("value", name)
                .with("options", names.join(", "))
        })
    }
}

/// A queue at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct QueueStanding {
    /// Which queue.
    pub queue: String,
    /// Jobs that wait for their turn.
    pub waiting: i64,
    /// Jobs that a worker has.
    pub running: i64,
    /// Jobs that failed and wait for another attempt.
    pub failed: i64,
    /// Jobs that were given up.
    pub dead: i64,
    /// When the job was asked for that waits longest.
    pub oldest_at: Option<DateTime<Utc>>,
    /// Jobs that ended well within the last minute.
    pub succeeded_minute: i64,
    /// Within the last hour. Of all queues together no more than the last 100,000 that have ended are counted.
    pub succeeded_hour: i64,
    /// Jobs that were given up within the last minute.
    pub died_minute: i64,
    /// Within the last hour.
    pub died_hour: i64,
    /// Since when it stands still, if it does.
    pub paused_at: Option<DateTime<Utc>>,
    /// Who stopped it.
    pub paused_by: Option<String>,
    /// Why, in their words.
    pub paused_because: Option<String>,
}

impl Jobs<'_> {
    /// How all queues stand, by their names: one statement.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or the database fails.
    pub async fn queues(&self, viewer: &Viewer) -> Result<Vec<QueueStanding>> {
        viewer.require(Permission::JobRead)?;
        standings(&self.domain.reads, self.domain.now(), Queue::ALL).await
    }

    /// How one queue stands, for whoever steers it.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, or the database fails.
    pub async fn queue(&self, viewer: &Viewer, queue: Queue) -> Result<QueueStanding> {
        viewer.require(Permission::JobManage)?;
        let mut rows = standings(&self.domain.reads, self.domain.now(), &[queue]).await?;
        rows.pop()
            .ok_or_else(|| Error::internal("a queue stands nowhere"))
    }
}

/// What has ended lies in the way of nothing here: each part of the table that is asked has an index of its own.
const STANDINGS: &str = "
    WITH unfinished AS (
        SELECT queue, count(*) FILTER (WHERE state = 'queued') AS waiting, count(*) FILTER (WHERE state = 'running') AS running,
               count(*) FILTER (WHERE state = 'failed') AS failed, min(created_at) FILTER (WHERE state = 'queued') AS oldest_at
        FROM job WHERE state IN ('queued', 'running', 'failed') GROUP BY queue
    ), dead AS (
        SELECT queue, count(*) AS dead FROM job WHERE state = 'dead' GROUP BY queue
    ), ended AS (
        SELECT queue, count(*) FILTER (WHERE state = 'succeeded' AND finished_at > $2) AS succeeded_minute,
               count(*) FILTER (WHERE state = 'succeeded') AS succeeded_hour,
               count(*) FILTER (WHERE state = 'dead' AND finished_at > $2) AS died_minute, count(*) FILTER (WHERE state = 'dead') AS died_hour
        FROM (SELECT queue, state, finished_at FROM job WHERE finished_at > $3 ORDER BY finished_at DESC LIMIT $4) last GROUP BY queue
    )
    SELECT q.queue, COALESCE(u.waiting, 0) AS waiting, COALESCE(u.running, 0) AS running, COALESCE(u.failed, 0) AS failed,
           COALESCE(d.dead, 0) AS dead, u.oldest_at,
           COALESCE(e.succeeded_minute, 0) AS succeeded_minute, COALESCE(e.succeeded_hour, 0) AS succeeded_hour,
           COALESCE(e.died_minute, 0) AS died_minute, COALESCE(e.died_hour, 0) AS died_hour,
           p.since AS paused_at, p.actor_name AS paused_by, p.reason AS paused_because
    FROM unnest($1::text[]) AS q (queue)
    LEFT JOIN unfinished u USING (queue) LEFT JOIN dead d USING (queue) LEFT JOIN ended e USING (queue) LEFT JOIN queue_pause p USING (queue)
    ORDER BY q.queue";

async fn standings(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    queues: &[Queue],
) -> Result<Vec<QueueStanding>> {
    let names = queues.iter().map(|queue| queue.as_str().to_owned());
    let values = [
        names.collect::<Vec<_>>().into(),
        (now - TimeDelta::minutes(1)).into(),
        (now - TimeDelta::hours(1)).into(),
        ENDED_MAX.into(),
    ];
    Ok(
        QueueStanding::find_by_statement(statement(STANDINGS, values))
            .all(db)
            .await?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_its_name() {
        for queue in Queue::ALL {
            assert_eq!(Queue::parse("queue", queue.as_str()), Ok(*queue));
        }
        let refusal = Queue::parse("queue", "songs").unwrap_err();
        assert_eq!(refusal.code, Code::NotAnOption);
        assert_eq!(refusal.params["options"], "bulk, codes, media, operations");
    }
}
