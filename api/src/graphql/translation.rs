//! Texts in several languages.

use std::collections::BTreeMap;

use async_graphql::{InputObject, SimpleObject};
use domain::{Code, Error, Refusal};
use entity::translations::Translations;

/// A text in one language.
#[derive(SimpleObject, InputObject, Clone, Debug)]
#[graphql(input_name = "TranslationInput")]
pub struct Translation {
    /// ISO 639 code of the language, such as `en` or `fa`.
    pub language: String,
    /// The text.
    pub text: String,
}

/// As clients see them.
#[must_use]
pub fn output(texts: &Translations) -> Vec<Translation> {
    texts
        .0
        .iter()
        .map(|(language, text)| Translation {
            language: language.clone(),
            text: text.clone(),
        })
        .collect()
}

/// As the domain takes them.
///
/// # Errors
/// When a language is given twice.
pub fn input(path: &str, texts: Vec<Translation>) -> Result<BTreeMap<String, String>, Error> {
    let mut all = BTreeMap::new();
    for Translation { language, text } in texts {
        if all.insert(language.clone(), text).is_some() {
            return Err(Refusal::new(Code::AlreadyTaken, path)
                .with("value", language)
                .into());
        }
    }
    Ok(all)
}
