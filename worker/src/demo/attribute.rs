//! What the categories of a generated catalogue declare, so that it can be filtered and counted by it.

use super::table::{self, Word};

/// An attribute that each root of the taxonomy declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoAttribute {
    /// Name for programs.
    pub name: &'static str,
    /// English label.
    pub label_en: &'static str,
    /// Persian label.
    pub label_fa: &'static str,
    /// What its values are.
    pub kind: DemoAttributeKind,
    /// Whether it is searched by words.
    pub searchable: bool,
    /// Whether it is counted.
    pub facet: bool,
}

/// What the values of an attribute are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoAttributeKind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// A number in the unit with this code.
    Decimal(&'static str),
    /// One of these words, by its English text, with labels in both languages.
    Enum(Vec<(String, String)>),
}

/// What generated items have.
#[must_use]
pub fn attributes() -> Vec<DemoAttribute> {
    use DemoAttributeKind::{Decimal, Enum, Number, Text};
    let words = |list| {
        table::list(list)
            .into_iter()
            .map(|Word { en, fa }| (en, fa))
    };
    let attribute = |name, label_en, label_fa, kind| DemoAttribute {
        name,
        label_en,
        label_fa,
        kind,
        searchable: false,
        facet: true,
    };
    vec![
        DemoAttribute {
            searchable: true,
            ..attribute("brand", "Brand", "برند", Text)
        },
        DemoAttribute {
            searchable: true,
            facet: false,
            ..attribute("model", "Model", "مدل", Text)
        },
        attribute("colour", "Colour", "رنگ", Enum(words("colour").collect())),
        attribute(
            "material",
            "Material",
            "جنس",
            Enum(words("material").collect()),
        ),
        attribute("weight", "Weight", "وزن", Decimal("kilogram")),
        attribute(
            "warranty_months",
            "Months of warranty",
            "ماه‌های ضمانت",
            Number,
        ),
    ]
}
