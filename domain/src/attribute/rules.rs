//! Decisions about attributes that need nothing but their arguments.

use std::collections::{BTreeMap, HashSet};

use entity::{
    attribute::{AttributeOption, AttributeOptions, Kind, Model as Attribute, RefersTo},
    id::UnitOfMeasureId,
    translations::Translations,
};
use serde_json::Value;

use super::{
    AttributeChange, NewAttribute, NewOption,
    value::{self, Units},
};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    patch::Patch,
    text,
};

/// Longest name, in characters.
const NAME_MAX: usize = 63;
/// Most attributes that hold for one category.
pub(super) const SCHEMA_MAX: usize = 200;
/// Most options of one attribute.
const OPTIONS_MAX: usize = 500;
/// Longest value of an option, in characters.
const OPTION_MAX: usize = 100;
/// Longest pattern, in characters.
const PATTERN_MAX: usize = 500;

/// What an attribute demands of its values.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) label: Translations,
    pub(super) kind: Kind,
    pub(super) unit_id: Option<UnitOfMeasureId>,
    pub(super) refers_to: Option<RefersTo>,
    pub(super) required: bool,
    pub(super) is_unique: bool,
    pub(super) searchable: bool,
    pub(super) facet: bool,
    pub(super) initial: Option<Value>,
    pub(super) min: Option<String>,
    pub(super) max: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) options: AttributeOptions,
    pub(super) position: Option<i32>,
}

/// An attribute to be, valid in itself.
pub(super) fn parse_new(new: &NewAttribute, units: &Units) -> Result<Declared> {
    let mut refusals = Refusals::default();
    let name = refusals.take(parse_name(&new.name));
    let label = text::take_all(&mut refusals, text::name("label", &new.label));
    let options = refusals.take(parse_options(&new.options));
    let pattern = refusals.take(new.pattern.as_deref().map(parse_pattern).transpose());
    refusals.take(check_kind(new, units));
    let parsed = (|| {
        Some(Declared {
            name: name?,
            label: label?,
            kind: new.kind,
            unit_id: new.unit_id,
            refers_to: new.refers_to,
            required: new.required,
            is_unique: new.is_unique,
            searchable: new.searchable,
            facet: new.facet,
            initial: new.initial.clone(),
            min: new.min.clone(),
            max: new.max.clone(),
            pattern: pattern?,
            options: options?,
            position: new.position,
        })
    })();
    let parsed = refusals.into_result(parsed)?;
    complete(parsed, units)
}

/// An attribute as it will be after a change, valid in itself.
pub(super) fn parse_change(
    attribute: &Attribute,
    change: &AttributeChange,
    units: &Units,
) -> Result<Declared> {
    let AttributeChange {
        name,
        label,
        unit_id,
        required,
        searchable,
        facet,
        initial,
        min,
        max,
        pattern,
        options,
        position,
    } = change.clone();
    let mut refusals = Refusals::default();
    let name = refusals.take(name.map(|name| parse_name(&name)).transpose());
    let label = label.map(|label| text::name("label", &label)).transpose();
    let label = text::take_all(&mut refusals, label);
    let options = refusals.take(options.map(|options| parse_options(&options)).transpose());
    let pattern = refusals.take(pattern.try_map(|pattern| parse_pattern(&pattern)));
    let before = Written::of(attribute, units);
    let parsed = (|| {
        Some(Declared {
            name: name?.unwrap_or_else(|| attribute.name.clone()),
            label: label?.unwrap_or_else(|| attribute.label.clone()),
            kind: attribute.kind,
            unit_id: unit_id.apply(attribute.unit_id),
            refers_to: attribute.refers_to,
            required: required.unwrap_or(attribute.required),
            is_unique: attribute.is_unique,
            searchable: searchable.unwrap_or(attribute.searchable),
            facet: facet.unwrap_or(attribute.facet),
            initial: initial.apply(before.initial),
            min: min.apply(before.min),
            max: max.apply(before.max),
            pattern: pattern?.apply(attribute.pattern.clone()),
            options: options?.unwrap_or_else(|| attribute.options.clone()),
            position: Some(position.unwrap_or(attribute.position)),
        })
    })();
    let parsed = refusals.into_result(parsed)?;
    check_unit(parsed.kind, parsed.unit_id, units)?;
    check_same_dimension(attribute, parsed.unit_id, units)?;
    complete(parsed, units)
}

