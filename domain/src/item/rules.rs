//! Decisions about items that need nothing but their arguments.

use std::collections::HashSet;

use entity::{
    id::{CategoryId, ItemId, UnitOfMeasureId},
    item::{Kind, Tracking},
    translations::Translations,
};

use super::{
    ItemChange, NewItem,
    metal::{self, Reading},
};
use crate::{
    barcode,
    error::{Code, Refusal, Refusals, Result},
    money::{self, Money},
    patch::Patch,
    pricing, sku, text,
};

/// Most barcodes of one item.
const BARCODES_MAX: usize = 20;
/// Most tags of one item.
const TAGS_MAX: usize = 50;
/// Longest tag, in characters.
const TAG_MAX: usize = 50;
/// Most attributes of one item.
const ATTRIBUTES_MAX: usize = 200;
/// Largest attributes, in bytes of JSON.
const ATTRIBUTES_BYTES_MAX: usize = 32_768;

/// An item's values, valid.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) sku: String,
    pub(super) name: Translations,
    pub(super) description: Translations,
    pub(super) category_id: CategoryId,
    pub(super) unit_id: UnitOfMeasureId,
    pub(super) tracking: Tracking,
    pub(super) price: Option<Money>,
    pub(super) pricing: Option<pricing::Draft>,
    pub(super) metal: Option<metal::Draft>,
    pub(super) attributes: serde_json::Value,
    pub(super) tags: Vec<String>,
    pub(super) barcodes: Vec<String>,
    pub(super) external_reference: Option<String>,
    pub(super) template_id: Option<ItemId>,
}

impl Draft {
    /// Its hallmark id.
    pub(super) fn huid(&self) -> Option<&str> {
        self.metal.as_ref().and_then(metal::Draft::huid)
    }
}

/// A change of them, valid.
#[derive(Clone, Debug)]
pub(super) struct DraftChange {
    pub(super) kind: Option<Kind>,
    pub(super) sku: Option<String>,
    pub(super) name: Option<Translations>,
    pub(super) description: Option<Translations>,
    pub(super) category_id: Option<CategoryId>,
    pub(super) unit_id: Option<UnitOfMeasureId>,
    pub(super) tracking: Option<Tracking>,
    pub(super) price: Patch<Money>,
    pub(super) pricing: Patch<pricing::Draft>,
    pub(super) metal: Patch<metal::Draft>,
    pub(super) attributes: Option<serde_json::Value>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) barcodes: Option<Vec<String>>,
    pub(super) external_reference: Patch<String>,
    pub(super) template_id: Patch<ItemId>,
}

pub(super) fn parse_new(new: NewItem, reading: Reading<'_>) -> Result<Draft> {
    let NewItem {
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
    } = new;
    let mut refusals = Refusals::default();
    let sku = refusals.take(sku::parse("sku", &sku));
    let name = text::take_all(&mut refusals, text::name("name", &name));
    let description = text::take_all(
        &mut refusals,
        text::description("description", &description),
    );
    let price = refusals.take(price.map(|price| money::price("price", &price)).transpose());
    let pricing = Patch::from(pricing).and_then(|pricing| pricing::parse(&mut refusals, &pricing));
    let prices = price
        .zip(pricing)
        .and_then(|(price, pricing)| refusals.take(pricing::settle(Patch::from(price), pricing)));
    let metal = Patch::from(metal).and_then(|metal| metal::parse(&mut refusals, &metal, reading));
    let attributes = refusals.take(parse_attributes(attributes));
    let tags = refusals.take(parse_tags(&tags));
    let barcodes = refusals.take(parse_barcodes(&barcodes));
    let reference = refusals.take(
        external_reference
            .as_deref()
            .map(text::external_reference)
            .transpose(),
    );
    let draft = (|| {
        let (price, pricing) = prices?;
        Some(Draft {
            kind,
            sku: sku?,
            name: name?,
            description: description?,
            category_id,
            unit_id,
            tracking,
            price: price.apply(None),
            pricing: pricing.apply(None),
            metal: metal?.apply(None),
            attributes: attributes?,
            tags: tags?,
            barcodes: barcodes?,
            external_reference: reference?,
            template_id,
        })
    })();
    refusals.into_result(draft)
}

pub(super) fn parse_change(change: &ItemChange, reading: Reading<'_>) -> Result<DraftChange> {
    let ItemChange {
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
    } = change.clone();
    let mut refusals = Refusals::default();
    let sku = refusals.take(sku.map(|sku| sku::parse("sku", &sku)).transpose());
    let name = text::take_all(
        &mut refusals,
        name.map(|name| text::name("name", &name)).transpose(),
    );
    let description = description
        .map(|description| text::description("description", &description))
        .transpose();
    let description = text::take_all(&mut refusals, description);
    let price = refusals.take(price.try_map(|price| money::price("price", &price)));
    let pricing = pricing.and_then(|pricing| pricing::parse(&mut refusals, &pricing));
    let prices = price
        .zip(pricing)
        .and_then(|(price, pricing)| refusals.take(pricing::settle(price, pricing)));
    let metal = metal.and_then(|metal| metal::parse(&mut refusals, &metal, reading));
    let attributes = refusals.take(attributes.map(parse_attributes).transpose());
    let tags = refusals.take(tags.map(|tags| parse_tags(&tags)).transpose());
    let barcodes = refusals.take(
        barcodes
            .map(|barcodes| parse_barcodes(&barcodes))
            .transpose(),
    );
    let reference =
        refusals.take(external_reference.try_map(|reference| text::external_reference(&reference)));
    let change = (|| {
        let (price, pricing) = prices?;
        Some(DraftChange {
            kind,
            sku: sku?,
            name: name?,
            description: description?,
            category_id,
            unit_id,
            tracking,
            price,
            pricing,
            metal: metal?,
            attributes: attributes?,
            tags: tags?,
            barcodes: barcodes?,
            external_reference: reference?,
            template_id,
        })
    })();
    refusals.into_result(change)
}

