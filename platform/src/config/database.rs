//! Settings of the connections to PostgreSQL.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    value::{as_seconds, postgres_url, seconds, within},
};

/// The section `database`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Where PostgreSQL is, password included.
    #[serde(deserialize_with = "postgres_url", skip_serializing)]
    pub url: SecretString,
    /// Most connections that the program works over, half of them for what only reads. Listening for news takes one or two more.
    #[serde(deserialize_with = "within::<2, 1000, _, _>")]
    pub max_connections: u32,
    /// Longest wait for a free connection (`acquire_timeout_seconds`).
    #[serde(
        rename = "acquire_timeout_seconds",
        deserialize_with = "seconds::<1, 300, _>",
        serialize_with = "as_seconds"
    )]
    pub acquire_timeout: Duration,
    /// Longest time that a statement may take (`statement_timeout_seconds`).
    #[serde(
        rename = "statement_timeout_seconds",
        deserialize_with = "seconds::<1, 3600, _>",
        serialize_with = "as_seconds"
    )]
    pub statement_timeout: Duration,
}

impl Database {
    /// Refuses to go on without a database.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.url.expose_secret() {
            "" => Err(Refusal::new(
                "database.url",
                "must be given, for example in DATABASE_URL",
            )),
            _ => Ok(()),
        }
    }
}
