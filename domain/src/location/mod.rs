//! The tree of places where stock lies: what its use cases do to it.
//!
//! Its shape is kept by [`crate::tree`].

mod query;
mod rules;
mod write;

use std::collections::BTreeMap;

use entity::{
    category::Model as Category,
    id::{CategoryId, LocationId},
};
use rust_decimal::Decimal;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

pub use entity::location::{Kind, Model as Location};

use self::write::Recorded;
use crate::{
    Domain,
    error::{Code, Refusal, Result},
    filter::TextFilter,
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    sku, stock, text,
    tree::{self, SubtreeLock},
    version,
    viewer::Viewer,
};

/// Most categories that one location can be kept for.
pub const CATEGORIES_MAX: usize = 100;

/// A location to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewLocation {
    /// Below which location; a root without.
    pub parent_id: Option<LocationId>,
    /// What people write on it.
    pub code: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// What sort of place it is.
    pub kind: Kind,
    /// Whether less than nothing may lie in it; without, whether it is virtual.
    pub negative_allowed: Option<bool>,
    /// The most that may lie in it at once; of virtual ones there is none.
    pub capacity: Option<Decimal>,
    /// Only items of these categories, and of those below them, may lie in it and below it; of all when there are none.
    pub category_ids: Vec<CategoryId>,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
}

/// What is to be different about a location. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LocationChange {
    /// What people write on it.
    pub code: Option<String>,
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// What sort of place it is.
    pub kind: Option<Kind>,
    /// Whether less than nothing may lie in it.
    pub negative_allowed: Option<bool>,
    /// The most that may lie in it at once.
    pub capacity: Patch<Decimal>,
    /// The categories that it is kept for, all of them.
    pub category_ids: Option<Vec<CategoryId>>,
    /// Its key in somebody else's system.
    pub external_reference: Patch<String>,
}

impl LocationChange {
    /// Whether it says what may lie there.
    fn bounds_stock(&self) -> bool {
        self.kind.is_some()
            || self.negative_allowed.is_some()
            || !self.capacity.is_keep()
            || self.category_ids.is_some()
    }
}

/// Another place for a location, with all that is below it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LocationMove {
    /// Below which location; a root without.
    pub parent_id: Option<LocationId>,
    /// In front of which of its new siblings; last without.
    pub before_id: Option<LocationId>,
}

/// Which locations. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct LocationFilter {
    /// Of one of these kinds.
    pub kind_in: Option<Vec<Kind>>,
    /// Virtual, or not.
    pub is_virtual: Option<bool>,
    /// Directly below this one.
    pub parent_id: Option<LocationId>,
    /// Anywhere below this one.
    pub descendant_of: Option<LocationId>,
    /// By what people write on it.
    pub code: Option<TextFilter>,
    /// By its key in somebody else's system.
    pub external_reference: Option<TextFilter>,
    /// Whether closed locations are part of it.
    pub include_archived: bool,
}

/// Locations: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Locations<'a> {
    pub(crate) domain: &'a Domain,
}

