//! What clients say about items, and how the domain takes it.

use async_graphql::{ID, InputObject, Json, MaybeUndefined};
use domain::item::{ItemChange, NewItem};
use entity::id::{CategoryId, ItemId, UnitOfMeasureId};

use super::{ItemKind, ItemTracking, metal::ItemMetalInput, pricing::ItemPricingInput};
use crate::graphql::{
    attribute::value,
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
    /// Price of one unit, when it is fixed. Not together with `pricing`.
    price: Option<Money>,
    /// How its price is found. Not together with `price`.
    pricing: Option<ItemPricingInput>,
    /// What is known of its metal.
    metal: Option<ItemMetalInput>,
    /// Values of the category's attributes by their names: an object. Decimals are strings in the attribute's unit, or with a unit: `"2 tola"`
    /// or `{"value": "2", "unit": "tola"}`; a reference is `{"id": …}`, an item's SKU or a category's external reference. Any facts are
    /// taken where no attributes are declared.
    attributes: Option<Json<serde_json::Value>>,
    /// Free labels.
    #[graphql(default)]
    tags: Vec<String>,
    /// What scanners read; GTINs need the right check digit.
    #[graphql(default)]
    barcodes: Vec<String>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// The template whose variant it is; `attributes` must then have one of the template's values of each option.
    template_id: Option<ID>,
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
    /// Price of one unit: fixed from now on. Not together with `pricing`.
    price: MaybeUndefined<Money>,
    /// How its price is found; null takes its price away, whatever it was. Not together with `price`.
    pricing: MaybeUndefined<ItemPricingInput>,
    /// All that is known of its metal.
    metal: MaybeUndefined<ItemMetalInput>,
    /// The values of all attributes, as in `ItemCreateInput`.
    attributes: Option<Json<serde_json::Value>>,
    /// All free labels.
    tags: Option<Vec<String>>,
    /// All barcodes.
    barcodes: Option<Vec<String>>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
    /// The template whose variant it is; null makes it an item of its own.
    template_id: MaybeUndefined<ID>,
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
            pricing,
            metal,
            attributes,
            tags,
            barcodes,
            external_reference,
            template_id,
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
            pricing: pricing.map(Into::into),
            metal: metal.map(Into::into),
            attributes: attributes.map_or_else(
                || serde_json::json!({}),
                |attributes| value::inputs(attributes.0),
            ),
            tags,
            barcodes,
            external_reference,
            template_id: template_id
                .map(|id| ItemId::parse("templateId", &id))
                .transpose()?,
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
            pricing,
            metal,
            attributes,
            tags,
            barcodes,
            external_reference,
            template_id,
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
            pricing: patch(pricing.map_value(Into::into)),
            metal: patch(metal.map_value(Into::into)),
            attributes: attributes.map(|attributes| value::inputs(attributes.0)),
            tags,
            barcodes,
            external_reference: patch(external_reference),
            template_id: patch(template_id).try_map(|id| ItemId::parse("templateId", &id))?,
        })
    }
}
