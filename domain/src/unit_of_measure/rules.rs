//! Decisions about units that need nothing but their arguments.

use std::collections::HashSet;

use entity::translations::Translations;
use rust_decimal::Decimal;

use super::{
    Dimension, Factor, NewUnitOfMeasure, UNITS_MAX, UnitOfMeasure, UnitOfMeasureBy,
    UnitOfMeasureChange, spelling,
};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    text,
    written::is_of_number,
};

/// Longest code, in characters.
const CODE_MAX: usize = 40;
/// Longest spelling, in characters.
const SPELLING_MAX: usize = 40;
/// Most spellings of one unit.
const SPELLINGS_MAX: usize = 50;

/// A unit to be, valid.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) code: String,
    pub(super) name: Translations,
    pub(super) dimension: Dimension,
    pub(super) factor: Factor,
    pub(super) spellings: Vec<String>,
}

/// A change of a unit, valid.
#[derive(Clone, Debug)]
pub(super) struct DraftChange {
    pub(super) name: Option<Translations>,
    pub(super) dimension: Option<Dimension>,
    pub(super) numerator: Option<Decimal>,
    pub(super) denominator: Option<Decimal>,
    pub(super) spellings: Option<Vec<String>>,
}

pub(super) fn parse_new(new: &NewUnitOfMeasure) -> Result<Draft> {
    let NewUnitOfMeasure {
        code,
        name,
        dimension,
        numerator,
        denominator,
        spellings,
        allow_ambiguous_spellings: _,
    } = new;
    let mut refusals = Refusals::default();
    let code = refusals.take(parse_code(code));
    let name = text::take_all(&mut refusals, text::name("name", name));
    let factor = refusals.take(Factor::new(*numerator, *denominator));
    let spellings = refusals.take(parse_spellings(spellings));
    let draft = (|| {
        Some(Draft {
            code: code?,
            name: name?,
            dimension: *dimension,
            factor: factor?,
            spellings: spellings?,
        })
    })();
    refusals.into_result(draft)
}

pub(super) fn parse_change(change: &UnitOfMeasureChange) -> Result<DraftChange> {
    let UnitOfMeasureChange {
        name,
        dimension,
        numerator,
        denominator,
        spellings,
        allow_ambiguous_spellings: _,
    } = change;
    let mut refusals = Refusals::default();
    let name = name
        .as_ref()
        .map(|name| text::name("name", name))
        .transpose();
    let name = text::take_all(&mut refusals, name);
    let (above, below) = (
        numerator.unwrap_or(Decimal::ONE),
        denominator.unwrap_or(Decimal::ONE),
    );
    let factor = refusals.take(Factor::new(above, below));
    let spellings = spellings.as_deref().map(parse_spellings).transpose();
    let spellings = refusals.take(spellings);
    let change = (|| {
        let factor = factor?;
        Some(DraftChange {
            name: name?,
            dimension: *dimension,
            numerator: numerator.map(|_given| factor.numerator),
            denominator: denominator.map(|_given| factor.denominator),
            spellings: spellings?,
        })
    })();
    refusals.into_result(change)
}

/// A code is for programs: `troy_ounce`.
fn parse_code(code: &str) -> Result<String, Refusal> {
    let code = text::line("code", code, 1, CODE_MAX)?;
    let is_plain = code
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain && code.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(code)
    } else {
        Err(Refusal::new(Code::InvalidFormat, "code").with("value", code))
    }
}

/// Spellings are kept as they were written, those that are read alike once. One that begins as numbers do would be taken for a part of the
/// number in front of it.
fn parse_spellings(spellings: &[String]) -> Result<Vec<String>, Refusal> {
    if spellings.len() > SPELLINGS_MAX {
        return Err(Refusal::new(Code::TooMany, "spellings").with("max", SPELLINGS_MAX));
    }
    let mut seen = HashSet::new();
    let mut parsed = Vec::with_capacity(spellings.len());
    for (index, text) in spellings.iter().enumerate() {
        let path = format!("spellings.{index}");
        let text = text::line(&path, text, 1, SPELLING_MAX)?;
        let key = spelling::key(&text);
        if key.is_empty() || key.starts_with(is_of_number) {
            return Err(Refusal::new(Code::InvalidFormat, &path).with("value", text));
        }
        if seen.insert(key) {
            parsed.push(text);
        }
    }
    Ok(parsed)
}