impl Locations<'_> {
    /// Creates a location, last among its siblings.
    ///
    /// # Errors
    /// When a value is refused, the parent does not exist, is closed or of another kind, or the code or external reference is taken.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewLocation,
        key: Option<&str>,
    ) -> Result<Location> {
        viewer.require(Permission::LocationWrite)?;
        let (facts, categories) = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "location.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Location>(&tx).await?;
        let parent = open_parent_in_tx(&tx, "parentId", new.parent_id).await?;
        rules::check_below(facts.kind, parent.as_ref())?;
        tree::check_depth("parentId", parent.as_ref(), 1)?;
        refuse_unknown_categories_in_tx(&tx, &categories).await?;
        let location = write::insert_in_tx(&tx, now, new.parent_id, facts).await?;
        write::add_categories_in_tx(&tx, location.id, &categories).await?;
        let after = Recorded::with_categories(&location, &categories);
        write::record_in_tx(&tx, viewer, now, "location.create", None, after).await?;
        claim.keep_in_tx(&tx, &location).await?;
        self.domain.commit(tx).await?;
        Ok(location)
    }

    /// Changes what a location is called, what sort of place it is, and what may lie in it.
    ///
    /// # Errors
    /// When a value is refused, there is no such location, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: LocationId,
        change: LocationChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Location> {
        viewer.require(Permission::LocationWrite)?;
        let (parsed, categories) = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "location.update",
            &(id, &change, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        if change.bounds_stock() {
            // What may lie there is asked of what lies there.
            stock::own_in_tx(&tx).await?;
        }
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        rules::check_change(&before, &parsed, categories.as_deref())?;
        let categories_before = query::category_ids_in_tx(&tx, id).await?;
        let location = write::update_in_tx(&tx, now, before.clone(), parsed).await?;
        if let Some(categories) = &categories {
            refuse_unknown_categories_in_tx(&tx, categories).await?;
            write::remove_categories_in_tx(&tx, id, categories).await?;
            write::add_categories_in_tx(&tx, id, categories).await?;
        }
        let categories_after = categories.as_ref().unwrap_or(&categories_before);
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "location.update",
            Some(Recorded::with_categories(&before, &categories_before)),
            Recorded::with_categories(&location, categories_after),
        )
        .await?;
        claim.keep_in_tx(&tx, &location).await?;
        self.domain.commit(tx).await?;
        Ok(location)
    }

    /// Moves a location, with all that is below it, under another parent or to another place among its siblings.
    ///
    /// # Errors
    /// When there is no such location, parent or sibling, the parent is closed, of another kind, or lies below the location itself.
    pub async fn move_to(
        &self,
        viewer: &Viewer,
        id: LocationId,
        to: LocationMove,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Location> {
        viewer.require(Permission::LocationWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "location.move",
            &(id, to, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Location>(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let parent = open_parent_in_tx(&tx, "parentId", to.parent_id).await?;
        rules::check_move(&before, parent.as_ref())?;
        let siblings = query::siblings_in_tx(&tx, to.parent_id).await?;
        let order = tree::place_before(&siblings, id, to.before_id)?;
        if to.parent_id == before.parent_id {
            tree::touch_in_tx(&tx, now, &before).await?;
        } else {
            let height = tree::height_in_tx(&tx, &before).await?;
            tree::check_depth("parentId", parent.as_ref(), height + 1)?;
            tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstChanges).await?;
            tree::move_subtree_in_tx(&tx, now, &before, parent.as_ref()).await?;
        }
        tree::reorder_in_tx::<Location>(&tx, &order).await?;
        let location = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "location.move",
            Some(Recorded::of(&before)),
            Recorded::of(&location),
        )
        .await?;
        claim.keep_in_tx(&tx, &location).await?;
        self.domain.commit(tx).await?;
        Ok(location)
    }

    /// Closes a location, with all that is below it.
    ///
    /// # Errors
    /// When there is no such location, every shop has it or one below it, or something lies there.
    pub async fn archive(
        &self,
        viewer: &Viewer,
        id: LocationId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Location> {
        viewer.require(Permission::LocationWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "location.archive",
            &(id, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Location>(&tx).await?;
        stock::own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        if before.archived_at.is_some() {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        let closing = query::subtree_in_tx(&tx, &before).await?;
        rules::check_archive(&closing)?;
        rules::check_empty(stock::things_in_tx(&tx, &closing).await?)?;
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstUse).await?;
        tree::archive_subtree_in_tx(&tx, now, &before).await?;
        let location = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "location.archive",
            Some(Recorded::of(&before)),
            Recorded::of(&location),
        )
        .await?;
        claim.keep_in_tx(&tx, &location).await?;
        self.domain.commit(tx).await?;
        Ok(location)
    }

    /// Opens a location again, with what was closed together with it.
    ///
    /// # Errors
    /// When there is no such location, or its parent is closed.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: LocationId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Location> {
        viewer.require(Permission::LocationWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "location.restore",
            &(id, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Location>(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let Some(archived_at) = before.archived_at else {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        };
        open_parent_in_tx(&tx, "id", before.parent_id).await?;
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstChanges).await?;
        tree::restore_subtree_in_tx(&tx, now, &before, archived_at).await?;
        let location = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "location.restore",
            Some(Recorded::of(&before)),
            Recorded::of(&location),
        )
        .await?;
        claim.keep_in_tx(&tx, &location).await?;
        self.domain.commit(tx).await?;
        Ok(location)
    }

    /// The location with this id.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find(&self, viewer: &Viewer, id: LocationId) -> Result<Option<Location>> {
        viewer.require(Permission::StockRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// The location with this code, however it is typed.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find_by_code(&self, viewer: &Viewer, code: &str) -> Result<Option<Location>> {
        viewer.require(Permission::StockRead)?;
        match sku::parse("code", code) {
            Ok(code) => query::find_by_code(&self.domain.reads, &code).await,
            Err(_no_code) => Ok(None),
        }
    }

    /// The location with this key in somebody else's system.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find_by_external_reference(
        &self,
        viewer: &Viewer,
        reference: &str,
    ) -> Result<Option<Location>> {
        viewer.require(Permission::StockRead)?;
        match text::external_reference(reference) {
            Ok(reference) => {
                query::find_by_external_reference(&self.domain.reads, &reference).await
            }
            Err(_no_reference) => Ok(None),
        }
    }

    /// The locations with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[LocationId]) -> Result<Vec<Location>> {
        viewer.require(Permission::StockRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// Of each of these locations a page of those directly below that are in use, in their order. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn children_of(
        &self,
        viewer: &Viewer,
        ids: &[LocationId],
        args: &PageArgs,
    ) -> Result<Vec<Page<Location>>> {
        viewer.require(Permission::StockRead)?;
        query::children_of(&self.domain.reads, ids, args).await
    }

    /// Those of these locations that exist, each with its ancestors, root first.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn ancestors_of(
        &self,
        viewer: &Viewer,
        ids: &[LocationId],
    ) -> Result<Vec<(LocationId, Vec<Location>)>> {
        viewer.require(Permission::StockRead)?;
        query::ancestors_of(&self.domain.reads, ids).await
    }

    /// The categories that these locations are kept for.
    ///
    /// # Errors
    /// When the viewer may not see stock, or not the catalogue.
    pub async fn categories_of(
        &self,
        viewer: &Viewer,
        ids: &[LocationId],
    ) -> Result<Vec<(LocationId, Category)>> {
        viewer.require(Permission::StockRead)?;
        viewer.require(Permission::CatalogueRead)?;
        query::categories_of(&self.domain.reads, ids).await
    }

    /// A page of the locations that are wanted, by creation.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &LocationFilter,
        args: &PageArgs,
    ) -> Result<Page<Location>> {
        viewer.require(Permission::StockRead)?;
        rules::check_filter(filter)?;
        query::page(&self.domain.reads, filter, args).await
    }
}

/// The location, if there is one, and of the version that is expected.
fn expected(found: Option<Location>, expected_version: Option<i64>) -> Result<Location, Refusal> {
    let location = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(location.version, expected_version)?;
    Ok(location)
}

/// The parent-to-be, which must be there and open.
async fn open_parent_in_tx(
    tx: &DatabaseTransaction,
    path: &str,
    id: Option<LocationId>,
) -> Result<Option<Location>> {
    let Some(id) = id else { return Ok(None) };
    let parent = query::share_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, path))?;
    if parent.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, path).into());
    }
    Ok(Some(parent))
}

async fn refuse_unknown_categories_in_tx(
    tx: &DatabaseTransaction,
    categories: &[CategoryId],
) -> Result<()> {
    let known = query::known_categories_in_tx(tx, categories).await?;
    Ok(rules::check_categories(categories, &known)?)
}
