//! Texts that people write: parsed once at the edge, valid for ever.

use std::collections::BTreeMap;

use entity::translations::Translations;

use crate::error::{Code, Refusal, Refusals};

/// Longest name of anything, in characters.
pub const NAME_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 10_000;
/// Longest key from somebody else's system, in characters.
pub const REFERENCE_MAX: usize = 200;
/// Most languages of one text.
const LANGUAGES_MAX: usize = 20;

/// A name in at least one language.
///
/// # Errors
/// Each language that is wrong, with its path below `path`.
pub fn name(path: &str, texts: &BTreeMap<String, String>) -> Result<Translations, Vec<Refusal>> {
    if texts.is_empty() {
        return Err(vec![Refusal::new(Code::Required, path)]);
    }
    translations(path, texts, 1, NAME_MAX)
}

/// A description, in no language or several.
///
/// # Errors
/// Each language that is wrong, with its path below `path`.
pub fn description(
    path: &str,
    texts: &BTreeMap<String, String>,
) -> Result<Translations, Vec<Refusal>> {
    translations(path, texts, 0, DESCRIPTION_MAX)
}

fn translations(
    path: &str,
    texts: &BTreeMap<String, String>,
    min: usize,
    max: usize,
) -> Result<Translations, Vec<Refusal>> {
    if texts.len() > LANGUAGES_MAX {
        return Err(vec![
            Refusal::new(Code::TooMany, path).with("max", LANGUAGES_MAX),
        ]);
    }
    let mut refused = Vec::new();
    let mut parsed = BTreeMap::new();
    for (language, text) in texts {
        let path = format!("{path}.{language}");
        match check_language(&path, language).and_then(|()| line(&path, text, min, max)) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => drop(parsed.insert(language.clone(), text)),
            Err(refusal) => refused.push(refusal),
        }
    }
    if refused.is_empty() {
        Ok(Translations(parsed))
    } else {
        Err(refused)
    }
}

/// ISO 639 codes, with an optional region: `en`, `fa`, `pt-BR`.
fn check_language(path: &str, language: &str) -> Result<(), Refusal> {
    let (code, region) = language.split_once('-').unwrap_or((language, "XX"));
    let code_fits = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
    let region_fits = region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase());
    if code_fits && region_fits {
        Ok(())
    } else {
        Err(Refusal::new(Code::InvalidFormat, path).with("value", language))
    }
}

/// A text without blanks around it and without control characters (line breaks and tabs may stay), `min` to `max` characters long.
///
/// # Errors
/// When it is too short, too long, or holds what no text should.
pub fn line(path: &str, text: &str, min: usize, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 && min > 0 {
        return Err(Refusal::new(Code::Required, path));
    }
    if length < min {
        return Err(Refusal::new(Code::TooShort, path).with("min", min));
    }
    if length > max {
        return Err(Refusal::new(Code::TooLong, path).with("max", max));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(Refusal::new(Code::InvalidFormat, path));
    }
    Ok(text.to_owned())
}

/// A key from somebody else's system.
///
/// # Errors
/// When it is empty or too long.
pub fn external_reference(text: &str) -> Result<String, Refusal> {
    line("externalReference", text, 1, REFERENCE_MAX)
}

/// Keeps what several fields were refused for.
pub(crate) fn take_all<T>(refusals: &mut Refusals, value: Result<T, Vec<Refusal>>) -> Option<T> {
    value
        .map_err(|refused| {
            refused
                .into_iter()
                .for_each(|refusal| refusals.push(refusal))
        })
        .ok()
}

/// Persian (U+06F0…) and Arabic (U+0660…) digits become ASCII digits; everything else stays.
#[must_use]
pub fn ascii_digits(text: &str) -> String {
    text.chars().map(ascii_digit).collect()
}

/// In both blocks the last four bits are the digit's value.
fn ascii_digit(c: char) -> char {
    match c {
        '\u{06F0}'..='\u{06F9}' | '\u{0660}'..='\u{0669}' => {
            char::from_digit(u32::from(c) & 0xF, 10).unwrap_or(c)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Code, NAME_MAX, ascii_digits, line, name};

    proptest! {
        #[test]
        fn a_line_is_parsed_once_and_for_ever(text in any::<String>(), min in 0_usize..4, max in 4_usize..32) {
            if let Ok(parsed) = line("x", &text, min, max) {
                prop_assert!((min..=max).contains(&parsed.chars().count()));
                prop_assert_eq!(line("x", &parsed, min, max), Ok(parsed.clone()));
            }
        }
    }

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        let longest = "گ".repeat(NAME_MAX);
        assert!(
            name("name", &texts(&[("fa", &longest), ("en", " Ring ")]))
                .is_ok_and(|n| n.in_locale("en") == "Ring")
        );
        let refused = name("name", &texts(&[("fa", &format!("{longest}گ"))]));
        assert!(refused.is_err_and(|r| r[0].code == Code::TooLong && r[0].path == ["name", "fa"]));
    }

    #[test]
    fn nothing_blank_and_control_characters_are_refused() {
        assert!(name("name", &texts(&[])).is_err_and(|r| r[0].code == Code::Required));
        assert!(name("name", &texts(&[("en", "  ")])).is_err_and(|r| r[0].code == Code::Required));
        assert!(line("x", "a\u{0}b", 0, 9).is_err_and(|r| r.code == Code::InvalidFormat));
        assert!(
            name("name", &texts(&[("english", "Ring")]))
                .is_err_and(|r| r[0].code == Code::InvalidFormat)
        );
    }

    #[test]
    fn persian_and_arabic_digits_are_digits() {
        assert_eq!(ascii_digits("۱۸ عیار ٧٥٠"), "18 عیار 750");
    }
}