pub(super) fn check_room(units: &[UnitOfMeasure]) -> Result<(), Refusal> {
    if units.len() < UNITS_MAX {
        Ok(())
    } else {
        Err(Refusal::new(Code::TooMany, "").with("max", UNITS_MAX))
    }
}

/// Refuses spellings that another unit has. What `own` has already may stay: it was taken on purpose.
pub(super) fn check_spellings(
    units: &[UnitOfMeasure],
    own: Option<&UnitOfMeasure>,
    spellings: &[String],
) -> Result<()> {
    let keys = |unit: &UnitOfMeasure| -> Vec<String> {
        unit.spellings
            .iter()
            .map(|text| spelling::key(text))
            .collect()
    };
    let of_own: HashSet<_> = own.map(keys).into_iter().flatten().collect();
    let others = units
        .iter()
        .filter(|unit| Some(unit.id) != own.map(|own| own.id));
    let of_others: HashSet<_> = others.flat_map(keys).collect();
    let mut refusals = Refusals::default();
    for (index, text) in spellings.iter().enumerate() {
        let key = spelling::key(text);
        if of_others.contains(&key) && !of_own.contains(&key) {
            let path = format!("spellings.{index}");
            refusals.push(Refusal::new(Code::AlreadyTaken, &path).with("value", text));
        }
    }
    refusals.into_result(Some(()))
}

/// The first field by which the change would make quantities in this unit mean something else.
pub(super) fn changed_worth(before: &UnitOfMeasure, change: &DraftChange) -> Option<&'static str> {
    let is_other = |new: Option<Decimal>, old: Decimal| new.is_some_and(|new| new != old);
    [
        (
            "dimension",
            change.dimension.is_some_and(|new| new != before.dimension),
        ),
        ("numerator", is_other(change.numerator, before.numerator)),
        (
            "denominator",
            is_other(change.denominator, before.denominator),
        ),
    ]
    .into_iter()
    .find_map(|(field, is_changed)| is_changed.then_some(field))
}

/// All other factors of the dimension are told in its base unit, and weights are grams.
pub(super) fn check_not_base(unit: &UnitOfMeasure, changed: &str) -> Result<(), Refusal> {
    if unit.code == spelling::base(unit.dimension) {
        Err(Refusal::new(Code::InUse, changed))
    } else {
        Ok(())
    }
}

/// The unit that is named so.
pub(super) fn named<'a>(
    path: &str,
    by: &UnitOfMeasureBy,
    units: &'a [UnitOfMeasure],
) -> Result<&'a UnitOfMeasure, Refusal> {
    let (found, refusal) = match by {
        UnitOfMeasureBy::Id(id) => (
            units.iter().find(|unit| unit.id == *id),
            Refusal::new(Code::NotFound, &format!("{path}.id")),
        ),
        UnitOfMeasureBy::Code(code) => (
            units.iter().find(|unit| unit.code == *code),
            Refusal::new(Code::NotFound, &format!("{path}.code")).with("value", code),
        ),
    };
    found.ok_or(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn spellings_that_are_read_alike_are_kept_once() {
        let parsed = parse_spellings(&spellings(&["oz t", "OZ.T.", " ozt ", "كيلو", "کیلو"]));
        assert_eq!(parsed, Ok(spellings(&["oz t", "كيلو"])));
    }

    #[test]
    fn what_could_never_be_read_is_no_spelling() {
        for wrong in ["2g", "-", "/g", ",", "\u{200C}", ".g5."] {
            let refused = parse_spellings(&spellings(&["g", wrong]));
            let is_refused = refused.is_err_and(|r| r.path == ["spellings", "1"]);
            assert_eq!(is_refused, wrong != ".g5.", "{wrong}");
        }
        let many = vec!["g".to_owned(); SPELLINGS_MAX + 1];
        assert!(parse_spellings(&many).is_err_and(|r| r.code == Code::TooMany));
    }

    #[test]
    fn a_code_is_a_name_for_programs() {
        for code in ["gram", "troy_ounce", "m2"] {
            assert_eq!(parse_code(code).as_deref(), Ok(code));
        }
        for code in ["Gram", "2m", "_m", "troy ounce", "گرم", ""] {
            assert!(parse_code(code).is_err(), "{code}");
        }
    }
}
