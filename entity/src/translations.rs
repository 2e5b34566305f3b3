//! A text that a person reads, in each language the shop has it in.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// Language code (`en`, `fa`, …) to text. Stored as a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Translations(pub BTreeMap<String, String>);

impl Translations {
    /// The text in `locale`; else in English; else in whatever language there is; else empty.
    #[must_use]
    pub fn in_locale(&self, locale: &str) -> &str {
        self.0
            .get(locale)
            .or_else(|| self.0.get("en"))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Translations;

    #[test]
    fn a_missing_language_falls_back_to_english_and_then_to_any() {
        let both = Translations(
            [("en", "Ring"), ("fa", "انگشتر")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
        );
        assert_eq!(both.in_locale("fa"), "انگشتر");
        assert_eq!(both.in_locale("de"), "Ring");
        let persian = Translations([("fa".to_owned(), "انگشتر".to_owned())].into());
        assert_eq!(persian.in_locale("en"), "انگشتر");
        assert_eq!(Translations::default().in_locale("en"), "");
    }
}
