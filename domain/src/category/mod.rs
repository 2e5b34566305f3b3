//! The category tree: what its use cases do to it.
//!
//! Its shape is kept by [`crate::tree`].

mod bulk;
mod query;
mod rules;
mod write;

use std::collections::BTreeMap;

use entity::id::CategoryId;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

pub use bulk::{CategoryRow, ImportOutcome};
pub use entity::category::Model as Category;
pub(crate) use query::COLUMNS_BESIDE;

use crate::{
    Domain, attribute,
    error::{Code, Refusal, Refusals, Result},
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    text,
    tree::{self, DEPTH_MAX, SubtreeLock},
    version,
    viewer::Viewer,
};

/// A category to be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewCategory {
    /// Below which category; a root without.
    pub parent_id: Option<CategoryId>,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Name of an icon.
    pub icon: Option<String>,
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
}

/// Another face for a category. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CategoryChange {
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// Name of an icon.
    pub icon: Patch<String>,
    /// `#rrggbb`.
    pub colour: Patch<String>,
    /// Its key in somebody else's system.
    pub external_reference: Patch<String>,
}

/// Another place for a category, with all that is below it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CategoryMove {
    /// Below which category; a root without.
    pub parent_id: Option<CategoryId>,
    /// In front of which of its new siblings; last without.
    pub before_id: Option<CategoryId>,
}

/// Categories: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Categories<'a> {
    pub(crate) domain: &'a Domain,
}

