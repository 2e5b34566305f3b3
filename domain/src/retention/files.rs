//! Files that nothing refers to. The blob store knows no transactions, so the database decides which of its names may be used
//! ([ADR 33](../../docs/adr/0033-unreferenced-files.md)).

use entity::id::{JobId, RetentionRunId};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};

use super::{Progress, Retention, Run, query};
use crate::{
    audit,
    error::Result,
    job::hold_attempt_in_tx,
    sql::{Sql, statement},
    viewer::Viewer,
};

/// What a look finds among files that are named by `$2`, with their sizes in `$3`.
const COUNTED: &str = "(SELECT count(*) AS found_count, COALESCE(sum(u.size), 0)::bigint AS found_bytes
    FROM unnest($2::text[], $3::bigint[]) u (k, size) WHERE u.k IN (SELECT blob_unreferenced($2))) f";

/// A file as the blob store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub bytes: i64,
}

/// The name of a key in whatever generation: who asks the same again must not be told that it is something else.
pub(crate) fn name(key: &str) -> String {
    let mut parts: Vec<_> = key.split('/').collect();
    let generation = parts.get(1).and_then(|part| part.strip_prefix('g'));
    if generation.is_some_and(|digits| digits.parse::<i32>().is_ok()) {
        parts.remove(1);
    }
    parts.join("/")
}

impl Retention<'_> {
    /// Of each of these names, the first generation that was not retired; from 1. It tells nothing but what is to be written where.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn generations(&self, names: Vec<String>) -> Result<Vec<i32>> {
        let sql = "SELECT COALESCE(max(r.generation), 0) + 1 AS generation
                   FROM unnest($1::text[]) WITH ORDINALITY n (name, place) LEFT JOIN blob_retired r ON r.name = n.name
                   GROUP BY n.place ORDER BY n.place";
        let asked = statement(sql, [names.into()]);
        let rows = self.domain.db.query_all_raw(asked).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", "generation")?))
            .collect()
    }

    /// Retires those of these files that nothing refers to, or counts them when the run only looks. They are removed when they have been retired for as
    /// long as the policy says.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn survey(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        id: RetentionRunId,
        files: Vec<StoredFile>,
    ) -> Result<Progress> {
        let Some((tx, run)) = self.go_on(viewer, job, id).await? else {
            return Ok(Progress::Done);
        };
        retire_in_tx(&tx, &run, files).await?;
        self.domain.commit(tx).await?;
        Ok(Progress::Survey)
    }

    /// Counts so many files, with so many bytes, that uploads left behind, and says whether they are to be removed: not by a run that only looks, nor while
    /// everything is held. Whoever is stopped before they are removed has them counted again; none goes that no run has counted.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn leftovers(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        id: RetentionRunId,
        files: i64,
        bytes: i64,
    ) -> Result<bool> {
        let Some((tx, run)) = self.go_on(viewer, job, id).await? else {
            return Ok(false);
        };
        let sql = "INSERT INTO retention_result (run_id, subject, file_count, byte_count) VALUES ($1, 'unreferenced_files', $2, $3)
                   ON CONFLICT (run_id, subject) DO UPDATE SET file_count = retention_result.file_count + EXCLUDED.file_count,
                       byte_count = retention_result.byte_count + EXCLUDED.byte_count";
        let values = [id.into(), files.into(), bytes.into()];
        tx.execute_raw(statement(sql, values)).await?;
        self.domain.commit(tx).await?;
        Ok(!run.dry_run)
    }

    /// Begins the next part of a run; none when everything is held and something would go.
    async fn go_on(
        &self,
        viewer: &Viewer,
        job: Option<(JobId, i32)>,
        id: RetentionRunId,
    ) -> Result<Option<(DatabaseTransaction, Run)>> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let run = query::lock_in_tx(&tx, id).await?;
        if let Some(job) = job {
            hold_attempt_in_tx(&tx, viewer, self.domain.now(), job, None, None).await?;
        }
        if !run.dry_run && query::share_hold_in_tx(&tx).await?.held {
            return Ok(None);
        }
        audit::sign_in_tx(&tx, viewer, "retention.run").await?;
        Ok(Some((tx, run)))
    }

    /// All files were looked at.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn surveyed(&self, viewer: &Viewer, id: RetentionRunId) -> Result<()> {
        viewer.require_system()?;
        let sql = "UPDATE retention_run SET surveyed = true WHERE id = $1";
        self.domain
            .db
            .execute_raw(statement(sql, [id.into()]))
            .await?;
        Ok(())
    }
}

/// Retires or counts, and adds what was found to what the run has found.
async fn retire_in_tx(tx: &DatabaseTransaction, run: &Run, files: Vec<StoredFile>) -> Result<()> {
    let (keys, sizes): (Vec<_>, Vec<_>) =
        files.into_iter().map(|file| (file.key, file.bytes)).unzip();
    let mut sql = Sql::with_values(vec![run.id.into(), keys.into(), sizes.into()]);
    sql.push("INSERT INTO retention_result (run_id, subject, found_count, found_bytes) SELECT $1, 'unreferenced_files', f.found_count, f.found_bytes FROM ");
    sql.push(if run.dry_run {
        COUNTED
    } else {
        "blob_retire($2, $3) f"
    });
    sql.push(
        " ON CONFLICT (run_id, subject) DO UPDATE SET found_count = retention_result.found_count + EXCLUDED.found_count,
             found_bytes = retention_result.found_bytes + EXCLUDED.found_bytes",
    );
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// A look begins from nothing: whoever was stopped in its middle has counted some already.
pub(super) async fn begin_survey_in_tx(tx: &DatabaseTransaction, run: &Run) -> Result<()> {
    if run.dry_run {
        let sql = "UPDATE retention_result SET file_count = 0, byte_count = 0, found_count = 0, found_bytes = 0
                   WHERE run_id = $1 AND subject = 'unreferenced_files'";
        tx.execute_raw(statement(sql, [run.id.into()])).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_the_same_in_each_generation() {
        for key in [
            "original/3f/3f79",
            "original/g2/3f/3f79",
            "original/g17/3f/3f79",
        ] {
            assert_eq!(name(key), "original/3f/3f79");
        }
        for key in [
            "original/g/3f79",
            "g2/original",
            "original",
            "code/gx/g2.svg",
        ] {
            assert_eq!(name(key), key);
        }
    }
}
