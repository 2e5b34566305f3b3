//! Items: what is sold or kept.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    id::{CategoryId, ItemId, ItemImageId, UnitOfMeasureId},
    translations::Translations,
};

/// What sort of thing an item is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A thing that is stocked and sold.
    Goods,
    /// Work that is sold.
    Service,
    /// A file, a licence, a voucher.
    Digital,
    /// A thing that is used up in the business itself.
    Consumable,
}

/// How single pieces of an item are told apart in stock.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Tracking {
    /// All pieces are alike.
    None,
    /// By lot, such as a batch with an expiry date.
    Lot,
    /// Each piece by its serial number.
    Serial,
}

/// What is sold or kept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ItemId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Stock-keeping unit: unique, upper case.
    pub sku: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// Description for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub description: Translations,
    /// Where it stands in the catalogue.
    pub category_id: CategoryId,
    /// In what it is counted or measured.
    pub unit_id: UnitOfMeasureId,
    /// How its pieces are told apart.
    pub tracking: Tracking,
    /// Price of one unit, with `price_currency`.
    pub price_amount: Option<Decimal>,
    /// ISO 4217 code; present exactly when `price_amount` is.
    pub price_currency: Option<String>,
    /// Further facts by attribute name.
    #[sea_orm(column_type = "JsonBinary")]
    pub attributes: Json,
    /// Free labels, lower case, sorted.
    pub tags: Vec<String>,
    /// The image shown first.
    pub primary_image_id: Option<ItemImageId>,
    /// Media key of the rendered QR code as SVG.
    pub qr_svg_key: Option<String>,
    /// Media key of the rendered QR code as PNG.
    pub qr_png_key: Option<String>,
    /// The item's key in somebody else's system.
    pub external_reference: Option<String>,
    /// Whether it stands for its variants.
    #[serde(default)]
    pub is_template: bool,
    /// Of which template it is a variant.
    #[serde(default)]
    pub template_id: Option<ItemId>,
    /// The values in which it differs from the template's other variants, by key: kept by the database, from `attributes`.
    #[sea_orm(column_type = "JsonBinary")]
    #[serde(default)]
    pub variant_options: Option<Json>,
    /// Since when it is put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
