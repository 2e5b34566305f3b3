//! What a facet looks at in each item, and what its values are called.

use std::str::FromStr as _;

use entity::{
    attribute::{Kind, RefersTo},
    id::{CategoryId, ItemId},
};
use rust_decimal::Decimal;
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::{FacetIs, FacetOf, FacetRange, FacetRequest, FacetValue, VALUES_DEFAULT};
use crate::{
    attribute::{Declared, Key, bound},
    error::{Code, Refusal},
    sql::Sql,
};

/// Smallest and largest power of ten of the scale that numbers fall into.
const POWERS: std::ops::RangeInclusive<i32> = -3..=15;

/// A facet as it is counted.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) looks_at: LooksAt,
    pub(super) groups: Groups,
    /// How many values are wanted.
    pub(super) first: i32,
}

/// What it looks at.
#[derive(Debug)]
pub(super) enum LooksAt {
    Category,
    Kind,
    Price,
    Tags,
    /// An attribute that is kept under one of these keys.
    Attribute(Vec<Key>),
    /// The same, of which an item has several values.
    Several(Vec<Key>),
    /// The same as a number.
    Number(Vec<Key>),
}

/// How values are put together.
#[derive(Debug)]
pub(super) enum Groups {
    /// By ancestor at this depth.
    Ancestors(usize),
    /// Equal ones.
    Terms(Term),
    /// Days by year.
    Years,
    /// Those between two neighbouring steps.
    Scale {
        steps: Vec<Decimal>,
        /// The steps as people write them.
        shown: Vec<String>,
    },
    /// Those within each range.
    Ranges {
        bounds: Vec<Bounds>,
        shown: Vec<FacetRange>,
    },
}

/// What equal values are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Term {
    Kind,
    Row(RefersTo),
    Text,
}

/// A range of numbers.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) min: Option<Decimal>,
    pub(super) max: Option<Decimal>,
    pub(super) below: Option<Decimal>,
}

impl Column {
    /// # Errors
    /// When ranges are asked for where there are none, or a bound is no value of the attribute.
    pub(super) fn new(
        request: &FacetRequest,
        declared: &Declared,
        depth: Option<usize>,
        path: &str,
    ) -> Result<Self, Refusal> {
        let (looks_at, groups) = match &request.of {
            FacetOf::Category => (LooksAt::Category, Groups::Ancestors(depth.unwrap_or(0))),
            FacetOf::Kind => (LooksAt::Kind, Groups::Terms(Term::Kind)),
            FacetOf::Tag => (LooksAt::Tags, Groups::Terms(Term::Text)),
            FacetOf::Price => (LooksAt::Price, numbers(request, path, number)?),
            FacetOf::Attribute(name) => return Self::of_attribute(request, name, declared, path),
        };
        if !request.ranges.is_empty() && !matches!(request.of, FacetOf::Price) {
            return Err(no_ranges(path));
        }
        Ok(Self {
            looks_at,
            groups,
            first: request.first.unwrap_or(VALUES_DEFAULT),
        })
    }

    fn of_attribute(
        request: &FacetRequest,
        name: &str,
        declared: &Declared,
        path: &str,
    ) -> Result<Self, Refusal> {
        let attribute = declared.named(name).next();
        let kind = attribute.map(|it| it.kind);
        let keys = declared.keys(name);
        let has_ranges = !request.ranges.is_empty();
        let in_unit = |text: &str| match attribute {
            Some(attribute) => bound(attribute, path, text, &declared.units),
            None => number(text).map_err(|refusal| refusal.at(path)),
        };
        let (looks_at, groups) = match kind {
            Some(Kind::Decimal) => (LooksAt::Number(keys), numbers(request, path, in_unit)?),
            Some(Kind::Number | Kind::Date) | None if has_ranges => {
                (LooksAt::Number(keys), numbers(request, path, in_unit)?)
            }
            Some(_) if has_ranges => return Err(no_ranges(path)),
            Some(Kind::Date) => (LooksAt::Number(keys), Groups::Years),
            Some(Kind::MultiEnum) => (LooksAt::Several(keys), Groups::Terms(Term::Text)),
            Some(Kind::Text | Kind::Number | Kind::Boolean | Kind::Enum | Kind::Reference)
            | None => {
                let refers_to = attribute.and_then(|it| it.refers_to);
                let term = refers_to.map_or(Term::Text, Term::Row);
                (LooksAt::Attribute(keys), Groups::Terms(term))
            }
        };
        Ok(Self {
            looks_at,
            groups,
            first: request.first.unwrap_or(VALUES_DEFAULT),
        })
    }

    /// Whether items with the same value are in the same group, and in no other.
    pub(super) fn is_by_equals(&self) -> bool {
        match self.groups {
            Groups::Ranges { .. } => false,
            Groups::Terms(_) => !self.looks_at.is_several(),
            Groups::Ancestors(_) | Groups::Years | Groups::Scale { .. } => true,
        }
    }

    /// The values as people know them.
    pub(super) fn values(&self, counted: &[(String, u64)]) -> Vec<FacetValue> {
        let mut values: Vec<(usize, FacetValue)> = counted
            .iter()
            .enumerate()
            .filter_map(|(place, (value, count))| {
                let (order, is) = self.value(place, value)?;
                Some((order, FacetValue { is, count: *count }))
            })
            .collect();
        values.sort_by_key(|(order, _)| *order);
        values.into_iter().map(|(_, value)| value).collect()
    }

