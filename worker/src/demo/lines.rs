//! Catalogue lines: a table row that stands for one item per variant.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::branch::Draft;
use super::item::{Kind, Tracking};
use super::table::{self, Word};

pub(super) const JEWELLER: &str = include_str!("../../demo-data/jeweller.tsv");
pub(super) const PHARMACY: &str = include_str!("../../demo-data/pharmacy.tsv");
pub(super) const WORKSHOP: &str = include_str!("../../demo-data/workshop.tsv");
pub(super) const RESTAURANT: &str = include_str!("../../demo-data/restaurant.tsv");

/// The items of a table of lines.
pub(super) fn drafts(text: &'static str) -> impl Iterator<Item = Draft> {
    table::rows(text).map(Line).flat_map(|line| {
        let variants = match table::words(line.0[7]) {
            words if words.is_empty() => vec![Word {
                en: String::new(),
                fa: String::new(),
            }],
            words => words,
        };
        (0..)
            .zip(variants)
            .map(move |(index, variant)| line.draft(index, &variant))
    })
}

/// Columns: category, code, kind, unit, tracking, price, step, variants, en, fa, tags, attributes.
#[derive(Clone, Copy)]
struct Line([&'static str; 12]);

impl Line {
    fn draft(self, index: i64, variant: &Word) -> Draft {
        let [
            category,
            code,
            kind,
            unit,
            tracking,
            ..,
            en,
            fa,
            tags,
            attributes,
        ] = self.0;
        Draft {
            category: category.to_owned(),
            code: code.to_owned(),
            name_en: en.replace("{v}", &variant.en),
            name_fa: fa.replace("{v}", &variant.fa),
            description: None,
            kind: Kind::parse(kind),
            unit,
            tracking: Tracking::parse(tracking),
            price: self.price(index),
            tags: tags.split(',').map(str::to_owned).collect(),
            attributes: object(&attributes.replace("{v}", &variant.en)),
        }
    }

    /// Zero when the table is wrong, which a test would notice.
    fn price(self, index: i64) -> Decimal {
        let number = |column: usize| self.0[column].parse::<i64>().unwrap_or_default();
        Decimal::from(number(5) + index * number(6))
    }
}

/// The JSON object of `name=value;…`.
fn object(text: &str) -> Map<String, Value> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, text)| (name.to_owned(), value(text)))
        .collect()
}

/// A list for `[a,b]`, a boolean, a whole number, or else text.
fn value(text: &str) -> Value {
    if let Some(list) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return list.split(',').filter(|entry| !entry.is_empty()).collect();
    }
    match (text.parse::<bool>(), text.parse::<i64>()) {
        (Ok(flag), _) => flag.into(),
        (_, Ok(number)) => number.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::object;

    #[test]
    fn attributes_keep_their_types() {
        let read = object("allergens=[egg,milk];none=[];vegetarian=true;spiciness=2;thread=M8×40");
        let expected = json!({"allergens": ["egg", "milk"], "none": [], "vegetarian": true, "spiciness": 2, "thread": "M8×40"});
        assert_eq!(Value::Object(read), expected);
    }
}
