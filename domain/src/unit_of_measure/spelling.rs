//! Which unit a word means.

use entity::unit_of_measure::{Dimension, Model as UnitOfMeasure};

use crate::{
    error::{Code, Refusal},
    locale::Locale,
    written,
};

/// What is compared of a spelling: whoever writes `oz. t.` and whoever writes `OZT` mean the same.
pub(crate) fn key(spelling: &str) -> String {
    let folded = written::fold(spelling);
    folded
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '_'))
        .collect()
}

/// The unit of this dimension that is written like this.
///
/// # Errors
/// [`Code::Ambiguous`] when it is more than one, with their names in the language of `locale`; [`Code::IncompatibleUnits`] when it is one
/// of another dimension; [`Code::NotFound`] when it is none.
pub(crate) fn find<'a>(
    path: &str,
    spelling: &str,
    dimension: Dimension,
    units: &'a [UnitOfMeasure],
    locale: Locale,
) -> Result<&'a UnitOfMeasure, Refusal> {
    let wanted = key(spelling);
    let is_written_so = |unit: &&UnitOfMeasure| {
        unit.spellings
            .iter()
            .any(|spelling| key(spelling) == wanted)
    };
    let (found, others): (Vec<_>, Vec<_>) = units
        .iter()
        .filter(is_written_so)
        .partition(|unit| unit.dimension == dimension);
    match (&found[..], &others[..]) {
        ([unit], _) => Ok(unit),
        ([], []) => Err(Refusal::new(Code::NotFound, path).with("value", spelling)),
        ([], [other, ..]) => Err(Refusal::new(Code::IncompatibleUnits, path)
            .with("from", &other.code)
            .with("to", base(dimension))),
        _ => Err(Refusal::new(Code::Ambiguous, path)
            .with("value", spelling)
            .with("choices", names(&found, locale))),
    }
}

fn names(units: &[&UnitOfMeasure], locale: Locale) -> String {
    let names: Vec<_> = units
        .iter()
        .map(|unit| unit.name.in_locale(locale.as_str()))
        .collect();
    names.join(match locale {
        Locale::En => ", ",
        Locale::Fa => "، ",
    })
}

/// Code of the unit in which the factors of a dimension are told.
pub(crate) fn base(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Count => "piece",
        Dimension::Mass => "gram",
        Dimension::Length => "metre",
        Dimension::Area => "square_metre",
        Dimension::Volume => "litre",
        Dimension::Time => "second",
    }
}
