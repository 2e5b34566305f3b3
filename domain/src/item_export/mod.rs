//! Exports of items into a file that can be imported again: asked for here, done by a worker.

mod facts;
mod row;
mod source;

use entity::id::{ItemExportId, JobId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use entity::item_export::Model as ItemExport;
pub use row::ExportedItem;
pub use source::Source;

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    item::{ItemSelection, OrderTerm},
    item_import::{Column, Format},
    job::{self, NewJobFile, Task},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// Most columns that somebody can name.
const COLUMNS_MAX: usize = 500;

/// An export to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewItemExport {
    /// Which items.
    #[serde(flatten)]
    pub selection: ItemSelection,
    /// In which order.
    pub order: Vec<OrderTerm>,
    /// How the file is written.
    pub format: Format,
    /// Headers of the columns; all there are without. Lines of JSON have members of the same names.
    pub columns: Option<Vec<String>>,
    /// Language of category paths, and of the only name when there are no columns.
    pub locale: String,
}

/// Exports of items.
#[derive(Clone, Copy, Debug)]
pub struct ItemExports<'a> {
    pub(crate) domain: &'a Domain,
}

impl ItemExports<'_> {
    /// Asks for an export.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or the filter or a column is wrong.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewItemExport,
        key: Option<&str>,
    ) -> Result<ItemExport> {
        viewer.require(Permission::CatalogueRead)?;
        new.selection.check()?;
        check_columns(new.columns.as_deref())?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "item_export.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let id = ItemExportId(new_id(now));
        let task = Task::ExportItems { export_id: id };
        let job_id = job::enqueue_one_in_tx(&tx, viewer, now, task).await?;
        let export = entity::item_export::ActiveModel {
            id: Set(id),
            job_id: Set(job_id),
            format: Set(new.format),
            request: Set(serde_json::to_value(&new)?),
            locale: Set(new.locale),
            row_count: Set(None),
            created_at: Set(now),
        };
        let export = export.insert(&tx).await?;
        let change = Change::of_new("item_export.create", "item_export", export.id.0, &export);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &export).await?;
        self.domain.commit(tx).await?;
        Ok(export)
    }

    /// The export with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find(&self, viewer: &Viewer, id: ItemExportId) -> Result<Option<ItemExport>> {
        viewer.require(Permission::CatalogueRead)?;
        Ok(entity::item_export::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?)
    }

    /// Begins to read the items of an export, all as they are at this moment; none when there is no such export any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn open(&self, viewer: &Viewer, id: ItemExportId) -> Result<Option<Source>> {
        viewer.require_system()?;
        let db = &self.domain.db;
        match entity::item_export::Entity::find_by_id(id).one(db).await? {
            Some(export) => Source::open(self.domain, export).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the export well, together with its job, whose file this is.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: ItemExportId,
        row_count: i64,
        file: NewJobFile,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let sql = "UPDATE item_export SET row_count = $2 WHERE id = $1";
        tx.execute_raw(statement(sql, [id.into(), row_count.into()]))
            .await?;
        let result = json!({ "rows": row_count });
        job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        job::add_files_in_tx(&tx, now, job.0, &[file]).await?;
        self.domain.commit(tx).await
    }
}

fn check_columns(columns: Option<&[String]>) -> Result<(), Refusal> {
    let columns = columns.unwrap_or_default();
    if columns.len() > COLUMNS_MAX {
        return Err(Refusal::new(Code::TooMany, "columns").with("max", COLUMNS_MAX));
    }
    for (index, header) in columns.iter().enumerate() {
        if Column::of(header).is_none() {
            let path = format!("columns.{index}");
            return Err(Refusal::new(Code::UnknownColumn, &path).with("value", header));
        }
    }
    Ok(())
}
