//! What one label says, as texts.

use domain::label::LabelItem;
use domain::locale::Locale;
use serde_json::Value;

use super::words;

/// Longest attribute that is printed, in characters.
const ATTRIBUTE_MAX: usize = 40;

/// What one label says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The item's name.
    pub(super) name: String,
    /// Its SKU.
    pub(super) sku: String,
    /// Its price; none when it has none.
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
        let LabelItem { item, barcode } = label;
        let price = item.price_amount.zip(item.price_currency.as_deref());
        let fact = |name: &str| item.attributes.get(name).and_then(text);
        Self {
            name: item.name.in_locale(locale.as_str()).to_owned(),
            price: price.map(|(amount, currency)| words::price(locale, amount, currency)),
            facts: words::facts(locale, fact),
            barcode: barcode.unwrap_or_else(|| item.sku.clone()),
            sku: item.sku,
            address,
        }
    }
}

/// An attribute as it can be printed: a text or a whole number, and not too long.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=ATTRIBUTE_MAX)
        .contains(&text.chars().count())
        .then_some(text)
}
