//! What clients say about items, and how the domain takes it.

use async_graphql::{ID, InputObject, Json, MaybeUndefined};
use domain::item::{ItemChange, NewItem};
use entity::id::{CategoryId, UnitOfMeasureId};

use super::{ItemKind, ItemTracking};
use crate::graphql::{
    category::patch,
    id::GlobalId,
    money::Money,
    translation::{self, Translation},
};

/// What an item shall be.
#[derive(InputObject)]
pub struct ItemValues {
    /// What sort of thing it is.
    #[graphql(default_with = "ItemKind::Goods")]
    kind: ItemKind,
    /// Stock-keeping unit: unique; letters, digits and `-_./+#`.
    sku: String,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// Description.
    #[graphql(default)]
    description: Vec<Translation>,
    /// Where it stands in the catalogue.
    category_id: ID,
    /// In what it is counted or measured.
    unit_id: ID,
    /// How its pieces are told apart.
    #[graphql(default_with = "ItemTracking::None")]
    tracking: ItemTracking,
    /// Price of one unit.
    price: Option<Money>,
    /// Further facts by attribute name: an object. Decimals are strings.
    attributes: Option<Json<serde_json::Value>>,
    /// Free labels.
    #[graphql(default)]
    tags: Vec<String>,
    /// What scanners read; GTINs need the right check digit.
    #[graphql(default)]
    barcodes: Vec<String>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
}

/// An item to be.
#[derive(InputObject)]
pub struct ItemCreateInput {
    /// What it shall be.
    #[graphql(flatten)]
    pub(super) values: ItemValues,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

/// What is to be different about an item. What is not given stays; null clears.
#[derive(InputObject)]
pub struct ItemChanges {
    /// What sort of thing it is.
    kind: Option<ItemKind>,
    /// Stock-keeping unit.
    sku: Option<String>,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// Its description in all languages.
    description: Option<Vec<Translation>>,
    /// Where it stands in the catalogue.
    category_id: Option<ID>,
    /// In what it is counted or measured.
    unit_id: Option<ID>,
    /// How its pieces are told apart.
    tracking: Option<ItemTracking>,
    /// Price of one unit.
    price: MaybeUndefined<Money>,
    /// All further facts: an object. Decimals are strings.
    attributes: Option<Json<serde_json::Value>>,
    /// All free labels.
    tags: Option<Vec<String>>,
    /// All barcodes.
    barcodes: Option<Vec<String>>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
}

/// A change of an item. What is not given stays; null clears.
#[derive(InputObject)]
pub struct ItemUpdateInput {
    /// Which item.
    pub(super) id: ID,
    /// What is to be different.
    #[graphql(flatten)]
    pub(super) changes: ItemChanges,
    /// Refuse when the item's version is another.
    pub(super) expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

impl ItemValues {
    /// As the domain takes it.
    pub(in crate::graphql) fn parse(self) -> domain::Result<NewItem> {
        let Self {
            kind,
            sku,
            name,
            description,
            category_id,
            unit_id,
            tracking,
            price,
            attributes,
            tags,
            barcodes,
            external_reference,
        } = self;
        Ok(NewItem {
            kind: kind.into(),
            sku,
            name: translation::input("name", name)?,
            description: translation::input("description", description)?,
            category_id: CategoryId::parse("categoryId", &category_id)?,
            unit_id: UnitOfMeasureId::parse("unitId", &unit_id)?,
            tracking: tracking.into(),
            price: price.map(Into::into),
            attributes: attributes.map_or_else(|| serde_json::json!({}), |attributes| attributes.0),
            tags,
            barcodes,
            external_reference,
        })
    }
}

impl ItemChanges {
    /// As the domain takes it.
    pub(in crate::graphql) fn parse(self) -> domain::Result<ItemChange> {
        let Self {
            kind,
            sku,
            name,
            description,
            category_id,
            unit_id,
            tracking,
            price,
            attributes,
            tags,
            barcodes,
            external_reference,
        } = self;
        Ok(ItemChange {
            kind: kind.map(Into::into),
            sku,
            name: name
                .map(|name| translation::input("name", name))
                .transpose()?,
            description: description
                .map(|text| translation::input("description", text))
                .transpose()?,
            category_id: category_id
                .map(|id| CategoryId::parse("categoryId", &id))
                .transpose()?,
            unit_id: unit_id
                .map(|id| UnitOfMeasureId::parse("unitId", &id))
                .transpose()?,
            tracking: tracking.map(Into::into),
            price: patch(price.map_value(Into::into)),
            attributes: attributes.map(|attributes| attributes.0),
            tags,
            barcodes,
            external_reference: patch(external_reference),
        })
    }
}
