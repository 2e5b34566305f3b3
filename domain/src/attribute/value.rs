//! Values of attributes: how people write them, and the one form in which items keep them.
//!
//! Kept are: a text as it is, a whole number as a JSON number, a decimal as a text without zeros at its end and in the base unit of its
//! dimension, a day as `YYYY-MM-DD`, an option by its value, several as a list in the order of the options, and a row by its UUID.
//! Equal values are equal texts, so that an index on the values finds all of them.

use std::sync::Arc;

use chrono::NaiveDate;
use entity::{
    attribute::{AttributeOption, Kind, Model as Attribute},
    id::UnitOfMeasureId,
    unit_of_measure::{Dimension, Model as UnitOfMeasure},
};
use regex::{Regex, RegexBuilder};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::schema::Named;
use crate::{
    error::{Code, Refusal},
    exact::Exact,
    locale::Locale,
    text,
    unit_of_measure::{UnitTable, convert, unknown},
    written,
};

/// Longest text of an attribute, in characters.
pub(super) const TEXT_MAX: usize = 1000;
/// Largest compiled pattern, in bytes: patterns come from clients.
const PATTERN_BYTES_MAX: usize = 65_536;
/// Most decimal places that are kept.
const PLACES_MAX: u32 = 12;

/// The units in which values may be written.
#[derive(Clone, Debug, Default)]
pub struct Units(pub(super) Arc<UnitTable>);

impl Units {
    /// The unit with this id.
    #[must_use]
    pub fn by_id(&self, id: UnitOfMeasureId) -> Option<&UnitOfMeasure> {
        self.0.by_id(id)
    }

    /// A unit of the same dimension in which values are kept.
    pub(super) fn base_of(&self, id: UnitOfMeasureId) -> Option<&UnitOfMeasure> {
        let dimension = self.by_id(id)?.dimension;
        let mut same = self
            .0
            .all()
            .iter()
            .filter(|unit| unit.dimension == dimension);
        same.find(|unit| unit.numerator == unit.denominator)
    }

    /// The unit with this code.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&UnitOfMeasure> {
        self.0.by_code(name)
    }

    /// The unit that people write like this; its code will do, too. What can mean several is told in the language in which it was written.
    fn written(
        &self,
        path: &str,
        word: &str,
        dimension: Dimension,
    ) -> Result<&UnitOfMeasure, Refusal> {
        let locale = if word.is_ascii() {
            Locale::En
        } else {
            Locale::Fa
        };
        match self.0.spelled(path, word, dimension, locale) {
            Err(refusal) if refusal.code == Code::UnknownUnit => {
                self.named(word.trim()).ok_or(refusal)
            }
            found => found,
        }
    }

    /// A kept value as people write it: a decimal in its attribute's unit when that holds it exactly, else with the unit it is kept in.
    #[must_use]
    pub fn shown(&self, attribute: &Attribute, kept: &Value) -> Value {
        let unit = attribute
            .unit_id
            .and_then(|id| Some((self.by_id(id)?, self.base_of(id)?)));
        let (Some((own, base)), Ok(number)) = (unit, decimal("", kept)) else {
            return kept.clone();
        };
        match convert(number, base, own) {
            Ok(converted) if converted.exact && converted.value.scale() <= PLACES_MAX => {
                decimal_text(converted.value)
            }
            _ => json!({ "value": number.to_string(), "unit": base.code }),
        }
    }

    /// A kept number exactly as people mean it: a whole one, or a decimal in its attribute's unit; none for other types.
    pub(super) fn exact(&self, attribute: &Attribute, kept: &Value) -> Option<Exact> {
        match attribute.kind {
            Kind::Number => kept.as_i64().map(Exact::from),
            Kind::Decimal => {
                let number = Exact::from(decimal("", kept).ok()?);
                match attribute.unit_id.and_then(|id| self.by_id(id)) {
                    Some(own) => {
                        (&number * &own.denominator.into()).checked_div(&own.numerator.into())
                    }
                    None => Some(number),
                }
            }
            _ => None,
        }
    }

    /// A kept decimal in the unit with this code, in the attribute's own without; none when it is no decimal.
    ///
    /// # Errors
    /// When there is no such unit, or it measures something else.
    pub fn in_unit(
        &self,
        attribute: &Attribute,
        kept: &Value,
        unit: Option<&str>,
    ) -> crate::Result<Option<Decimal>> {
        if attribute.kind != Kind::Decimal {
            return Ok(None);
        }
        let number = decimal("unit", kept)?;
        let own = attribute.unit_id.and_then(|id| self.by_id(id));
        let wanted = match unit.map(str::trim) {
            Some(name) => Some(self.named(name).ok_or_else(|| unknown("unit", name))?),
            None => own,
        };
        let base = own.and_then(|own| self.base_of(own.id));
        match (wanted, base) {
            (Some(wanted), Some(base)) => {
                let converted = convert(number, base, wanted);
                Ok(Some(converted.map_err(|refusal| refusal.at("unit"))?.value))
            }
            (None, _) => Ok(Some(number)),
            // It has no unit at all.
            (Some(wanted), None) => Err(unknown("unit", &wanted.code).into()),
        }
    }
}

