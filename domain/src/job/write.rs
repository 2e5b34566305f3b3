//! Writes of jobs. Each change of a job's state is an event.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    job::{ActiveModel, Model as Job, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait,
    FromQueryResult, IntoActiveModel,
};
use serde_json::json;

use super::{Relayed, Task, query};
use crate::{
    clock::new_id,
    error::{Error, Result},
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    viewer::Viewer,
};

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

fn new_row(viewer: &Viewer, now: DateTime<Utc>, task: &Task) -> Result<(JobId, ActiveModel)> {
    let id = JobId(new_id(now));
    let row = ActiveModel {
        id: Set(id),
        kind: Set(task.kind().into()),
        queue: Set(task.queue().as_str().into()),
        payload: Set(serde_json::to_value(task)?),
        state: Set(State::Queued),
        attempts: Set(0),
        max_attempts: Set(task.max_attempts()),
        progress: Set(0),
        version: Set(1),
        result: Set(None),
        error: Set(None),
        request_id: Set(viewer.request_id.clone()),
        user_id: Set(viewer.user_id()),
        run_at: Set(now),
        relayed_at: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    Ok((id, row))
}

pub(super) async fn claim(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Relayed>> {
    let sql = "UPDATE job SET relayed_at = $1
               WHERE id IN (SELECT id FROM job WHERE relayed_at IS NULL AND state = 'queued'
                            ORDER BY created_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
               RETURNING id, queue, request_id, max_attempts";
    Ok(
        Relayed::find_by_statement(statement(sql, [now.into(), limit.into()]))
            .all(db)
            .await?,
    )
}

pub(super) async fn reclaim(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Relayed>> {
    let sql = "UPDATE job SET relayed_at = $1
               WHERE id IN (SELECT id FROM job WHERE relayed_at < $2 AND state IN ('queued', 'running', 'failed')
                            ORDER BY relayed_at LIMIT $3 FOR UPDATE SKIP LOCKED)
               RETURNING id, queue, request_id, max_attempts";
    Ok(
        Relayed::find_by_statement(statement(sql, [now.into(), before.into(), limit.into()]))
            .all(db)
            .await?,
    )
}

pub(super) async fn release(db: &impl ConnectionTrait, ids: &[JobId]) -> Result<()> {
    let sql = "UPDATE job SET relayed_at = NULL WHERE id = ANY($1) AND state = 'queued'";
    db.execute_raw(statement(sql, [uuids(ids)])).await?;
    Ok(())
}

pub(super) async fn give_back(db: &impl ConnectionTrait, id: JobId, attempt: i32) -> Result<()> {
    let sql = "UPDATE job SET state = 'queued', attempts = attempts - 1, version = version + 1
               WHERE id = $1 AND attempts = $2 AND state = 'running'";
    db.execute_raw(statement(sql, [id.into(), attempt.into()]))
        .await?;
    Ok(())
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
    row.error = Set(error.map(|text| text.chars().take(ERROR_MAX).collect()));
    row.finished_at = Set(state.is_final().then_some(now));
    if state == State::Succeeded {
        row.progress = Set(100);
    }
    changed_in_tx(tx, viewer, now, row).await
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
