//! Settings of logins and sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    value::{as_days, as_hours, as_seconds, days, hours, name, seconds, within},
};

/// The section `auth`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// A session ends after so long without a request (`session_idle_hours`).
    #[serde(
        rename = "session_idle_hours",
        deserialize_with = "hours::<1, 720, _>",
        serialize_with = "as_hours"
    )]
    pub session_idle: Duration,
    /// A session ends so long after the login (`session_max_days`).
    #[serde(
        rename = "session_max_days",
        deserialize_with = "days::<1, 365, _>",
        serialize_with = "as_days"
    )]
    pub session_max: Duration,
    /// Name of the session cookie.
    #[serde(deserialize_with = "name")]
    pub cookie_name: String,
    /// Failed logins that one address may make for one login name within the window.
    #[serde(deserialize_with = "within::<1, 1000, _, _>")]
    pub login_attempts: u32,
    /// Length of that window (`login_window_seconds`).
    #[serde(
        rename = "login_window_seconds",
        deserialize_with = "seconds::<1, 86_400, _>",
        serialize_with = "as_seconds"
    )]
    pub login_window: Duration,
    /// How long what was read about a credential may be believed (`credential_cache_seconds`).
    #[serde(
        rename = "credential_cache_seconds",
        deserialize_with = "seconds::<0, 60, _>",
        serialize_with = "as_seconds"
    )]
    pub credential_cache: Duration,
    /// Fewest characters of a new password.
    #[serde(deserialize_with = "within::<8, 128, _, _>")]
    pub password_min_length: usize,
}

impl Auth {
    /// Refuses an idle time that could never be reached.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.session_idle > self.session_max {
            return Err(Refusal::new(
                "auth.session_idle_hours",
                "must not exceed auth.session_max_days",
            ));
        }
        Ok(())
    }
}
