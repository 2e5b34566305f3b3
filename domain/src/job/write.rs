//! Writes of jobs. Each change of a job's state is an event.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    job::{ActiveModel, Model as Job, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel,
};
use serde_json::json;

use super::{Task, query};
use crate::{
    clock::new_id,
    error::{Error, Result},
    event::{self, Kind, NewEvent},
    viewer::Viewer,
};

/// How often a job is tried. With waits that double from a second up to ten minutes that is half an hour or more, which outlasts the
/// restart of a service and most other outages.
const ATTEMPTS: i32 = 14;
/// Longest error text kept, in characters.
const ERROR_MAX: usize = 2000;
/// Rows of one `INSERT`: their values must stay below the 65,535 of the protocol.
const INSERT_MAX: usize = 2000;

/// Asks for work, in the transaction that makes it necessary.
pub(crate) async fn enqueue_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    tasks: &[Task],
) -> Result<Vec<JobId>> {
    let rows = tasks
        .iter()
        .map(|task| new_row(viewer, now, task))
        .collect::<Result<Vec<_>>>()?;
    let ids = rows.iter().map(|(id, _)| *id).collect();
    let mut rows = rows.into_iter().map(|(_, row)| row).peekable();
    while rows.peek().is_some() {
        let some: Vec<_> = rows.by_ref().take(INSERT_MAX).collect();
        entity::job::Entity::insert_many(some)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(ids)
}

/// The same for one piece of work.
pub(crate) async fn enqueue_one_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    task: Task,
) -> Result<JobId> {
    let (id, row) = new_row(viewer, now, &task)?;
    entity::job::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(id)
}

fn new_row(viewer: &Viewer, now: DateTime<Utc>, task: &Task) -> Result<(JobId, ActiveModel)> {
    let id = JobId(new_id(now));
    let row = ActiveModel {
        id: Set(id),
        kind: Set(task.kind().into()),
        queue: Set(task.queue().as_str().into()),
        payload: Set(serde_json::to_value(task)?),
        state: Set(State::Queued),
        attempts: Set(0),
        max_attempts: Set(ATTEMPTS),
        progress: Set(0),
        version: Set(1),
        error: Set(None),
        request_id: Set(viewer.request_id.clone()),
        user_id: Set(viewer.user_id()),
        relayed_at: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    Ok((id, row))
}

pub(super) async fn begin_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
) -> Result<Job> {
    let (attempts, version) = (job.attempts + 1, job.version + 1);
    let mut row = job.into_active_model();
    row.state = Set(State::Running);
    row.attempts = Set(attempts);
    row.progress = Set(0);
    row.version = Set(version);
    row.started_at = Set(Some(now));
    // Redis has it, whatever a relay that gave it back believes: from here on it is the reclaim that must find it.
    row.relayed_at = Set(Some(now));
    changed_in_tx(tx, viewer, now, row).await
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

pub(super) async fn progress_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    percent: i16,
) -> Result<Job> {
    let version = job.version + 1;
    let mut row = job.into_active_model();
    row.progress = Set(percent);
    row.version = Set(version);
    changed_in_tx(tx, viewer, now, row).await
}

/// Ends the present attempt in `state`.
pub(super) async fn end_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    state: State,
    error: Option<&str>,
) -> Result<Job> {
    let version = job.version + 1;
    let mut row = job.into_active_model();
    row.state = Set(state);
    row.version = Set(version);
    row.error = Set(error.map(kept));
    row.finished_at = Set(state.is_final().then_some(now));
    if state == State::Succeeded {
        row.progress = Set(100);
    }
    changed_in_tx(tx, viewer, now, row).await
}

/// A dead job waits for its turn, with as many attempts before it as a new one has. They are numbered on, so that a worker that was left
/// behind in its first life cannot speak for the second. What it died of can be read until the next attempt ends.
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
    row.version = Set(version);
    row.finished_at = Set(None);
    // To Redis the job has ended, and a relay that hands over what is new would be told so. One that looks after what was handed over
    // long ago makes such a job begin anew there; and nothing was handed over longer ago than this.
    row.relayed_at = Set(Some(DateTime::UNIX_EPOCH));
    changed_in_tx(tx, viewer, now, row).await
}

/// An error's text as the table can hold it: not without end, and without the one character that PostgreSQL refuses.
fn kept(error: &str) -> String {
    let text = error.chars().take(ERROR_MAX);
    text.map(|char| if char == '\0' { '\u{FFFD}' } else { char })
        .collect()
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
    let job = query::lock_attempt_in_tx(tx, id, attempt).await?;
    let job = job.ok_or_else(|| Error::internal("another worker has taken this job over"))?;
    end_in_tx(tx, viewer, now, job, State::Succeeded, None).await?;
    Ok(())
}

async fn changed_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    row: ActiveModel,
) -> Result<Job> {
    let job = row.update(tx).await?;
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

#[cfg(test)]
mod tests {
    use super::{ERROR_MAX, kept};

    #[test]
    fn an_error_fits_its_column() {
        assert_eq!(kept("no\0thing"), "no\u{FFFD}thing");
        assert_eq!(kept(&"گ".repeat(ERROR_MAX + 1)).chars().count(), ERROR_MAX);
    }
}