/// Attributes are a JSON object of bounded size whose numbers are whole: a decimal is written as a string, or it would be a float.
fn parse_attributes(attributes: serde_json::Value) -> Result<serde_json::Value, Refusal> {
    let Some(object) = attributes.as_object() else {
        return Err(Refusal::new(Code::InvalidFormat, "attributes"));
    };
    check_attributes(object)?;
    Ok(attributes)
}

pub(super) fn check_attributes(
    attributes: &serde_json::Map<String, serde_json::Value>,
) -> Result<(), Refusal> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(Refusal::new(Code::TooMany, "attributes").with("max", ATTRIBUTES_MAX));
    }
    let bytes: usize = attributes
        .iter()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum();
    if bytes > ATTRIBUTES_BYTES_MAX {
        return Err(Refusal::new(Code::TooLong, "attributes").with("max", ATTRIBUTES_BYTES_MAX));
    }
    for (name, value) in attributes {
        if name.contains('\0') {
            return Err(Refusal::new(Code::InvalidFormat, "attributes"));
        }
        check_attribute(&format!("attributes.{name}"), value)?;
    }
    Ok(())
}

fn check_attribute(path: &str, value: &serde_json::Value) -> Result<(), Refusal> {
    match value {
        serde_json::Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            Err(Refusal::new(Code::InvalidFormat, path).with("value", number))
        }
        serde_json::Value::String(text) if text.contains('\0') => {
            Err(Refusal::new(Code::InvalidFormat, path))
        }
        serde_json::Value::Array(values) => values
            .iter()
            .try_for_each(|value| check_attribute(path, value)),
        serde_json::Value::Object(values) if values.keys().any(|name| name.contains('\0')) => {
            Err(Refusal::new(Code::InvalidFormat, path))
        }
        serde_json::Value::Object(values) => values
            .values()
            .try_for_each(|value| check_attribute(path, value)),
        _ => Ok(()),
    }
}

/// Tags are lower case, sorted, each once.
fn parse_tags(tags: &[String]) -> Result<Vec<String>, Refusal> {
    if tags.len() > TAGS_MAX {
        return Err(Refusal::new(Code::TooMany, "tags").with("max", TAGS_MAX));
    }
    let parse = |(index, tag): (usize, &String)| parse_tag(&format!("tags.{index}"), tag);
    let mut tags = tags
        .iter()
        .enumerate()
        .map(parse)
        .collect::<Result<Vec<_>, _>>()?;
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

pub(super) fn parse_tag(path: &str, tag: &str) -> Result<String, Refusal> {
    text::line(path, &tag.to_lowercase(), 1, TAG_MAX)
}

fn parse_barcodes(barcodes: &[String]) -> Result<Vec<String>, Refusal> {
    if barcodes.len() > BARCODES_MAX {
        return Err(Refusal::new(Code::TooMany, "barcodes").with("max", BARCODES_MAX));
    }
    let mut seen = HashSet::new();
    let mut parsed = Vec::with_capacity(barcodes.len());
    for (index, text) in barcodes.iter().enumerate() {
        let path = format!("barcodes.{index}");
        let code = barcode::parse(&path, text)?;
        if !seen.insert(code.clone()) {
            return Err(Refusal::new(Code::AlreadyTaken, &path).with("value", code));
        }
        parsed.push(code);
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decimals_in_attributes_are_strings() {
        assert!(
            parse_attributes(json!({ "fineness": "750.000", "stones": 3, "set": ["a", 1] }))
                .is_ok()
        );
        let refused = parse_attributes(json!({ "weight": 3.5 }));
        assert!(refused.is_err_and(|r| r.code == Code::InvalidFormat && r.path == ["attributes", "weight"]));
        assert!(parse_attributes(json!({ "nested": { "weight": [1.5] } })).is_err());
        assert!(parse_attributes(json!([1])).is_err());
    }

    #[test]
    fn tags_are_a_set_in_lower_case() {
        let tags = ["Gold", "new", "gold "].map(str::to_owned);
        assert_eq!(parse_tags(&tags), Ok(vec!["gold".into(), "new".into()]));
    }

    #[test]
    fn a_barcode_is_given_once() {
        let barcodes = ["96385074".to_owned(), "۹۶۳۸۵۰۷۴".to_owned()];
        assert!(
            parse_barcodes(&barcodes)
                .is_err_and(|r| r.code == Code::AlreadyTaken && r.path == ["barcodes", "1"])
        );
    }
}
