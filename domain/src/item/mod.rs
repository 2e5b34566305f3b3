//! Items: what is sold or kept.

mod bulk;
mod duplicate;
mod facet;
mod facts;
mod filter;
mod history;
mod image;
mod list;
mod lookups;
mod many;
mod metal;
mod order;
mod query;
mod regenerate;
mod rendered;
mod rules;
mod search;
mod selection;
mod tag;
mod variant;
mod walk;
mod write;

use std::collections::BTreeMap;

use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use metal::Reading;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;

pub use bulk::{
    BulkOutcome, IMPORT_MAX, ImportOutcome, ItemRow, RENAMED_MAX, ROWS_MAX, RowArchive, RowUpdate,
    TagRenamed,
};
pub(crate) use bulk::{
    Earlier, Merge, Merged, Obstacle, RowValues, UniqueValues, again_when_overtaken,
    announce_all_in_tx, match_key, merge_in_tx, take_turn_in_tx,
};
pub use duplicate::{Alike, Candidate, DuplicateGroup, Duplicates, Likeness};
pub use entity::{
    item::{Kind, Model as Item, Tracking},
    item_image::{Model as ItemImage, Rendition, Renditions, State as ImageState},
    item_import::Policy,
    item_metal::{MakingMode, Model as ItemMetal, Stone, Stones},
    item_option::Model as ItemOption,
};
pub use facet::{Facet, FacetIs, FacetOf, FacetRange, FacetRequest, FacetValue};
pub use filter::{DecimalFilter, ItemFilter};
pub use history::{FieldChange, HistoryOf, ItemChanged};
pub use image::NewImage;
pub(crate) use metal::of_items as metals;
pub use metal::{MakingCharge, MetalDetails};
pub(crate) use order::push_order;
pub use order::{OrderField, OrderTerm};
pub(crate) use query::ITEM_COLUMNS;
pub use query::{ItemInCategory, ItemWithImage};
pub(crate) use query::{Marked, Marks, first_barcodes, first_ids, known, marked, plain};
pub(crate) use regenerate::regenerate_images_in_tx;
pub(crate) use rendered::{
    LockedImage, give_up_image_in_tx, lock_image_in_tx, lock_items_of_images_in_tx,
    take_up_image_in_tx, take_up_images_in_tx,
};
pub use rendered::{Pictured, RenderedImage};
pub use selection::ItemSelection;
pub use tag::Tag;
pub use variant::{
    COMBINATIONS_MAX, Choice, NewOption, VariantOverride, VariantRow, VariantsOutcome,
    VariantsRequest,
};

use crate::{
    Domain,
    category::open_for_items_in_tx,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    money::Money,
    patch::Patch,
    permission::Permission,
    pricing::Pricing,
    unit_of_measure::{self, UnitTable},
    version,
    viewer::Viewer,
};

/// An item to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewItem {
    /// What sort of thing it is.
    pub kind: Kind,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Description by language.
    pub description: BTreeMap<String, String>,
    /// Where it stands in the catalogue.
    pub category_id: CategoryId,
    /// In what it is counted or measured.
    pub unit_id: UnitOfMeasureId,
    /// How its pieces are told apart.
    pub tracking: Tracking,
    /// Price of one unit, when it is fixed.
    pub price: Option<Money>,
    /// How its price is found, when `price` does not say it.
    pub pricing: Option<Pricing>,
    /// What is known of its metal.
    pub metal: Option<MetalDetails>,
    /// Further facts by attribute name: a JSON object.
    pub attributes: serde_json::Value,
    /// Free labels.
    pub tags: Vec<String>,
    /// What scanners read.
    pub barcodes: Vec<String>,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
    /// Of which template it is a variant.
    pub template_id: Option<ItemId>,
}

/// A change of an item. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ItemChange {
    /// What sort of thing it is.
    pub kind: Option<Kind>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// Description by language, all of them.
    pub description: Option<BTreeMap<String, String>>,
    /// Where it stands in the catalogue.
    pub category_id: Option<CategoryId>,
    /// In what it is counted or measured.
    pub unit_id: Option<UnitOfMeasureId>,
    /// How its pieces are told apart.
    pub tracking: Option<Tracking>,
    /// Price of one unit: fixed from now on.
    pub price: Patch<Money>,
    /// How its price is found, when `price` does not say it.
    pub pricing: Patch<Pricing>,
    /// All that is known of its metal.
    pub metal: Patch<MetalDetails>,
    /// All further facts: a JSON object.
    pub attributes: Option<serde_json::Value>,
    /// All free labels.
    pub tags: Option<Vec<String>>,
    /// All barcodes.
    pub barcodes: Option<Vec<String>>,
    /// Its key in somebody else's system.
    pub external_reference: Patch<String>,
    /// Of which template it is a variant.
    pub template_id: Patch<ItemId>,
}

