//! The languages that goldshop speaks to people.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Persian.
    Fa,
}

impl Locale {
    /// Every language there is.
    pub const ALL: &[Self] = &[Self::En, Self::Fa];

    /// The language's code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fa => "fa",
        }
    }

    /// The first of the languages in an `Accept-Language` header that we speak. Weights are ignored: browsers send them in order.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        accept_language
            .split(',')
            .filter_map(|range| range.split([';', '-']).next())
            .find_map(|language| language.trim().to_ascii_lowercase().parse().ok())
    }
}

impl FromStr for Locale {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|locale| locale.as_str() == code)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn the_first_language_we_speak_is_taken() {
        assert_eq!(
            Locale::negotiate("fa-IR,fa;q=0.9,en;q=0.8"),
            Some(Locale::Fa)
        );
        assert_eq!(Locale::negotiate("de, en-GB;q=0.7"), Some(Locale::En));
        assert_eq!(Locale::negotiate("de"), None);
    }
}
