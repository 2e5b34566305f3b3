//! Saved views: lists as people want to see them again, for themselves or for everybody.
//!
//! A view is kept as its client wrote it, and understood anew each time it is used: what is asked of a list is the contract with clients,
//! and outlives our own types ([ADR 14](../docs/adr/0014-views-are-kept-as-written.md)).

mod query;
mod rules;
mod write;

use entity::id::SavedViewId;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use entity::saved_view::{List, Model as SavedViewRow};
pub use rules::{SHARED_MAX, VIEWS_MAX};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    item::{ItemSelection, OrderTerm},
    permission::Permission,
    version,
    viewer::{Known, Viewer},
};

/// What is asked of a list, as it is understood.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Items.
    Items {
        /// Which.
        selection: ItemSelection,
        /// In which order.
        order: Vec<OrderTerm>,
    },
}

impl Asked {
    /// Of which list.
    #[must_use]
    pub fn list(&self) -> List {
        match self {
            Self::Items { .. } => List::Items,
        }
    }
}

/// What a view shows.
#[derive(Clone, Debug)]
pub struct Content {
    /// What is asked of the list: it must be possible now.
    pub asked: Asked,
    /// The same as it was written: an object.
    pub written: Value,
    /// Names of the columns that are shown, as clients call them.
    pub columns: Vec<String>,
}

/// A view to be.
#[derive(Clone, Debug)]
pub struct NewSavedView {
    /// What its owner calls it.
    pub name: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// What it shows.
    pub content: Content,
}

/// A change of a view. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct SavedViewChange {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Whether everybody sees it.
    pub shared: Option<bool>,
    /// What it shows, all of it.
    pub content: Option<Content>,
}

/// A view, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// The view.
    pub row: SavedViewRow,
    /// The name of whose it is, at present.
    pub owner: String,
    /// Whether it is what the viewer sees first of the list.
    pub is_default: bool,
}

/// Saved views.
#[derive(Clone, Copy, Debug)]
pub struct SavedViews<'a> {
    pub(crate) domain: &'a Domain,
}

