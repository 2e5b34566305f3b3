//! What new variants are called: the template's name and SKU, and what was chosen.

use std::collections::BTreeMap;

use entity::translations::Translations;

use super::{combination::Combination, template::Choices};
use crate::{attribute::Schema, text::ascii_digits};

/// Longest part of a SKU that one value becomes, in characters.
const PART_MAX: usize = 20;

/// The parts of SKUs that the values of these options become.
pub(in super::super) fn skus(
    options: &[Choices],
    schema: &Schema,
    separator: &str,
) -> Vec<Vec<String>> {
    let parts = options.iter().map(|option| {
        let values = option.values.iter();
        let texts: Vec<_> = values
            .map(|value| schema.cell_of(&option.key, value))
            .collect();
        parts(&texts, separator)
    });
    parts.collect()
}

impl Combination {
    /// The SKU of the variant with these values.
    pub(in super::super) fn sku(
        &self,
        template: &str,
        parts: &[Vec<String>],
        separator: &str,
    ) -> String {
        let mut sku = template.to_owned();
        for part in parts
            .iter()
            .zip(&self.0)
            .filter_map(|(parts, place)| parts.get(*place))
        {
            sku.push_str(separator);
            sku.push_str(part);
        }
        sku
    }
}

/// A readable part for each text, and for each another one. What has no Latin letter or digit is known by its place.
fn parts(texts: &[String], separator: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let place = (index + 1).to_string();
        let mut part = part(text, separator);
        if part.is_empty() {
            part.clone_from(&place);
        }
        while parts.contains(&part) {
            part.push(joint(separator));
            part.push_str(&place);
        }
        parts.push(part);
    }
    parts
}

/// Capital letters and digits; everything else becomes what the separator is not.
fn part(text: &str, separator: &str) -> String {
    let joint = joint(separator);
    let mut part = String::new();
    for char in ascii_digits(text.trim()).to_uppercase().chars() {
        let keeps = char.is_ascii_alphanumeric() || char == '.' && !separator.contains('.');
        if keeps {
            part.push(char);
        } else if !part.is_empty() && !part.ends_with(joint) {
            part.push(joint);
        }
    }
    let cut: String = part.chars().take(PART_MAX).collect();
    cut.trim_matches(joint).to_owned()
}

fn joint(separator: &str) -> char {
    let free = ['_', '-', '/', '+'];
    let mut free = free.into_iter().filter(|char| !separator.contains(*char));
    free.next().unwrap_or('#')
}

/// The name of the variant with these values, in the languages of the template's name.
pub(in super::super) fn names(
    template: &Translations,
    combination: &Combination,
    options: &[Choices],
    schema: &Schema,
) -> BTreeMap<String, String> {
    let values = combination.values(options);
    let named = template.0.iter().map(|(language, name)| {
        let comma = if language == "fa" { "، " } else { ", " };
        let mut parts = vec![name.clone()];
        parts.extend(options.iter().filter_map(|option| {
            let value = values.get(&option.key)?;
            Some(schema.label_of(&option.key, value, language))
        }));
        (language.clone(), parts.join(comma))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn values_become_readable_parts() {
        let written = texts(&["rose gold", "۵۲", "2.5", "سفید", "Rose-Gold", "-"]);
        assert_eq!(
            parts(&written, "-"),
            ["ROSE_GOLD", "52", "2.5", "4", "ROSE_GOLD_5", "6"]
        );
        assert_eq!(parts(&written, "_.")[..3], ["ROSE-GOLD", "52", "2-5"]);
    }

    proptest! {
        #[test]
        fn parts_tell_values_apart_and_do_not_hold_the_separator(
            written in proptest::collection::vec("[a-zA-Z0-9 ._-]{0,30}|.{0,5}", 1..20), separator in "[-_./+#]{1,3}",
        ) {
            let parts = parts(&written, &separator);
            let distinct: std::collections::HashSet<_> = parts.iter().collect();
            prop_assert_eq!(distinct.len(), written.len());
            for part in &parts {
                prop_assert!(!part.is_empty() && part.is_ascii() && !separator.chars().any(|char| part.contains(char)), "{part}");
            }
        }
    }
}
