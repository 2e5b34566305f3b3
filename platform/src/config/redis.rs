//! Settings of the connections to Redis.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    value::{as_seconds, name, redis_url, seconds, within},
};

/// The section `redis`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Where Redis is, password included.
    #[serde(deserialize_with = "redis_url", skip_serializing)]
    pub url: SecretString,
    /// What the names of all keys start with.
    #[serde(deserialize_with = "name")]
    pub key_prefix: String,
    /// Most connections in the pool.
    #[serde(deserialize_with = "within::<1, 1000, _, _>")]
    pub max_connections: u32,
    /// Longest wait for a working connection (`acquire_timeout_seconds`).
    #[serde(
        rename = "acquire_timeout_seconds",
        deserialize_with = "seconds::<1, 60, _>",
        serialize_with = "as_seconds"
    )]
    pub acquire_timeout: Duration,
}

impl Redis {
    /// Refuses to go on without Redis.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.url.expose_secret() {
            "" => Err(Refusal::new(
                "redis.url",
                "must be given, for example in REDIS_URL",
            )),
            _ => Ok(()),
        }
    }
}
