//! How much is logged: one word for everybody, or a list of directives for somebody who looks for something.

use std::{fmt, str::FromStr};

use thiserror::Error;
use tracing_subscriber::filter::{ParseError, Targets};

/// The crates that a bare `debug` or `trace` concerns. Libraries at that level drown what matters, and may show
/// what passes through them.
const OUR_CRATES: [&str; 6] = ["api", "domain", "entity", "migration", "platform", "worker"];

/// Which events are logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel {
    directives: String,
}

/// A level or a directive that nobody understands.
#[derive(Debug, Error)]
#[error(
    "`{0}` is not a log level (error, warn, info, debug, trace) or a directive such as sqlx=debug"
)]
pub struct UnknownLevel(String);

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    /// Reads a level in upper or lower case (`WARNING` and `CRITICAL` included), or a comma-separated list of
    /// levels and `target=level` directives.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let unknown = || UnknownLevel(text.to_owned());
        if let Some(level) = level(text) {
            return Ok(Self {
                directives: for_our_crates(level),
            });
        }
        let parts: Option<Vec<_>> = text.split(',').map(directive).collect();
        let directives = parts.ok_or_else(unknown)?.join(",");
        if directives.parse::<Targets>().is_err() {
            return Err(unknown());
        }
        Ok(Self { directives })
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.directives)
    }
}

impl LogLevel {
    /// The filter for a subscriber.
    pub(super) fn filter(&self) -> Result<Targets, ParseError> {
        self.directives.parse()
    }
}

fn level(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "error" => Some("error"),
        "warn" | "warning" => Some("warn"),
        "info" => Some("info"),
        "debug" => Some("debug"),
        "trace" => Some("trace"),
        _ => None,
    }
}

fn for_our_crates(level: &str) -> String {
    if matches!(level, "error" | "warn" | "info") {
        return level.to_owned();
    }
    let ours = OUR_CRATES.map(|name| format!("{name}={level}"));
    format!("info,{}", ours.join(","))
}

/// A bare word that is no level would be taken for a target by the filter, and hide everything else; so would anything that no module can
/// be called.
fn directive(part: &str) -> Option<String> {
    let part = part.trim();
    let with_level = || {
        let (target, _level) = part.split_once('=')?;
        target.chars().all(is_of_a_target).then(|| part.to_owned())
    };
    level(part).map(str::to_owned).or_else(with_level)
}

fn is_of_a_target(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_:-".contains(character)
}

#[cfg(test)]
mod tests {
    use super::LogLevel;

    fn directives(text: &str) -> String {
        text.parse::<LogLevel>().unwrap().to_string()
    }

    #[test]
    fn words_of_other_systems_are_understood() {
        assert_eq!(directives("WARNING"), "warn");
        assert_eq!(directives("Critical"), "error");
        assert_eq!(directives("INFO"), "info");
    }

    #[test]
    fn debug_concerns_our_own_crates() {
        assert!(directives("DEBUG").starts_with("info,api=debug,"));
    }

    #[test]
    fn a_list_is_taken_as_it_is_written() {
        assert_eq!(directives("WARNING, sqlx=debug"), "warn,sqlx=debug");
        assert_eq!(directives("info,api::http=trace"), "info,api::http=trace");
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in [
            "",
            "verbose",
            "info,verbose",
            "api=loud",
            "info,,",
            "api[request]=info",
        ] {
            assert!(text.parse::<LogLevel>().is_err(), "{text:?}");
        }
    }
}
