//! What one label says, as texts.

use domain::{label::LabelItem, locale::Locale, pricing::ItemPrice};
use serde_json::Value;

use super::words;

/// What one label says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The item's name.
    pub(super) name: String,
    /// Its SKU.
    pub(super) sku: String,
    /// What it costs; none when that cannot be told.
    pub(super) price: Option<String>,
    /// Weights, fineness and hallmark, as far as they are known.
    pub(super) facts: Vec<String>,
    /// What a barcode says.
    pub(super) barcode: String,
    /// What a QR code says.
    pub(super) address: String,
}

impl Content {
    /// The label of an item, whose QR code says `address`.
    #[must_use]
    pub fn new(label: LabelItem, locale: Locale, address: String) -> Self {
        let LabelItem {
            item,
            barcode,
            metal,
            price,
        } = label;
        let huid = match metal.as_ref().and_then(|metal| metal.huid.as_deref()) {
            Some(huid) => Some(huid),
            // Who keeps no metal details may keep the hallmark as an attribute.
            None => item.attributes.get("huid").and_then(Value::as_str),
        };
        Self {
            name: item.name.in_locale(locale.as_str()).to_owned(),
            price: price.and_then(|price| told(locale, &price)),
            facts: words::facts(locale, metal.as_ref(), huid),
            barcode: barcode.unwrap_or_else(|| item.sku.clone()),
            sku: item.sku,
            address,
        }
    }
}

fn told(locale: Locale, price: &ItemPrice) -> Option<String> {
    let amount = price.amount.as_ref().ok()?;
    Some(words::price(locale, amount.rounded, &price.currency))
}
