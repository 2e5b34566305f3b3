//! Lays the sources of settings over each other. The embedded defaults tell which keys exist and which kind of
//! value each takes; every later value remembers where it was given, so that a complaint can name the place.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{
    error::{ConfigError, Refusal, Source},
    manual::default_toml,
};

/// How alike (0 to 1) an unknown and a known key must be for the known one to be suggested.
const LIKENESS: f64 = 0.6;

/// A value and where it was given.
struct Setting {
    value: Value,
    source: Source,
}

/// The value that holds for each key (`section.key`).
pub(super) struct Layers {
    settings: BTreeMap<String, Setting>,
}

impl Layers {
    /// The embedded defaults alone.
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        let table = default_toml()
            .parse::<Table>()
            .map_err(|error| ConfigError::File {
                path: "config.default.toml".into(),
                reason: one_line(error.message()),
            })?;
        let with_source = |(key, value)| {
            (
                key,
                Setting {
                    value,
                    source: Source::Default,
                },
            )
        };
        Ok(Self {
            settings: flatten(table).into_iter().map(with_source).collect(),
        })
    }

    /// The known keys, in alphabetical order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.keys().map(String::as_str)
    }

    /// Lays all values of a TOML document on top.
    pub(super) fn set_all(&mut self, table: Table, source: &Source) -> Result<(), ConfigError> {
        let values = flatten(table);
        values
            .into_iter()
            .try_for_each(|(key, value)| self.set(&key, value, source.clone()))
    }

    /// Lays a text, as a variable holds it, on top: it is read as the kind of value that the key takes.
    pub(super) fn set_text(
        &mut self,
        key: &str,
        text: &str,
        source: Source,
    ) -> Result<(), ConfigError> {
        let read = self.kind(key, &source).map(|kind| read_as(kind, text))?;
        match read {
            Ok(value) => self.set(key, value, source),
            Err(reason) => Err(bad_value(key, source, reason)),
        }
    }

    /// The settings as the type that the programs use.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(self.nest()).map_err(|error| {
            let key = error.path().to_string();
            let (section_and_key, _) = key.split_once('[').unwrap_or((&key, ""));
            bad_value(
                section_and_key,
                self.source(section_and_key),
                one_line(error.inner().message()),
            )
        })
    }

    /// The error for a value that is not allowed together with others.
    pub(super) fn refuse(&self, refusal: Refusal) -> ConfigError {
        bad_value(
            refusal.key,
            self.source(refusal.key),
            refusal.reason.to_owned(),
        )
    }

    /// The error for a key that does not exist.
    pub(super) fn unknown(&self, key: &str, origin: Source) -> ConfigError {
        let likeness = |known: &str| strsim::normalized_damerau_levenshtein(key, known);
        let nearest = self
            .keys()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let suggestion = nearest
            .filter(|known| likeness(known) >= LIKENESS)
            .map(str::to_owned);
        ConfigError::UnknownKey {
            key: key.to_owned(),
            origin,
            suggestion,
        }
    }

    fn set(&mut self, key: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        let kind = self.kind(key, &source)?;
        if !kind.same_type(&value) {
            return Err(bad_value(
                key,
                source,
                format!("must be {}", describe(kind)),
            ));
        }
        self.settings
            .insert(key.to_owned(), Setting { value, source });
        Ok(())
    }

    /// A value of the kind that the key takes.
    fn kind(&self, key: &str, source: &Source) -> Result<&Value, ConfigError> {
        let setting = self.settings.get(key);
        setting
            .map(|setting| &setting.value)
            .ok_or_else(|| self.unknown(key, source.clone()))
    }

    fn source(&self, key: &str) -> Source {
        self.settings
            .get(key)
            .map_or(Source::Default, |setting| setting.source.clone())
    }

    /// The opposite of [`flatten`].
    fn nest(&self) -> Table {
        let mut root = Table::new();
        for (key, Setting { value, .. }) in &self.settings {
            let Some((section, name)) = key.split_once('.') else {
                root.insert(key.clone(), value.clone());
                continue;
            };
            let table = root
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(table) = table {
                table.insert(name.to_owned(), value.clone());
            }
        }
        root
    }
}

/// The values of a document by `section.key`. A section without any key stands for itself, so that a misspelt
/// and empty one is noticed too.
fn flatten(table: Table) -> Vec<(String, Value)> {
    let of_entry = |(name, value)| match value {
        Value::Table(inner) if !inner.is_empty() => {
            let with_section = |(key, value)| (format!("{name}.{key}"), value);
            inner.into_iter().map(with_section).collect()
        }
        other => vec![(name, other)],
    };
    table.into_iter().flat_map(of_entry).collect()
}

/// Reads the text of a variable as the same kind of value as `kind`.
fn read_as(kind: &Value, text: &str) -> Result<Value, String> {
    let words = || {
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
    };
    match kind {
        Value::Integer(_) => text.parse().map(Value::Integer).ok(),
        Value::Boolean(_) => text.parse().map(Value::Boolean).ok(),
        Value::Array(_) => Some(Value::Array(words().map(Value::from).collect())),
        _ => Some(Value::from(text)),
    }
    .ok_or_else(|| format!("must be {}, not `{text}`", describe(kind)))
}

fn describe(kind: &Value) -> &'static str {
    match kind {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts",
        _ => "a text",
    }
}

fn bad_value(key: &str, origin: Source, reason: String) -> ConfigError {
    ConfigError::BadValue {
        key: key.to_owned(),
        origin,
        reason,
    }
}

/// The message without line breaks.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
