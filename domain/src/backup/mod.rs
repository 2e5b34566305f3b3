//! Backups: asked for here, made and proved by a worker ([ADR 29](../docs/adr/0029-backups.md)). What only reads databases of which nothing
//! but their address is known is in [`facts`] and [`cluster`].

pub mod cluster;
pub mod facts;
mod proof;

use chrono::{DateTime, Utc};
use entity::{
    backup::{ActiveModel, Column, Entity, Model, State as RowState},
    id::{BackupId, JobId},
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _,
    DatabaseTransaction, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use entity::backup::{Model as Backup, State};
pub use proof::{Check, Report};

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    db,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Enqueued, Task},
    keyset::{Column as Key, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    permission::Permission,
    sql::statement,
    stock::parse_note,
    viewer::Viewer,
};

/// Longest error text kept, in characters.
const ERROR_MAX: usize = 2_000;

/// A backup to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewBackup {
    /// Whether files that the last backup has are left out.
    pub is_incremental: bool,
    /// Why it is asked for.
    pub note: Option<String>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What its folder is called.
    pub name: String,
    /// How many bytes there are of it.
    pub byte_size: i64,
    /// Its files.
    pub parts: Vec<Part>,
    /// Whether it was copied to another store.
    pub is_copied: bool,
    /// Names of older ones whose time was over, and which are gone now.
    pub removed: Vec<String>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is: `database`, `sql`, `redis`, `uploads`, `uploads-list` or `configuration`.
    pub part: String,
    /// What it is called, in the backup's folder.
    pub file: String,
    /// How many bytes there are of it.
    pub bytes: u64,
    /// The SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
}

/// Backups: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Backups<'a> {
    pub(crate) domain: &'a Domain,
}

