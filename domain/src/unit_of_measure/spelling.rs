//! How units are written.

use entity::unit_of_measure::{Dimension, Model as UnitOfMeasure};

use crate::{locale::Locale, written};

/// What is compared of a spelling: whoever writes `oz. t.` and whoever writes `OZT` mean the same.
pub(crate) fn key(spelling: &str) -> String {
    let folded = written::fold(spelling);
    folded
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '_'))
        .collect()
}

/// Their names in this language.
pub(super) fn names(units: &[&UnitOfMeasure], locale: Locale) -> String {
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
