//! Variants: items that are alike but for the values of some attributes, and the template that stands for them.
//!
//! A variant is an item like others in everything: it has its own SKU, price and barcodes. What it has chosen of its template's options
//! is kept by the database, from its attributes ([ADR 15](../../../../docs/adr/0015-variants-are-items.md)).

mod choice;
mod combination;
mod name;
mod options;
mod query;
mod rules;
mod template;

use entity::id::ItemId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use choice::{Selection, select};
pub(super) use combination::Combination;
pub(super) use name::{names, skus};
pub(super) use query::{counts_of, existing_in_tx, options_of, variants_of};
pub(super) use rules::parse_separator;
pub(super) use template::{
    Choices, Template, Variant, chosen_text, read_in_tx as read_templates_in_tx,
};

use super::Item;
use crate::money::Money;

/// Most combinations of the values of all options of a template.
pub const COMBINATIONS_MAX: usize = 1000;

/// An attribute in which the variants of a template shall differ.
#[derive(Clone, Debug, Serialize)]
pub struct NewOption {
    /// The attribute, by its name.
    pub attribute: String,
    /// The values that it may have, as people write them, in their order.
    pub values: Vec<String>,
}

/// One value of one option, as people write it.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// The attribute, by its name.
    pub attribute: String,
    /// One of the template's values of it.
    pub value: String,
}

/// What is different about one of the variants to be.
#[derive(Clone, Debug, Serialize)]
pub struct VariantOverride {
    /// Which one: a value of each option.
    pub options: Vec<Choice>,
    /// Its SKU, instead of one that is made of the template's.
    pub sku: Option<String>,
    /// Its barcodes, instead of none.
    pub barcodes: Option<Vec<String>>,
    /// Its fixed price, instead of the template's pricing.
    pub price: Option<Money>,
}

/// Which variants are to be created, and how.
#[derive(Clone, Debug, Serialize)]
pub struct VariantsRequest {
    /// Of which template.
    pub template_id: ItemId,
    /// Only combinations that have all values of one of these; all without.
    pub only: Option<Vec<Vec<Choice>>>,
    /// What is different about some of them.
    pub overrides: Vec<VariantOverride>,
    /// What stands between the parts of a SKU; `-` without.
    pub sku_separator: Option<String>,
    /// Nothing is created; only what would be is told.
    pub dry_run: bool,
}

/// What became of creating variants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VariantsOutcome {
    /// The template.
    pub template: Item,
    /// The combinations that were asked for, in the order of the options.
    pub combinations: Vec<VariantRow>,
}

/// A combination, and its variant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VariantRow {
    /// Values by key, as items keep them.
    pub options: Map<String, Value>,
    /// SKU of the variant, there or to be.
    pub sku: String,
    /// The variant; none for one that was only told about.
    pub item_id: Option<ItemId>,
    /// Whether it was not there before.
    pub is_new: bool,
}
