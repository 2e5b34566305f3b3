//! Settings of the connections to PostgreSQL.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    value::{as_seconds, postgres_url, postgres_urls, seconds, within},
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
    /// Replicas that queries may be read from; none where there are none.
    #[serde(deserialize_with = "postgres_urls", skip_serializing)]
    pub read_urls: Vec<SecretString>,
    /// How old the oldest write may be that a replica lacks (`replica_lag_max_seconds`).
    #[serde(
        rename = "replica_lag_max_seconds",
        deserialize_with = "seconds::<1, 300, _>",
        serialize_with = "as_seconds"
    )]
    pub replica_lag_max: Duration,
    /// Whether a pooler stands in front that gives a connection away after each transaction.
    pub transaction_pooling: bool,
    /// Where PostgreSQL itself is; empty when `url` says that.
    #[serde(deserialize_with = "postgres_url", skip_serializing)]
    pub direct_url: SecretString,
}

impl Database {
    /// Refuses to go on without a database, or behind a pooler that lets nobody listen.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.url.expose_secret().is_empty() {
            return Err(Refusal::new(
                "database.url",
                "must be given, for example in DATABASE_URL",
            ));
        }
        if self.transaction_pooling && self.direct_url.expose_secret().is_empty() {
            return Err(Refusal::new(
                "database.direct_url",
                "must be given where database.transaction_pooling is true, for example in DATABASE_DIRECT_URL",
            ));
        }
        Ok(())
    }
}