/// Items: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    pub(crate) domain: &'a Domain,
}

impl Items<'_> {
    /// Creates an item, and asks for its QR code to be drawn.
    ///
    /// # Errors
    /// When a value is refused, the category or unit does not exist, the category is archived, or SKU, barcode or external reference
    /// are taken.
    pub async fn create(&self, viewer: &Viewer, new: NewItem, key: Option<&str>) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let units = units_for(&self.domain.reads, new.metal.as_ref()).await?;
        let draft = rules::parse_new(new.clone(), reading(viewer, &units))?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "item.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        open_for_items_in_tx(&tx, new.category_id).await?;
        let facts = facts::of_new_in_tx(&tx, &draft).await?;
        let written = write::insert_in_tx(&tx, now, draft, &facts).await?;
        let task = Task::RenderCode {
            item_id: written.item.id,
        };
        job::enqueue_in_tx(&tx, viewer, now, &[task]).await?;
        write::record_written_in_tx(&tx, viewer, now, "item.create", None, &written).await?;
        let item = written.item;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }

    /// Changes an item.
    ///
    /// # Errors
    /// As [`Items::create`], and when there is no such item, it is archived, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: ItemId,
        change: ItemChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let metal = match &change.metal {
            Patch::Set(metal) => Some(metal),
            Patch::Keep | Patch::Clear => None,
        };
        let units = units_for(&self.domain.reads, metal).await?;
        let parsed = rules::parse_change(&change, reading(viewer, &units))?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "item.update",
            &(id, &change, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        if let Some(category) = change.category_id {
            open_for_items_in_tx(&tx, category).await?;
        }
        let before = lock_in_use_in_tx(&tx, id, expected_version).await?;
        let facts = facts::of_change_in_tx(&tx, &before, &parsed).await?;
        let (before, after) = write::update_in_tx(&tx, now, before, parsed, facts).await?;
        write::record_written_in_tx(&tx, viewer, now, "item.update", Some(&before), &after).await?;
        let item = after.item;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }

    /// Puts an item away. It stays in everything that mentions it.
    ///
    /// # Errors
    /// When there is no such item, or somebody changed it since `expected_version`.
    pub async fn archive(
        &self,
        viewer: &Viewer,
        id: ItemId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.set_archived(viewer, id, expected_version, key, true)
            .await
    }

    /// Brings an item back.
    ///
    /// # Errors
    /// When there is no such item, its category is archived, or somebody changed it since `expected_version`.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: ItemId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.set_archived(viewer, id, expected_version, key, false)
            .await
    }

    async fn set_archived(
        &self,
        viewer: &Viewer,
        id: ItemId,
        expected_version: Option<i64>,
        key: Option<&str>,
        archived: bool,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let action = if archived {
            "item.archive"
        } else {
            "item.restore"
        };
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim =
            match claim_in_tx(&tx, viewer, key, action, &(id, expected_version), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let before = lock_in_tx(&tx, id, expected_version).await?;
        if before.archived_at.is_some() == archived {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        if !archived {
            open_for_items_in_tx(&tx, before.category_id).await?;
        }
        let item = write::set_archived_in_tx(&tx, now, before.clone(), archived).await?;
        write::record_in_tx(&tx, viewer, now, action, Some(&before), &item).await?;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }
}

/// All units, when a weight of one of these is written in a unit; none otherwise.
async fn units_for<'a>(
    db: &impl ConnectionTrait,
    metal: impl IntoIterator<Item = &'a MetalDetails>,
) -> Result<UnitTable> {
    if metal.into_iter().any(MetalDetails::names_units) {
        unit_of_measure::table(db).await
    } else {
        Ok(UnitTable::default())
    }
}

fn reading<'a>(viewer: &Viewer, units: &'a UnitTable) -> Reading<'a> {
    let locale = viewer.locale;
    Reading { units, locale }
}

/// The item, locked, and of the version that is expected.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
    expected_version: Option<i64>,
) -> Result<Item> {
    let item = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(item.version, expected_version)?;
    Ok(item)
}

/// The item, locked, of the version that is expected, and not put away.
async fn lock_in_use_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
    expected_version: Option<i64>,
) -> Result<Item> {
    let item = lock_in_tx(tx, id, expected_version).await?;
    if item.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, "id").into());
    }
    Ok(item)
}