impl Categories<'_> {
    /// Creates a category, last among its siblings.
    ///
    /// # Errors
    /// When a value is refused, the parent does not exist or is archived, or the external reference is taken.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewCategory,
        key: Option<&str>,
    ) -> Result<Category> {
        viewer.require(Permission::CatalogueWrite)?;
        let face = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "category.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Category>(&tx).await?;
        let parent = open_parent_in_tx(&tx, "parentId", new.parent_id).await?;
        tree::check_depth("parentId", parent.as_ref(), 1)?;
        let category = write::insert_in_tx(&tx, now, new.parent_id, face).await?;
        write::record_in_tx(&tx, viewer, now, "category.create", None, &category).await?;
        claim.keep_in_tx(&tx, &category).await?;
        self.domain.commit(tx).await?;
        Ok(category)
    }

    /// Gives a category another face: name, icon, colour, external reference.
    ///
    /// # Errors
    /// When a value is refused, there is no such category, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: CategoryId,
        change: CategoryChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Category> {
        viewer.require(Permission::CatalogueWrite)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "category.update",
            &(id, &change, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let category = write::update_in_tx(&tx, now, before.clone(), parsed).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "category.update",
            Some(&before),
            &category,
        )
        .await?;
        claim.keep_in_tx(&tx, &category).await?;
        self.domain.commit(tx).await?;
        Ok(category)
    }

    /// Moves a category, with all that is below it, under another parent or to another place among its siblings.
    ///
    /// # Errors
    /// When there is no such category, parent or sibling, the parent is archived, or lies below the category itself.
    pub async fn move_to(
        &self,
        viewer: &Viewer,
        id: CategoryId,
        to: CategoryMove,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Category> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "category.move",
            &(id, to, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Category>(&tx).await?;
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let parent = open_parent_in_tx(&tx, "parentId", to.parent_id).await?;
        tree::check_move(&before, parent.as_ref())?;
        let siblings = query::siblings_in_tx(&tx, to.parent_id).await?;
        let order = tree::place_before(&siblings, id, to.before_id)?;
        if to.parent_id == before.parent_id {
            tree::touch_in_tx(&tx, now, &before).await?;
        } else {
            let height = tree::height_in_tx(&tx, &before).await?;
            tree::check_depth("parentId", parent.as_ref(), height + 1)?;
            let demands = attribute::demands_in_tx(&tx, &before.path).await?;
            // Where anything is demanded, before or after, no item may be written meanwhile.
            let is_free = demands.is_free() && demands_nothing_in_tx(&tx, parent.as_ref()).await?;
            let lock = if is_free {
                SubtreeLock::AgainstChanges
            } else {
                SubtreeLock::AgainstUse
            };
            tree::lock_subtree_in_tx(&tx, &before, lock).await?;
            tree::move_subtree_in_tx(&tx, now, &before, parent.as_ref()).await?;
            let moved = query::get_in_tx(&tx, id).await?;
            attribute::settle_move_in_tx(&tx, viewer, &moved.path, &demands).await?;
        }
        tree::reorder_in_tx::<Category>(&tx, &order).await?;
        let category = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(&tx, viewer, now, "category.move", Some(&before), &category).await?;
        claim.keep_in_tx(&tx, &category).await?;
        self.domain.commit(tx).await?;
        Ok(category)
    }

    /// Puts the children of a category (or the roots) into the given order, which must name each of them that is in use once.
    ///
    /// # Errors
    /// When a child is missing, named twice, or not a child.
    pub async fn reorder(
        &self,
        viewer: &Viewer,
        parent_id: Option<CategoryId>,
        order: &[CategoryId],
        key: Option<&str>,
    ) -> Result<Vec<Category>> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "category.reorder",
            &(parent_id, order),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Category>(&tx).await?;
        let before = query::siblings_in_tx(&tx, parent_id).await?;
        let order = rules::complete_order(&before, order)?;
        tree::reorder_in_tx::<Category>(&tx, &order).await?;
        let after = query::siblings_in_tx(&tx, parent_id).await?;
        write::record_order_in_tx(&tx, viewer, now, &before, &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// Puts a category away, with all that is below it.
    ///
    /// # Errors
    /// When there is no such category, or items in use are still in it or below it.
    pub async fn archive(
        &self,
        viewer: &Viewer,
        id: CategoryId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Category> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "category.archive",
            &(id, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Category>(&tx).await?;
        let before = lock_in_tx(&tx, id, expected_version).await?;
        if before.archived_at.is_some() {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstUse).await?;
        tree::archive_subtree_in_tx(&tx, now, &before).await?;
        refuse_if_in_use_in_tx(&tx, &before).await?;
        let category = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "category.archive",
            Some(&before),
            &category,
        )
        .await?;
        claim.keep_in_tx(&tx, &category).await?;
        self.domain.commit(tx).await?;
        Ok(category)
    }

    /// Brings a category back, with what was put away together with it.
    ///
    /// # Errors
    /// When there is no such category, or its parent is archived.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: CategoryId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Category> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "category.restore",
            &(id, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Category>(&tx).await?;
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let Some(archived_at) = before.archived_at else {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        };
        open_parent_in_tx(&tx, "id", before.parent_id).await?;
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstChanges).await?;
        tree::restore_subtree_in_tx(&tx, now, &before, archived_at).await?;
        let category = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "category.restore",
            Some(&before),
            &category,
        )
        .await?;
        claim.keep_in_tx(&tx, &category).await?;
        self.domain.commit(tx).await?;
        Ok(category)
    }

    /// The category with this id.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find(&self, viewer: &Viewer, id: CategoryId) -> Result<Option<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// The category with this key in somebody else's system.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn find_by_external_reference(
        &self,
        viewer: &Viewer,
        reference: &str,
    ) -> Result<Option<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        match text::external_reference(reference) {
            Ok(reference) => {
                query::find_by_external_reference(&self.domain.reads, &reference).await
            }
            Err(_no_reference) => Ok(None),
        }
    }

    /// The category that one reaches from a root by these names, in any language.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or the path is longer than a hundred names.
    pub async fn find_by_path(
        &self,
        viewer: &Viewer,
        names: &[String],
    ) -> Result<Option<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        rules::check_path(names)?;
        query::find_by_path(&self.domain.reads, names).await
    }

    /// The categories with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[CategoryId]) -> Result<Vec<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// The children of these categories that are in use, in their order; at most [`CHILDREN_MAX`] of each.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn children_of(&self, viewer: &Viewer, ids: &[CategoryId]) -> Result<Vec<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        query::children_of(&self.domain.reads, ids).await
    }

    /// Those of these categories that exist, each with its ancestors, root first.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn ancestors_of(
        &self,
        viewer: &Viewer,
        ids: &[CategoryId],
    ) -> Result<Vec<(CategoryId, Vec<Category>)>> {
        viewer.require(Permission::CatalogueRead)?;
        query::ancestors_of(&self.domain.reads, ids).await
    }

    /// A whole tree in one statement: parents before their children, siblings in their order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, an argument is out of its range, there is no such root, or the tree has more than
    /// [`TREE_MAX`] categories.
    pub async fn tree(&self, viewer: &Viewer, of: &TreeArgs) -> Result<Vec<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        of.check()?;
        let root = match of.root_id {
            Some(id) => Some(
                query::find(&self.domain.reads, id)
                    .await?
                    .ok_or_else(|| Refusal::new(Code::NotFound, "rootId"))?,
            ),
            None => None,
        };
        let rows = query::tree(&self.domain.reads, root.as_ref(), of).await?;
        if rows.len() > TREE_MAX {
            return Err(Refusal::new(Code::TooMany, "maxDepth")
                .with("max", TREE_MAX)
                .into());
        }
        Ok(rules::depth_first(rows))
    }

    /// A page of all categories, or of those below one.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &CategoryFilter,
        args: &PageArgs,
    ) -> Result<Page<Category>> {
        viewer.require(Permission::CatalogueRead)?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// Creates many categories at once, parents before children. One whose external reference exists already stays as it is, whatever
    /// people have made of it.
    ///
    /// # Errors
    /// When a value is refused, or a parent is neither there nor in front of its child.
    pub async fn import(&self, viewer: &Viewer, rows: &[CategoryRow]) -> Result<ImportOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::import(self.domain, viewer, rows).await
    }
}

