//! The reference manual of the settings, and the example of an environment file that is generated from it.

use super::variables::preferred_name;

const MANUAL: &str = include_str!("../../config.default.toml");

const EXAMPLE_HEAD: &str = "\
# Example of an environment file, generated from platform/config.default.toml; do not edit it by hand.
# Copy it to .env and remove the # in front of what you want to change: the values below are the defaults.
# Each variable may instead end in _FILE and name a file that holds the value, as Docker secrets do.
";

/// What `migration` reads. It is no setting of `api` and `worker`: they never log in as the owner.
const EXAMPLE_TAIL: &str = "
# Whoever migrates the database, and owns it: postgres://user:password@host:port/database. Read by migration alone, for
# which it must be given; api and worker must not know it. A secret.
#DATABASE_OWNER_URL=

# The role in DATABASE_URL, to which migration grants what api and worker need. It must be there, and own nothing.
# A name, which cannot stand in a file.
#DATABASE_APP_ROLE=goldshop_app
";

/// The embedded defaults: every key with its meaning, unit and range.
#[must_use]
pub fn default_toml() -> &'static str {
    MANUAL
}

/// The text of `.env.example`: every variable with its comment and its default.
#[must_use]
pub fn env_example() -> String {
    let mut section = String::new();
    let mut text = EXAMPLE_HEAD.to_owned();
    for line in settings_of_manual() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#'))
        {
            let name = preferred_name(&format!("{section}{key}"));
            text.push_str(&format!("#{name}={}\n", plain(value)));
        } else {
            text.push_str(&format!("{line}\n"));
        }
    }
    text.push_str(EXAMPLE_TAIL);
    text
}

/// The lines of the manual below its introduction, which ends with the first empty line after the first list.
fn settings_of_manual() -> impl Iterator<Item = &'static str> {
    MANUAL.lines().skip_while(|line| !line.is_empty())
}

/// A TOML value as a variable holds it.
fn plain(value: &str) -> String {
    value
        .trim_matches(|c| matches!(c, '[' | ']' | '"'))
        .replace("\", \"", ",")
}
