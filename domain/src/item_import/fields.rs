//! What a row of a file says, before anybody has asked whether it can be so.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values of a row, as texts. What is not there is not said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// Key in somebody else's system; an empty text takes it away.
    pub external_reference: Option<String>,
    /// `goods`, `service`, `digital` or `consumable`.
    pub kind: Option<String>,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Description by language; an empty text takes it away.
    pub description: BTreeMap<String, String>,
    /// Path of the category, or its number after a `#`.
    pub category: Option<String>,
    /// External reference of the category.
    pub category_reference: Option<String>,
    /// Code of the unit of measure.
    pub unit: Option<String>,
    /// `none`, `lot` or `serial`.
    pub tracking: Option<String>,
    /// Amount of the price; an empty text takes the price away.
    pub price: Option<String>,
    /// Currency of the price.
    pub currency: Option<String>,
    /// Attributes by name; null takes one away.
    pub attributes: BTreeMap<String, Value>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// What scanners read.
    pub barcodes: Option<Vec<String>>,
    /// SKU of the template whose variant it is; an empty text makes it an item of its own.
    pub template: Option<String>,
}

/// Splits a cell at each `|` that has no backslash in front.
#[must_use]
pub fn split_list(cell: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        match char {
            '|' => list.push(String::new()),
            '\\' => append(&mut list, chars.next().unwrap_or('\\')),
            char => append(&mut list, char),
        }
    }
    let texts = list.iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

fn append(list: &mut [String], char: char) {
    if let Some(last) = list.last_mut() {
        last.push(char);
    }
}

/// The cell that [`split_list`] takes apart again.
#[must_use]
pub fn join_list(list: &[String]) -> String {
    let texts = list
        .iter()
        .map(|text| text.replace('\\', "\\\\").replace('|', "\\|"));
    texts.collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{join_list, split_list};

    proptest! {
        #[test]
        fn a_list_survives_being_a_cell(list in proptest::collection::vec("[a-z|\\\\>]{1,5}", 0..5)) {
            prop_assert_eq!(split_list(&join_list(&list)), list);
        }
    }

    #[test]
    fn blanks_and_nothing_are_no_entries() {
        assert_eq!(split_list(" gold | new ||"), ["gold", "new"]);
        assert_eq!(split_list(""), [""; 0]);
    }
}
