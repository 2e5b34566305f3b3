//! Pictures of items: what people do with them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, ItemImageId, JobId},
    item::Model as Item,
    item_image::{self, Model as ItemImage, Renditions, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel as _,
};
use serde::Serialize;

use super::{IMPORT_MAX, Items, lock_in_use_in_tx, query, write};
use crate::{
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    permission::Permission,
    retention,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Most pictures of one item.
const IMAGES_MAX: usize = 50;
/// What matters of a picture of which nothing else is said, in percent.
const FOCUS_MIDDLE: i16 = 50;

/// An upload that the blob store has.
#[derive(Clone, Debug, Serialize)]
pub struct NewImage {
    /// Where the blob store has it.
    pub original_key: String,
    /// Media type found in its content.
    pub media_type: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes.
    pub byte_size: u64,
}

impl Items<'_> {
    /// Adds an uploaded picture, last; the first picture of an item becomes its primary one. Its renditions are made in the background.
    ///
    /// # Errors
    /// When there is no such item, it is archived, or has as many pictures as it may.
    pub async fn attach_image(
        &self,
        viewer: &Viewer,
        id: ItemId,
        new: NewImage,
        key: Option<&str>,
    ) -> Result<(Item, ItemImage, JobId)> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = NewImage {
            original_key: retention::name(&new.original_key),
            ..new.clone()
        };
        let claim =
            match claim_in_tx(&tx, viewer, key, "item.attach_image", &(id, asked), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let before = lock_in_use_in_tx(&tx, id, None).await?;
        let images = query::images_in_tx(&tx, id).await?;
        if images.len() >= IMAGES_MAX {
            return Err(Refusal::new(Code::TooMany, "file")
                .with("max", IMAGES_MAX)
                .into());
        }
        let position = images.last().map_or(0, |last| last.position + 1);
        let image = insert_in_tx(&tx, now, id, position, new).await?;
        let item = set_primary_in_tx(
            &tx,
            now,
            before.clone(),
            before.primary_image_id.or(Some(image.id)),
        )
        .await?;
        let jobs = job::enqueue_in_tx(
            &tx,
            viewer,
            now,
            &[Task::RenderImage { image_id: image.id }],
        )
        .await?;
        let job = *jobs
            .first()
            .ok_or_else(|| Error::internal("a task gave no job"))?;
        write::record_in_tx(&tx, viewer, now, "item.attach_image", Some(&before), &item).await?;
        let answer = (item, image, job);
        claim.keep_in_tx(&tx, &answer).await?;
        self.domain.commit(tx).await?;
        Ok(answer)
    }

    /// The items with these external references that have no picture and have not been changed since they were created, by external
    /// reference; at most [`IMPORT_MAX`]. A picture that people have taken away is not missing.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or asks for too many.
    pub async fn never_pictured(
        &self,
        viewer: &Viewer,
        references: &[String],
    ) -> Result<HashMap<String, ItemId>> {
        viewer.require(Permission::CatalogueRead)?;
        if references.len() > IMPORT_MAX {
            return Err(Refusal::new(Code::TooMany, "references")
                .with("max", IMPORT_MAX)
                .into());
        }
        let found = query::never_pictured(&self.domain.db, references).await?;
        Ok(found.into_iter().collect())
    }

    /// Takes a picture away. When it was the primary one, the first of the others takes its place.
    ///
    /// # Errors
    /// When there is no such item or picture, or the item is archived.
    pub async fn remove_image(
        &self,
        viewer: &Viewer,
        id: ItemId,
        image: ItemImageId,
        key: Option<&str>,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim =
            match claim_in_tx(&tx, viewer, key, "item.remove_image", &(id, image), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let before = lock_in_use_in_tx(&tx, id, None).await?;
        let images = query::images_in_tx(&tx, id).await?;
        if !images.iter().any(|other| other.id == image) {
            return Err(Refusal::new(Code::NotFound, "imageId").into());
        }
        let next = images
            .iter()
            .map(|other| other.id)
            .find(|other| *other != image);
        let primary = if before.primary_image_id == Some(image) {
            next
        } else {
            before.primary_image_id
        };
        let item = set_primary_in_tx(&tx, now, before.clone(), primary).await?;
        item_image::Entity::delete_by_id(image).exec(&tx).await?;
        write::record_in_tx(&tx, viewer, now, "item.remove_image", Some(&before), &item).await?;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }

    /// Says what of a picture must stay to be seen when a part of it is cut off: the point this many percent of the width from the left and
    /// of the height from the top. What is cut out is made anew in the background; until then the old is shown.
    ///
    /// # Errors
    /// When there is no such item or picture, the item is archived, or a percentage is none.
    pub async fn focus_image(
        &self,
        viewer: &Viewer,
        id: ItemId,
        image: ItemImageId,
        (x, y): (i32, i32),
        key: Option<&str>,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let (x, y) = (percent("x", x)?, percent("y", y)?);
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, image, x, y);
        let claim = match claim_in_tx(&tx, viewer, key, "item.focus_image", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_use_in_tx(&tx, id, None).await?;
        let images = query::images_in_tx(&tx, id).await?;
        let picture = images.into_iter().find(|other| other.id == image);
        let picture = picture.ok_or_else(|| Refusal::new(Code::NotFound, "imageId"))?;
        let mut row = picture.into_active_model();
        row.focus_x = Set(x);
        row.focus_y = Set(y);
        row.update(&tx).await?;
        let item = write::touched(now, before.clone()).update(&tx).await?;
        let task = Task::RenderImage { image_id: image };
        job::enqueue_one_in_tx(&tx, viewer, now, task).await?;
        write::record_in_tx(&tx, viewer, now, "item.focus_image", Some(&before), &item).await?;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }

    /// Puts an item's pictures into the given order; the first becomes the primary one.
    ///
    /// # Errors
    /// When there is no such item, it is archived, or `order` does not name each of its pictures once.
    pub async fn reorder_images(
        &self,
        viewer: &Viewer,
        id: ItemId,
        order: &[ItemImageId],
        key: Option<&str>,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim =
            match claim_in_tx(&tx, viewer, key, "item.reorder_images", &(id, order), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let before = lock_in_use_in_tx(&tx, id, None).await?;
        check_order(&query::images_in_tx(&tx, id).await?, order)?;
        let sql = "UPDATE item_image p SET position = o.place - 1
                   FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, place) WHERE p.id = o.id";
        tx.execute_raw(statement(sql, [uuids(order)])).await?;
        let item = set_primary_in_tx(&tx, now, before.clone(), order.first().copied()).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "item.reorder_images",
            Some(&before),
            &item,
        )
        .await?;
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }
}

