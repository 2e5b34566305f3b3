//! Messages for people, in the languages that goldshop speaks. The api says them, and the worker writes them into files.

use std::{collections::BTreeMap, sync::LazyLock};

use domain::{Refusal, locale::Locale};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::En));
static PERSIAN: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::Fa));

fn source(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../api/src/locales/en.ftl"),
        Locale::Fa => include_str!("../../api/src/locales/fa.ftl"),
    }
}

/// The files are part of the program; a test reads every message in them, so a broken one never gets here.
fn bundle(locale: Locale) -> Bundle {
    let language: LanguageIdentifier = locale.as_str().parse().unwrap_or_default();
    let resource = FluentResource::try_new(source(locale).to_owned())
        .unwrap_or_else(|(partly, _errors)| partly);
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Clients place values in their own layout; invisible direction marks around each of them would get in their way.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The message for `code`, with its values filled in; the code itself when there is no such message.
#[must_use]
pub fn message<K: AsRef<str>>(locale: Locale, code: &str, params: &BTreeMap<K, String>) -> String {
    let bundle = match locale {
        Locale::En => &*ENGLISH,
        Locale::Fa => &*PERSIAN,
    };
    let Some(pattern) = bundle.get_message(code).and_then(|message| message.value()) else {
        return code.to_owned();
    };
    bundle
        .format_pattern(pattern, Some(&arguments(params)), &mut Vec::new())
        .into_owned()
}

/// What a refusal says to people.
#[must_use]
pub fn sentence(locale: Locale, refusal: &Refusal) -> String {
    let Refusal {
        code,
        path: _,
        params,
    } = refusal;
    let is_about_id = params.contains_key("expected") && params.contains_key("value");
    let name = if is_about_id {
        "INVALID_ID"
    } else {
        code.as_str()
    };
    message(locale, name, params)
}

/// A missing `value` selects the wording without one. Counts are numbers, so that plural forms are chosen; all else is text.
fn arguments<K: AsRef<str>>(params: &BTreeMap<K, String>) -> FluentArgs<'_> {
    let mut arguments = FluentArgs::new();
    arguments.set("value", "none");
    for (name, value) in params {
        let name = name.as_ref();
        match value.parse::<u32>() {
            Ok(number) if name == "count" => arguments.set(name, FluentValue::from(number)),
            _ => arguments.set(name, value.as_str()),
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use domain::Code;

    use super::*;

    #[test]
    fn every_code_has_a_message_in_every_language_and_no_file_has_mistakes() {
        for locale in Locale::ALL {
            assert!(
                FluentResource::try_new(source(*locale).to_owned()).is_ok(),
                "{locale:?}"
            );
            for code in Code::ALL {
                let text = message(*locale, code.as_str(), &BTreeMap::<&str, _>::new());
                assert_ne!(text, code.as_str(), "{locale:?} lacks it");
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_messages() {
        let names = |locale| {
            let text = source(locale);
            text.lines()
                .filter_map(|line| line.split_once(" = "))
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Locale::En), names(Locale::Fa));
    }

    #[test]
    fn values_are_filled_in_and_counts_choose_the_form() {
        let taken = message(
            Locale::En,
            "ALREADY_TAKEN",
            &[("value", "GR-1".to_owned())].into(),
        );
        assert_eq!(taken, "“GR-1” is already in use.");
        assert_eq!(
            message(Locale::En, "ALREADY_TAKEN", &BTreeMap::<&str, _>::new()),
            "This value is already in use."
        );
        let one = message(Locale::En, "NOT_EMPTY", &[("count", "1".to_owned())].into());
        assert!(one.starts_with("One item"), "{one}");
        assert!(
            message(Locale::Fa, "TOO_LONG", &[("max", "200".to_owned())].into())
                .chars()
                .next()
                .unwrap()
                >= '\u{600}'
        );
    }
}
