//! How an import ends: a phase, a file that is none, and at last all of it.

use entity::id::{ItemImportId, JobId};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, QueryResult};

use super::{ItemImport, ItemImports, Opened, Phase, chunk::keep_faults_in_tx};
use crate::{
    error::{Error, Refusal, Result},
    job::{self, NewJobFile},
    sql::statement,
    viewer::Viewer,
};

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place among all that is wrong.
    pub place: i64,
    /// Which row, as people count who look at the file.
    pub row: i64,
    /// What is wrong with it.
    pub refusal: Refusal,
}

impl ItemImports<'_> {
    /// Ends the file as a whole: its headers cannot be understood, so none of its rows can.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn refuse_file(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        opened: &mut Opened,
        refusals: Vec<Refusal>,
    ) -> Result<()> {
        let faults: Vec<_> = refusals.into_iter().map(|refusal| (1, refusal)).collect();
        let import = ItemImport {
            phase: after_all(&opened.import, true),
            rows_read: 1,
            failed: 1,
            ..opened.import.clone()
        };
        self.enter(viewer, job, opened, import, &faults).await
    }

    /// All rows of the file have been dealt with. Whether there is another phase, in which they come once more.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn end_phase(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        opened: &mut Opened,
    ) -> Result<bool> {
        let before = opened.import.clone();
        let phase = after_all(&before, before.failed > 0);
        let import = if phase == Phase::Write {
            ItemImport {
                phase,
                ..from_the_beginning(before)
            }
        } else {
            ItemImport { phase, ..before }
        };
        self.enter(viewer, job, opened, import, &[]).await?;
        Ok(phase == Phase::Write)
    }

    /// Forgets what was found so far.
    pub(super) async fn begin_anew(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        import: ItemImport,
    ) -> Result<ItemImport> {
        let import = from_the_beginning(import);
        let tx = self.domain.begin().await?;
        forget_faults_in_tx(&tx, import.id).await?;
        move_in_tx(&tx, &import).await?;
        job::hold_attempt_in_tx(&tx, viewer, self.domain.now(), job, None, None).await?;
        self.domain.commit(tx).await?;
        Ok(import)
    }

    async fn enter(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        opened: &mut Opened,
        import: ItemImport,
        faults: &[(i64, Refusal)],
    ) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        keep_faults_in_tx(&tx, &opened.import, faults).await?;
        move_in_tx(&tx, &import).await?;
        job::hold_attempt_in_tx(&tx, viewer, self.domain.now(), job, None, None).await?;
        self.domain.commit(tx).await?;
        opened.import = import;
        Ok(())
    }

    /// What is wrong with rows: at most `limit` of it, behind this place.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn faults(
        &self,
        viewer: &Viewer,
        id: ItemImportId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Fault>> {
        viewer.require_system()?;
        let sql = "SELECT number, row_number, refusal FROM item_import_error
                   WHERE import_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        let values = [id.into(), after.into(), limit.into()];
        let found = self.domain.db.query_all_raw(statement(sql, values)).await?;
        found.iter().map(fault).collect()
    }

    /// Ends the import well, together with its job, whose files these are.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: ItemImportId,
        files: &[NewJobFile],
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let sql = "UPDATE item_import SET finished_at = $2 WHERE id = $1
                   RETURNING jsonb_build_object('rows', rows_read, 'created', created, 'updated', updated, 'unchanged', unchanged, 'failed', failed)";
        let row = tx
            .query_one_raw(statement(sql, [id.into(), now.into()]))
            .await?;
        let row = row.ok_or_else(|| Error::internal("an import that nobody asked for"))?;
        let result: serde_json::Value = row.try_get_by_index(0)?;
        forget_faults_in_tx(&tx, id).await?;
        job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        job::add_files_in_tx(&tx, now, job.0, files).await?;
        self.domain.commit(tx).await
    }
}

/// The phase behind the present one.
fn after_all(import: &ItemImport, has_failed: bool) -> Phase {
    match import.phase {
        Phase::Check if !import.dry_run && !has_failed => Phase::Write,
        Phase::Check if !import.dry_run => Phase::Rejected,
        Phase::Check | Phase::Write | Phase::Done => Phase::Done,
        Phase::Rejected => Phase::Rejected,
    }
}

fn from_the_beginning(import: ItemImport) -> ItemImport {
    ItemImport {
        next_row: 0,
        rows_read: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        failed: 0,
        ..import
    }
}

async fn move_in_tx(tx: &DatabaseTransaction, import: &ItemImport) -> Result<()> {
    let sql = "UPDATE item_import SET phase = $2, next_row = $3, rows_read = $4, created = $5, updated = $6, unchanged = $7, failed = $8
               WHERE id = $1";
    let values = [
        import.id.into(),
        import.phase.to_value().into(),
        import.next_row.into(),
        import.rows_read.into(),
        import.created.into(),
        import.updated.into(),
        import.unchanged.into(),
        import.failed.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

async fn forget_faults_in_tx(tx: &DatabaseTransaction, id: ItemImportId) -> Result<()> {
    let sql = "DELETE FROM item_import_error WHERE import_id = $1";
    tx.execute_raw(statement(sql, [id.into()])).await?;
    Ok(())
}

fn fault(row: &QueryResult) -> Result<Fault> {
    let refusal: serde_json::Value = row.try_get_by_index(2)?;
    Ok(Fault {
        place: row.try_get_by_index(0)?,
        row: row.try_get_by_index(1)?,
        refusal: serde_json::from_value(refusal)?,
    })
}
