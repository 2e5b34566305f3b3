//! Settings are read from variables and files that each test makes up; no test changes the process's own.

mod complaints;
mod manual;
mod sources;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Config, Env};

/// The variables, together with those that must always be given.
fn env(variables: &[(&str, &str)]) -> Env {
    let needed = [
        ("DATABASE_URL", "postgres://me:hidden@db/shop"),
        ("REDIS_URL", "redis://:hidden@cache/0"),
    ];
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    needed.iter().chain(variables).map(own).collect()
}

fn load(variables: &[(&str, &str)]) -> Config {
    Config::load_from(&env(variables), None).unwrap()
}

/// The one line with which the variables are refused.
fn refusal(variables: &[(&str, &str)]) -> String {
    refusal_of(&env(variables), None)
}

fn refusal_of(env: &Env, file: Option<&Path>) -> String {
    let text = Config::load_from(env, file)
        .expect_err("this must be refused")
        .to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("hidden"), "{text}");
    text
}

/// Writes a file into the folder.
fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}
