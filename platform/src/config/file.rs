//! Reads files: the optional configuration file, and the files that hold a secret. Both are bounded in size.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use toml::Table;

use super::{
    error::{ConfigError, Source},
    layers::{Layers, one_line},
    variables::Env,
};

/// Largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// The variable that names the configuration file.
pub(super) const FILE_VARIABLE: &str = "GOLDSHOP_CONFIG";

/// The configuration file to use: the one that `GOLDSHOP_CONFIG` names, or `goldshop.toml` in `folder`, or none.
pub(super) fn choose(env: &Env, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(named) = env.get(FILE_VARIABLE).filter(|name| !name.is_empty()) {
        return Ok(Some(named.into()));
    }
    let path = folder.join("goldshop.toml");
    match path.try_exists() {
        Ok(exists) => Ok(exists.then_some(path)),
        Err(error) => Err(ConfigError::File {
            path,
            reason: error.to_string(),
        }),
    }
}

/// Lays the values of the file on top.
pub(super) fn overlay(layers: &mut Layers, path: &Path) -> Result<(), ConfigError> {
    let broken = |reason| ConfigError::File {
        path: path.to_owned(),
        reason,
    };
    let text = read_bounded(path).map_err(|error| broken(error.to_string()))?;
    let table = text
        .parse::<Table>()
        .map_err(|error| broken(describe(&text, &error)))?;
    layers.set_all(table, &Source::File(path.to_owned()))
}

/// The value in a secret's file, without the newline at its end.
pub(super) fn read_secret(path: &Path) -> io::Result<String> {
    let text = read_bounded(path)?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(SIZE_LIMIT + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(io::Error::other(format!(
            "is larger than {SIZE_LIMIT} bytes"
        )));
    }
    Ok(text)
}

/// What is wrong and in which line, but not the line itself, which may hold a secret.
fn describe(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text
        .bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    format!("line {line}: {}", one_line(error.message()))
}
