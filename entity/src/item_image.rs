//! Pictures of items.

use chrono::{DateTime, Utc};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, ItemImageId};

/// Where a picture is on its way from upload to display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Uploaded; its renditions are being made.
    Processing,
    /// Its renditions can be shown.
    Ready,
    /// It could not be read; see `failure`.
    Failed,
}

/// One size and format of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// `thumbnail`, `small`, `medium`, `large` or `square`.
    pub size: String,
    /// `webp` or `jpeg`.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes.
    pub bytes: u64,
    /// Where the blob store has it.
    pub key: String,
}

/// All renditions of a picture. Stored as a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Renditions(pub Vec<Rendition>);

/// A picture of an item.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_image")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ItemImageId,
    /// Whose picture it is.
    pub item_id: ItemId,
    /// Order among the item's pictures.
    pub position: i32,
    /// Where it is on its way.
    pub state: State,
    /// Why it failed, as a refusal code.
    pub failure: Option<String>,
    /// Where the blob store has the upload. Never served: it may carry GPS data.
    pub original_key: String,
    /// Media type found in the content.
    pub media_type: String,
    /// Pixels, as uploaded.
    pub width: i32,
    /// Pixels, as uploaded.
    pub height: i32,
    /// Bytes, as uploaded.
    pub byte_size: i64,
    /// What can be shown.
    #[sea_orm(column_type = "JsonBinary")]
    pub renditions: Renditions,
    /// What is shown until a rendition is there: a ThumbHash.
    pub thumb_hash: Option<Vec<u8>>,
    /// The colour of which there is most, as `0xRRGGBB`.
    pub dominant_color: Option<i32>,
    /// What must stay to be seen when a part is cut off: percent of the width, from the left.
    pub focus_x: i16,
    /// The same: percent of the height, from the top.
    pub focus_y: i16,
    /// When its renditions were made.
    pub rendered_at: Option<DateTime<Utc>>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
