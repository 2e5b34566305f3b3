//! The manual tells the truth, and the example follows it.

use super::{load, refusal};
use crate::config::{default_toml, env_example, layers::Layers, variables::preferred_name};

/// The keys of the manual, each with its comment.
fn manual() -> Vec<(String, String)> {
    let (mut section, mut comment, mut found) = (String::new(), String::new(), Vec::new());
    for line in default_toml().lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.push((format!("{section}{key}"), std::mem::take(&mut comment)));
        } else {
            comment.clear();
        }
    }
    found
}

#[test]
fn the_manual_explains_every_key() {
    let manual = manual();
    assert_eq!(manual.len(), Layers::defaults().unwrap().keys().count());
    for (key, comment) in manual {
        assert!(comment.trim().ends_with('.'), "{key}: {comment}");
    }
}

#[test]
fn the_ranges_of_the_manual_are_those_that_hold() {
    for (key, value) in default_toml().parse::<toml::Table>().unwrap() {
        for (name, value) in value.as_table().cloned().unwrap_or_default() {
            if value.is_integer() {
                check_range(&format!("{key}.{name}"));
            }
        }
    }
}

/// Both ends of the range that the manual promises are accepted, and what lies beyond them is not.
fn check_range(key: &str) {
    let (_, comment) = manual()
        .into_iter()
        .find(|(known, _)| known == key)
        .unwrap();
    let (_, range) = comment
        .split_once("Range: ")
        .unwrap_or_else(|| panic!("{key} has no range"));
    let (low, high) = range.trim_end_matches('.').split_once(" to ").unwrap();
    let (low, high): (i64, i64) = (low.parse().unwrap(), high.parse().unwrap());
    let variable = preferred_name(key);
    for inside in [low, high] {
        load(&[(&variable, &inside.to_string())]);
    }
    for outside in [low - 1, high + 1] {
        let text = refusal(&[(&variable, &outside.to_string())]);
        assert!(
            text.ends_with(&format!("must be from {low} to {high}, not {outside}")),
            "{text}"
        );
    }
}

#[test]
fn the_example_holds_every_variable_with_its_comment() {
    let example = env_example();
    for (key, comment) in manual() {
        let variable = format!("#{}=", preferred_name(&key));
        let (before, _) = example
            .split_once(&variable)
            .unwrap_or_else(|| panic!("{variable}"));
        let paragraph = before
            .rsplit("\n\n")
            .next()
            .unwrap()
            .replace(['#', '\n'], "");
        assert_eq!(paragraph, comment, "{key}");
    }
}

#[test]
fn the_example_repeats_the_defaults() {
    let example = env_example();
    let assignments = example
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let servers = ["DATABASE_URL", "REDIS_URL"];
    let of_migration = ["DATABASE_OWNER_URL", "DATABASE_APP_ROLE"];
    let given: Vec<_> = assignments
        .filter(|(name, _)| !name.contains(' ') && !servers.contains(name))
        .filter(|(name, _)| !of_migration.contains(name))
        .collect();
    assert_eq!(given.len() + servers.len(), manual().len());
    assert_eq!(format!("{:?}", load(&given)), format!("{:?}", load(&[])));
}