/// Bounds and initial value as a client would write them, in the attribute's unit.
struct Written {
    initial: Option<Value>,
    min: Option<String>,
    max: Option<String>,
}

impl Written {
    /// What is kept is in the base unit; it is said so, or it would be taken for the attribute's own.
    fn of(attribute: &Attribute, units: &Units) -> Self {
        let base = attribute.unit_id.and_then(|id| units.base_of(id));
        let text = |kept: &Option<String>| match (kept, base) {
            (Some(number), Some(base)) => Some(format!("{number} {}", base.code)),
            (kept, _) => kept.clone(),
        };
        let initial = match (&attribute.initial, base) {
            (Some(Value::String(number)), Some(base)) => {
                Some(Value::String(format!("{number} {}", base.code)))
            }
            (kept, _) => kept.clone(),
        };
        Self {
            initial,
            min: text(&attribute.min),
            max: text(&attribute.max),
        }
    }
}

/// Bounds and initial value in their kept form.
fn complete(declared: Declared, units: &Units) -> Result<Declared> {
    let mut shape = shape(&declared);
    let mut refusals = Refusals::default();
    shape.min = refusals
        .take(bound(&shape, "min", declared.min.as_deref(), units))
        .flatten();
    shape.max = refusals
        .take(bound(&shape, "max", declared.max.as_deref(), units))
        .flatten();
    refusals.take(check_order(&shape));
    refusals.take(check_options(&shape));
    let initial = declared.initial.as_ref().map(|initial| {
        let pattern = shape.pattern.as_deref().and_then(value::compile);
        value::parse(&shape, pattern.as_ref(), "default", initial, units)
    });
    let initial = refusals.take(initial.transpose());
    if declared.is_unique && declared.initial.is_some() {
        // The second item would have the first one's value.
        refusals.push(Refusal::new(Code::InvalidFormat, "default"));
    }
    refusals.into_result(initial).map(|initial| Declared {
        initial,
        min: shape.min,
        max: shape.max,
        ..declared
    })
}

/// As much of a row as its values are checked against.
fn shape(declared: &Declared) -> Attribute {
    let nobody = uuid::Uuid::nil();
    Attribute {
        id: nobody.into(),
        category_id: nobody.into(),
        key: String::new(),
        name: declared.name.clone(),
        label: declared.label.clone(),
        kind: declared.kind,
        unit_id: declared.unit_id,
        refers_to: declared.refers_to,
        required: declared.required,
        is_unique: declared.is_unique,
        searchable: declared.searchable,
        facet: declared.facet,
        initial: None,
        min: None,
        max: None,
        pattern: declared.pattern.clone(),
        options: declared.options.clone(),
        position: 0,
        retired_at: None,
        version: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}

/// A name for programs: it is a column in files and a word in filters.
fn parse_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let goes_on = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if name.len() > NAME_MAX {
        return Err(Refusal::new(Code::TooLong, "name").with("max", NAME_MAX));
    }
    if begins && goes_on {
        Ok(name.to_owned())
    } else {
        let shown: String = name.chars().take(100).collect();
        Err(Refusal::new(Code::InvalidFormat, "name").with("value", shown))
    }
}

fn parse_pattern(pattern: &str) -> Result<String, Refusal> {
    let pattern = text::line("pattern", pattern, 1, PATTERN_MAX)?;
    match value::compile(&pattern) {
        Some(_) => Ok(pattern),
        None => Err(Refusal::new(Code::InvalidFormat, "pattern").with("value", &pattern)),
    }
}

