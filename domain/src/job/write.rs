//! Writes of jobs. Each change of a job's state is an event.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    job::{ActiveModel, Model as Job, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, FromQueryResult,
    IntoActiveModel,
};
use serde_json::{Value, json};

use crate::{
    audit::{self, Change},
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::statement,
    viewer::Viewer,
};

/// How often a job is tried. With waits that double from a second up to ten minutes that is half an hour or more, which outlasts the
/// restart of a service and most other outages.
pub(super) const ATTEMPTS: i32 = 14;
/// Longest error text kept, in characters.
const ERROR_MAX: usize = 2000;
/// Longest message kept, in characters.
const MESSAGE_MAX: usize = 200;
/// Longest result kept, in bytes of JSON.
const RESULT_MAX: usize = 8192;

/// Begins an attempt, by one statement that is a transaction of its own: none when the job has ended, was begun too often, shall be cancelled,
/// or its queue stands still.
pub(super) async fn begin(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: JobId,
) -> Result<Option<Job>> {
    let sql = "SELECT * FROM job_begin($1, $2, $3)";
    let values = [id.into(), now.into(), viewer.request_id.clone().into()];
    let begun = Job::find_by_statement(statement(sql, values));
    Ok(begun.one(db).await?)
}

/// Ends an attempt well, by one statement. Tells whether it was still the latest one.
pub(super) async fn succeed(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (id, attempt): (JobId, i32),
    result: Option<&Value>,
) -> Result<bool> {
    let sql = "WITH ended AS (
                   UPDATE job SET state = 'succeeded', progress = 100, version = version + 1, error = NULL, result = $4, finished_at = $3
                   WHERE id = $1 AND state = 'running' AND attempts = $2
                   RETURNING id, version
               )
               INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               SELECT 'job.changed', 'job', id, version, '{\"state\": \"succeeded\", \"progress\": 100}'::jsonb, $5, $3 FROM ended";
    let values = [
        id.into(),
        attempt.into(),
        now.into(),
        result.filter(|result| is_small(result)).cloned().into(),
        viewer.request_id.clone().into(),
    ];
    Ok(db
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected()
        > 0)
}

/// Ends an attempt that is to be followed by another, by one statement. Tells whether it was still the latest one, and nobody has asked to
/// cancel the job.
pub(super) async fn fail(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (id, attempt): (JobId, i32),
    error: &str,
) -> Result<bool> {
    let sql = "WITH ended AS (
                   UPDATE job SET state = 'failed', version = version + 1, error = $3
                   WHERE id = $1 AND state = 'running' AND attempts = $2 AND cancel_requested_at IS NULL
                   RETURNING id, version, progress
               )
               INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               SELECT 'job.changed', 'job', id, version, jsonb_build_object('state', 'failed', 'progress', progress), $4, $5 FROM ended";
    let values = [
        id.into(),
        attempt.into(),
        kept(error, ERROR_MAX).into(),
        viewer.request_id.clone().into(),
        now.into(),
    ];
    Ok(db
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected()
        > 0)
}

/// The job goes back into the outbox, where it waits until its queue goes on. Tells whether the queue stands still, and the job has not ended.
pub(super) async fn put_back(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: JobId,
) -> Result<bool> {
    let sql = "WITH back AS (
                   UPDATE job j SET state = 'queued', progress = 0, message = NULL, version = version + 1, relayed_at = NULL
                   WHERE id = $1 AND state IN ('queued', 'running', 'failed')
                     AND EXISTS (SELECT FROM queue_pause p WHERE p.queue = j.queue)
                   RETURNING id, version
               )
               INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               SELECT 'job.changed', 'job', id, version, '{\"state\": \"queued\", \"progress\": 0}'::jsonb, $2, $3 FROM back";
    let values = [id.into(), viewer.request_id.clone().into(), now.into()];
    Ok(db
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected()
        > 0)
}

/// The present attempt never was.
pub(super) async fn give_back_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
) -> Result<Job> {
    let (attempts, version) = (job.attempts - 1, job.version + 1);
    let mut row = job.into_active_model();
    row.state = Set(State::Queued);
    row.attempts = Set(attempts);
    row.progress = Set(0);
    row.version = Set(version);
    changed_in_tx(tx, viewer, now, row).await
}

/// How far it has got; its message stays unless there is a new one.
pub(super) async fn progress_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    percent: i16,
    message: Option<&str>,
) -> Result<Job> {
    let version = job.version + 1;
    let mut row = job.into_active_model();
    row.progress = Set(percent);
    row.version = Set(version);
    if let Some(message) = message {
        row.message = Set(Some(kept(message, MESSAGE_MAX)));
    }
    changed_in_tx(tx, viewer, now, row).await
}

