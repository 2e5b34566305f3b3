//! What clients can do to items and their pictures.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Upload};
use domain::{
    Code, Permission, Refusal,
    item::{Item as Row, ItemWithImage},
};
use entity::id::{ItemId, ItemImageId};

use super::{
    Item, ItemImage,
    input::{ItemCreateInput, ItemUpdateInput},
};
use crate::{
    graphql::{
        context::ContextExt,
        error::OrGraphql,
        id::GlobalId,
        job::Job,
        payload::{UserError, settle},
    },
    upload,
};

/// One item, as the client knows it.
#[derive(InputObject)]
pub struct ItemArchiveInput {
    /// Which item.
    id: ID,
    /// Refuse when the item's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A picture for an item.
#[derive(InputObject)]
pub struct ItemImageUploadInput {
    /// Whose picture it is.
    item_id: ID,
    /// The file: JPEG, PNG, WebP or GIF, sent after the GraphQL multipart request specification.
    file: Upload,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A picture to be taken away.
#[derive(InputObject)]
pub struct ItemImageRemoveInput {
    /// Whose picture it is.
    item_id: ID,
    /// Which one.
    image_id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Another order for an item's pictures.
#[derive(InputObject)]
pub struct ItemImageReorderInput {
    /// Whose pictures they are.
    item_id: ID,
    /// Each picture once; the first is shown first.
    order: Vec<ID>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! item_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The item; null when it was refused.
            item: Option<Item>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            async fn of(ctx: &Context<'_>, result: domain::Result<Row>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx.viewer(), result)?;
                Ok(Self { item: with_image(ctx, row).await?, user_errors })
            }
        }
    )+};
}

item_payloads! {
    /// What became of creating an item.
    ItemCreatePayload,
    /// What became of changing an item.
    ItemUpdatePayload,
    /// What became of putting an item away.
    ItemArchivePayload,
    /// What became of bringing an item back.
    ItemRestorePayload,
    /// What became of taking a picture away.
    ItemImageRemovePayload,
    /// What became of reordering pictures.
    ItemImageReorderPayload,
}

/// The item with the picture it shows first, when it has one.
async fn with_image(ctx: &Context<'_>, row: Option<Row>) -> async_graphql::Result<Option<Item>> {
    let Some(item) = row else { return Ok(None) };
    let primary_image = match item.primary_image_id {
        None => None,
        Some(id) => ctx.domain().items().find_image(ctx.viewer(), id).await.or_graphql(ctx.viewer())?,
    };
    Ok(Some(Item::new(ctx, ItemWithImage { item, primary_image })))
}

/// What became of an upload.
#[derive(SimpleObject)]
pub struct ItemImageUploadPayload {
    /// The item; null when it was refused.
    item: Option<Item>,
    /// The picture, still `PROCESSING`; null when it was refused.
    image: Option<ItemImage>,
    /// The job that makes its renditions; null when it was refused, or when you may not see jobs.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of items.
#[derive(Default)]
pub struct ItemMutation;

#[Object]
impl ItemMutation {
    /// Creates an item; its QR code is drawn in the background. Needs `catalogue.write`.
    async fn item_create(&self, ctx: &Context<'_>, input: ItemCreateInput) -> async_graphql::Result<ItemCreatePayload> {
        ItemCreatePayload::of(ctx, create(ctx, input).await).await
    }

    /// Changes an item. Needs `catalogue.write`.
    async fn item_update(&self, ctx: &Context<'_>, input: ItemUpdateInput) -> async_graphql::Result<ItemUpdatePayload> {
        ItemUpdatePayload::of(ctx, update(ctx, input).await).await
    }

    /// Puts an item away; it stays in everything that mentions it. Needs `catalogue.write`.
    async fn item_archive(&self, ctx: &Context<'_>, input: ItemArchiveInput) -> async_graphql::Result<ItemArchivePayload> {
        ItemArchivePayload::of(ctx, archive(ctx, input).await).await
    }

    /// Brings an item back. Needs `catalogue.write`.
    async fn item_restore(&self, ctx: &Context<'_>, input: ItemArchiveInput) -> async_graphql::Result<ItemRestorePayload> {
        ItemRestorePayload::of(ctx, restore(ctx, input).await).await
    }

