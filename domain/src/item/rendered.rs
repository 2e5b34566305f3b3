//! What workers add to items: renditions of pictures and drawn codes, or the news that there will be none.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, ItemImageId, JobId},
    item::Model as Item,
    item_image::{self, Model as ItemImage, Rendition, Renditions, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction, EntityTrait,
    IntoActiveModel,
};

use super::{Items, query, write};
use crate::{
    audit,
    error::{Code, Result},
    event::Kind,
    job,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// A picture as it can be shown.
#[derive(Clone, Debug)]
pub struct Pictured {
    /// Its sizes and formats.
    pub renditions: Vec<Rendition>,
    /// What is shown until one of them is there: a ThumbHash.
    pub thumb_hash: Vec<u8>,
    /// The colour of which there is most: red, green, blue.
    pub dominant_color: [u8; 3],
}

/// What came out of rendering a picture.
#[derive(Clone, Debug)]
pub enum RenderedImage {
    /// It can be shown.
    Ready(Pictured),
    /// Its content cannot be read: trying again will not help.
    Unreadable(Code),
}

impl Items<'_> {
    /// The picture with this id: for the worker that renders it.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn find_image(&self, viewer: &Viewer, id: ItemImageId) -> Result<Option<ItemImage>> {
        viewer.require_system()?;
        Ok(item_image::Entity::find_by_id(id)
            .one(&self.domain.db)
            .await?)
    }

    /// Keeps what came out of rendering a picture as it was then, and that the job is done. A picture that was removed meanwhile is no error,
    /// nor is one whose focus was moved: then another job renders it.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish_image(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        image: &ItemImage,
        rendered: RenderedImage,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        keep_in_tx(&tx, viewer, now, image, rendered).await?;
        job::succeed_in_tx(&tx, viewer, now, job.0, job.1).await?;
        self.domain.commit(tx).await?;
        Ok(())
    }

    /// Keeps where the item's drawn codes are, and that the job is done.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish_code(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: ItemId,
        svg_key: &str,
        png_key: &str,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        if let Some(item) = query::lock_in_tx(&tx, id).await? {
            audit::sign_in_tx(&tx, viewer, "item.code_rendered").await?;
            // The version stays: nobody who edits the item meanwhile shall hear that it is stale.
            let mut row = item.into_active_model();
            row.qr_svg_key = Set(Some(svg_key.to_owned()));
            row.qr_png_key = Set(Some(png_key.to_owned()));
            let item = row.update(&tx).await?;
            write::announce_in_tx(&tx, viewer, now, "item.code_rendered", &item).await?;
        }
        job::succeed_in_tx(&tx, viewer, now, job.0, job.1).await?;
        self.domain.commit(tx).await?;
        Ok(())
    }
}

/// Keeps what came out of rendering a picture as it was then, unless it is gone or was asked for otherwise meanwhile.
pub(super) async fn keep_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    then: &ItemImage,
    rendered: RenderedImage,
) -> Result<()> {
    let item = query::lock_in_tx(tx, then.item_id).await?;
    let image = item_image::Entity::find_by_id(then.id).one(tx).await?;
    let image = image.filter(|image| is_about(image, then, &rendered));
    let (Some(item), Some(image)) = (item, image) else {
        return Ok(());
    };
    let action = action(&rendered);
    audit::sign_in_tx(tx, viewer, action).await?;
    rendered_row(now, image, rendered).update(tx).await?;
    write::announce_in_tx(tx, viewer, now, action, &item).await
}

/// What could be shown before is not taken away because it cannot be made again.
fn is_about(image: &ItemImage, then: &ItemImage, rendered: &RenderedImage) -> bool {
    match rendered {
        RenderedImage::Ready(_) => (image.focus_x, image.focus_y) == (then.focus_x, then.focus_y),
        RenderedImage::Unreadable(_) => image.state != State::Ready,
    }
}

/// A picture, and its item, which is locked: so neither changes.
#[derive(Debug)]
pub(crate) struct LockedImage {
    item: Item,
    image: ItemImage,
}