/// Gives the job up: it is dead of this error.
pub(super) async fn die_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    error: &str,
) -> Result<Job> {
    let version = job.version + 1;
    let mut row = job.into_active_model();
    row.state = Set(State::Dead);
    row.version = Set(version);
    row.error = Set(Some(kept(error, ERROR_MAX)));
    row.finished_at = Set(Some(now));
    changed_in_tx(tx, viewer, now, row).await
}

/// Takes the job back. What an attempt failed of can still be read.
pub(super) async fn cancel_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
) -> Result<Job> {
    let version = job.version + 1;
    let asked = job.cancel_requested_at.or(Some(now));
    let mut row = job.into_active_model();
    row.state = Set(State::Cancelled);
    row.version = Set(version);
    row.cancel_requested_at = Set(asked);
    row.finished_at = Set(Some(now));
    changed_in_tx(tx, viewer, now, row).await
}

/// Whoever runs it shall stop.
pub(super) async fn request_cancel_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
) -> Result<Job> {
    let version = job.version + 1;
    let mut row = job.into_active_model();
    row.version = Set(version);
    row.cancel_requested_at = Set(Some(now));
    changed_in_tx(tx, viewer, now, row).await
}

/// A dead job waits for its turn, with as many attempts before it as a new one has. They are numbered on, so that a worker that was left
/// behind in its first life cannot speak for the second. What it died of can be read until the next attempt ends. A unique one is refused while
/// another one like it waits or runs.
pub(super) async fn revive_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
) -> Result<Job> {
    let version = job.version + 1;
    let max_attempts = job.attempts + ATTEMPTS;
    let mut row = job.into_active_model();
    row.state = Set(State::Queued);
    row.max_attempts = Set(max_attempts);
    row.progress = Set(0);
    row.message = Set(None);
    row.version = Set(version);
    row.finished_at = Set(None);
    row.relayed_at = Set(None);
    changed_in_tx(tx, viewer, now, row).await
}

/// A text as the table can hold it: not without end, and without the one character that PostgreSQL refuses.
fn kept(text: &str, most: usize) -> String {
    let text = text.chars().take(most);
    text.map(|char| if char == '\0' { '\u{FFFD}' } else { char })
        .collect()
}

/// A job does not fail because it has too much to say of what it did.
fn is_small(result: &Value) -> bool {
    // PostgreSQL writes a blank behind each colon and comma.
    let text = result.to_string();
    let blanks = text.bytes().filter(|byte| b":,".contains(byte)).count();
    text.len() + blanks <= RESULT_MAX
}

/// Marks a job as done, in the transaction that does it: what it did and that it is done become true together.
///
/// # Errors
/// [`Error::Internal`] when the attempt is no longer the latest one; the caller rolls back what it did.
pub(crate) async fn succeed_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: JobId,
    attempt: i32,
) -> Result<()> {
    done(succeed(tx, viewer, now, (id, attempt), None).await?)
}

/// The same, with what came of it: something small, at most 8 KiB of JSON. Of more, nothing is kept.
///
/// # Errors
/// As [`succeed_in_tx`].
pub(crate) async fn succeed_with_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: (JobId, i32),
    result: &Value,
) -> Result<()> {
    done(succeed(tx, viewer, now, job, Some(result)).await?)
}

/// What it means that an attempt was the latest one, or was not.
pub(super) fn done(counts: bool) -> Result<()> {
    if counts {
        Ok(())
    } else {
        Err(Error::internal("another worker has taken this job over"))
    }
}

async fn changed_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    row: ActiveModel,
) -> Result<Job> {
    let under_way = [("job_unique", Refusal::new(Code::JobUnderWay, "id"))];
    let job = row.update(tx).await;
    let job = job.map_err(|error| refuse_if_broken(error, &under_way))?;
    let payload = json!({ "state": job.state, "progress": job.progress });
    let event = NewEvent {
        kind: Kind::JobChanged,
        aggregate_id: job.id.0,
        aggregate_version: job.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await?;
    Ok(job)
}

/// The trail of what somebody has done to a job; the event is written with the job.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: &Job,
    after: &Job,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "job",
        aggregate_id: after.id.0,
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ERROR_MAX, RESULT_MAX, is_small, kept};

    #[test]
    fn a_text_fits_its_column() {
        assert_eq!(kept("no\0thing", ERROR_MAX), "no\u{FFFD}thing");
        let long = "گ".repeat(ERROR_MAX + 1);
        assert_eq!(kept(&long, ERROR_MAX).chars().count(), ERROR_MAX);
    }

    #[test]
    fn a_result_fits_its_column() {
        assert!(is_small(&json!({"rows": 12})));
        assert!(!is_small(&json!("a".repeat(RESULT_MAX))));
        assert!(is_small(&json!(vec![1; RESULT_MAX / 3])));
        assert!(!is_small(&json!(vec![1; RESULT_MAX / 3 + 1])));
    }
}
