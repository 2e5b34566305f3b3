//! What people should hear of the labels that they have asked for.

use std::collections::BTreeMap;

use domain::{locale::Locale, pricing::Problem};
use platform::messages::message;

/// Something that is not as people may expect. Items are named as people know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// There is no label, because the item with this SKU is archived.
    Archived(String),
    /// There is no label, because the item with this id does not exist any more.
    Missing(String),
    /// The label of the item with this SKU has no price: because of this, or because the item has none.
    WithoutPrice(String, Option<Problem>),
}

/// The notes as a text, each in a line.
#[must_use]
pub fn notes(locale: Locale, all: &[Note]) -> String {
    all.iter().map(|note| line(locale, note) + "\n").collect()
}

fn line(locale: Locale, note: &Note) -> String {
    match (note, locale) {
        (Note::Archived(sku), Locale::En) => format!("{sku}: no label, because it is archived."),
        (Note::Archived(sku), Locale::Fa) => format!("{sku}: بدون برچسب، چون بایگانی شده است."),
        (Note::Missing(id), Locale::En) => {
            format!("{id}: no label, because it does not exist any more.")
        }
        (Note::Missing(id), Locale::Fa) => format!("{id}: بدون برچسب، چون دیگر وجود ندارد."),
        (Note::WithoutPrice(sku, None), Locale::En) => {
            format!("{sku}: no price on the label, because it has none.")
        }
        (Note::WithoutPrice(sku, None), Locale::Fa) => {
            format!("{sku}: برچسب قیمت ندارد، چون کالا قیمت ندارد.")
        }
        (Note::WithoutPrice(sku, Some(problem)), _) => {
            let begins = match locale {
                Locale::En => "no price on the label.",
                Locale::Fa => "برچسب قیمت ندارد.",
            };
            let why = message::<String>(locale, problem.message_name(), &BTreeMap::new());
            format!("{sku}: {begins} {why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_a_line_in_the_language_of_the_labels() {
        let all = [
            Note::Archived("A".into()),
            Note::WithoutPrice("B".into(), Some(Problem::NoRate)),
            Note::WithoutPrice("C".into(), None),
            Note::Missing("7".into()),
        ];
        assert_eq!(
            notes(Locale::En, &all),
            "A: no label, because it is archived.\n\
             B: no price on the label. There is no rate for this metal in this currency yet. Record one.\n\
             C: no price on the label, because it has none.\n\
             7: no label, because it does not exist any more.\n"
        );
        let persian = notes(Locale::Fa, &all);
        assert_eq!(persian.lines().count(), 4);
        assert!(persian.contains("B: برچسب قیمت ندارد. "), "{persian}");
    }
}
