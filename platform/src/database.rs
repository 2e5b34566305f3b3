//! How the domain is told where its database is.

use secrecy::{ExposeSecret, SecretString};

use crate::config;

/// The domain's settings for the database of this configuration, of which only the primary is read; `application_name` is shown in
/// `pg_stat_activity`.
#[must_use]
pub fn settings(config: &config::Database, application_name: &'static str) -> domain::db::Settings {
    domain::db::Settings {
        url: config.url.expose_secret().to_owned(),
        application_name,
        max_connections: config.max_connections,
        acquire_timeout: config.acquire_timeout,
        statement_timeout: config.statement_timeout,
        transaction_pooling: config.transaction_pooling,
        direct_url: given(&config.direct_url),
        read_urls: Vec::new(),
        replica_lag_max: config.replica_lag_max,
    }
}

/// The same with the replicas, for whoever answers queries.
#[must_use]
pub fn settings_with_replicas(
    config: &config::Database,
    application_name: &'static str,
) -> domain::db::Settings {
    let urls = config.read_urls.iter();
    domain::db::Settings {
        read_urls: urls.map(|url| url.expose_secret().to_owned()).collect(),
        ..settings(config, application_name)
    }
}

fn given(url: &SecretString) -> Option<String> {
    let url = url.expose_secret();
    (!url.is_empty()).then(|| url.to_owned())
}
