//! Labels: what is stuck or tied to things so that people and scanners can read what they are. A sheet of labels is a job; the file that
//! it leaves behind is printed.

mod content;
mod layout;
mod price;
mod query;
mod rules;

use chrono::{DateTime, Utc};
use entity::id::{ItemId, JobId, LabelSheetId};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait as _};
use serde::{Deserialize, Serialize};

pub use content::LabelItem;
pub use layout::{Grid, Layout};
pub use rules::{COPIES_MAX, LABELS_MAX, NAMED_MAX};

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    code_batch::Level,
    error::Result,
    idempotency::{Claimed, claim_in_tx},
    item::{self, ItemFilter},
    job::{self, Task},
    locale::Locale,
    permission::Permission,
    viewer::Viewer,
};

/// What a label shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// For a piece of jewellery: SKU and code on one half; name, weights, fineness and hallmark on the other.
    JewelleryTag,
    /// For the edge of a shelf: name, price, code.
    Shelf,
    /// For a carton: name, SKU, a large code.
    Carton,
}

impl LabelKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[Self::JewelleryTag, Self::Shelf, Self::Carton];
}

/// What scanners read on a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelCode {
    /// The item's first barcode, or its SKU. Where it would be too fine to be scanned, a QR code takes its place.
    Barcode,
    /// The QR code that leads to the item.
    Qr,
}

/// How labels are to look, and where they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelOptions {
    /// What each label shows.
    pub kind: LabelKind,
    /// What they are printed on.
    pub layout: Layout,
    /// The first label of the first page that is still there, from 1, row by row.
    pub start_at: i32,
    /// How many labels each item gets.
    pub copies: i32,
    /// The language of the labels.
    pub locale: Locale,
    /// What scanners read.
    pub code: LabelCode,
    /// How much of a QR code may be lost. Nobody could say so at first.
    #[serde(default)]
    pub level: Level,
}

/// Which items get labels.
#[derive(Clone, Debug, Serialize)]
pub enum Selection {
    /// These, in this order.
    Items(Vec<ItemId>),
    /// Those that pass this filter, in the order in which they were created.
    Filter(Box<ItemFilter>),
}

/// Labels that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSheet {
    /// Identity.
    pub id: LabelSheetId,
    /// The job that draws them.
    pub job_id: JobId,
    /// How they are to look.
    pub options: LabelOptions,
    /// How many items get labels.
    pub item_count: i32,
    /// How many labels there are to be.
    pub label_count: i32,
    /// When they were asked for.
    pub created_at: DateTime<Utc>,
}

/// Labels: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    pub(crate) domain: &'a Domain,
}

impl Labels<'_> {
    /// Asks for labels to be drawn. The job's file is there when it has succeeded. Which items pass a filter is decided now.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, an item does not exist, no item was selected or too many, there would be more than
    /// [`LABELS_MAX`] labels, the labels are too small for their kind, or the start is not on the page.
    pub async fn create_sheet(
        &self,
        viewer: &Viewer,
        selection: &Selection,
        options: LabelOptions,
        key: Option<&str>,
    ) -> Result<LabelSheet> {
        viewer.require(Permission::CatalogueRead)?;
        rules::check(selection, &options)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let input = (selection, &options);
        let claim = match claim_in_tx(&tx, viewer, key, "label_sheet.create", &input, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let item_ids = select_in_tx(&tx, selection).await?;
        let label_count = rules::count_labels(item_ids.len(), options.copies)?;
        let id = LabelSheetId(new_id(now));
        let task = Task::PrintLabels { sheet_id: id };
        let sheet = LabelSheet {
            id,
            job_id: job::enqueue_one_in_tx(&tx, viewer, now, task).await?,
            options,
            item_count: label_count / options.copies,
            label_count,
            created_at: now,
        };
        insert_in_tx(&tx, &sheet, &item_ids).await?;
        let change = Change::of_new("label_sheet.create", "label_sheet", sheet.id.0, &sheet);
        audit::write_in_tx(&tx, viewer, sheet.created_at, change).await?;
        claim.keep_in_tx(&tx, &sheet).await?;
        self.domain.commit(tx).await?;
        Ok(sheet)
    }

    /// The sheet with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find_sheet(
        &self,
        viewer: &Viewer,
        id: LabelSheetId,
    ) -> Result<Option<LabelSheet>> {
        viewer.require(Permission::CatalogueRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// How the labels of this sheet are to look and which items get them, for the worker that draws them; none when there is no such
    /// sheet any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn open(
        &self,
        viewer: &Viewer,
        id: LabelSheetId,
    ) -> Result<Option<(LabelOptions, Vec<ItemId>)>> {
        viewer.require_system()?;
        let row = entity::label_sheet::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?;
        row.map(|row| {
            let ids = row.item_ids.into_iter().map(ItemId).collect();
            Ok((serde_json::from_value(row.request)?, ids))
        })
        .transpose()
    }

    /// The items with these ids as their labels need them, in the order of the ids, for the worker that draws them; none for one that
    /// does not exist any more. What each costs is what it costs now. A handful of statements, however many items there are.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn items(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<Option<LabelItem>>> {
        viewer.require_system()?;
        content::read(&self.domain.reads, self.domain.now(), ids).await
    }
}

/// The items that get labels: locked by nobody, for one that goes before its label is drawn is told of then.
async fn select_in_tx(tx: &DatabaseTransaction, selection: &Selection) -> Result<Vec<ItemId>> {
    match selection {
        Selection::Items(ids) => {
            let known = item::known(tx, ids).await?;
            rules::check_known(ids, &known)?;
            Ok(ids.clone())
        }
        Selection::Filter(filter) => {
            let ids = item::first_ids(tx, filter, LABELS_MAX + 1).await?;
            rules::check_found(ids.len())?;
            Ok(ids)
        }
    }
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    sheet: &LabelSheet,
    item_ids: &[ItemId],
) -> Result<()> {
    let row = entity::label_sheet::ActiveModel {
        id: Set(sheet.id),
        job_id: Set(sheet.job_id),
        request: Set(serde_json::to_value(sheet.options)?),
        item_ids: Set(item_ids.iter().map(|id| id.0).collect()),
        label_count: Set(sheet.label_count),
        created_at: Set(sheet.created_at),
    };
    entity::label_sheet::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
