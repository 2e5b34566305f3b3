//! Reads of batches of codes, and of what their codes lead to.

use std::collections::HashMap;

use entity::id::CodeBatchId;
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::{CodeBatch, Subject};
use crate::{
    error::Result,
    sql::{statement, uuids},
};

/// A batch without what it is made of, which can be half a megabyte.
pub(super) async fn find(db: &impl ConnectionTrait, id: CodeBatchId) -> Result<Option<CodeBatch>> {
    let sql = "SELECT id, job_id, request, logo IS NOT NULL AS has_logo, cardinality(subject_ids) AS code_count, created_at
               FROM code_batch WHERE id = $1";
    let row = db.query_one_raw(statement(sql, [id.into()])).await?;
    row.as_ref().map(batch).transpose()
}

fn batch(row: &QueryResult) -> Result<CodeBatch> {
    Ok(CodeBatch {
        id: row.try_get("", "id")?,
        job_id: row.try_get("", "job_id")?,
        options: serde_json::from_value(row.try_get("", "request")?)?,
        has_logo: row.try_get("", "has_logo")?,
        code_count: row.try_get("", "code_count")?,
        created_at: row.try_get("", "created_at")?,
    })
}

/// What people call those of these that exist. A lot's number is unique for its item only, so the SKU stands in front of it.
pub(super) async fn titles(
    db: &impl ConnectionTrait,
    subject: Subject,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>> {
    let sql = match subject {
        Subject::Item => "SELECT id, sku AS title FROM item WHERE id = ANY($1)",
        Subject::Lot => {
            "SELECT l.id, i.sku || ' ' || l.number AS title FROM lot l JOIN item i ON i.id = l.item_id WHERE l.id = ANY($1)"
        }
        Subject::Location => "SELECT id, code AS title FROM location WHERE id = ANY($1)",
    };
    let rows = db.query_all_raw(statement(sql, [uuids(ids)])).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "title")?)))
        .collect()
}
