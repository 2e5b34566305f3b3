//! Attempts that begin, or end well, at the same time: one statement for many, and the disk is waited for once.
//!
//! Each is treated as if it had a statement of its own. A row that somebody else has in hand is passed over instead of waited for: so no job holds
//! up the others, and two such statements never wait for each other. What is passed over, or has something else in its way, is left to the
//! statement for a single one ([`Jobs::start`], [`Jobs::succeed`]), which knows what to do about it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{id::JobId, job::Model as Job};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{Jobs, Started, attempt::started};
use crate::{
    error::Result,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// An attempt that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// At which job.
    pub job: JobId,
    /// The request that caused it.
    pub request_id: Option<String>,
}

/// An attempt that has done its work, and leaves nothing else to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// At which job.
    pub job: JobId,
    /// Which attempt.
    pub attempt: i32,
    /// The request that caused it.
    pub request_id: Option<String>,
}

impl Jobs<'_> {
    /// Begins an attempt at each of these jobs that nothing is in the way of, by one statement. What is answered of each is in the order of the
    /// questions; none where it did not begin. Who asks for the same job twice at once is answered once: the other one comes behind.
    ///
    /// # Errors
    /// When a person asks, or the database fails; then none has begun, unless it was the answer that was lost.
    pub async fn start_together(
        &self,
        viewer: &Viewer,
        beginnings: &[Beginning],
    ) -> Result<Vec<Option<Started>>> {
        viewer.require_system()?;
        let mut seen = HashSet::new();
        let once: Vec<_> = beginnings
            .iter()
            .filter(|beginning| seen.insert(beginning.job))
            .collect();
        let begun = begin(&self.domain.db, self.domain.now(), &once).await?;
        if !begun.is_empty() {
            self.domain.notifier.committed();
        }
        let mut begun: HashMap<_, _> = begun.iter().map(|job| (job.id, started(job))).collect();
        let answers = beginnings.iter();
        Ok(answers
            .map(|beginning| begun.remove(&beginning.job))
            .collect())
    }

    /// Ends these attempts well, by one statement, those that are still the latest at their jobs. Tells of each whether it was ended.
    ///
    /// # Errors
    /// When a person asks, or the database fails; then none has ended, unless it was the answer that was lost.
    pub async fn succeed_together(&self, viewer: &Viewer, endings: &[Ending]) -> Result<Vec<bool>> {
        viewer.require_system()?;
        let ended = end(&self.domain.db, self.domain.now(), endings).await?;
        if !ended.is_empty() {
            self.domain.notifier.committed();
        }
        let ended: HashSet<_> = ended.iter().map(|row| (row.id, row.attempts)).collect();
        let answers = endings.iter();
        Ok(answers
            .map(|ending| ended.contains(&(ending.job, ending.attempt)))
            .collect())
    }
}

/// Each by the function that begins a single one: it shares the lock that whoever stops a queue has alone, until the transaction ends.
async fn begin(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    beginnings: &[&Beginning],
) -> Result<Vec<Job>> {
    let sql = "SELECT b.* FROM unnest($1::uuid[], $2::text[]) AS a (id, request_id)
               CROSS JOIN LATERAL (SELECT j.id FROM job j WHERE j.id = a.id FOR NO KEY UPDATE SKIP LOCKED) free
               CROSS JOIN LATERAL job_begin(free.id, $3, NULLIF(a.request_id, '')) b";
    let ids: Vec<_> = beginnings.iter().map(|beginning| beginning.job).collect();
    let requests = texts(beginnings.iter().map(|beginning| &beginning.request_id));
    let values = [uuids(&ids), requests, now.into()];
    let begun = Job::find_by_statement(statement(sql, values));
    Ok(begun.all(db).await?)
}

/// What was ended.
#[derive(Debug, FromQueryResult)]
struct Ended {
    id: JobId,
    attempts: i32,
}

/// The limit leaves nothing out. PostgreSQL does not know it when it plans, and expects few rows: so it finds each by the index, also when the plan was
/// made while the table was small.
async fn end(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    endings: &[Ending],
) -> Result<Vec<Ended>> {
    let sql = "WITH latest AS (
                   SELECT free.id, a.request_id FROM unnest($1::uuid[], $2::int4[], $3::text[]) AS a (id, attempt, request_id)
                   CROSS JOIN LATERAL (SELECT j.id FROM job j WHERE j.id = a.id AND j.attempts = a.attempt AND j.state = 'running'
                                       FOR NO KEY UPDATE SKIP LOCKED) free
                   LIMIT $5
               ), ended AS (
                   UPDATE job j SET state = 'succeeded', progress = 100, version = j.version + 1, error = NULL, result = NULL, finished_at = $4
                   FROM latest l WHERE j.id = l.id
                   RETURNING j.id, j.attempts, j.version, l.request_id
               ), told AS (
                   INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
                   SELECT 'job.changed', 'job', id, version, '{\"state\": \"succeeded\", \"progress\": 100}'::jsonb, NULLIF(request_id, ''), $4
                   FROM ended
               )
               SELECT id, attempts FROM ended";
    let ids: Vec<_> = endings.iter().map(|ending| ending.job).collect();
    let attempts: Vec<_> = endings.iter().map(|ending| ending.attempt).collect();
    let requests = texts(endings.iter().map(|ending| &ending.request_id));
    let values = [
        uuids(&ids),
        attempts.into(),
        requests,
        now.into(),
        i64::try_from(endings.len()).unwrap_or(i64::MAX).into(),
    ];
    let ended = Ended::find_by_statement(statement(sql, values));
    Ok(ended.all(db).await?)
}

/// Texts as one array parameter, in which nothing is an empty one.
fn texts<'a>(texts: impl Iterator<Item = &'a Option<String>>) -> Value {
    let texts = texts.map(|text| text.clone().unwrap_or_default());
    texts.collect::<Vec<_>>().into()
}
