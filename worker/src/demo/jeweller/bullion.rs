//! Coins and bars: fixed weights, priced by metal with a premium.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::pricing;
use crate::demo::branch::Draft;
use crate::demo::item::{Kind, Tracking};
use crate::demo::table;

const BULLION: &str = include_str!("../../../demo-data/bullion.tsv");

pub(super) fn drafts() -> impl Iterator<Item = Draft> {
    table::rows(BULLION).map(Bullion).map(Bullion::draft)
}

/// Columns: category, en, fa, metal, fineness, weight in grams, premium in percent, tracking.
#[derive(Clone, Copy)]
struct Bullion([&'static str; 8]);

impl Bullion {
    fn draft(self) -> Draft {
        let [category, en, fa, metal, .., tracking] = self.0;
        Draft {
            category: category.to_owned(),
            code: if category.ends_with("coins") {
                "COI"
            } else {
                "BAR"
            }
            .to_owned(),
            name_en: en.to_owned(),
            name_fa: fa.to_owned(),
            description: None,
            kind: Kind::Goods,
            unit: "piece",
            tracking: Tracking::parse(tracking),
            price: self.price(),
            tags: vec!["investment".to_owned(), metal.to_owned()],
            attributes: self.attributes(),
        }
    }

    /// Zero when the table is wrong, which a test would notice.
    fn price(self) -> Decimal {
        let [.., metal, _, _, _, _] = self.0;
        let [fineness, weight, premium] =
            [4, 5, 6].map(|column| self.0[column].parse::<Decimal>().unwrap_or_default());
        let value = pricing::metal_value(metal, fineness, weight);
        pricing::rounded(value * (Decimal::ONE_HUNDRED + premium) / Decimal::ONE_HUNDRED)
    }

    fn attributes(self) -> Map<String, Value> {
        let [_, _, _, metal, fineness, weight, premium, _] = self.0;
        let colour = if metal == "gold" { "yellow" } else { "white" };
        let pairs = [
            ("metal", metal),
            ("fineness", fineness),
            ("colour", colour),
            ("gross_weight", weight),
            ("net_weight", weight),
            ("stone_weight", "0"),
            ("premium_percent", premium),
        ];
        pairs
            .map(|(name, text)| (name.to_owned(), text.into()))
            .into_iter()
            .collect()
    }
}