/// A side of the focus, in percent.
fn percent(path: &str, value: i32) -> Result<i16, Refusal> {
    let fits = i16::try_from(value).ok();
    fits.filter(|value| (0..=100).contains(value))
        .ok_or_else(|| {
            let refusal = Refusal::new(Code::OutOfRange, path);
            refusal.with("min", 0).with("max", 100)
        })
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    item: ItemId,
    position: i32,
    new: NewImage,
) -> Result<ItemImage> {
    let NewImage {
        original_key,
        media_type,
        width,
        height,
        byte_size,
    } = new;
    let pixels = |side: u32| {
        i32::try_from(side).map_err(|_too_large| {
            Error::internal("an inspected picture is too large for its column")
        })
    };
    let row = item_image::ActiveModel {
        id: Set(ItemImageId(new_id(now))),
        item_id: Set(item),
        position: Set(position),
        state: Set(State::Processing),
        failure: Set(None),
        original_key: Set(original_key),
        media_type: Set(media_type),
        width: Set(pixels(width)?),
        height: Set(pixels(height)?),
        byte_size: Set(i64::try_from(byte_size).unwrap_or(i64::MAX)),
        renditions: Set(Renditions::default()),
        thumb_hash: Set(None),
        dominant_color: Set(None),
        focus_x: Set(FOCUS_MIDDLE),
        focus_y: Set(FOCUS_MIDDLE),
        rendered_at: Set(None),
        created_at: Set(now),
    };
    Ok(row.insert(tx).await?)
}

async fn set_primary_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    item: Item,
    primary: Option<ItemImageId>,
) -> Result<Item> {
    let mut row = write::touched(now, item);
    row.primary_image_id = Set(primary);
    Ok(row.update(tx).await?)
}

fn check_order(images: &[ItemImage], order: &[ItemImageId]) -> Result<(), Refusal> {
    let mut expected: Vec<_> = images.iter().map(|image| image.id).collect();
    let mut named = order.to_vec();
    expected.sort_unstable();
    named.sort_unstable();
    if expected == named {
        Ok(())
    } else {
        Err(Refusal::new(Code::InvalidFormat, "order"))
    }
}
