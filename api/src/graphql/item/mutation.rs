//! What clients can do to items and their pictures.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use domain::{Code, Permission, Refusal, item::Item as Row};
use entity::id::{ItemId, ItemImageId, JobId};

use super::{
    Item, ItemImage,
    input::{ItemCreateInput, ItemUpdateInput},
};
use crate::{
    graphql::{
        context::ContextExt,
        file::File,
        guard::Needs,
        id::GlobalId,
        job::Job,
        loader::load,
        payload::{UserError, settle},
    },
    upload::{self, Storing},
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
    file: File,
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

/// What of a picture matters most.
#[derive(InputObject)]
pub struct ItemImageFocusInput {
    /// Whose picture it is.
    item_id: ID,
    /// Which one.
    image_id: ID,
    /// Percent of the width, from the left: 0 to 100.
    x: i32,
    /// Percent of the height, from the top: 0 to 100.
    y: i32,
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
            fn of(ctx: &Context<'_>, result: domain::Result<Row>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { item: row.map(|row| Item::without_image(ctx, row)), user_errors })
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
    /// What became of saying what of a picture matters.
    ItemImageFocusPayload,
}

/// What became of an upload.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemImageUploadPayload {
    /// The item; null when it was refused.
    item: Option<Item>,
    /// The picture, still `PROCESSING`; null when it was refused.
    image: Option<ItemImage>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
    #[graphql(skip)]
    job_id: Option<JobId>,
}

#[ComplexObject]
impl ItemImageUploadPayload {
    /// The job that makes its renditions; null when it was refused, or when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        match self.job_id {
            Some(id) => Ok(load(ctx, id).await?.map(Job::new)),
            None => Ok(None),
        }
    }
}

/// Mutations of items.
#[derive(Default)]
pub struct ItemMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl ItemMutation {
    /// Creates an item; its QR code is drawn in the background. Needs `catalogue.write`.
    async fn item_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item to be.")] input: ItemCreateInput,
    ) -> async_graphql::Result<ItemCreatePayload> {
        ItemCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes an item. Needs `catalogue.write`.
    async fn item_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item, and what is to be different.")] input: ItemUpdateInput,
    ) -> async_graphql::Result<ItemUpdatePayload> {
        ItemUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Puts an item away; it stays in everything that mentions it. Needs `catalogue.write`.
    async fn item_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item.")] input: ItemArchiveInput,
    ) -> async_graphql::Result<ItemArchivePayload> {
        ItemArchivePayload::of(ctx, archive(ctx, input).await)
    }

    /// Brings an item back. Needs `catalogue.write`.
    async fn item_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item.")] input: ItemArchiveInput,
    ) -> async_graphql::Result<ItemRestorePayload> {
        ItemRestorePayload::of(ctx, restore(ctx, input).await)
    }

    /// Adds a picture to an item, last; an item's first picture becomes its primary one. Needs `catalogue.write`.
    async fn item_image_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose picture it is, and the file.")] input: ItemImageUploadInput,
    ) -> async_graphql::Result<ItemImageUploadPayload> {
        let (done, user_errors) = settle(ctx, upload_image(ctx, input).await)?;
        let (item, image, job_id) = done.map_or((None, None, None), |(item, image, job)| {
            (Some(item), Some(image), Some(job))
        });
        Ok(ItemImageUploadPayload {
            item: item.map(|row| Item::without_image(ctx, row)),
            image: image.map(|row| ItemImage::new(ctx, row)),
            user_errors,
            job_id,
        })
    }

    /// Takes a picture away from an item. Needs `catalogue.write`.
    async fn item_image_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which picture.")] input: ItemImageRemoveInput,
    ) -> async_graphql::Result<ItemImageRemovePayload> {
        ItemImageRemovePayload::of(ctx, remove_image(ctx, input).await)
    }

    /// Puts an item's pictures into another order. Needs `catalogue.write`.
    async fn item_image_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose pictures, and their order.")] input: ItemImageReorderInput,
    ) -> async_graphql::Result<ItemImageReorderPayload> {
        ItemImageReorderPayload::of(ctx, reorder_images(ctx, input).await)
    }

    /// Says what of a picture must stay to be seen when a part of it is cut off. Its `square` is cut out anew within seconds; until then the
    /// old one is shown. Needs `catalogue.write`.
    async fn item_image_focus(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which picture, and what of it.")] input: ItemImageFocusInput,
    ) -> async_graphql::Result<ItemImageFocusPayload> {
        ItemImageFocusPayload::of(ctx, focus_image(ctx, input).await)
    }
}