/// Locks the picture's item. None when the picture was removed, or is in another state.
pub(crate) async fn lock_image_in_tx(
    tx: &DatabaseTransaction,
    id: ItemImageId,
    state: State,
) -> Result<Option<LockedImage>> {
    let Some(image) = item_image::Entity::find_by_id(id).one(tx).await? else {
        return Ok(None);
    };
    let item = query::lock_in_tx(tx, image.item_id).await?;
    // Read again: until the item was locked, the picture could change.
    let image = item_image::Entity::find_by_id(id).one(tx).await?;
    let image = image.filter(|image| image.state == state);
    Ok(item
        .zip(image)
        .map(|(item, image)| LockedImage { item, image }))
}

/// There will be no renditions: people are told, so that they can upload the picture again.
pub(crate) async fn give_up_image_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    locked: LockedImage,
) -> Result<()> {
    let LockedImage { item, image } = locked;
    let outcome = RenderedImage::Unreadable(Code::GaveUp);
    let action = action(&outcome);
    audit::sign_in_tx(tx, viewer, action).await?;
    rendered_row(now, image, outcome).update(tx).await?;
    write::announce_in_tx(tx, viewer, now, action, &item).await
}

/// There may be renditions after all: people are told that it is being worked on.
pub(crate) async fn take_up_image_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    locked: LockedImage,
) -> Result<()> {
    let LockedImage { item, image } = locked;
    audit::sign_in_tx(tx, viewer, "item.image_retried").await?;
    let mut row = image.into_active_model();
    row.state = Set(State::Processing);
    row.failure = Set(None);
    row.update(tx).await?;
    write::announce_in_tx(tx, viewer, now, "item.image_retried", &item).await
}

/// Locks the items of these pictures, in the order of their ids.
pub(crate) async fn lock_items_of_images_in_tx(
    tx: &DatabaseTransaction,
    images: &[ItemImageId],
) -> Result<()> {
    let sql = "SELECT id FROM item WHERE id IN (SELECT item_id FROM item_image WHERE id = ANY($1)) ORDER BY id FOR UPDATE";
    tx.execute_raw(statement(sql, [uuids(images)])).await?;
    Ok(())
}

/// The same as [`take_up_image_in_tx`] for many pictures, whose items are locked, by one statement. Those that have not failed stay as they are.
pub(crate) async fn take_up_images_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    images: &[ItemImageId],
) -> Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    audit::sign_in_tx(tx, viewer, "item.image_retried").await?;
    let sql = "WITH taken_up AS (
                   UPDATE item_image SET state = 'processing', failure = NULL WHERE id = ANY($1) AND state = 'failed' RETURNING item_id
               )
               INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               SELECT $2, $3, i.id, i.version,
                      jsonb_build_object('action', 'item.image_retried', 'categoryId', i.category_id, 'previousCategoryId', NULL), $4, $5
               FROM taken_up t JOIN item i ON i.id = t.item_id";
    let values = [
        uuids(images),
        Kind::ItemChanged.as_str().into(),
        Kind::ItemChanged.aggregate_type().into(),
        viewer.request_id.clone().into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// What the event calls it.
fn action(rendered: &RenderedImage) -> &'static str {
    match rendered {
        RenderedImage::Ready(_) => "item.image_rendered",
        RenderedImage::Unreadable(_) => "item.image_failed",
    }
}

fn rendered_row(
    now: DateTime<Utc>,
    image: ItemImage,
    rendered: RenderedImage,
) -> item_image::ActiveModel {
    let mut row = image.into_active_model();
    row.rendered_at = Set(Some(now));
    match rendered {
        RenderedImage::Ready(Pictured {
            renditions,
            thumb_hash,
            dominant_color: [red, green, blue],
        }) => {
            row.state = Set(State::Ready);
            row.failure = Set(None);
            row.renditions = Set(Renditions(renditions));
            row.thumb_hash = Set(Some(thumb_hash));
            row.dominant_color = Set(Some(i32::from_be_bytes([0, red, green, blue])));
        }
        RenderedImage::Unreadable(code) => {
            row.state = Set(State::Failed);
            row.failure = Set(Some(code.as_str().to_owned()));
        }
    }
    row
}
