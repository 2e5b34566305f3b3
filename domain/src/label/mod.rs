//! Labels: what is stuck or tied to things so that people and scanners can read what they are. A sheet of labels is a job; the file that
//! it leaves behind is printed.

mod rules;

use std::collections::HashMap;

use entity::id::ItemId;
use serde::{Deserialize, Serialize};

pub use rules::{COPIES_MAX, ITEMS_MAX, LABELS_MAX};

use crate::{
    Domain,
    error::{Error, Result},
    idempotency::{Claimed, claim_in_tx},
    item::{self, Item, ItemFilter},
    job::{self, Job, Task},
    locale::Locale,
    permission::Permission,
    viewer::Viewer,
};

/// What a label shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// For a piece of jewellery: SKU and code on one half; name, weights, fineness and hallmark on the other.
    Jewellery,
    /// For the edge of a shelf: name, price, code.
    Shelf,
    /// For a carton: name, SKU, a large code.
    Carton,
}

/// What the labels are printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A4 with 3 × 7 labels of 63.5 × 38.1 mm, such as Avery L7160.
    A4L7160,
    /// A4 with 5 × 13 labels of 38.1 × 21.2 mm, such as Avery L7651.
    A4L7651,
    /// Letter with 3 × 10 labels of 2⅝ × 1 inch, such as Avery 5160.
    Letter5160,
    /// A roll of labels as large as the template wants them: one a page.
    Roll,
}

impl Layout {
    /// How many labels a sheet has; on a roll each is a sheet of its own.
    #[must_use]
    pub fn labels_a_sheet(self) -> i32 {
        match self {
            Self::A4L7160 => 21,
            Self::A4L7651 => 65,
            Self::Letter5160 => 30,
            Self::Roll => 1,
        }
    }
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

/// How a sheet of labels is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSheet {
    /// What each label shows.
    pub template: Template,
    /// What they are printed on.
    pub layout: Layout,
    /// The first label of the first sheet that is still there, from 1, row by row.
    pub start_at: i32,
    /// How many labels each item gets.
    pub copies: i32,
    /// The language of the labels.
    pub locale: Locale,
    /// What scanners read.
    pub code: LabelCode,
}

/// Which items get labels.
#[derive(Clone, Debug, Serialize)]
pub enum Selection {
    /// These, in this order.
    Items(Vec<ItemId>),
    /// Those that pass this filter, in the order in which they were created.
    Filter(Box<ItemFilter>),
}

/// An item as its label needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelItem {
    /// The item.
    pub item: Item,
    /// The first of its barcodes.
    pub barcode: Option<String>,
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
    /// When the viewer may not see the catalogue, an item does not exist, no item was selected or more than [`ITEMS_MAX`], there would
    /// be more than [`LABELS_MAX`] labels, or the start is not on the sheet.
    pub async fn create_sheet(
        &self,
        viewer: &Viewer,
        selection: &Selection,
        sheet: LabelSheet,
        key: Option<&str>,
    ) -> Result<Job> {
        viewer.require(Permission::CatalogueRead)?;
        rules::check(selection, &sheet)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let input = (selection, &sheet);
        let claim = match claim_in_tx(&tx, viewer, key, "label.create_sheet", &input, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let item_ids = match selection {
            Selection::Items(ids) => {
                let known = item::known(&tx, ids).await?;
                rules::check_known(ids, &known)?;
                ids.clone()
            }
            Selection::Filter(filter) => {
                let ids = item::first_ids(&tx, filter, ITEMS_MAX + 1).await?;
                rules::check_count(ids.len(), "where")?;
                ids
            }
        };
        rules::check_labels(item_ids.len(), sheet.copies)?;
        let task = Task::PrintLabels { item_ids, sheet };
        let jobs = job::enqueue_in_tx(&tx, viewer, now, &[task]).await?;
        let [id] = jobs[..] else {
            return Err(Error::internal("a task gave no job"));
        };
        let job = job::get_in_tx(&tx, id).await?;
        claim.keep_in_tx(&tx, &job).await?;
        self.domain.commit(tx).await?;
        Ok(job)
    }

    /// The items with these ids as their labels need them, in the order of the ids: for the worker that draws them. None for one that
    /// does not exist any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn items(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<Option<LabelItem>>> {
        viewer.require_system()?;
        let items = self.domain.items().by_ids(viewer, ids).await?;
        let barcodes = self.domain.items().barcodes_of(viewer, ids).await?;
        let mut first = HashMap::new();
        for row in barcodes {
            first.entry(row.item_id).or_insert(row.barcode);
        }
        let found: HashMap<_, _> = items
            .into_iter()
            .map(|row| {
                let barcode = first.remove(&row.item.id);
                let item = row.item;
                (item.id, LabelItem { item, barcode })
            })
            .collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}
