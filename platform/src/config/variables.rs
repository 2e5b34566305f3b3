//! Reads settings from variables of the environment: `GOLDSHOP_SECTION__KEY`, nine plain names, and each of them
//! with `_FILE` at its end for a value that stands in a file.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    error::{ConfigError, Source},
    file::{FILE_VARIABLE, read_secret},
    layers::Layers,
};

/// Names and values of variables.
pub type Env = BTreeMap<String, String>;

/// What the names of our variables start with.
const PREFIX: &str = "GOLDSHOP_";

/// What the name of a variable that names a file ends with.
const FILE_SUFFIX: &str = "_FILE";

/// Names that operators know from elsewhere, and the keys that they stand for.
const PLAIN_NAMES: [(&str, &str); 9] = [
    ("ENVIRONMENT", "environment"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_READ_URLS", "database.read_urls"),
    ("DATABASE_DIRECT_URL", "database.direct_url"),
    ("DATABASE_BACKUP_URL", "backup.database_url"),
    ("DATABASE_SCRATCH_URL", "backup.scratch_url"),
    ("REDIS_URL", "redis.url"),
    ("LOG_LEVEL", "telemetry.level"),
    ("CORS_ORIGINS", "http.cors_origins"),
];

/// Of the variables of a process, those that concern the settings.
pub(super) fn of_variables(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Env, ConfigError> {
    let named = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = named.filter(|(name, _)| concerns_settings(name));
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ConfigError::NotUnicode { name }),
    })
    .collect()
}

/// Lays the variables on top: first the prefixed ones, then the plain ones.
pub(super) fn overlay(layers: &mut Layers, env: &Env) -> Result<(), ConfigError> {
    let prefixed: Vec<_> = layers
        .keys()
        .map(|key| (prefixed_name(key), key.to_owned()))
        .collect();
    refuse_unknown(layers, env, &prefixed)?;
    for (name, key) in &prefixed {
        overlay_one(layers, env, name, key)?;
    }
    let given: Env = env
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(own)
        .collect();
    PLAIN_NAMES
        .iter()
        .try_for_each(|(name, key)| overlay_one(layers, &given, name, key))
}

/// The variable by which people give the key: its plain name, if it has one.
pub(super) fn preferred_name(key: &str) -> String {
    let plain = PLAIN_NAMES.iter().find(|(_, plain_key)| *plain_key == key);
    plain.map_or_else(|| prefixed_name(key), |(name, _)| (*name).to_owned())
}

fn prefixed_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn concerns_settings(name: &str) -> bool {
    let base = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
    name.starts_with(PREFIX) || PLAIN_NAMES.iter().any(|(plain, _)| *plain == base)
}

fn own((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

fn refuse_unknown(
    layers: &Layers,
    env: &Env,
    known: &[(String, String)],
) -> Result<(), ConfigError> {
    let is_known = |name: &str| {
        let base = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
        name == FILE_VARIABLE
            || known
                .iter()
                .any(|(known, _)| known == name || known == base)
    };
    match env
        .keys()
        .find(|name| name.starts_with(PREFIX) && !is_known(name))
    {
        Some(name) => Err(layers.unknown(&key_of(name), Source::Variable(name.clone()))),
        None => Ok(()),
    }
}

/// The key that the writer of an unknown variable may have had in mind.
fn key_of(name: &str) -> String {
    name.trim_start_matches(PREFIX)
        .replace("__", ".")
        .to_lowercase()
}

fn overlay_one(layers: &mut Layers, env: &Env, name: &str, key: &str) -> Result<(), ConfigError> {
    let file_name = format!("{name}{FILE_SUFFIX}");
    match (env.get(name), env.get(&file_name)) {
        (Some(_), Some(_)) => Err(ConfigError::GivenTwice {
            name: name.to_owned(),
        }),
        (Some(text), None) => layers.set_text(key, text, Source::Variable(name.to_owned())),
        (None, Some(path)) => overlay_file(layers, Path::new(path), file_name, key),
        (None, None) => Ok(()),
    }
}

fn overlay_file(
    layers: &mut Layers,
    path: &Path,
    name: String,
    key: &str,
) -> Result<(), ConfigError> {
    match read_secret(path) {
        Ok(text) => layers.set_text(key, &text, Source::Variable(name)),
        Err(error) => Err(ConfigError::SecretFile {
            key: key.to_owned(),
            name,
            path: PathBuf::from(path),
            reason: error.to_string(),
        }),
    }
}
