//! How the domain is told where its database is.

use secrecy::ExposeSecret;

use crate::config;

/// The domain's settings for the database of this configuration; `application_name` is shown in `pg_stat_activity`.
#[must_use]
pub fn settings(config: &config::Database, application_name: &'static str) -> domain::db::Settings {
    domain::db::Settings {
        url: config.url.expose_secret().to_owned(),
        application_name,
        max_connections: config.max_connections,
        acquire_timeout: config.acquire_timeout,
        statement_timeout: config.statement_timeout,
    }
}
