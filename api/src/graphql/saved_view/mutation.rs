//! What clients can do to views.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    saved_view::{NewSavedView, SavedView as View, SavedViewChange},
};
use entity::id::SavedViewId;

use super::{SavedView, SavedViewList, content::SavedViewContentInput};
use crate::graphql::{
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// A view to be.
#[derive(InputObject)]
pub struct SavedViewCreateInput {
    /// What you call it: unique among your views of the list.
    name: String,
    /// Whether everybody sees it who sees the list; needs `catalogue.write`.
    #[graphql(default)]
    shared: bool,
    /// What it shows.
    content: SavedViewContentInput,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A change of a view. What is not given stays.
#[derive(InputObject)]
pub struct SavedViewUpdateInput {
    /// Which view.
    id: ID,
    /// What its owner calls it.
    name: Option<String>,
    /// Whether everybody sees it who sees the list; needs `catalogue.write`.
    shared: Option<bool>,
    /// What it shows, all of it.
    content: Option<SavedViewContentInput>,
    /// Refuse when the view's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A view to be taken away.
#[derive(InputObject)]
pub struct SavedViewDeleteInput {
    /// Which view.
    id: ID,
    /// Refuse when the view's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What you want to see first of a list.
#[derive(InputObject)]
pub struct SavedViewDefaultSetInput {
    /// Of which list.
    list: SavedViewList,
    /// Which view; none without.
    id: Option<ID>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! view_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The view; null when it was refused.
            saved_view: Option<SavedView>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<View>) -> async_graphql::Result<Self> {
                let (view, user_errors) = settle(ctx, result)?;
                Ok(Self { saved_view: view.map(|view| SavedView::new(ctx, view)), user_errors })
            }
        }
    )+};
}

view_payloads! {
    /// What became of keeping a view.
    SavedViewCreatePayload,
    /// What became of changing a view.
    SavedViewUpdatePayload,
}

/// What became of taking a view away.
#[derive(SimpleObject)]
pub struct SavedViewDeletePayload {
    /// The view that is gone; null when it was refused.
    deleted_id: Option<ID>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of choosing what is seen first.
#[derive(SimpleObject)]
pub struct SavedViewDefaultSetPayload {
    /// The view that is seen first; null when none is, or it was refused.
    saved_view: Option<SavedView>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of views. They change nothing of what the lists show, so they need no more than to see these.
#[derive(Default)]
pub struct SavedViewMutation;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl SavedViewMutation {
    /// Keeps a view, for you or for everybody. Needs `catalogue.read`.
    async fn saved_view_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The view to be.")] input: SavedViewCreateInput,
    ) -> async_graphql::Result<SavedViewCreatePayload> {
        SavedViewCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes a view of yours or, with `catalogue.write`, one that is shared. Needs `catalogue.read`.
    async fn saved_view_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which view, and what is to be different.")] input: SavedViewUpdateInput,
    ) -> async_graphql::Result<SavedViewUpdatePayload> {
        SavedViewUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Takes away a view of yours or, with `catalogue.write`, one that is shared. Needs `catalogue.read`.
    async fn saved_view_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which view.")] input: SavedViewDeleteInput,
    ) -> async_graphql::Result<SavedViewDeletePayload> {
        let (id, user_errors) = settle(ctx, delete(ctx, input).await)?;
        Ok(SavedViewDeletePayload {
            deleted_id: id.map(GlobalId::encode),
            user_errors,
        })
    }

    /// Chooses what you see first of a list. Needs `catalogue.read`.
    async fn saved_view_default_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which list, and which view.")] input: SavedViewDefaultSetInput,
    ) -> async_graphql::Result<SavedViewDefaultSetPayload> {
        let (view, user_errors) = settle(ctx, set_default(ctx, input).await)?;
        Ok(SavedViewDefaultSetPayload {
            saved_view: view.flatten().map(|view| SavedView::new(ctx, view)),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: SavedViewCreateInput) -> domain::Result<View> {
    let SavedViewCreateInput {
        name,
        shared,
        content,
        idempotency_key,
    } = input;
    let new = NewSavedView {
        name,
        shared,
        content: content.parse()?,
    };
    let views = ctx.domain().saved_views();
    views
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: SavedViewUpdateInput) -> domain::Result<View> {
    let SavedViewUpdateInput {
        id,
        name,
        shared,
        content,
        expected_version,
        idempotency_key,
    } = input;
    let id = SavedViewId::parse("id", &id)?;
    let change = SavedViewChange {
        name,
        shared,
        content: content.map(SavedViewContentInput::parse).transpose()?,
    };
    let (views, key) = (ctx.domain().saved_views(), idempotency_key.as_deref());
    views
        .update(ctx.viewer(), id, change, expected_version, key)
        .await
}

async fn delete(ctx: &Context<'_>, input: SavedViewDeleteInput) -> domain::Result<SavedViewId> {
    let SavedViewDeleteInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = SavedViewId::parse("id", &id)?;
    let (views, key) = (ctx.domain().saved_views(), idempotency_key.as_deref());
    views.delete(ctx.viewer(), id, expected_version, key).await
}

async fn set_default(
    ctx: &Context<'_>,
    input: SavedViewDefaultSetInput,
) -> domain::Result<Option<View>> {
    let SavedViewDefaultSetInput {
        list,
        id,
        idempotency_key,
    } = input;
    let id = id.map(|id| SavedViewId::parse("id", &id)).transpose()?;
    let (views, key) = (ctx.domain().saved_views(), idempotency_key.as_deref());
    views.set_default(ctx.viewer(), list.into(), id, key).await
}
