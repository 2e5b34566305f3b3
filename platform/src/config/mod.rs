//! The settings of the programs: read in layers, checked once at the start, then plain typed values.
//!
//! The reference manual of every key is [`default_toml`]; how the layers follow each other is told at its top.
//! A key that nobody knows, a value that does not fit, a secret or a file that cannot be read is a
//! [`ConfigError`], whose text is one line that names the key and where it was given.

mod auth;
mod backup;
mod blob;
mod database;
mod environment;
mod error;
mod file;
mod graphql;
mod http;
mod image;
mod import;
mod layers;
mod manual;
mod metrics;
mod redis;
mod telemetry;
mod value;
mod variables;
mod worker;

use std::path::Path;

pub use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use self::{
    auth::Auth,
    backup::Backup,
    blob::{Blob, BlobKind},
    database::Database,
    environment::Environment,
    error::{ConfigError, Source},
    graphql::Graphql,
    http::Http,
    image::Image,
    import::Import,
    manual::{default_toml, env_example},
    metrics::Metrics,
    redis::Redis,
    telemetry::{LogFormat, Telemetry},
    variables::Env,
    worker::Worker,
};
use self::{error::Refusal, layers::Layers};

/// All settings. Secrets are redacted in its `Debug` output, and are none of what is serialised: a secret of a type of its own cannot be, so whoever
/// adds one has to leave it out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the programs run.
    pub environment: Environment,
    /// The HTTP server.
    pub http: Http,
    /// Limits on GraphQL requests.
    pub graphql: Graphql,
    /// Connections to PostgreSQL.
    pub database: Database,
    /// Connections to Redis.
    pub redis: Redis,
    /// The store for pictures and files.
    pub blob: Blob,
    /// Logins and sessions.
    pub auth: Auth,
    /// Limits on uploaded pictures.
    pub image: Image,
    /// Limits on files that are imported.
    pub import: Import,
    /// The job worker.
    pub worker: Worker,
    /// Backups.
    pub backup: Backup,
    /// Metrics.
    pub metrics: Metrics,
    /// The log.
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads the settings of this process: its environment, and the file that `GOLDSHOP_CONFIG` names or else
    /// `goldshop.toml` in the working directory.
    ///
    /// # Errors
    /// The first setting that is unknown, unreadable or not allowed.
    pub fn load() -> Result<Self, ConfigError> {
        let env = variables::of_variables(std::env::vars_os())?;
        let file = file::choose(&env, Path::new("."))?;
        Self::load_from(&env, file.as_deref())
    }

    /// Reads the settings from the given variables and file alone.
    ///
    /// # Errors
    /// The first setting that is unknown, unreadable or not allowed.
    pub fn load_from(env: &Env, file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults()?;
        if let Some(path) = file {
            file::overlay(&mut layers, path)?;
        }
        variables::overlay(&mut layers, env)?;
        let config: Self = layers.parse()?;
        config.check().map_err(|refusal| layers.refuse(refusal))?;
        Ok(config)
    }

    /// The rules that concern more than one key.
    fn check(&self) -> Result<(), Refusal> {
        self.http.check(self.environment)?;
        self.database.check()?;
        self.redis.check()?;
        self.blob.check()?;
        self.auth.check()?;
        self.backup.check()
    }
}

#[cfg(test)]
mod tests;