/// Most categories of one tree query.
pub const TREE_MAX: usize = 20_000;

/// Most children of one category that are read together with it. A tree of depth 1 has them all.
pub const CHILDREN_MAX: usize = 200;

/// Which tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct TreeArgs {
    /// The tree below this category, and itself; without, the whole forest.
    pub root_id: Option<CategoryId>,
    /// Levels below the root (of the forest: below an imagined root above all roots), 0 to 100.
    pub max_depth: Option<i32>,
    /// At most this many categories, breadth first, whole levels not guaranteed; 1 to [`TREE_MAX`].
    pub limit: Option<i32>,
    /// Whether archived categories are part of it.
    pub include_archived: bool,
}

impl TreeArgs {
    fn check(&self) -> Result<()> {
        let mut refusals = Refusals::default();
        for (path, number, min, max) in [
            ("limit", self.limit, 1, TREE_MAX),
            ("maxDepth", self.max_depth, 0, DEPTH_MAX),
        ] {
            let is_within = number.is_none_or(|number| {
                number >= min && usize::try_from(number).is_ok_and(|number| number <= max)
            });
            if !is_within {
                refusals.push(
                    Refusal::new(Code::OutOfRange, path)
                        .with("min", min)
                        .with("max", max),
                );
            }
        }
        refusals.into_result(Some(()))
    }
}

/// Which categories.
#[derive(Clone, Debug, Default)]
pub struct CategoryFilter {
    /// Only what lies below this one.
    pub descendant_of: Option<CategoryId>,
    /// Whether archived categories are part of it.
    pub include_archived: bool,
}

/// The category, locked, and of the version that is expected.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: CategoryId,
    expected_version: Option<i64>,
) -> Result<Category> {
    let category = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(category.version, expected_version)?;
    Ok(category)
}

/// The parent-to-be, which must be there and in use.
async fn open_parent_in_tx(
    tx: &DatabaseTransaction,
    path: &str,
    id: Option<CategoryId>,
) -> Result<Option<Category>> {
    let Some(id) = id else { return Ok(None) };
    let parent = query::share_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, path))?;
    if parent.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, path).into());
    }
    Ok(Some(parent))
}

/// Whether nothing is demanded of items below this parent.
async fn demands_nothing_in_tx(
    tx: &DatabaseTransaction,
    parent: Option<&Category>,
) -> Result<bool> {
    let Some(parent) = parent else {
        return Ok(true);
    };
    let schemas = attribute::schemas(tx, &[parent.id]).await?;
    Ok(schemas.values().all(|schema| schema.is_free()))
}

/// A category whose attributes are about to change: the shape of the tree stays as it is meanwhile.
pub(crate) async fn open_for_attributes_in_tx(
    tx: &DatabaseTransaction,
    path: &str,
    id: CategoryId,
) -> Result<Category> {
    tree::own_in_tx::<Category>(tx).await?;
    let category = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, path))?;
    if category.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, path).into());
    }
    Ok(category)
}

/// What the viewer calls a category.
pub(crate) async fn name_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    id: CategoryId,
) -> Result<String> {
    let category = query::get_in_tx(tx, id).await?;
    Ok(category.name.in_locale(viewer.locale.as_str()).to_owned())
}

/// Keeps items from being written below a category until the transaction ends.
pub(crate) async fn hold_items_in_tx(tx: &DatabaseTransaction, category: &Category) -> Result<()> {
    tree::lock_subtree_in_tx(tx, category, SubtreeLock::AgainstUse).await
}

/// A category for an item to stand in: locked against being archived meanwhile.
pub(crate) async fn open_for_items_in_tx(
    tx: &DatabaseTransaction,
    id: CategoryId,
) -> Result<Category> {
    let category = query::share_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "categoryId"))?;
    if category.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, "categoryId").into());
    }
    Ok(category)
}

/// Asked after the subtree's rows were changed: whoever puts an item into one of them now waits for us.
async fn refuse_if_in_use_in_tx(tx: &DatabaseTransaction, category: &Category) -> Result<()> {
    match query::count_items_in_tx(tx, category).await? {
        0 => Ok(()),
        count => Err(Refusal::new(Code::NotEmpty, "id")
            .with("count", count)
            .into()),
    }
}
