//! Which items would not be valid any more when an attribute, or the place of a category, changes.

use std::{pin::pin, sync::Arc};

use entity::id::{CategoryId, ItemId};
use futures_util::TryStreamExt;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    query::{self, ItemFacts},
    schema::{Schema, Schemas},
};
use crate::error::{Code, Refusal, Result};

/// How many invalid items are told one by one.
pub const EXAMPLES_MAX: usize = 20;

/// What a change does to the items that are there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Items in use that were looked at.
    pub checked: u64,
    /// Those that fit before and would not fit any more.
    pub invalid: u64,
    /// The first of them, and why; at most [`EXAMPLES_MAX`].
    pub examples: Vec<InvalidItem>,
}

/// An item that would not be valid any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InvalidItem {
    /// Which one.
    pub item_id: ItemId,
    /// Its SKU.
    pub sku: String,
    /// What would be wrong with it.
    pub refusals: Vec<Refusal>,
}

/// What becomes of items that would not be valid any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnInvalid {
    /// The change is refused.
    #[default]
    Refuse,
    /// They stay as they are, and must be mended when their attributes are changed the next time.
    Keep,
}

impl Report {
    /// Goes on unless items would become invalid and must not.
    pub(crate) fn settle(&self, path: &str, on_invalid: OnInvalid) -> Result<(), Refusal> {
        match (self.invalid, on_invalid) {
            (0, _) | (_, OnInvalid::Keep) => Ok(()),
            (count, OnInvalid::Refuse) => {
                Err(Refusal::new(Code::InvalidItems, path).with("count", count))
            }
        }
    }
}

/// Looks at the items of these categories one after the other, as they come: memory does not grow with their number.
pub(crate) async fn report_in_tx(
    tx: &DatabaseTransaction,
    categories: &[CategoryId],
    before: &Schemas,
    after: &Schemas,
) -> Result<Report> {
    let mut report = Report::default();
    let mut items = pin!(query::items_in_tx(tx, categories).await?);
    while let Some(item) = items.try_next().await? {
        report.add(&item, before, after);
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, item: &ItemFacts, before: &Schemas, after: &Schemas) {
        self.checked += 1;
        let empty = Map::new();
        let kept = item.attributes.as_object().unwrap_or(&empty);
        let Some(refusals) = faults(after.get(&item.category_id), kept) else {
            return;
        };
        if faults(before.get(&item.category_id), kept).is_some() {
            // It was not valid to begin with.
            return;
        }
        self.invalid += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(InvalidItem {
                item_id: item.id,
                sku: item.sku.clone(),
                refusals,
            });
        }
    }
}

fn faults(schema: Option<&Arc<Schema>>, kept: &Map<String, Value>) -> Option<Vec<Refusal>> {
    schema?.check_kept(kept).err()
}