    /// A value and where it comes among the others.
    fn value(&self, place: usize, value: &str) -> Option<(usize, FacetIs)> {
        Some(match &self.groups {
            Groups::Ancestors(_) => {
                let id = Uuid::try_parse(value).ok()?;
                (place, FacetIs::Category(CategoryId(id)))
            }
            Groups::Terms(term) => (place, term.value(value)?),
            Groups::Years => {
                let year: usize = value.parse().ok()?;
                let day = |year: usize| Some(format!("{year:04}-01-01"));
                let (min, below) = (day(year), day(year + 1));
                (year, range(min, below))
            }
            Groups::Scale { shown, .. } => {
                let step: usize = value.parse().ok()?;
                let min = step
                    .checked_sub(1)
                    .and_then(|step| shown.get(step).cloned());
                (step, range(min, shown.get(step).cloned()))
            }
            Groups::Ranges { shown, .. } => {
                let number: usize = value.parse().ok()?;
                let range = shown.get(number.checked_sub(1)?)?;
                (number, FacetIs::Range(range.clone()))
            }
        })
    }
}

impl Term {
    fn value(self, text: &str) -> Option<FacetIs> {
        let id = || Uuid::try_parse(text).ok();
        Some(match self {
            Self::Kind => FacetIs::Kind(entity::item::Kind::try_from_value(&text.to_owned()).ok()?),
            Self::Row(RefersTo::Category) => FacetIs::Category(CategoryId(id()?)),
            Self::Row(RefersTo::Item) => FacetIs::Item(ItemId(id()?)),
            Self::Text => FacetIs::Term(text.to_owned()),
        })
    }
}

fn range(min: Option<String>, below: Option<String>) -> FacetIs {
    FacetIs::Range(FacetRange {
        min,
        max: None,
        below,
    })
}

fn no_ranges(path: &str) -> Refusal {
    Refusal::new(Code::WrongType, &format!("{path}.ranges"))
        .with("expected", "NUMBER, DECIMAL, DATE")
}

fn number(text: &str) -> Result<Decimal, Refusal> {
    let text = crate::text::ascii_digits(text.trim());
    Decimal::from_str(&text)
        .map_err(|_no_number| Refusal::new(Code::WrongType, "").with("expected", "DECIMAL"))
}

/// The ranges that are asked for; without, those of a round scale in the unit of the attribute.
fn numbers(
    request: &FacetRequest,
    path: &str,
    read: impl Fn(&str) -> Result<Decimal, Refusal>,
) -> Result<Groups, Refusal> {
    if request.ranges.is_empty() {
        return Ok(scale(read));
    }
    let read = |text: &Option<String>| {
        let path = format!("{path}.ranges");
        text.as_deref()
            .map(|text| read(text).map_err(|refusal| refusal.at(&path)))
            .transpose()
    };
    let bounds = request.ranges.iter().map(|range| {
        Ok(Bounds {
            min: read(&range.min)?,
            max: read(&range.max)?,
            below: read(&range.below)?,
        })
    });
    Ok(Groups::Ranges {
        bounds: bounds.collect::<Result<_, Refusal>>()?,
        shown: request.ranges.clone(),
    })
}

/// Zero, and one, two and five times each power of ten.
fn scale(read: impl Fn(&str) -> Result<Decimal, Refusal>) -> Groups {
    let steps = POWERS.flat_map(|power| [1, 2, 5].map(|digit| step(digit, power)));
    let steps = std::iter::once("0".to_owned()).chain(steps);
    let read = |text: String| Some((read(&text).ok()?, text));
    let (steps, shown) = steps.filter_map(read).unzip();
    Groups::Scale { steps, shown }
}

fn step(digit: i64, power: i32) -> String {
    match u32::try_from(power) {
        Ok(power) => Decimal::from(digit * 10_i64.pow(power)).to_string(),
        Err(_below_one) => Decimal::new(digit, power.unsigned_abs()).to_string(),
    }
}

impl LooksAt {
    /// Appends what it is in the item `i`.
    pub(super) fn push(&self, sql: &mut Sql) {
        match self {
            Self::Category => drop(sql.push("i.category_id")),
            Self::Kind => drop(sql.push("i.kind")),
            Self::Price => drop(sql.push("i.price_amount")),
            Self::Tags => drop(sql.push("to_jsonb(i.tags)")),
            Self::Attribute(keys) => push_first(sql, keys, "->>"),
            Self::Several(keys) => push_first(sql, keys, "->"),
            Self::Number(keys) => {
                sql.push("search_number(");
                push_first(sql, keys, "->>");
                sql.push(")");
            }
        }
    }

    /// Whether an item has a list of values.
    pub(super) fn is_several(&self) -> bool {
        matches!(self, Self::Tags | Self::Several(_))
    }
}

/// The first of the values that is there.
fn push_first(sql: &mut Sql, keys: &[Key], operator: &str) {
    sql.push("COALESCE(");
    for (place, key) in keys.iter().enumerate() {
        sql.push(if place == 0 { "" } else { ", " });
        key.push_value(sql, operator);
    }
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_round_and_rises() {
        let Groups::Scale { steps, shown } = scale(number) else {
            panic!("a scale has steps");
        };
        assert_eq!(shown[..5], ["0", "0.001", "0.002", "0.005", "0.01"]);
        assert!(shown.iter().any(|step| step == "5000000000000000"));
        assert!(steps.is_sorted() && steps.len() == 58);
    }
}
