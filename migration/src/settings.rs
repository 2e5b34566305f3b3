//! What `migration` reads from its environment.
//!
//! The variables are not those of `api` and `worker`, which stand in the same file on a developer's machine: they log in as another role.

use std::fmt;

/// The application's role, unless `DATABASE_APP_ROLE` names another one. Roles belong to the whole cluster, so it is called after the
/// product, and it is not called as the owner usually is.
pub const APP_ROLE: &str = "goldshop_app";

/// Who migrates what, and for whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database, and the role that owns it: `DATABASE_OWNER_URL`, or a file that `DATABASE_OWNER_URL_FILE` names.
    pub owner_url: String,
    /// The role that `api` and `worker` log in as: `DATABASE_APP_ROLE`.
    pub app_role: String,
}

impl fmt::Debug for Settings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            owner_url: _,
            app_role,
        } = self;
        f.debug_struct("Settings")
            .field("app_role", app_role)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads them from the variables of this process.
    ///
    /// # Errors
    /// Says which variable is missing or cannot be understood.
    pub fn from_environment() -> Result<Self, String> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// A variable that is empty counts as not given.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            owner_url: owner_url(
                given("DATABASE_OWNER_URL"),
                given("DATABASE_OWNER_URL_FILE"),
            )?,
            app_role: given("DATABASE_APP_ROLE").unwrap_or_else(|| APP_ROLE.to_owned()),
        })
    }
}

fn owner_url(url: Option<String>, file: Option<String>) -> Result<String, String> {
    match (url, file) {
        (Some(_), Some(_)) => {
            Err("DATABASE_OWNER_URL and DATABASE_OWNER_URL_FILE are both set".into())
        }
        (Some(url), None) => Ok(url),
        (None, Some(file)) => std::fs::read_to_string(&file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| format!("DATABASE_OWNER_URL_FILE {file}: {error}")),
        (None, None) => Err(
            "neither DATABASE_OWNER_URL nor DATABASE_OWNER_URL_FILE is set: the role that owns the database migrates, not the one in \
             DATABASE_URL"
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{APP_ROLE, Settings};

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_owner_is_given_and_the_application_has_a_usual_name() {
        let settings = read(&[("DATABASE_OWNER_URL", "postgres://owner:hidden@db/shop")]).unwrap();
        assert_eq!(settings.owner_url, "postgres://owner:hidden@db/shop");
        assert_eq!(settings.app_role, APP_ROLE);
        assert!(!format!("{settings:?}").contains("hidden"), "{settings:?}");
    }

    #[test]
    fn the_application_may_be_called_otherwise() {
        let url = ("DATABASE_OWNER_URL", "postgres://owner@db/shop");
        let named = read(&[url, ("DATABASE_APP_ROLE", "till")]).unwrap();
        assert_eq!(named.app_role, "till");
        let empty = read(&[url, ("DATABASE_APP_ROLE", "")]).unwrap();
        assert_eq!(empty.app_role, APP_ROLE);
    }

    #[test]
    fn the_address_of_the_application_is_not_that_of_the_owner() {
        let refused = read(&[("DATABASE_URL", "postgres://app@db/shop")]).unwrap_err();
        assert!(
            refused.contains("DATABASE_OWNER_URL_FILE is set"),
            "{refused}"
        );
    }

    #[test]
    fn the_address_may_stand_in_a_file_but_not_in_both() {
        let missing = ("DATABASE_OWNER_URL_FILE", "/nowhere/to/be/found");
        let refused = read(&[missing]).unwrap_err();
        assert!(refused.contains(missing.1), "{refused}");
        let twice = read(&[missing, ("DATABASE_OWNER_URL", "postgres://owner@db/shop")]);
        assert!(twice.unwrap_err().ends_with("are both set"));
    }
}
