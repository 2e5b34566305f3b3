//! Imports of items from a file, of any size: asked for here, done by a worker chunk by chunk, each chunk in a transaction that also
//! says how far the import has got ([ADR 11](../../docs/adr/0011-imports-resume.md)).

mod categories;
mod chunk;
mod columns;
mod end;
mod example;
mod fields;
mod judge;
mod object;

use entity::id::{ItemImportId, JobId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde::Serialize;

pub(crate) use categories::Categories;
pub(crate) use chunk::author;
pub use chunk::{FileRow, Opened};
pub use columns::{Column, Columns};
pub use end::Fault;
pub use entity::item_import::{Format, MatchBy, Mode, Model as ItemImport, Phase, Policy};
pub use example::example_line;
pub use fields::{Fields, join_list, split_list};

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::Result,
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    permission::Permission,
    viewer::Viewer,
};

/// An import to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewItemImport {
    /// Where the file is, in the private part of the blob store.
    #[serde(skip)]
    pub blob_key: String,
    /// Length of the file in bytes.
    pub byte_size: i64,
    /// Hash of the file's content: the same request with another file is another request.
    pub content_hash: String,
    /// How it is written; none when its content shall tell.
    pub format: Option<Format>,
    /// What becomes of items that are there already.
    pub mode: Mode,
    /// What tells which item a row is about.
    pub match_by: MatchBy,
    /// What becomes of the other rows when some are refused.
    pub policy: Policy,
    /// Whether everything is only looked at.
    pub dry_run: bool,
    /// Whether codes of new items are drawn.
    pub draw_codes: bool,
}

/// Imports of items.
#[derive(Clone, Copy, Debug)]
pub struct ItemImports<'a> {
    pub(crate) domain: &'a Domain,
}

impl ItemImports<'_> {
    /// Asks for an import. An answer with another `blob_key` than the one given is that of an earlier request with the same key.
    ///
    /// # Errors
    /// When the viewer may not change the catalogue.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewItemImport,
        key: Option<&str>,
    ) -> Result<ItemImport> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "item_import.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let id = ItemImportId(new_id(now));
        let task = Task::ImportItems { import_id: id };
        let job_id = job::enqueue_one_in_tx(&tx, viewer, now, task).await?;
        let import = new_row(viewer, now, id, job_id, new).insert(&tx).await?;
        let change = Change::of_new("item_import.create", "item_import", id.0, &import);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &import).await?;
        self.domain.commit(tx).await?;
        Ok(import)
    }

    /// The import with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find(&self, viewer: &Viewer, id: ItemImportId) -> Result<Option<ItemImport>> {
        viewer.require(Permission::CatalogueRead)?;
        Ok(entity::item_import::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?)
    }
}

fn new_row(
    viewer: &Viewer,
    now: chrono::DateTime<chrono::Utc>,
    id: ItemImportId,
    job_id: JobId,
    new: NewItemImport,
) -> entity::item_import::ActiveModel {
    let NewItemImport {
        blob_key,
        byte_size,
        content_hash: _,
        format,
        mode,
        match_by,
        policy,
        dry_run,
        draw_codes,
    } = new;
    let phase = if dry_run || policy == Policy::RejectAll {
        Phase::Check
    } else {
        Phase::Write
    };
    entity::item_import::ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        blob_key: Set(blob_key),
        byte_size: Set(byte_size),
        format: Set(format),
        mode: Set(mode),
        match_by: Set(match_by),
        policy: Set(policy),
        dry_run: Set(dry_run),
        draw_codes: Set(draw_codes),
        locale: Set(viewer.locale.as_str().to_owned()),
        user_id: Set(viewer.user_id()),
        phase: Set(phase),
        next_row: Set(0),
        rows_read: Set(0),
        created: Set(0),
        updated: Set(0),
        unchanged: Set(0),
        failed: Set(0),
        created_at: Set(now),
        finished_at: Set(None),
    }
}