impl SavedViews<'_> {
    /// Keeps a view.
    ///
    /// # Errors
    /// When the viewer is no user or may not see the list, or not share what is to be shared; a value is refused; the name is taken by
    /// another view of theirs; or there are too many views.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewSavedView,
        key: Option<&str>,
    ) -> Result<SavedView> {
        let list = new.content.asked.list();
        let user = may_read(viewer, list)?;
        may_share(viewer, list, new.shared)?;
        let draft = rules::parse_new(&new)?;
        self.understand(&new.content.asked).await?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "saved_view.create", &draft, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_views_in_tx(&tx).await?;
        let counts = query::counts_in_tx(&tx, user.id, list).await?;
        rules::check_room(counts, true, draft.shared)?;
        let row = write::insert_in_tx(&tx, now, user.id, list, draft).await?;
        write::record_in_tx(&tx, viewer, now, "saved_view.create", None, Some(&row)).await?;
        self.end(tx, claim, row, user).await
    }

    /// Changes a view: one's own, or a shared one by those who may share.
    ///
    /// # Errors
    /// As [`SavedViews::create`], and when there is no such view, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: SavedViewId,
        change: SavedViewChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<SavedView> {
        let user = may_read(viewer, List::Items)?;
        let draft = rules::parse_change(&change)?;
        if let Some(content) = &change.content {
            self.understand(&content.asked).await?;
        }
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (id, &draft, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "saved_view.update", &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_views_in_tx(&tx).await?;
        let before = lock_in_tx(&tx, viewer, user, id, expected_version).await?;
        if draft.shared == Some(true) && !before.shared {
            may_share(viewer, before.list, true)?;
            let counts = query::counts_in_tx(&tx, before.user_id, before.list).await?;
            rules::check_room(counts, false, true)?;
        }
        let row = write::update_in_tx(&tx, now, before.clone(), draft).await?;
        if before.shared && !row.shared {
            write::forget_for_others_in_tx(&tx, &row).await?;
        }
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "saved_view.update",
            Some(&before),
            Some(&row),
        )
        .await?;
        self.end(tx, claim, row, user).await
    }

    /// Takes a view away: one's own, or a shared one by those who may share.
    ///
    /// # Errors
    /// When there is no such view, or somebody changed it since `expected_version`.
    pub async fn delete(
        &self,
        viewer: &Viewer,
        id: SavedViewId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<SavedViewId> {
        let user = may_read(viewer, List::Items)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "saved_view.delete", &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, viewer, user, id, expected_version).await?;
        write::delete_in_tx(&tx, id).await?;
        write::record_in_tx(&tx, viewer, now, "saved_view.delete", Some(&before), None).await?;
        claim.keep_in_tx(&tx, &id).await?;
        self.domain.commit(tx).await?;
        Ok(id)
    }

    /// Makes a view what the viewer sees first of a list, or nothing.
    ///
    /// # Errors
    /// When there is no such view of this list.
    pub async fn set_default(
        &self,
        viewer: &Viewer,
        list: List,
        id: Option<SavedViewId>,
        key: Option<&str>,
    ) -> Result<Option<SavedView>> {
        let user = may_read(viewer, list)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (list, id);
        let operation = "saved_view.set_default";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        if let Some(id) = id {
            let row = query::lock_in_tx(&tx, id).await?;
            row.filter(|row| row.list == list && is_seen(row, user))
                .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        }
        let before = write::replace_default_in_tx(&tx, user.id, list, id).await?;
        if before != id {
            write::record_default_in_tx(&tx, viewer, now, user.id, (before, id)).await?;
        }
        let view = match id {
            Some(id) => query::find(&tx, user.id, id).await?,
            None => None,
        };
        claim.keep_in_tx(&tx, &view).await?;
        self.domain.commit(tx).await?;
        Ok(view)
    }

    /// The view with this id: one's own, or a shared one.
    ///
    /// # Errors
    /// When the viewer is no user, or may not see the list.
    pub async fn find(&self, viewer: &Viewer, id: SavedViewId) -> Result<Option<SavedView>> {
        let user = may_read(viewer, List::Items)?;
        query::find(&self.domain.reads, user.id, id).await
    }

    /// All views of a list that the viewer sees, by name: at most [`VIEWS_MAX`] of their own, and [`SHARED_MAX`] shared ones.
    ///
    /// # Errors
    /// When the viewer is no user, or may not see the list.
    pub async fn all(&self, viewer: &Viewer, list: List) -> Result<Vec<SavedView>> {
        let user = may_read(viewer, list)?;
        query::all(&self.domain.reads, user.id, list).await
    }

    /// Asks what the list would be asked, so that nothing is kept that is refused later.
    async fn understand(&self, asked: &Asked) -> Result<()> {
        match asked {
            Asked::Items { selection, .. } => selection.resolve(&self.domain.reads).await.map(drop),
        }
    }

    async fn end(
        &self,
        tx: DatabaseTransaction,
        claim: Claim,
        row: SavedViewRow,
        user: &Known,
    ) -> Result<SavedView> {
        let view = query::get_in_tx(&tx, user.id, row.id).await?;
        claim.keep_in_tx(&tx, &view).await?;
        self.domain.commit(tx).await?;
        Ok(view)
    }
}

/// A user who may see the list.
fn may_read(viewer: &Viewer, list: List) -> Result<&Known> {
    match list {
        List::Items => viewer.require(Permission::CatalogueRead)?,
    }
    viewer.require_user()
}

/// What everybody sees is written by those who may change what it shows.
fn may_share(viewer: &Viewer, list: List, shared: bool) -> Result<()> {
    match (list, shared) {
        (List::Items, true) => viewer.require(Permission::CatalogueWrite),
        (List::Items, false) => Ok(()),
    }
}

fn is_seen(row: &SavedViewRow, user: &Known) -> bool {
    row.shared || row.user_id == user.id
}

/// The view, locked, of the version that is expected, and the viewer's to change.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    user: &Known,
    id: SavedViewId,
    expected_version: Option<i64>,
) -> Result<SavedViewRow> {
    let row = query::lock_in_tx(tx, id)
        .await?
        .filter(|row| is_seen(row, user))
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    may_share(viewer, row.list, row.user_id != user.id)?;
    version::check(row.version, expected_version)?;
    Ok(row)
}