/// A pattern that whole texts must match; none when it cannot be understood or would become too large.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let compiled = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(PATTERN_BYTES_MAX).build().ok()
    };
    // By itself first: `a)|(b` would be none, and only becomes one between our brackets.
    compiled(pattern)?;
    compiled(&format!("^(?:{pattern})$"))
}

/// What somebody wrote, as it is to be kept.
pub(super) fn parse(
    attribute: &Attribute,
    pattern: Option<&Regex>,
    path: &str,
    value: &Value,
    units: &Units,
) -> Result<Value, Refusal> {
    let kept = read(attribute, path, value, units)?;
    check_kept(attribute, pattern, path, &kept)
}

/// What somebody wrote, in the form that is kept, whether or not it is within the attribute's bounds.
pub(super) fn read(
    attribute: &Attribute,
    path: &str,
    value: &Value,
    units: &Units,
) -> Result<Value, Refusal> {
    Ok(match attribute.kind {
        Kind::Text => Value::String(text::line(
            path,
            string(path, value, Kind::Text)?,
            1,
            TEXT_MAX,
        )?),
        Kind::Number => json!(whole(path, value)?),
        Kind::Decimal => decimal_text(in_base(attribute, path, value, units)?),
        Kind::Boolean => Value::Bool(boolean(path, value)?),
        Kind::Date => Value::String(date(path, value)?.to_string()),
        Kind::Enum => option(attribute, path, value)?,
        Kind::MultiEnum => options(attribute, path, value)?,
        Kind::Reference => return Err(wrong_type(path, Kind::Reference)),
    })
}

/// Whether a value in its kept form is one of this attribute.
pub(super) fn check_kept(
    attribute: &Attribute,
    pattern: Option<&Regex>,
    path: &str,
    kept: &Value,
) -> Result<Value, Refusal> {
    match attribute.kind {
        Kind::Text => check_text(attribute, pattern, path, string(path, kept, Kind::Text)?)?,
        Kind::Number => {
            let number = kept
                .as_i64()
                .ok_or_else(|| wrong_type(path, Kind::Number))?;
            check_range(attribute, path, Decimal::from(number))?;
        }
        Kind::Decimal => {
            let number = decimal(path, kept)?;
            check_range(attribute, path, number)?;
            return Ok(decimal_text(number));
        }
        Kind::Boolean if kept.is_boolean() => {}
        Kind::Boolean => return Err(wrong_type(path, Kind::Boolean)),
        Kind::Date => check_days(attribute, path, date(path, kept)?)?,
        Kind::Enum => {
            option(attribute, path, kept)?;
        }
        Kind::MultiEnum => {
            options(attribute, path, kept)?;
        }
        Kind::Reference => {
            let id = kept.as_str().and_then(|id| Uuid::try_parse(id).ok());
            id.ok_or_else(|| wrong_type(path, Kind::Reference))?;
        }
    }
    Ok(kept.clone())
}

/// A kept value as one text, the same for equal values only.
pub(super) fn as_text(kept: &Value) -> String {
    match kept {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value that is shown, as it stands in a cell of a table: a text that is understood like the value itself.
#[must_use]
pub fn cell(shown: &Value) -> String {
    match shown {
        Value::String(text) => text.clone(),
        Value::Array(words) if words.iter().all(is_word) => {
            let words = words.iter().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join("|")
        }
        Value::Object(parts) => match (parts.get("value"), parts.get("unit")) {
            (Some(Value::String(number)), Some(Value::String(unit))) if parts.len() == 2 => {
                format!("{number} {unit}")
            }
            _ => shown.to_string(),
        },
        other => other.to_string(),
    }
}

fn is_word(value: &Value) -> bool {
    value.as_str().is_some_and(|word| !word.contains('|'))
}

/// How the row is named that a reference leads to: `{"id": …}`, or the SKU of an item or external reference of a category, or its UUID when
/// nothing else has that name.
pub(super) fn reference(path: &str, value: &Value) -> Result<Named, Refusal> {
    let id = value.get("id").and_then(Value::as_str);
    match (id.map(Uuid::try_parse), value.as_str()) {
        (Some(Ok(id)), _) => Ok(Named::Id(id)),
        (None, Some(word)) => Ok(Named::Word(text::line(path, word, 1, text::REFERENCE_MAX)?)),
        _ => Err(wrong_type(path, Kind::Reference)),
    }
}

fn string<'a>(path: &str, value: &'a Value, kind: Kind) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| wrong_type(path, kind))
}

