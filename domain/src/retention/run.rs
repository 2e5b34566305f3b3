//! Clearing up: some at a time, each in a transaction of its own that writes down what went. Whoever is stopped in between is gone on with from there.

use entity::id::{JobId, RetentionRunId};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Iterable as _};

use super::{Report, Retention, Run, Subject, files, query, write};
use crate::{
    audit,
    clock::new_id,
    error::{Code, Refusal, Result},
    job::{hold_attempt_in_tx, succeed_in_tx},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// How many are removed in one transaction.
const BATCH: i32 = 500;
/// How many files are told at once.
const FILES: i64 = 500;
/// All there is of a subject may be looked at.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'";

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    Open,
    /// Files are to be looked at, by [`Retention::survey`], before there is more to do.
    Survey,
    /// All that there was to do is done, or everything is held.
    Done,
}

impl Retention<'_> {
    /// A run that no job does, but whoever asks, by [`Retention::step`].
    ///
    /// # Errors
    /// When the viewer may not, or everything is held and something would go.
    pub async fn begin(&self, viewer: &Viewer, dry_run: bool) -> Result<Run> {
        viewer.require(Permission::RetentionManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        if !dry_run && query::hold(&tx).await?.held {
            return Err(Refusal::new(Code::LegalHold, "").into());
        }
        let id = RetentionRunId(new_id(now));
        let run = write::insert_run_in_tx(&tx, now, id, None, dry_run).await?;
        write::record_run_in_tx(&tx, viewer, now, "retention.run", &run, &[]).await?;
        self.domain.commit(tx).await?;
        Ok(run)
    }

    /// Goes on with a run, on behalf of the attempt at its job, if a job does it.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn step(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        id: RetentionRunId,
    ) -> Result<Progress> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        tx.execute_unprepared(PATIENCE).await?;
        let run = query::lock_in_tx(&tx, id).await?;
        if run.finished_at.is_some() {
            return Ok(Progress::Done);
        }
        let done = usize::try_from(run.subjects).unwrap_or(usize::MAX);
        let Some(subject) = Subject::iter().nth(done) else {
            return Ok(Progress::Done);
        };
        if let Some(job) = job {
            hold_attempt_in_tx(&tx, viewer, self.domain.now(), job, percent(done), None).await?;
        }
        if !run.dry_run && query::share_hold_in_tx(&tx).await?.held {
            return Ok(Progress::Done);
        }
        audit::sign_in_tx(&tx, viewer, "retention.run").await?;
        if subject == Subject::UnreferencedFiles
            && !run.surveyed
            && is_enabled(&tx, subject).await?
        {
            files::begin_survey_in_tx(&tx, &run).await?;
            self.domain.commit(tx).await?;
            return Ok(Progress::Survey);
        }
        if run.dry_run || !remove_some_in_tx(&tx, &run, subject).await? {
            write::look_in_tx(&tx, &run, subject).await?;
            write::advance_in_tx(&tx, id, run.subjects + 1).await?;
        }
        self.domain.commit(tx).await?;
        Ok(Progress::Open)
    }

    /// Ends a run that is done, and its job well.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        id: RetentionRunId,
    ) -> Result<Report> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let mut run = query::lock_in_tx(&tx, id).await?;
        let outcomes = query::outcomes(&tx, &[id]).await?;
        if run.finished_at.is_none() {
            let was_held = usize::try_from(run.subjects).unwrap_or(usize::MAX) < subjects();
            run = write::finish_in_tx(&tx, now, run, was_held).await?;
            write::record_run_in_tx(&tx, viewer, now, "retention.finish", &run, &outcomes).await?;
        }
        if let Some((job, attempt)) = job {
            succeed_in_tx(&tx, viewer, now, job, attempt).await?;
        }
        self.domain.commit(tx).await?;
        Ok(Report { run, outcomes })
    }

    /// Some files that nothing leads to any more; none while everything is held. Whoever has removed them says so by
    /// [`Retention::forget_files`].
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn files(&self, viewer: &Viewer) -> Result<Vec<String>> {
        viewer.require_system()?;
        let sql = "SELECT f.blob_key FROM retention_file f WHERE EXISTS (SELECT FROM retention_hold h WHERE NOT h.held)
                   ORDER BY f.created_at, f.blob_key LIMIT $1";
        let rows = self.domain.db.query_all_raw(statement(sql, [FILES.into()]));
        let rows = rows.await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", "blob_key")?))
            .collect()
    }

    /// Forgets files that are removed.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn forget_files(&self, viewer: &Viewer, keys: Vec<String>) -> Result<()> {
        viewer.require_system()?;
        let sql = "DELETE FROM retention_file WHERE blob_key = ANY($1)";
        self.domain
            .db
            .execute_raw(statement(sql, [keys.into()]))
            .await?;
        Ok(())
    }
}

/// Whether there was anything to remove.
async fn remove_some_in_tx(tx: &DatabaseTransaction, run: &Run, subject: Subject) -> Result<bool> {
    let gone = write::remove_in_tx(tx, run.id, subject, BATCH).await?;
    Ok(gone.row_count > 0)
}

async fn is_enabled(tx: &DatabaseTransaction, subject: Subject) -> Result<bool> {
    Ok(query::policy(tx, subject).await?.enabled)
}

fn subjects() -> usize {
    Subject::iter().count()
}

fn percent(done: usize) -> Option<i16> {
    i16::try_from(done * 100 / subjects()).ok()
}
