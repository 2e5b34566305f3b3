//! Settings of metrics.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::value::optional_socket_address;
use crate::metrics::Trusted;

/// The section `metrics`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Whose requests for `/api/metrics` are answered.
    pub networks: Trusted,
    /// Where the API server tells of metrics beside `/api/metrics`, to anybody; nowhere without.
    #[serde(deserialize_with = "optional_socket_address")]
    pub api_address: Option<SocketAddr>,
    /// Where the worker tells of its metrics, to anybody; nowhere without.
    #[serde(deserialize_with = "optional_socket_address")]
    pub worker_address: Option<SocketAddr>,
}
