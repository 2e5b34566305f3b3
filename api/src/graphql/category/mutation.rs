//! What clients can do to categories.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    category::{CategoryChange, CategoryMove, NewCategory},
    patch::Patch,
};
use entity::id::CategoryId;

use super::Category;
use crate::graphql::{
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
    translation::{self, Translation},
};

/// A category to be.
#[derive(InputObject)]
pub struct CategoryCreateInput {
    /// Below which category; a root without.
    parent_id: Option<ID>,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// Name of an icon.
    icon: Option<String>,
    /// Colour as `#rrggbb`.
    colour: Option<String>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Another face for a category. What is not given stays; null clears.
#[derive(InputObject)]
pub struct CategoryUpdateInput {
    /// Which category.
    id: ID,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// Name of an icon.
    icon: MaybeUndefined<String>,
    /// Colour as `#rrggbb`.
    colour: MaybeUndefined<String>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
    /// Refuse when the category's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Another place for a category and all that is below it.
#[derive(InputObject)]
pub struct CategoryMoveInput {
    /// Which category.
    id: ID,
    /// Below which category; a root without.
    parent_id: Option<ID>,
    /// In front of which of its new siblings; last without.
    before_id: Option<ID>,
    /// Refuse when the category's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Another order for siblings.
#[derive(InputObject)]
pub struct CategoryReorderInput {
    /// Whose children; the roots without.
    parent_id: Option<ID>,
    /// Each child once.
    order: Vec<ID>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One category, as the client knows it.
#[derive(InputObject)]
pub struct CategoryArchiveInput {
    /// Which category.
    id: ID,
    /// Refuse when the category's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! category_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The category; null when it was refused.
            category: Option<Category>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<domain::category::Category>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { category: row.map(|row| Category::new(ctx, row)), user_errors })
            }
        }
    )+};
}

category_payloads! {
    /// What became of creating a category.
    CategoryCreatePayload,
    /// What became of changing a category.
    CategoryUpdatePayload,
    /// What became of moving a category.
    CategoryMovePayload,
    /// What became of putting a category away.
    CategoryArchivePayload,
    /// What became of bringing a category back.
    CategoryRestorePayload,
}

/// What became of reordering siblings.
#[derive(SimpleObject)]
pub struct CategoryReorderPayload {
    /// The siblings in their order; null when it was refused.
    categories: Option<Vec<Category>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of categories.
#[derive(Default)]
pub struct CategoryMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl CategoryMutation {
    /// Creates a category, last among its siblings. Needs `catalogue.write`.
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category to be.")] input: CategoryCreateInput,
    ) -> async_graphql::Result<CategoryCreatePayload> {
        CategoryCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Gives a category another name, icon, colour or external reference. Needs `catalogue.write`.
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category, and what is to be different.")]
        input: CategoryUpdateInput,
    ) -> async_graphql::Result<CategoryUpdatePayload> {
        CategoryUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Moves a category, with all that is below it. Needs `catalogue.write`.
    async fn category_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category, and where it goes.")] input: CategoryMoveInput,
    ) -> async_graphql::Result<CategoryMovePayload> {
        CategoryMovePayload::of(ctx, move_to(ctx, input).await)
    }

    /// Puts siblings into another order. Needs `catalogue.write`.
    async fn category_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose children, and their order.")] input: CategoryReorderInput,
    ) -> async_graphql::Result<CategoryReorderPayload> {
        let (rows, user_errors) = settle(ctx, reorder(ctx, input).await)?;
        let categories = rows.map(|rows| {
            rows.into_iter()
                .map(|row| Category::new(ctx, row))
                .collect()
        });
        Ok(CategoryReorderPayload {
            categories,
            user_errors,
        })
    }

    /// Puts a category away, with all that is below it. Refused while items in use are in it. Needs `catalogue.write`.
    async fn category_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CategoryArchiveInput,
    ) -> async_graphql::Result<CategoryArchivePayload> {
        CategoryArchivePayload::of(ctx, archive(ctx, input).await)
    }

    /// Brings a category back, with what was put away together with it. Needs `catalogue.write`.
    async fn category_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CategoryArchiveInput,
    ) -> async_graphql::Result<CategoryRestorePayload> {
        CategoryRestorePayload::of(ctx, restore(ctx, input).await)
    }
}

type Outcome = domain::Result<domain::category::Category>;

async fn create(ctx: &Context<'_>, input: CategoryCreateInput) -> Outcome {
    let CategoryCreateInput {
        parent_id,
        name,
        icon,
        colour,
        external_reference,
        idempotency_key,
    } = input;
    let parent_id = parent_id
        .map(|id| CategoryId::parse("parentId", &id))
        .transpose()?;
    let new = NewCategory {
        parent_id,
        name: translation::input("name", name)?,
        icon,
        colour,
        external_reference,
    };
    ctx.domain()
        .categories()
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: CategoryUpdateInput) -> Outcome {
    let CategoryUpdateInput {
        id,
        name,
        icon,
        colour,
        external_reference,
        expected_version,
        idempotency_key,
    } = input;
    let id = CategoryId::parse("id", &id)?;
    let change = CategoryChange {
        name: name
            .map(|name| translation::input("name", name))
            .transpose()?,
        icon: patch(icon),
        colour: patch(colour),
        external_reference: patch(external_reference),
    };
    ctx.domain()
        .categories()
        .update(
            ctx.viewer(),
            id,
            change,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn move_to(ctx: &Context<'_>, input: CategoryMoveInput) -> Outcome {
    let CategoryMoveInput {
        id,
        parent_id,
        before_id,
        expected_version,
        idempotency_key,
    } = input;
    let id = CategoryId::parse("id", &id)?;
    let to = CategoryMove {
        parent_id: parent_id
            .map(|id| CategoryId::parse("parentId", &id))
            .transpose()?,
        before_id: before_id
            .map(|id| CategoryId::parse("beforeId", &id))
            .transpose()?,
    };
    ctx.domain()
        .categories()
        .move_to(
            ctx.viewer(),
            id,
            to,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn reorder(
    ctx: &Context<'_>,
    input: CategoryReorderInput,
) -> domain::Result<Vec<domain::category::Category>> {
    let CategoryReorderInput {
        parent_id,
        order,
        idempotency_key,
    } = input;
    let parent_id = parent_id
        .map(|id| CategoryId::parse("parentId", &id))
        .transpose()?;
    let order = CategoryId::parse_all("order", &order)?;
    ctx.domain()
        .categories()
        .reorder(ctx.viewer(), parent_id, &order, idempotency_key.as_deref())
        .await
}

async fn archive(ctx: &Context<'_>, input: CategoryArchiveInput) -> Outcome {
    let CategoryArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = CategoryId::parse("id", &id)?;
    ctx.domain()
        .categories()
        .archive(
            ctx.viewer(),
            id,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn restore(ctx: &Context<'_>, input: CategoryArchiveInput) -> Outcome {
    let CategoryArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = CategoryId::parse("id", &id)?;
    ctx.domain()
        .categories()
        .restore(
            ctx.viewer(),
            id,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

/// Absent keeps, null clears, a value sets.
pub fn patch<T>(value: MaybeUndefined<T>) -> Patch<T> {
    match value {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(value),
    }
}