fn parse_options(options: &[NewOption]) -> Result<AttributeOptions, Refusal> {
    if options.len() > OPTIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "options").with("max", OPTIONS_MAX));
    }
    let mut seen = HashSet::new();
    let mut parsed = Vec::with_capacity(options.len());
    for (index, option) in options.iter().enumerate() {
        let path = format!("options.{index}.value");
        let value = text::line(&path, &option.value, 1, OPTION_MAX)?;
        if value.contains('|') {
            // It stands between options where several are written in one text.
            return Err(Refusal::new(Code::InvalidFormat, &path).with("value", value));
        }
        if !seen.insert(value.clone()) {
            return Err(Refusal::new(Code::AlreadyTaken, &path).with("value", value));
        }
        let label = option_label(&format!("options.{index}.label"), &option.label, &value)?;
        parsed.push(AttributeOption { value, label });
    }
    Ok(AttributeOptions(parsed))
}

/// Without a label the value is what people read.
fn option_label(
    path: &str,
    label: &BTreeMap<String, String>,
    value: &str,
) -> Result<Translations, Refusal> {
    if label.is_empty() {
        return Ok(Translations([("en".to_owned(), value.to_owned())].into()));
    }
    text::name(path, label).map_err(|refused| {
        let first = refused.into_iter().next();
        first.unwrap_or_else(|| Refusal::new(Code::InvalidFormat, path))
    })
}

