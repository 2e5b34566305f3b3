//! What clients can do to attributes.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use domain::{
    Permission,
    attribute::{Changed, InvalidItem as Row, Report},
};
use entity::id::{AttributeId, ItemId};

use super::{
    Attribute,
    input::{
        AttributeCreateInput, AttributeRestoreInput, AttributeRetireInput, AttributeUpdateInput,
    },
};
use crate::graphql::{
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::load,
    payload::{UserError, settle},
};

/// An item that would not be valid any more.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AttributeInvalidItem {
    /// Its SKU.
    sku: String,
    /// What would be wrong with it.
    errors: Vec<UserError>,
    #[graphql(skip)]
    item_id: ItemId,
}

#[ComplexObject]
impl AttributeInvalidItem {
    /// Which one.
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }
}

/// What a change of an attribute does to the items that are there.
#[derive(SimpleObject)]
pub struct AttributeReport {
    /// Items in use that were looked at.
    checked: u64,
    /// Those that fit before and do not fit any more.
    invalid: u64,
    /// The first of them, and why; at most 20.
    examples: Vec<AttributeInvalidItem>,
}

impl AttributeReport {
    fn new(ctx: &Context<'_>, report: Report) -> Self {
        let Report {
            checked,
            invalid,
            examples,
        } = report;
        let example = |row: Row| {
            let Row {
                item_id,
                sku,
                refusals,
            } = row;
            let error = |refusal| UserError::new(ctx.viewer(), refusal);
            let errors = refusals.into_iter().map(error).collect();
            AttributeInvalidItem {
                sku,
                errors,
                item_id,
            }
        };
        Self {
            checked,
            invalid,
            examples: examples.into_iter().map(example).collect(),
        }
    }
}

macro_rules! attribute_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The attribute as it is, or after a dry run as it would be; null when it was refused.
            attribute: Option<Attribute>,
            /// What it does to the items that are there; null when it was refused.
            report: Option<AttributeReport>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<Changed>) -> async_graphql::Result<Self> {
                let (changed, user_errors) = settle(ctx, result)?;
                let (attribute, report) = match changed {
                    Some(Changed { attribute, units, report }) => (
                        Some(Attribute::new(ctx, &attribute, &units)),
                        Some(AttributeReport::new(ctx, report)),
                    ),
                    None => (None, None),
                };
                Ok(Self { attribute, report, user_errors })
            }
        }
    )+};
}

attribute_payloads! {
    /// What became of declaring an attribute.
    AttributeCreatePayload,
    /// What became of changing an attribute.
    AttributeUpdatePayload,
    /// What became of taking an attribute out of use.
    AttributeRetirePayload,
    /// What became of taking an attribute into use again.
    AttributeRestorePayload,
}

/// Mutations of attributes.
#[derive(Default)]
pub struct AttributeMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl AttributeMutation {
    /// Declares an attribute for a category and everything below it. Needs `catalogue.write`.
    async fn attribute_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The attribute to be.")] input: AttributeCreateInput,
    ) -> async_graphql::Result<AttributeCreatePayload> {
        AttributeCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes what an attribute is called or demands. Needs `catalogue.write`.
    async fn attribute_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which attribute, and what is to be different.")]
        input: AttributeUpdateInput,
    ) -> async_graphql::Result<AttributeUpdatePayload> {
        AttributeUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Takes an attribute out of use: its values are kept, but neither shown nor taken. Needs `catalogue.write`.
    async fn attribute_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which attribute.")] input: AttributeRetireInput,
    ) -> async_graphql::Result<AttributeRetirePayload> {
        AttributeRetirePayload::of(ctx, retire(ctx, input).await)
    }

    /// Takes an attribute into use again, with the values that items still have. Needs `catalogue.write`.
    async fn attribute_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which attribute.")] input: AttributeRestoreInput,
    ) -> async_graphql::Result<AttributeRestorePayload> {
        AttributeRestorePayload::of(ctx, restore(ctx, input).await)
    }
}

async fn create(ctx: &Context<'_>, mut input: AttributeCreateInput) -> domain::Result<Changed> {
    let key = input.idempotency_key.take();
    let (new, manner) = input.parse()?;
    ctx.domain()
        .attributes()
        .create(ctx.viewer(), new, manner, key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, mut input: AttributeUpdateInput) -> domain::Result<Changed> {
    let (version, key) = (input.expected_version, input.idempotency_key.take());
    let (id, change, manner) = input.parse()?;
    ctx.domain()
        .attributes()
        .update(ctx.viewer(), id, change, version, manner, key.as_deref())
        .await
}

async fn retire(ctx: &Context<'_>, input: AttributeRetireInput) -> domain::Result<Changed> {
    let AttributeRetireInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = AttributeId::parse("id", &id)?;
    ctx.domain()
        .attributes()
        .retire(
            ctx.viewer(),
            id,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn restore(ctx: &Context<'_>, input: AttributeRestoreInput) -> domain::Result<Changed> {
    let (id, manner) = input.parse()?;
    let (version, key) = (input.expected_version, input.idempotency_key.as_deref());
    ctx.domain()
        .attributes()
        .restore(ctx.viewer(), id, version, manner, key)
        .await
}
