//! Writes of policies, of the hold, and of runs.

use chrono::{DateTime, Utc};
use entity::{
    id::{JobId, RetentionRunId},
    retention_run,
};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction,
    FromQueryResult, IntoActiveModel,
};
use serde_json::json;
use uuid::Uuid;

use super::{Hold, Outcome, Policy, PolicyChange, Run, Subject};
use crate::{
    audit::{self, Change},
    error::{Error, Result},
    sql::{Sql, statement},
    viewer::Viewer,
};

pub(super) async fn update_policy_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Policy,
    change: PolicyChange,
) -> Result<Policy> {
    let PolicyChange { keep_days, enabled } = change;
    let mut row = before.clone().into_active_model();
    row.keep_days = Set(keep_days.unwrap_or(before.keep_days));
    row.enabled = Set(enabled.unwrap_or(before.enabled));
    row.version = Set(before.version + 1);
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

pub(super) async fn update_hold_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Hold,
    reason: Option<String>,
) -> Result<Hold> {
    let version = before.version + 1;
    let mut row = before.into_active_model();
    row.held = Set(reason.is_some());
    row.reason = Set(reason);
    row.version = Set(version);
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

pub(super) async fn insert_run_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: RetentionRunId,
    job_id: Option<JobId>,
    dry_run: bool,
) -> Result<Run> {
    let row = retention_run::ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        dry_run: Set(dry_run),
        subjects: Set(0),
        surveyed: Set(false),
        was_held: Set(false),
        created_at: Set(now),
        finished_at: Set(None),
    };
    Ok(row.insert(tx).await?)
}

/// So many subjects are done with.
pub(super) async fn advance_in_tx(
    tx: &DatabaseTransaction,
    run: RetentionRunId,
    subjects: i32,
) -> Result<()> {
    let sql = "UPDATE retention_run SET subjects = $2 WHERE id = $1";
    tx.execute_raw(statement(sql, [run.into(), subjects.into()]))
        .await?;
    Ok(())
}

pub(super) async fn finish_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Run,
    was_held: bool,
) -> Result<Run> {
    let mut row = before.into_active_model();
    row.was_held = Set(was_held);
    row.finished_at = Set(Some(now));
    Ok(row.update(tx).await?)
}

/// What went in one go.
#[derive(FromQueryResult)]
pub(super) struct Gone {
    pub(super) row_count: i64,
    file_count: i64,
    byte_count: i64,
}

/// Removes some of a subject, and adds them to what the run has removed.
pub(super) async fn remove_in_tx(
    tx: &DatabaseTransaction,
    run: RetentionRunId,
    subject: Subject,
    most: i32,
) -> Result<Gone> {
    let gone = if subject == Subject::UnreferencedFiles {
        statement("SELECT * FROM blob_remove($1)", [most.into()])
    } else {
        let sql = "SELECT * FROM retention_remove($1, $2)";
        statement(sql, [subject.to_value().into(), most.into()])
    };
    let gone = Gone::find_by_statement(gone).one(tx).await?;
    let gone = gone.ok_or_else(|| Error::internal("a removal gave no row"))?;
    let sql = "INSERT INTO retention_result (run_id, subject, row_count, file_count, byte_count) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (run_id, subject) DO UPDATE SET row_count = retention_result.row_count + EXCLUDED.row_count,
                   file_count = retention_result.file_count + EXCLUDED.file_count,
                   byte_count = retention_result.byte_count + EXCLUDED.byte_count";
    let values = [
        run.into(),
        subject.to_value().into(),
        gone.row_count.into(),
        gone.file_count.into(),
        gone.byte_count.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(gone)
}

/// Looks at a subject: of a run that only looks, at what would go, of others at what stays.
pub(super) async fn look_in_tx(
    tx: &DatabaseTransaction,
    run: &Run,
    subject: Subject,
) -> Result<()> {
    let mut sql = Sql::with_values(vec![
        run.id.into(),
        subject.to_value().into(),
        run.dry_run.into(),
    ]);
    sql.push(
        "INSERT INTO retention_result (run_id, subject, row_count, file_count, byte_count, older_than, oldest_kept)
         SELECT $1, $2, CASE WHEN $3 THEN d.row_count ELSE 0 END, CASE WHEN $3 THEN d.file_count ELSE 0 END,
             CASE WHEN $3 THEN d.byte_count ELSE 0 END, d.older_than, d.oldest_kept FROM ",
    );
    sql.push(match subject {
        Subject::UnreferencedFiles => "blob_due() d",
        Subject::Audit => TRAIL_DUE,
        _ => "retention_due($2) d",
    });
    sql.push(
        " ON CONFLICT (run_id, subject) DO UPDATE SET row_count = retention_result.row_count + EXCLUDED.row_count,
             file_count = retention_result.file_count + EXCLUDED.file_count, byte_count = retention_result.byte_count + EXCLUDED.byte_count,
             older_than = EXCLUDED.older_than, oldest_kept = EXCLUDED.oldest_kept",
    );
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Of a run that removes something, a month that is due is one that could not go, and is what is kept.
const TRAIL_DUE: &str = "(SELECT t.row_count, t.file_count, t.byte_count, t.older_than,
         CASE WHEN $3 OR t.older_than IS NULL THEN t.oldest_kept
              ELSE LEAST(t.oldest_kept, (SELECT a.written_at FROM audit a ORDER BY a.number LIMIT 1),
                         (SELECT c.written_at FROM trail_change c ORDER BY c.number LIMIT 1)) END AS oldest_kept
     FROM retention_due($2) t) d";

pub(super) async fn record_policy_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &Policy,
    after: &Policy,
) -> Result<()> {
    let change = Change {
        action: "retention_policy.update",
        aggregate_type: "retention_policy",
        // Policies are known by their subjects.
        aggregate_id: Uuid::nil(),
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

pub(super) async fn record_hold_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &Hold,
    after: &Hold,
) -> Result<()> {
    let change = Change {
        action: "retention_hold.set",
        aggregate_type: "retention_hold",
        aggregate_id: Uuid::nil(),
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

/// The trail of a run: that it was asked for, and what it did.
pub(super) async fn record_run_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    run: &Run,
    outcomes: &[Outcome],
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "retention_run",
        aggregate_id: run.id.0,
        before: None,
        after: Some(&json!({ "run": run, "outcomes": outcomes })),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