impl Backups<'_> {
    /// Asks for a backup.
    ///
    /// # Errors
    /// When the viewer may not manage backups, the note is too long, or one is being made already ([`Code::BackupRunning`]).
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewBackup,
        key: Option<&str>,
    ) -> Result<Backup> {
        viewer.require(Permission::BackupManage)?;
        let note = parse_note(new.note.as_deref())?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "backup.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        forget_dead_in_tx(&tx, now).await?;
        let row = ask_in_tx(&tx, viewer, now, new.is_incremental, note).await?;
        claim.keep_in_tx(&tx, &row).await?;
        self.domain.commit(tx).await?;
        Ok(row)
    }

    /// Asks for the proof that a backup can be restored, and is what was there. One that is being proved already is only told.
    ///
    /// # Errors
    /// When the viewer may not manage backups, there is no such backup, or it is not complete.
    pub async fn verify(&self, viewer: &Viewer, id: BackupId, key: Option<&str>) -> Result<Backup> {
        viewer.require(Permission::BackupManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "backup.verify", &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id).await?;
        if before.state != RowState::Complete || before.removed_at.is_some() {
            let state = match before.state {
                RowState::Running => "RUNNING",
                RowState::Complete => "REMOVED",
                RowState::Failed => "FAILED",
            };
            return Err(Refusal::new(Code::WrongState, "id")
                .with("state", state)
                .into());
        }
        let after = verify_in_tx(&tx, viewer, now, before).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// The backup with this id.
    ///
    /// # Errors
    /// When the viewer may not see backups.
    pub async fn find(&self, viewer: &Viewer, id: BackupId) -> Result<Option<Backup>> {
        viewer.require(Permission::BackupRead)?;
        Ok(Entity::find_by_id(id).one(&self.domain.reads).await?)
    }

    /// A page of all backups, newest first.
    ///
    /// # Errors
    /// When the viewer may not see backups, or an argument is wrong.
    pub async fn page(&self, viewer: &Viewer, args: &PageArgs) -> Result<Page<Backup>> {
        viewer.require(Permission::BackupRead)?;
        let id = Key {
            sql: "id",
            cast: "uuid",
        };
        let list = List {
            columns: "*",
            from: "backup",
            order: Order::newest_first(id),
            filter: &|sql| {
                sql.push("true");
            },
            cursor: &|backup: &Backup| Cursor(vec![backup.id.to_string()]),
            reading: Reading::Any,
        };
        list.page(&self.domain.reads, args).await
    }

    /// The backup that a job is to make; none when it has ended already.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn begin(&self, viewer: &Viewer, id: BackupId) -> Result<Option<Backup>> {
        viewer.require_system()?;
        let row = Entity::find_by_id(id).one(&self.domain.db).await?;
        Ok(row.filter(|row| row.state == RowState::Running))
    }

    /// Says that a backup is there, and ends its job well.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: BackupId,
        made: Made,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        job::succeed_in_tx(&tx, viewer, now, job.0, job.1).await?;
        forget_removed_in_tx(&tx, now, &made.removed).await?;
        let row = ActiveModel {
            id: Set(id),
            ..complete(now, made)?
        };
        row.update(&tx).await?;
        self.domain.commit(tx).await
    }

    /// Says that there will be no backup, and why. Its job is ended by whoever runs it.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn fail(&self, viewer: &Viewer, id: BackupId, error: &str) -> Result<()> {
        viewer.require_system()?;
        let sql = "UPDATE backup SET state = 'failed', error = $2, finished_at = $3 WHERE id = $1 AND state = 'running'";
        let values = [id.into(), kept(error).into(), self.domain.now().into()];
        self.domain.db.execute_raw(statement(sql, values)).await?;
        Ok(())
    }

    /// Writes down a backup that was made without a job, from the command line, or what became of it.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn record(
        &self,
        viewer: &Viewer,
        id: BackupId,
        new: NewBackup,
        made: Result<Made, String>,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let ended = match made {
            Ok(made) => {
                forget_removed_in_tx(&tx, now, &made.removed).await?;
                complete(now, made)?
            }
            Err(error) => ActiveModel {
                state: Set(RowState::Failed),
                error: Set(Some(kept(&error))),
                finished_at: Set(Some(now)),
                ..Default::default()
            },
        };
        let row = ActiveModel {
            id: Set(id),
            is_incremental: Set(new.is_incremental),
            note: Set(parse_note(new.note.as_deref())?),
            created_at: Set(now),
            ..ended
        };
        let row = row.insert(&tx).await?;
        record_in_tx(&tx, viewer, now, "backup.create", None, &row).await?;
        self.domain.commit(tx).await
    }

    /// Keeps what a proof has found of the backup in the folder of this name, if it is known here; and ends the job that made it well, if one did.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn proved(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        name: &str,
        report: &Report,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        if let Some((job, attempt)) = job {
            job::succeed_in_tx(&tx, viewer, now, job, attempt).await?;
        }
        let sql = "UPDATE backup SET verified_at = $2, verification = $3 WHERE name = $1";
        let values = [
            name.into(),
            now.into(),
            serde_json::to_value(report)?.into(),
        ];
        tx.execute_raw(statement(sql, values)).await?;
        self.domain.commit(tx).await
    }
}

async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    is_incremental: bool,
    note: Option<String>,
) -> Result<Model> {
    let id = BackupId(new_id(now));
    let task = Task::CreateBackup { backup_id: id };
    let job_id = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let row = ActiveModel {
        id: Set(id),
        job_id: Set(Some(job_id)),
        state: Set(RowState::Running),
        is_incremental: Set(is_incremental),
        note: Set(note),
        parts: Set(serde_json::json!([])),
        is_copied: Set(false),
        created_at: Set(now),
        ..Default::default()
    };
    // Whoever comes at the same time waits here for the other, and is told.
    let running = Refusal::new(Code::BackupRunning, "");
    let row = row.insert(tx).await;
    let row = row.map_err(|error| db::refuse_if_broken(error, &[(RUNNING, running)]))?;
    record_in_tx(tx, viewer, now, "backup.create", None, &row).await?;
    Ok(row)
}

async fn verify_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: Model,
) -> Result<Model> {
    if is_being_verified_in_tx(tx, before.id).await? {
        return Ok(before);
    }
    let task = Task::VerifyBackup {
        backup_id: before.id,
    };
    let job_id = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let row = ActiveModel {
        id: Set(before.id),
        verification_job_id: Set(Some(job_id)),
        ..Default::default()
    };
    let row = row.update(tx).await?;
    record_in_tx(tx, viewer, now, "backup.verify", Some(&before), &row).await?;
    Ok(row)
}

