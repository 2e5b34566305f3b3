//! Reads of sheets of labels.

use entity::id::LabelSheetId;
use sea_orm::{ConnectionTrait, QueryResult};

use super::LabelSheet;
use crate::{error::Result, sql::statement};

/// A sheet without the ids of its items, which can be thousands.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: LabelSheetId,
) -> Result<Option<LabelSheet>> {
    let sql =
        "SELECT id, job_id, request, cardinality(item_ids) AS item_count, label_count, created_at
               FROM label_sheet WHERE id = $1";
    let row = db.query_one_raw(statement(sql, [id.into()])).await?;
    row.as_ref().map(sheet).transpose()
}

fn sheet(row: &QueryResult) -> Result<LabelSheet> {
    Ok(LabelSheet {
        id: row.try_get("", "id")?,
        job_id: row.try_get("", "job_id")?,
        options: serde_json::from_value(row.try_get("", "request")?)?,
        item_count: row.try_get("", "item_count")?,
        label_count: row.try_get("", "label_count")?,
        created_at: row.try_get("", "created_at")?,
    })
}