/// What belongs to one kind only is not said of another.
fn check_kind(new: &NewAttribute, units: &Units) -> Result<(), Refusal> {
    check_unit(new.kind, new.unit_id, units)?;
    match (new.kind, new.refers_to) {
        (Kind::Reference, None) => return Err(Refusal::new(Code::Required, "refersTo")),
        (Kind::Reference, Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err(Refusal::new(Code::InvalidFormat, "refersTo")),
    }
    let can_be_unique = matches!(
        new.kind,
        Kind::Text | Kind::Number | Kind::Decimal | Kind::Date
    );
    if new.is_unique && !can_be_unique {
        return Err(Refusal::new(Code::InvalidFormat, "unique"));
    }
    if new.pattern.is_some() && new.kind != Kind::Text {
        return Err(Refusal::new(Code::InvalidFormat, "pattern"));
    }
    Ok(())
}

fn check_unit(kind: Kind, unit: Option<UnitOfMeasureId>, units: &Units) -> Result<(), Refusal> {
    match unit {
        None => Ok(()),
        Some(_) if kind != Kind::Decimal => Err(Refusal::new(Code::InvalidFormat, "unitId")),
        Some(id) if units.by_id(id).is_none() => Err(Refusal::new(Code::NotFound, "unitId")),
        Some(_) => Ok(()),
    }
}

/// Items keep values in the base unit: another unit is only another way to show them, another dimension another meaning.
fn check_same_dimension(
    attribute: &Attribute,
    unit: Option<UnitOfMeasureId>,
    units: &Units,
) -> Result<(), Refusal> {
    let dimension =
        |id: Option<UnitOfMeasureId>| id.and_then(|id| units.by_id(id)).map(|u| u.dimension);
    if dimension(attribute.unit_id) == dimension(unit) {
        Ok(())
    } else {
        Err(Refusal::new(Code::InvalidFormat, "unitId"))
    }
}

fn check_options(shape: &Attribute) -> Result<(), Refusal> {
    let chooses = matches!(shape.kind, Kind::Enum | Kind::MultiEnum);
    match (chooses, shape.options.0.is_empty()) {
        (true, true) => Err(Refusal::new(Code::Required, "options")),
        (false, false) => Err(Refusal::new(Code::InvalidFormat, "options")),
        (true, false) | (false, true) => Ok(()),
    }
}

/// A bound in its kept form.
fn bound(
    shape: &Attribute,
    path: &str,
    written: Option<&str>,
    units: &Units,
) -> Result<Option<String>, Refusal> {
    let Some(written) = written else {
        return Ok(None);
    };
    let written = Value::String(written.to_owned());
    let kept = match shape.kind {
        Kind::Number | Kind::Decimal | Kind::Date => {
            value::as_text(&value::parse(shape, None, path, &written, units)?)
        }
        Kind::Text => {
            let length = value::decimal(path, &written)?;
            let max = rust_decimal::Decimal::from(value::TEXT_MAX);
            if !length.fract().is_zero() || length.is_sign_negative() || length > max {
                return Err(Refusal::new(Code::OutOfRange, path)
                    .with("min", 0)
                    .with("max", max));
            }
            length.to_string()
        }
        Kind::Boolean | Kind::Enum | Kind::MultiEnum | Kind::Reference => {
            return Err(Refusal::new(Code::InvalidFormat, path));
        }
    };
    Ok(Some(kept))
}

/// Nothing would lie between bounds the wrong way round.
fn check_order(shape: &Attribute) -> Result<(), Refusal> {
    match (&shape.min, &shape.max) {
        (Some(min), Some(max)) if is_less(shape.kind, max, min) => {
            Err(Refusal::new(Code::OutOfRange, "max")
                .with("min", min)
                .with("max", "…"))
        }
        _ => Ok(()),
    }
}

/// Whether a kept bound is less than another: days order like their texts.
fn is_less(kind: Kind, a: &str, b: &str) -> bool {
    if kind == Kind::Date {
        return a < b;
    }
    let number = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
    matches!((number(a), number(b)), (Some(a), Some(b)) if a < b)
}

/// Whether `lower` demands at least what `upper` does, so that what fits the lower one fits both; else the field that contradicts.
pub(super) fn check_narrower(
    upper: &Attribute,
    lower: &Attribute,
    units: &Units,
) -> Result<(), &'static str> {
    let dimension = |attribute: &Attribute| {
        let unit = attribute.unit_id.and_then(|id| units.by_id(id));
        unit.map(|unit| unit.dimension)
    };
    let rules = [
        ("type", upper.kind == lower.kind),
        ("unitId", dimension(upper) == dimension(lower)),
        ("refersTo", upper.refers_to == lower.refers_to),
        ("unique", upper.is_unique == lower.is_unique),
        ("required", lower.required || !upper.required),
        ("min", bounds_at_least(upper, &upper.min, &lower.min, false)),
        ("max", bounds_at_least(upper, &upper.max, &lower.max, true)),
        (
            "pattern",
            upper.pattern.is_none() || upper.pattern == lower.pattern,
        ),
        ("options", has_options(upper, lower)),
    ];
    rules
        .into_iter()
        .find(|(_, holds)| !holds)
        .map_or(Ok(()), |(field, _)| Err(field))
}

fn bounds_at_least(
    upper: &Attribute,
    outer: &Option<String>,
    inner: &Option<String>,
    is_max: bool,
) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) if is_max => !is_less(upper.kind, outer, inner),
        (Some(outer), Some(inner)) => !is_less(upper.kind, inner, outer),
    }
}

fn has_options(upper: &Attribute, lower: &Attribute) -> bool {
    let known: HashSet<_> = upper
        .options
        .0
        .iter()
        .map(|option| option.value.as_str())
        .collect();
    lower
        .options
        .0
        .iter()
        .all(|option| known.contains(option.value.as_str()))
}

/// Under which key items will keep the values of a new attribute: its name, unless another attribute that some of these items have
/// keeps its own values there.
pub(super) fn new_key(name: &str, taken: &HashSet<&str>) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    // There are fewer attributes than numbers.
    (2..)
        .map(|number: u32| format!("{name}_{number}"))
        .find(|key| !taken.contains(key.as_str()))
        .unwrap_or_default()
}

/// Whether a value that fits may stop to fit by this change.
pub(super) fn demands(change: &AttributeChange) -> bool {
    change.required.is_some()
        || change.min != Patch::Keep
        || change.max != Patch::Keep
        || change.pattern != Patch::Keep
        || change.options.is_some()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