/// Asks for a whole backup; one that is being made already will do.
pub(crate) async fn ask_or_join_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    note: Option<String>,
) -> Result<Enqueued> {
    forget_dead_in_tx(tx, now).await?;
    let running = Entity::find()
        .filter(Column::State.eq(RowState::Running))
        .one(tx)
        .await?;
    let is_new = running.is_none();
    let row = match running {
        Some(row) => row,
        None => ask_in_tx(tx, viewer, now, false, note).await?,
    };
    let id = row.job_id;
    let id = id.ok_or_else(|| Error::internal("a backup is being made by nobody"))?;
    Ok(Enqueued { id, is_new })
}

/// Asks for the proof of the newest backup; one that is being made already will do. Where there is no backup, the job says so by failing: somebody
/// has to know.
pub(crate) async fn verify_newest_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<Enqueued> {
    let newest = Entity::find()
        .filter(Column::State.eq(RowState::Complete))
        .filter(Column::RemovedAt.is_null())
        .order_by_desc(Column::Id)
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(newest) = newest else {
        let backup_id = BackupId(Uuid::nil());
        let id = job::enqueue_one_in_tx(tx, viewer, now, Task::VerifyBackup { backup_id }).await?;
        return Ok(Enqueued { id, is_new: true });
    };
    let before = newest.verification_job_id;
    let after = verify_in_tx(tx, viewer, now, newest).await?;
    let id = after.verification_job_id;
    let id = id.ok_or_else(|| Error::internal("a backup is being proved by nobody"))?;
    Ok(Enqueued {
        id,
        is_new: before != Some(id),
    })
}

/// The index that keeps a second backup from being made at the same time.
const RUNNING: &str = "backup_running";

fn complete(now: DateTime<Utc>, made: Made) -> Result<ActiveModel> {
    let Made {
        name,
        byte_size,
        parts,
        is_copied,
        removed: _,
    } = made;
    Ok(ActiveModel {
        state: Set(RowState::Complete),
        name: Set(Some(name)),
        byte_size: Set(Some(byte_size)),
        parts: Set(serde_json::to_value(parts)?),
        is_copied: Set(is_copied),
        finished_at: Set(Some(now)),
        ..Default::default()
    })
}

/// Their folders are gone.
async fn forget_removed_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    names: &[String],
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE backup SET removed_at = $1 WHERE name = ANY($2) AND removed_at IS NULL";
    let values = [now.into(), names.to_vec().into()];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// A job that has died, or was taken back, cannot say what became of its backup.
async fn forget_dead_in_tx(tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE backup b SET state = 'failed', error = 'its job ended before it was made', finished_at = $1
               WHERE state = 'running' AND NOT EXISTS (SELECT FROM job j WHERE j.id = b.job_id AND j.finished_at IS NULL)";
    tx.execute_raw(statement(sql, [now.into()])).await?;
    Ok(())
}

async fn lock_in_tx(tx: &DatabaseTransaction, id: BackupId) -> Result<Model> {
    let row = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    row.ok_or_else(|| Refusal::new(Code::NotFound, "id").into())
}

#[derive(sea_orm::FromQueryResult)]
struct Found {
    is_found: bool,
}

async fn is_being_verified_in_tx(tx: &DatabaseTransaction, id: BackupId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM backup b JOIN job j ON j.id = b.verification_job_id WHERE b.id = $1 AND j.finished_at IS NULL) AS is_found";
    let found = Found::find_by_statement(statement(sql, [id.into()]));
    let found = found.one(tx).await?;
    let found = found.ok_or_else(|| Error::internal("a question without an answer"))?;
    Ok(found.is_found)
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Backup>,
    after: &Backup,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "backup",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

/// An error's text as the table can hold it.
fn kept(error: &str) -> String {
    error
        .replace('\0', "\u{FFFD}")
        .chars()
        .take(ERROR_MAX)
        .collect()
}

/// The files of a backup.
///
/// # Errors
/// When what is kept cannot be read.
pub fn parts(backup: &Backup) -> Result<Vec<Part>> {
    Ok(serde_json::from_value(backup.parts.clone())?)
}

/// What the last proof of a backup has found.
///
/// # Errors
/// When what is kept cannot be read.
pub fn report(backup: &Backup) -> Result<Option<Report>> {
    Ok(backup
        .verification
        .clone()
        .map(serde_json::from_value)
        .transpose()?)
}