pub(super) fn wrong_type(path: &str, expected: Kind) -> Refusal {
    Refusal::new(Code::WrongType, path).with("expected", kind_text(expected))
}

/// The stable name of a kind.
pub(super) fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Number => "NUMBER",
        Kind::Decimal => "DECIMAL",
        Kind::Boolean => "BOOLEAN",
        Kind::Date => "DATE",
        Kind::Enum => "ENUM",
        Kind::MultiEnum => "MULTI_ENUM",
        Kind::Reference => "REFERENCE",
    }
}

fn whole(path: &str, value: &Value) -> Result<i64, Refusal> {
    let number = match value {
        Value::String(text) => text::ascii_digits(text.trim()).parse().ok(),
        other => other.as_i64(),
    };
    number.ok_or_else(|| wrong_type(path, Kind::Number))
}

/// A decimal: a text, or a whole JSON number. A fraction in JSON would be a float.
pub(super) fn decimal(path: &str, value: &Value) -> Result<Decimal, Refusal> {
    let number = match value {
        Value::String(text) => {
            let text = text::ascii_digits(text.trim()).replace('\u{066B}', ".");
            Decimal::from_str_exact(&text).ok()
        }
        other => other.as_i64().map(Decimal::from),
    };
    let number = number.ok_or_else(|| wrong_type(path, Kind::Decimal))?;
    bounded(path, number)
}

fn bounded(path: &str, number: Decimal) -> Result<Decimal, Refusal> {
    let number = number.normalize();
    let max = Decimal::from(1_000_000_000_000_000_000_i64);
    if number.abs() >= max {
        return Err(Refusal::new(Code::OutOfRange, path)
            .with("min", -max)
            .with("max", max));
    }
    if number.scale() > PLACES_MAX {
        return Err(Refusal::new(Code::TooFine, path).with("max", PLACES_MAX));
    }
    // Minus zero is zero.
    Ok(if number.is_zero() {
        Decimal::ZERO
    } else {
        number
    })
}

fn decimal_text(number: Decimal) -> Value {
    Value::String(number.normalize().to_string())
}

/// A decimal as people write it, with separators of thousands.
fn written_decimal(path: &str, value: &Value) -> Result<Decimal, Refusal> {
    let Value::String(text) = value else {
        return decimal(path, value);
    };
    match written::number(path, &written::fold(text)) {
        Ok(number) => bounded(path, number),
        Err(refusal) if refusal.code == Code::Ambiguous => Err(refusal),
        Err(_no_number) => Err(wrong_type(path, Kind::Decimal)),
    }
}

/// In the base unit of its dimension: written as a number in the attribute's unit, as `{"value": …, "unit": …}` or as `2 tola`.
fn in_base(
    attribute: &Attribute,
    path: &str,
    value: &Value,
    units: &Units,
) -> Result<Decimal, Refusal> {
    let Some(own) = attribute.unit_id.and_then(|id| units.by_id(id)) else {
        return written_decimal(path, value);
    };
    let (number, unit) = match value {
        Value::Object(parts) => in_parts(path, parts, own.dimension, units)?,
        Value::String(text) => match split_unit(text) {
            Some((number, word)) => (
                Value::String(number.into()),
                Some(units.written(path, word, own.dimension)?),
            ),
            None => (value.clone(), None),
        },
        other => (other.clone(), None),
    };
    let base = units.base_of(own.id).unwrap_or(own);
    let converted = convert(written_decimal(path, &number)?, unit.unwrap_or(own), base);
    let converted = converted.map_err(|refusal| refusal.at(path))?;
    bounded(path, converted.value)
}

/// `{"value": "2", "unit": "tola"}`: programs name a unit by its code.
fn in_parts<'a>(
    path: &str,
    parts: &Map<String, Value>,
    dimension: Dimension,
    units: &'a Units,
) -> Result<(Value, Option<&'a UnitOfMeasure>), Refusal> {
    let number = parts.get("value");
    let number = number.ok_or_else(|| wrong_type(path, Kind::Decimal))?;
    let unit = match parts.get("unit").and_then(Value::as_str).map(str::trim) {
        Some(name) => Some(match units.named(name) {
            Some(unit) => unit,
            None => units.written(path, name, dimension)?,
        }),
        None => None,
    };
    Ok((number.clone(), unit))
}

/// `2 tola`: a number, and behind it the name of a unit.
fn split_unit(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = text.split_at(end);
    (!number.trim().is_empty()).then(|| (number.trim(), unit))
}

fn boolean(path: &str, value: &Value) -> Result<bool, Refusal> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" | "بله" | "بلی" => Ok(true),
            "false" | "no" | "0" | "خیر" | "نه" => Ok(false),
            _ => Err(wrong_type(path, Kind::Boolean)),
        },
        _ => Err(wrong_type(path, Kind::Boolean)),
    }
}

