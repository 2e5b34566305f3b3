//! Asking for work, in the transaction that makes it necessary.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    job::{ActiveModel, Entity, State},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction, EntityTrait, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{Task, rules, write::ATTEMPTS};
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

/// Work to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    task: Task,
    priority: i16,
    unique_key: Option<String>,
    tick: Option<(Uuid, DateTime<Utc>)>,
}

/// What became of asking for work of which there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job: a new one, or the one that was there.
    pub id: JobId,
    /// Whether it is new.
    pub is_new: bool,
}

impl NewJob {
    /// Work of the usual priority.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self {
            task,
            priority: 0,
            unique_key: None,
            tick: None,
        }
    }

    /// With a priority from -100 to 100: a higher one comes first.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Only when no job with this key, at most 200 characters, waits or runs.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Of this schedule, for this moment of it: never more than once.
    #[must_use]
    pub fn tick(mut self, schedule: Uuid, at: DateTime<Utc>) -> Self {
        self.tick = Some((schedule, at));
        self
    }
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
        .map(|task| new_row(viewer, now, NewJob::new(task.clone())))
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
    let (id, row) = new_row(viewer, now, NewJob::new(task))?;
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

/// Asks for one piece of work, unless it was asked for before: then tells which job that is. Of many who ask for the same at once, one makes
/// the job, and the others wait until that one has committed.
///
/// # Errors
/// When the priority is out of range, the unique key is too long, or the database fails.
pub(crate) async fn enqueue_new_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: NewJob,
) -> Result<Enqueued> {
    for _ in 0..LOOKS {
        let (id, row) = new_row(viewer, now, job.clone())?;
        let inserted = Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        if inserted > 0 {
            return Ok(Enqueued { id, is_new: true });
        }
        if let Some(id) = present_in_tx(tx, &job).await? {
            return Ok(Enqueued { id, is_new: false });
        }
    }
    Err(Error::internal(
        "a job was in the way again and again, and never there",
    ))
}

/// The job that is in the way of this one.
async fn present_in_tx(tx: &DatabaseTransaction, job: &NewJob) -> Result<Option<JobId>> {
    let (schedule, at) = job.tick.unzip();
    let sql =
        "SELECT id FROM job WHERE unique_key = $1 AND state IN ('queued', 'running', 'failed')
               UNION ALL SELECT id FROM job WHERE schedule_id = $2 AND tick = $3
               LIMIT 1";
    let values = [job.unique_key.clone().into(), schedule.into(), at.into()];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

fn new_row(viewer: &Viewer, now: DateTime<Utc>, job: NewJob) -> Result<(JobId, ActiveModel)> {
    let NewJob {
        task,
        priority,
        unique_key,
        tick,
    } = job;
    let id = JobId(new_id(now));
    let (schedule, at) = tick.unzip();
    let unique_key = unique_key.map(|key| text::line("uniqueKey", &key, 1, UNIQUE_KEY_MAX));
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
        priority: Set(rules::parse_priority(priority)?),
        unique_key: Set(unique_key.transpose()?),
        request_id: Set(viewer.request_id.clone()),
        user_id: Set(viewer.user_id()),
        schedule_id: Set(schedule),
        tick: Set(at),
        cancel_requested_at: Set(None),
        relayed_at: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    Ok((id, row))
}
