//! The demo businesses, and how a business numbers what it sells.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::item::{CURRENCY, DemoItem, Kind, Tracking};
use super::pictures::Shape;

/// An item before its business has given it a number.
pub(super) struct Draft {
    /// Category below the business, such as `rings:bands`.
    pub(super) category: String,
    /// Middle part of the SKU, such as `18K`.
    pub(super) code: String,
    pub(super) name_en: String,
    pub(super) name_fa: String,
    /// English and Persian.
    pub(super) description: Option<(String, String)>,
    pub(super) kind: Kind,
    pub(super) unit: &'static str,
    pub(super) tracking: Tracking,
    pub(super) price: Decimal,
    pub(super) tags: Vec<String>,
    pub(super) attributes: Map<String, Value>,
}

/// A demo business.
#[derive(Clone, Copy)]
pub(super) struct Branch {
    name: &'static str,
    sku: &'static str,
    barcode: u64,
    /// One item in so many has a picture, if its category can be drawn.
    picture_every: u64,
}

impl Branch {
    pub(super) const JEWELLER: Self = Self::new("jeweller", "GR", 20, 5);
    pub(super) const PHARMACY: Self = Self::new("pharmacy", "PH", 21, 14);
    pub(super) const WORKSHOP: Self = Self::new("workshop", "WS", 22, 3);
    pub(super) const RESTAURANT: Self = Self::new("restaurant", "RS", 23, 5);

    const fn new(name: &'static str, sku: &'static str, barcode: u64, picture_every: u64) -> Self {
        Self {
            name,
            sku,
            barcode,
            picture_every,
        }
    }

    /// Gives each draft the next number, from 1.
    pub(super) fn number(
        self,
        drafts: impl Iterator<Item = Draft>,
    ) -> impl Iterator<Item = DemoItem> {
        (1..)
            .zip(drafts)
            .map(move |(number, draft)| self.item(number, draft))
    }

    fn item(self, number: u64, draft: Draft) -> DemoItem {
        let category = format!("demo:{}:{}", self.name, draft.category);
        let picture = Shape::of(&category).filter(|_| number % self.picture_every == 1);
        let (description_en, description_fa) = draft.description.unzip();
        DemoItem {
            external_reference: format!("demo:item:{}-{number:06}", self.name),
            sku: format!("{}-{}-{number:06}", self.sku, draft.code),
            barcode: gtin13(self.barcode, number),
            name_en: draft.name_en,
            name_fa: draft.name_fa,
            description_en,
            description_fa,
            category,
            kind: draft.kind,
            unit: draft.unit,
            tracking: draft.tracking,
            price: draft.price,
            currency: CURRENCY,
            tags: sorted(draft.tags),
            attributes: Value::Object(draft.attributes),
            picture,
        }
    }
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// A GTIN-13: two digits of prefix, ten of `number`, and the check digit.
pub(super) fn gtin13(prefix: u64, number: u64) -> String {
    let body = prefix * 10_u64.pow(10) + number % 10_u64.pow(10);
    let check = (10 - weighted_digits(body) % 10) % 10;
    format!("{body:012}{check}")
}

/// Sum of the digits, every second one from the right counted three times.
fn weighted_digits(mut body: u64) -> u64 {
    let (mut sum, mut weight) = (0, 3);
    while body > 0 {
        sum += body % 10 * weight;
        weight = 4 - weight;
        body /= 10;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::gtin13;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // Worked examples of the GS1 check digit calculation, with in-store prefixes.
        assert_eq!(gtin13(20, 0), "2000000000008");
        assert_eq!(gtin13(29, 1), "2900000000018");
        assert_eq!(gtin13(21, 1_234_567_890), "2112345678900");
    }
}