async fn create(ctx: &Context<'_>, input: ItemCreateInput) -> domain::Result<Row> {
    let key = input.idempotency_key;
    ctx.domain()
        .items()
        .create(ctx.viewer(), input.values.parse()?, key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: ItemUpdateInput) -> domain::Result<Row> {
    let (id, version, key) = (
        ItemId::parse("id", &input.id)?,
        input.expected_version,
        input.idempotency_key,
    );
    ctx.domain()
        .items()
        .update(
            ctx.viewer(),
            id,
            input.changes.parse()?,
            version,
            key.as_deref(),
        )
        .await
}

async fn archive(ctx: &Context<'_>, input: ItemArchiveInput) -> domain::Result<Row> {
    let ItemArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    ctx.domain()
        .items()
        .archive(
            ctx.viewer(),
            ItemId::parse("id", &id)?,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn restore(ctx: &Context<'_>, input: ItemArchiveInput) -> domain::Result<Row> {
    let ItemArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    ctx.domain()
        .items()
        .restore(
            ctx.viewer(),
            ItemId::parse("id", &id)?,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

/// Nothing is stored for an item that is not there.
async fn upload_image(
    ctx: &Context<'_>,
    input: ItemImageUploadInput,
) -> domain::Result<(Row, domain::item::ItemImage, JobId)> {
    let ItemImageUploadInput {
        item_id,
        file,
        idempotency_key,
    } = input;
    let id = ItemId::parse("itemId", &item_id)?;
    if ctx.domain().items().find(ctx.viewer(), id).await?.is_none() {
        return Err(Refusal::new(Code::NotFound, "itemId").into());
    }
    let content = file.open(ctx, "file")?;
    let (limits, domain, blobs) = (ctx.data_unchecked(), ctx.domain(), ctx.blobs());
    let mut storing = Storing::default();
    loop {
        let new = upload::store(limits, domain, blobs, &content).await?;
        let (items, key) = (domain.items(), idempotency_key.as_deref());
        match items.attach_image(ctx.viewer(), id, new, key).await {
            Err(error) if storing.again(&error) => {}
            attached => return attached,
        }
    }
}

async fn remove_image(ctx: &Context<'_>, input: ItemImageRemoveInput) -> domain::Result<Row> {
    let ItemImageRemoveInput {
        item_id,
        image_id,
        idempotency_key,
    } = input;
    let (item, image) = (
        ItemId::parse("itemId", &item_id)?,
        ItemImageId::parse("imageId", &image_id)?,
    );
    ctx.domain()
        .items()
        .remove_image(ctx.viewer(), item, image, idempotency_key.as_deref())
        .await
}

async fn focus_image(ctx: &Context<'_>, input: ItemImageFocusInput) -> domain::Result<Row> {
    let ItemImageFocusInput {
        item_id,
        image_id,
        x,
        y,
        idempotency_key,
    } = input;
    let (item, image) = (
        ItemId::parse("itemId", &item_id)?,
        ItemImageId::parse("imageId", &image_id)?,
    );
    let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
    items
        .focus_image(ctx.viewer(), item, image, (x, y), key)
        .await
}

async fn reorder_images(ctx: &Context<'_>, input: ItemImageReorderInput) -> domain::Result<Row> {
    let ItemImageReorderInput {
        item_id,
        order,
        idempotency_key,
    } = input;
    let (item, order) = (
        ItemId::parse("itemId", &item_id)?,
        ItemImageId::parse_all("order", &order)?,
    );
    ctx.domain()
        .items()
        .reorder_images(ctx.viewer(), item, &order, idempotency_key.as_deref())
        .await
}
