//! What clients can do to subsidiary accounts, cost centres and projects.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    dimension::{DimensionValue as Row, DimensionValueChange, NewDimensionValue},
};
use entity::id::DimensionValueId;

use super::{DimensionKind, DimensionValue};
use crate::graphql::{
    category::patch,
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
    translation::{self, Translation},
};

/// A subsidiary account, a cost centre or a project to be.
#[derive(InputObject)]
pub struct DimensionValueCreateInput {
    /// What sort of thing it is. Cannot change later.
    kind: DimensionKind,
    /// What bookkeepers call it: letters, digits, `-`, `_`, `.`, `/`, `+` and `#`, at most 64. Becomes upper case; unique in its dimension.
    code: String,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What is to be different about it. What is not given stays; null clears.
#[derive(InputObject)]
pub struct DimensionValueUpdateInput {
    /// Which one.
    id: ID,
    /// What bookkeepers call it.
    code: Option<String>,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
    /// Refuse when its version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One of them, as the client knows it.
#[derive(InputObject)]
pub struct DimensionValueArchiveInput {
    /// Which one.
    id: ID,
    /// Refuse when its version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The subsidiary account, cost centre or project; null when it was refused.
            dimension_value: Option<DimensionValue>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<Row>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                let dimension_value = row.map(|row| DimensionValue::new(ctx, row));
                Ok(Self { dimension_value, user_errors })
            }
        }
    )+};
}

payloads! {
    /// What became of creating a subsidiary account, a cost centre or a project.
    DimensionValueCreatePayload,
    /// What became of changing one.
    DimensionValueUpdatePayload,
    /// What became of archiving one.
    DimensionValueArchivePayload,
    /// What became of taking one into use again.
    DimensionValueRestorePayload,
}

/// Mutations of values of dimensions.
#[derive(Default)]
pub struct DimensionMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl DimensionMutation {
    /// Creates a subsidiary account, a cost centre or a project. Needs `books.manage`.
    async fn dimension_value_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be.")] input: DimensionValueCreateInput,
    ) -> async_graphql::Result<DimensionValueCreatePayload> {
        let DimensionValueCreateInput {
            kind,
            code,
            name,
            external_reference,
            idempotency_key,
        } = input;
        let created = async {
            let new = NewDimensionValue {
                kind: kind.into(),
                code,
                name: translation::input("name", name)?,
                external_reference,
            };
            let values = ctx.domain().dimensions();
            values
                .create(ctx.viewer(), new, idempotency_key.as_deref())
                .await
        };
        DimensionValueCreatePayload::of(ctx, created.await)
    }

    /// Changes what a subsidiary account, a cost centre or a project is called. Needs `books.manage`.
    async fn dimension_value_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what is to be different.")]
        input: DimensionValueUpdateInput,
    ) -> async_graphql::Result<DimensionValueUpdatePayload> {
        let DimensionValueUpdateInput {
            id,
            code,
            name,
            external_reference,
            expected_version,
            idempotency_key,
        } = input;
        let updated = async {
            let id = DimensionValueId::parse("id", &id)?;
            let name = name.map(|name| translation::input("name", name));
            let change = DimensionValueChange {
                code,
                name: name.transpose()?,
                external_reference: patch(external_reference),
            };
            let key = idempotency_key.as_deref();
            let values = ctx.domain().dimensions();
            values
                .update(ctx.viewer(), id, change, expected_version, key)
                .await
        };
        DimensionValueUpdatePayload::of(ctx, updated.await)
    }

    /// Archives a subsidiary account, a cost centre or a project: nothing is posted to it any more. Needs `books.manage`.
    async fn dimension_value_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DimensionValueArchiveInput,
    ) -> async_graphql::Result<DimensionValueArchivePayload> {
        let DimensionValueArchiveInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let archived = async {
            let id = DimensionValueId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let values = ctx.domain().dimensions();
            values
                .archive(ctx.viewer(), id, expected_version, key)
                .await
        };
        DimensionValueArchivePayload::of(ctx, archived.await)
    }

    /// Takes a subsidiary account, a cost centre or a project into use again. Needs `books.manage`.
    async fn dimension_value_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DimensionValueArchiveInput,
    ) -> async_graphql::Result<DimensionValueRestorePayload> {
        let DimensionValueArchiveInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let restored = async {
            let id = DimensionValueId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let values = ctx.domain().dimensions();
            values
                .restore(ctx.viewer(), id, expected_version, key)
                .await
        };
        DimensionValueRestorePayload::of(ctx, restored.await)
    }
}
