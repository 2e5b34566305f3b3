//! Saved views: lists as people want to see them again.

pub mod content;
pub mod mutation;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    saved_view::{List, SavedView as View, SavedViewRow},
};
use entity::id::SavedViewId;

use content::{SavedItemList, SavedViewContent};
pub use mutation::SavedViewMutation;

use super::{context::ContextExt, cost, error::OrGraphql, guard::Needs, id::GlobalId};

/// A list that views are kept of.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "List")]
pub enum SavedViewList {
    /// Items.
    Items,
}

/// A list as somebody wants to see it again.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SavedView {
    /// Opaque id.
    id: ID,
    /// Of which list.
    list: SavedViewList,
    /// What its owner calls it.
    name: String,
    /// Whether everybody sees it who sees the list.
    shared: bool,
    /// The name of whose it is.
    owner_name: String,
    /// Whether it is yours.
    is_own: bool,
    /// Whether it is what you see first of the list.
    is_default: bool,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    request: serde_json::Value,
    #[graphql(skip)]
    columns: Vec<String>,
}

impl SavedView {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, view: View) -> Self {
        let View {
            row:
                SavedViewRow {
                    id,
                    list,
                    user_id,
                    name,
                    shared,
                    request,
                    columns,
                    version,
                    created_at,
                    updated_at,
                },
            owner,
            is_default,
        } = view;
        Self {
            id: id.encode(),
            list: list.into(),
            name,
            shared,
            owner_name: owner,
            is_own: ctx.viewer().user_id() == Some(user_id),
            is_default,
            version,
            created_at,
            updated_at,
            request,
            columns,
        }
    }
}

#[ComplexObject]
impl SavedView {
    /// What it shows.
    async fn content(&self) -> SavedViewContent {
        match self.list {
            SavedViewList::Items => SavedViewContent::Items(SavedItemList::new(
                self.request.clone(),
                self.columns.clone(),
            )),
        }
    }
}

/// Queries about views.
#[derive(Default)]
pub struct SavedViewQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl SavedViewQuery {
    /// One view, of yours or shared; null when there is none such.
    async fn saved_view(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<SavedView>> {
        let viewer = ctx.viewer();
        let id = SavedViewId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().saved_views().find(viewer, id).await;
        Ok(found
            .or_graphql(viewer)?
            .map(|view| SavedView::new(ctx, view)))
    }

    /// All views of a list that you see, by name: at most 100 of yours and 200 that are shared.
    #[graphql(complexity = "cost::STATEMENT + cost::rows(20, child_complexity)")]
    async fn saved_views(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which list.")] list: SavedViewList,
    ) -> async_graphql::Result<Vec<SavedView>> {
        let viewer = ctx.viewer();
        let views = ctx.domain().saved_views().all(viewer, list.into()).await;
        let views = views.or_graphql(viewer)?.into_iter();
        Ok(views.map(|view| SavedView::new(ctx, view)).collect())
    }
}
