//! What can be wrong with the settings, said in one line each, and where a value came from.

use std::{fmt, path::PathBuf};

use thiserror::Error;

/// Why the settings cannot be used. Each text is a single line and never repeats a secret.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A key that no program knows.
    #[error("configuration: {key} (from {origin}) is not a known key{}", hint(.suggestion.as_deref()))]
    UnknownKey {
        /// The key as it was understood.
        key: String,
        /// Where it was given.
        origin: Source,
        /// The known key that looks most like it.
        suggestion: Option<String>,
    },
    /// A value that is not allowed for its key.
    #[error("configuration: {key} (from {origin}): {reason}")]
    BadValue {
        /// The key.
        key: String,
        /// Where the value was given.
        origin: Source,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable given both directly and as a file.
    #[error("configuration: {name} and {name}_FILE are both given; keep one of them")]
    GivenTwice {
        /// The name without `_FILE`.
        name: String,
    },
    /// The file that a `_FILE` variable names cannot be used.
    #[error("configuration: {key} (from {name}): the file {}: {reason}", .path.display())]
    SecretFile {
        /// The key.
        key: String,
        /// The variable that names the file.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration file cannot be read or is not TOML.
    #[error("configuration: the file {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable that is not valid Unicode.
    #[error("configuration: the value of the variable {name} is not valid UTF-8")]
    NotUnicode {
        /// The variable.
        name: String,
    },
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The embedded defaults.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the defaults"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A value that is not allowed together with others; the layers know where it came from.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) key: &'static str,
    pub(super) reason: &'static str,
}

impl Refusal {
    pub(super) fn new(key: &'static str, reason: &'static str) -> Self {
        Self { key, reason }
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|key| format!("; did you mean {key}?"))
        .unwrap_or_default()
}
