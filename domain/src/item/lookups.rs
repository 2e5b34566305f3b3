//! Use cases that only read.

use entity::id::{CategoryId, ItemId};

use super::{
    Alike, Candidate, DuplicateGroup, Duplicates, Facet, FacetRequest, HistoryOf, ItemChanged,
    ItemImage, ItemInCategory, ItemMetal, ItemOption, ItemSelection, ItemWithImage, Items,
    OrderTerm, Tag, duplicate, facet, history, list, metal, query, search, tag, variant,
};
use crate::{
    error::{Code, Refusal, Result},
    page::{Page, PageArgs, TotalCount},
    permission::Permission,
    pricing::{self, Pricing},
    text,
    viewer::Viewer,
};

impl Items<'_> {
    /// The item with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find(&self, viewer: &Viewer, id: ItemId) -> Result<Option<ItemWithImage>> {
        viewer.require(Permission::CatalogueRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// The item with this id and its category, in one statement.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find_in_category(
        &self,
        viewer: &Viewer,
        id: ItemId,
    ) -> Result<Option<ItemInCategory>> {
        viewer.require(Permission::CatalogueRead)?;
        query::find_in_category(&self.domain.reads, id).await
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
}