pub(super) fn date(path: &str, value: &Value) -> Result<NaiveDate, Refusal> {
    let text = text::ascii_digits(string(path, value, Kind::Date)?.trim());
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    is_plain
        .then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok())
        .flatten()
        .ok_or_else(|| wrong_type(path, Kind::Date))
}

/// An option by its value, or by its label in any language.
fn option(attribute: &Attribute, path: &str, value: &Value) -> Result<Value, Refusal> {
    let written = string(path, value, Kind::Enum)?.trim();
    let found = find_option(attribute, written);
    found
        .map(|option| Value::String(option.value.clone()))
        .ok_or_else(|| not_an_option(attribute, path, written))
}

fn find_option<'a>(attribute: &'a Attribute, written: &str) -> Option<&'a AttributeOption> {
    let options = &attribute.options.0;
    let by_value = options.iter().find(|option| option.value == written);
    by_value.or_else(|| {
        let written = written.to_lowercase();
        options.iter().find(|option| {
            let mut labels = option.label.0.values();
            option.value.to_lowercase() == written
                || labels.any(|label| label.to_lowercase() == written)
        })
    })
}

fn not_an_option(attribute: &Attribute, path: &str, written: &str) -> Refusal {
    let some = attribute
        .options
        .0
        .iter()
        .take(20)
        .map(|option| option.value.as_str());
    Refusal::new(Code::NotAnOption, path)
        .with("value", written.chars().take(100).collect::<String>())
        .with("options", some.collect::<Vec<_>>().join(", "))
}

/// Several options: a list, or a text with `|` between them.
fn options(attribute: &Attribute, path: &str, value: &Value) -> Result<Value, Refusal> {
    let written: Vec<&str> = match value {
        Value::Array(values) => values
            .iter()
            .map(|value| string(path, value, Kind::MultiEnum))
            .collect::<Result<_, _>>()?,
        Value::String(text) => text.split('|').collect(),
        _ => return Err(wrong_type(path, Kind::MultiEnum)),
    };
    let mut chosen = Vec::with_capacity(written.len().min(attribute.options.0.len()));
    for word in written {
        let word = word.trim();
        let option = find_option(attribute, word);
        let option = option.ok_or_else(|| not_an_option(attribute, path, word))?;
        if !chosen.contains(&option.value.as_str()) {
            chosen.push(option.value.as_str());
        }
    }
    let in_order = attribute
        .options
        .0
        .iter()
        .map(|option| option.value.as_str());
    Ok(json!(
        in_order
            .filter(|value| chosen.contains(value))
            .collect::<Vec<_>>()
    ))
}

fn check_text(
    attribute: &Attribute,
    pattern: Option<&Regex>,
    path: &str,
    text: &str,
) -> Result<(), Refusal> {
    let length = text.chars().count();
    let bound = |bound: &Option<String>| bound.as_deref().and_then(|it| it.parse::<usize>().ok());
    if let Some(min) = bound(&attribute.min).filter(|min| length < *min) {
        return Err(Refusal::new(Code::TooShort, path).with("min", min));
    }
    if let Some(max) = Some(bound(&attribute.max).unwrap_or(TEXT_MAX)).filter(|max| length > *max) {
        return Err(Refusal::new(Code::TooLong, path).with("max", max));
    }
    if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
        let shown: String = text.chars().take(100).collect();
        return Err(Refusal::new(Code::InvalidFormat, path).with("value", shown));
    }
    Ok(())
}

fn check_range(attribute: &Attribute, path: &str, number: Decimal) -> Result<(), Refusal> {
    let bound = |bound: &Option<String>| bound.as_deref().and_then(|it| it.parse::<Decimal>().ok());
    let (min, max) = (bound(&attribute.min), bound(&attribute.max));
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        return Err(out_of_bounds(attribute, path));
    }
    Ok(())
}

fn check_days(attribute: &Attribute, path: &str, day: NaiveDate) -> Result<(), Refusal> {
    let bound =
        |bound: &Option<String>| bound.as_deref().and_then(|it| it.parse::<NaiveDate>().ok());
    let (min, max) = (bound(&attribute.min), bound(&attribute.max));
    if min.is_some_and(|min| day < min) || max.is_some_and(|max| day > max) {
        return Err(out_of_bounds(attribute, path));
    }
    Ok(())
}

fn out_of_bounds(attribute: &Attribute, path: &str) -> Refusal {
    let shown = |bound: &Option<String>| bound.clone().unwrap_or_else(|| "…".into());
    Refusal::new(Code::OutOfRange, path)
        .with("min", shown(&attribute.min))
        .with("max", shown(&attribute.max))
}
