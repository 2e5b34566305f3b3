//! Items: what is sold or kept.

mod bulk;
mod duplicate;
mod facet;
mod facts;
mod filter;
mod history;
mod image;
mod list;
mod metal;
mod order;
mod query;
mod rendered;
mod rules;
mod search;
mod selection;
mod tag;
mod variant;
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
pub use query::ItemWithImage;
pub(crate) use query::{Marked, Marks, first_barcodes, first_ids, known, marked, plain};
pub use rendered::RenderedImage;
pub(crate) use rendered::{
    LockedImage, give_up_image_in_tx, lock_image_in_tx, take_up_image_in_tx,
};
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
    page::{Page, PageArgs, TotalCount},
    patch::Patch,
    permission::Permission,
    pricing::{self, Pricing},
    text,
    unit_of_measure::{self, UnitTable},
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
        let draft = rules::parse_new(&new, reading(viewer, &units))?;
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

    /// Creates many items at once. One whose external reference exists already stays as it is, whatever people have made of it; one
    /// that gets in the way of another item is left out.
    ///
    /// # Errors
    /// Each value that is refused, with its row's index in the path. Then nothing is created.
    pub async fn import(&self, viewer: &Viewer, rows: &[ItemRow]) -> Result<ImportOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::import(self.domain, viewer, rows).await
    }

    /// Creates up to [`ROWS_MAX`] items, and asks for their QR codes to be drawn. Each row is an item to be, or what is wrong with it
    /// already.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is created.
    pub async fn create_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<NewItem, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::create(self.call(viewer, policy, key), rows).await
    }

    /// Changes up to [`ROWS_MAX`] items, each row another one. An item that is so already is left alone.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is changed.
    pub async fn update_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowUpdate, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::update(self.call(viewer, policy, key), rows).await
    }

    /// Puts up to [`ROWS_MAX`] items away, each row another one.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is put away.
    pub async fn archive_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowArchive, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::set_archived(self.call(viewer, policy, key), rows, true).await
    }

    /// Brings up to [`ROWS_MAX`] items back, each row another one.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is brought back.
    pub async fn restore_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowArchive, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::set_archived(self.call(viewer, policy, key), rows, false).await
    }

    /// Gives a tag another name on up to [`RENAMED_MAX`] items, or makes it one with a tag that is there already.
    ///
    /// # Errors
    /// When a name is refused, both are the same, or no item has the tag.
    pub async fn rename_tag(
        &self,
        viewer: &Viewer,
        from: &str,
        to: &str,
        key: Option<&str>,
    ) -> Result<TagRenamed> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::rename(self.domain, viewer, (from, to), key).await
    }

    /// Tags that begin so, however their letters are written; the most usual first.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn tags(
        &self,
        viewer: &Viewer,
        prefix: &str,
        first: Option<i32>,
    ) -> Result<Vec<Tag>> {
        viewer.require(Permission::CatalogueRead)?;
        tag::beginning(&self.domain.reads.planned_anew(), prefix, first).await
    }

    /// Groups of items in use that may be one and the same.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong; [`Code::TooMany`] for names that are nearly alike in a category
    /// of too many.
    pub async fn duplicates(
        &self,
        viewer: &Viewer,
        alike: Alike,
        category: Option<CategoryId>,
        args: &PageArgs,
    ) -> Result<Page<DuplicateGroup>> {
        viewer.require(Permission::CatalogueRead)?;
        let reads = self.domain.reads.planned_anew();
        duplicate::page(&reads, alike, category, args).await
    }

    /// Items that may be the same as this one; none when there is no such item.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn duplicates_of(&self, viewer: &Viewer, id: ItemId) -> Result<Option<Duplicates>> {
        viewer.require(Permission::CatalogueRead)?;
        duplicate::of_item(&self.domain.reads.planned_anew(), id).await
    }

    /// Items that may be the same as one that is about to be created.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or a value is refused.
    pub async fn duplicates_of_candidate(
        &self,
        viewer: &Viewer,
        candidate: &Candidate,
    ) -> Result<Duplicates> {
        viewer.require(Permission::CatalogueRead)?;
        duplicate::of_candidate(&self.domain.reads.planned_anew(), candidate).await
    }

    /// Creates the variants of a template that are not there yet, as items with the template's values: copies, which change on their own
    /// from then on. Those that are there, archived ones too, stay as they are.
    ///
    /// # Errors
    /// When there is no such template, it is archived or of another version, a choice is wrong, or a value of a variant is refused. Then
    /// nothing is created.
    pub async fn generate_variants(
        &self,
        viewer: &Viewer,
        request: &VariantsRequest,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<VariantsOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        let generation = bulk::Generation {
            domain: self.domain,
            viewer,
            request,
            expected_version,
            key,
        };
        bulk::generate(generation).await
    }

    fn call<'b>(
        &'b self,
        viewer: &'b Viewer,
        policy: Policy,
        key: Option<&'b str>,
    ) -> bulk::Call<'b> {
        bulk::Call {
            domain: self.domain,
            viewer,
            policy,
            key,
        }
    }

    /// The item with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find(&self, viewer: &Viewer, id: ItemId) -> Result<Option<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// The item with this SKU, however it is typed.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find_by_sku(&self, viewer: &Viewer, sku: &str) -> Result<Option<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        match crate::sku::parse("sku", sku) {
            Ok(sku) => query::find_by(&self.domain.reads, "i.sku = ", &sku).await,
            Err(_no_sku) => Ok(None),
        }
    }

    /// The item with this key in somebody else's system.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find_by_external_reference(
        &self,
        viewer: &Viewer,
        reference: &str,
    ) -> Result<Option<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        match text::external_reference(reference) {
            Ok(reference) => {
                query::find_by(&self.domain.reads, "i.external_reference = ", &reference).await
            }
            Err(_no_reference) => Ok(None),
        }
    }

    /// The items with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of a selection. Without an order, items that are looked for by words come by relevance, others by creation.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        selection: &ItemSelection,
        order: &[OrderTerm],
        args: &PageArgs,
    ) -> Result<Page<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        selection.check()?;
        list::page(&self.domain.reads, selection, order, viewer.locale, args).await
    }

    /// How many items are selected.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or the selection is wrong.
    pub async fn count(&self, viewer: &Viewer, selection: &ItemSelection) -> Result<TotalCount> {
        viewer.require(Permission::CatalogueRead)?;
        selection.check()?;
        list::count(&self.domain.reads, selection).await
    }

    /// How many of the selected items have which values: of what is asked for, and without that, of category, kind, price, tags and
    /// the attributes that are declared to be facets.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn facets(
        &self,
        viewer: &Viewer,
        selection: &ItemSelection,
        requests: Option<Vec<FacetRequest>>,
    ) -> Result<Vec<Facet>> {
        viewer.require(Permission::CatalogueRead)?;
        selection.check()?;
        facet::facets(&self.domain.reads, selection, requests).await
    }

    /// What somebody may be about to type: `text` with its last word completed, the most usual first.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn suggestions(
        &self,
        viewer: &Viewer,
        text: &str,
        first: Option<i32>,
    ) -> Result<Vec<String>> {
        viewer.require(Permission::CatalogueRead)?;
        search::check("prefix", text)?;
        let first = first.unwrap_or(search::SUGGESTIONS_DEFAULT);
        if !(1..=search::SUGGESTIONS_MAX).contains(&first) {
            let refusal = Refusal::new(Code::OutOfRange, "first").with("min", 1);
            return Err(refusal.with("max", search::SUGGESTIONS_MAX).into());
        }
        search::suggest(&self.domain.reads, text, first).await
    }

    /// The barcodes of these items, in their order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn barcodes_of(
        &self,
        viewer: &Viewer,
        ids: &[ItemId],
    ) -> Result<Vec<entity::item_barcode::Model>> {
        viewer.require(Permission::CatalogueRead)?;
        query::barcodes_of(&self.domain.reads, ids).await
    }

    /// What is known of the metal of these items, of those that are of metal.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn metal_of(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<ItemMetal>> {
        viewer.require(Permission::CatalogueRead)?;
        metal::of_items(&self.domain.reads, ids).await
    }

    /// How these items are priced, of those whose price is not fixed.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn pricing_of(
        &self,
        viewer: &Viewer,
        ids: &[ItemId],
    ) -> Result<Vec<(ItemId, Pricing)>> {
        viewer.require(Permission::CatalogueRead)?;
        pricing::of_items(&self.domain.reads, ids).await
    }

    /// What has become of items: these parts of their histories, in their order.
    ///
    /// # Errors
    /// When the viewer may not see who changed what.
    pub async fn history_of(
        &self,
        viewer: &Viewer,
        parts: &[HistoryOf],
    ) -> Result<Vec<Page<ItemChanged>>> {
        viewer.require(Permission::AuditRead)?;
        history::pages(&self.domain.reads, parts).await
    }

    /// In which attributes the variants of these items differ, of those that are templates.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn options_of(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<ItemOption>> {
        viewer.require(Permission::CatalogueRead)?;
        variant::options_of(&self.domain.reads, ids).await
    }

    /// How many variants in use these templates have, of those that have any.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn variant_counts_of(
        &self,
        viewer: &Viewer,
        ids: &[ItemId],
    ) -> Result<Vec<(ItemId, i64)>> {
        viewer.require(Permission::CatalogueRead)?;
        variant::counts_of(&self.domain.reads, ids).await
    }

    /// Of each of these templates, in their order, a page of the variants in use, by creation: forwards.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn variants_of(
        &self,
        viewer: &Viewer,
        templates: &[ItemId],
        args: &PageArgs,
    ) -> Result<Vec<Page<ItemWithImage>>> {
        viewer.require(Permission::CatalogueRead)?;
        variant::variants_of(&self.domain.reads, templates, args).await
    }

    /// The pictures of these items, in their order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn images_of(&self, viewer: &Viewer, ids: &[ItemId]) -> Result<Vec<ItemImage>> {
        viewer.require(Permission::CatalogueRead)?;
        query::images_of(&self.domain.reads, ids).await
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
    match expected_version {
        Some(expected) if expected != item.version => {
            let refusal =
                Refusal::new(Code::StaleVersion, "expectedVersion").with("expected", expected);
            Err(refusal.with("actual", item.version).into())
        }
        _ => Ok(item),
    }
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