    /// Adds a picture to an item, last; an item's first picture becomes its primary one. Needs `catalogue.write`.
    async fn item_image_upload(&self, ctx: &Context<'_>, input: ItemImageUploadInput) -> async_graphql::Result<ItemImageUploadPayload> {
        let (done, user_errors) = settle(ctx.viewer(), upload_image(ctx, input).await)?;
        let Some((item, image, job)) = done else {
            return Ok(ItemImageUploadPayload { item: None, image: None, job: None, user_errors });
        };
        let job = match ctx.viewer().require(Permission::JobRead) {
            Ok(()) => Some(ctx.domain().jobs().get(ctx.viewer(), job).await.or_graphql(ctx.viewer())?),
            Err(_not_for_them) => None,
        };
        Ok(ItemImageUploadPayload {
            item: with_image(ctx, Some(item)).await?,
            image: Some(ItemImage::new(ctx, image)),
            job: job.map(Job::new),
            user_errors,
        })
    }

    /// Takes a picture away from an item. Needs `catalogue.write`.
    async fn item_image_remove(&self, ctx: &Context<'_>, input: ItemImageRemoveInput) -> async_graphql::Result<ItemImageRemovePayload> {
        ItemImageRemovePayload::of(ctx, remove_image(ctx, input).await).await
    }

    /// Puts an item's pictures into another order. Needs `catalogue.write`.
    async fn item_image_reorder(&self, ctx: &Context<'_>, input: ItemImageReorderInput) -> async_graphql::Result<ItemImageReorderPayload> {
        ItemImageReorderPayload::of(ctx, reorder_images(ctx, input).await).await
    }
}

async fn create(ctx: &Context<'_>, mut input: ItemCreateInput) -> domain::Result<Row> {
    let key = input.idempotency_key.take();
    ctx.domain().items().create(ctx.viewer(), input.parse()?, key.as_deref()).await
}

async fn update(ctx: &Context<'_>, mut input: ItemUpdateInput) -> domain::Result<Row> {
    let (id, version, key) = (ItemId::parse("id", &input.id)?, input.expected_version, input.idempotency_key.take());
    ctx.domain().items().update(ctx.viewer(), id, input.parse()?, version, key.as_deref()).await
}

async fn archive(ctx: &Context<'_>, input: ItemArchiveInput) -> domain::Result<Row> {
    let ItemArchiveInput { id, expected_version, idempotency_key } = input;
    ctx.domain().items().archive(ctx.viewer(), ItemId::parse("id", &id)?, expected_version, idempotency_key.as_deref()).await
}

async fn restore(ctx: &Context<'_>, input: ItemArchiveInput) -> domain::Result<Row> {
    let ItemArchiveInput { id, expected_version, idempotency_key } = input;
    ctx.domain().items().restore(ctx.viewer(), ItemId::parse("id", &id)?, expected_version, idempotency_key.as_deref()).await
}

/// The viewer is asked before anything is stored.
async fn upload_image(
    ctx: &Context<'_>,
    input: ItemImageUploadInput,
) -> domain::Result<(Row, domain::item::ItemImage, entity::id::JobId)> {
    let ItemImageUploadInput { item_id, file, idempotency_key } = input;
    ctx.viewer().require(Permission::CatalogueWrite)?;
    let id = ItemId::parse("itemId", &item_id)?;
    if ctx.domain().items().find(ctx.viewer(), id).await?.is_none() {
        return Err(Refusal::new(Code::NotFound, "itemId").into());
    }
    let file = file.value(ctx).map_err(domain::Error::internal)?;
    let new = upload::store(ctx.data_unchecked(), ctx.blobs(), file.content).await?;
    ctx.domain().items().attach_image(ctx.viewer(), id, new, idempotency_key.as_deref()).await
}

async fn remove_image(ctx: &Context<'_>, input: ItemImageRemoveInput) -> domain::Result<Row> {
    let ItemImageRemoveInput { item_id, image_id, idempotency_key } = input;
    let (item, image) = (ItemId::parse("itemId", &item_id)?, ItemImageId::parse("imageId", &image_id)?);
    ctx.domain().items().remove_image(ctx.viewer(), item, image, idempotency_key.as_deref()).await
}

async fn reorder_images(ctx: &Context<'_>, input: ItemImageReorderInput) -> domain::Result<Row> {
    let ItemImageReorderInput { item_id, order, idempotency_key } = input;
    let (item, order) = (ItemId::parse("itemId", &item_id)?, ItemImageId::parse_all("order", &order)?);
    ctx.domain().items().reorder_images(ctx.viewer(), item, &order, idempotency_key.as_deref()).await
}
