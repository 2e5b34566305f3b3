//! Asking for work, in the transaction that makes it necessary.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    job::{ActiveModel, Entity, State},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction, EntityTrait, sea_query::OnConflict,
};

use super::{Task, write::ATTEMPTS};
use crate::{
    clock::new_id,
    error::{Error, Result},
    sql::statement,
    text,
    viewer::Viewer,
};

/// Rows of one `INSERT`: their values must stay below the 65,535 of the protocol.
const INSERT_MAX: usize = 2000;
/// Longest unique key, in characters.
const UNIQUE_KEY_MAX: usize = 200;
/// How often it is tried to find the job that was in the way. It is gone when it ends just then.
const LOOKS: usize = 10;

/// What became of asking for work of which there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job: a new one, or the one that was there.
    pub id: JobId,
    /// Whether it is new.
    pub is_new: bool,
}

/// Asks for work, in the transaction that makes it necessary.
pub(crate) async fn enqueue_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    tasks: &[Task],
) -> Result<Vec<JobId>> {
    let rows = tasks
        .iter()
        .map(|task| new_row(viewer, now, task.clone(), None))
        .collect::<Result<Vec<_>>>()?;
    let ids = rows.iter().map(|(id, _)| *id).collect();
    let mut rows = rows.into_iter().map(|(_, row)| row).peekable();
    while rows.peek().is_some() {
        let some: Vec<_> = rows.by_ref().take(INSERT_MAX).collect();
        Entity::insert_many(some).exec_without_returning(tx).await?;
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
    let (id, row) = new_row(viewer, now, task, None)?;
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

/// Asks for one piece of work, unless a job with this key waits or runs: then tells which job that is. Of many who ask for the same at once, one makes
/// the job, and the others wait until that one has committed.
///
/// # Errors
/// When the key is longer than 200 characters, or the database fails.
pub(crate) async fn enqueue_new_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    task: Task,
    key: &str,
) -> Result<Enqueued> {
    for _ in 0..LOOKS {
        let (id, row) = new_row(viewer, now, task.clone(), Some(key))?;
        let inserted = Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        if inserted > 0 {
            return Ok(Enqueued { id, is_new: true });
        }
        if let Some(id) = under_way_in_tx(tx, key).await? {
            return Ok(Enqueued { id, is_new: false });
        }
    }
    Err(Error::internal(
        "a job was in the way again and again, and never there",
    ))
}

/// The job with this key that has not ended.
pub(super) async fn under_way_in_tx(tx: &DatabaseTransaction, key: &str) -> Result<Option<JobId>> {
    let sql =
        "SELECT id FROM job WHERE unique_key = $1 AND state IN ('queued', 'running', 'failed')";
    let row = tx.query_one_raw(statement(sql, [key.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

fn new_row(
    viewer: &Viewer,
    now: DateTime<Utc>,
    task: Task,
    key: Option<&str>,
) -> Result<(JobId, ActiveModel)> {
    let id = JobId(new_id(now));
    let unique_key = key.map(|key| text::line("uniqueKey", key, 1, UNIQUE_KEY_MAX));
    let row = ActiveModel {
        id: Set(id),
        kind: Set(task.kind().into()),
        queue: Set(task.queue().as_str().into()),
        payload: Set(serde_json::to_value(task)?),
        state: Set(State::Queued),
        attempts: Set(0),
        max_attempts: Set(ATTEMPTS),
        progress: Set(0),
        message: Set(None),
        version: Set(1),
        error: Set(None),
        result: Set(None),
        priority: Set(0),
        unique_key: Set(unique_key.transpose()?),
        request_id: Set(viewer.request_id.clone()),
        user_id: Set(viewer.user_id()),
        schedule_id: Set(None),
        tick: Set(None),
        cancel_requested_at: Set(None),
        relayed_at: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    Ok((id, row))
}
