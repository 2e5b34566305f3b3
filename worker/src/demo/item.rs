//! The shape of a demo item.

use rust_decimal::Decimal;
use serde_json::Value;

use super::pictures::Shape;

/// Currency of every demo price: Iranian rial.
pub const CURRENCY: &str = "IRR";

/// What sort of thing an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Kind {
    /// The name the database uses, such as `goods`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Service => "service",
            Self::Digital => "digital",
            Self::Consumable => "consumable",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "service" => Self::Service,
            "digital" => Self::Digital,
            "consumable" => Self::Consumable,
            _ => Self::Goods,
        }
    }
}

/// How single pieces of an item are told apart in stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// All pieces are alike.
    None,
    /// By lot, such as a batch with an expiry date.
    Lot,
    /// Each piece by its serial number.
    Serial,
}

impl Tracking {
    /// The name the database uses, such as `serial`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lot => "lot",
            Self::Serial => "serial",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "lot" => Self::Lot,
            "serial" => Self::Serial,
            _ => Self::None,
        }
    }
}

/// One item of the demo shop.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoItem {
    /// Key by which the item is found again when the demo shop is loaded twice, such as `demo:item:jeweller-000123`.
    pub external_reference: String,
    /// Stock-keeping unit, unique over all demo items.
    pub sku: String,
    /// GTIN-13 of the range for use inside a shop (prefixes 20 to 29), unique over all demo items.
    pub barcode: String,
    /// English name.
    pub name_en: String,
    /// Persian name.
    pub name_fa: String,
    /// English description, where the name does not say it all.
    pub description_en: Option<String>,
    /// Persian description; present exactly when the English one is.
    pub description_fa: Option<String>,
    /// Reference of a [`DemoCategory`](super::DemoCategory).
    pub category: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Code of its unit of measure, such as `gram`.
    pub unit: &'static str,
    /// How its pieces are told apart.
    pub tracking: Tracking,
    /// Price of one unit in [`CURRENCY`], in whole rials.
    pub price: Decimal,
    /// ISO 4217 code, always [`CURRENCY`].
    pub currency: &'static str,
    /// Free labels, lower case, sorted, without repetition.
    pub tags: Vec<String>,
    /// A JSON object. Weights (grams), fineness (per mille) and carats are decimal strings.
    pub attributes: Value,
    /// What its picture shows; none for an item without one.
    pub picture: Option<Shape>,
}

impl DemoItem {
    /// Whether [`pictures::draw`](super::pictures::draw) has a picture of it.
    #[must_use]
    pub const fn has_picture(&self) -> bool {
        self.picture.is_some()
    }
}
