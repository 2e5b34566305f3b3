//! Settings of the HTTP server.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{
    Environment, Refusal,
    value::{as_seconds, origins, seconds, socket_address, web_url, within},
};

/// The section `http`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where the server listens; port 0 takes a free one.
    #[serde(deserialize_with = "socket_address")]
    pub address: SocketAddr,
    /// The address under which people and devices reach the server.
    #[serde(deserialize_with = "web_url")]
    pub public_url: Url,
    /// Origins (`scheme://host[:port]`) whose pages may call the API, or `*`.
    #[serde(deserialize_with = "origins")]
    pub cors_origins: Vec<String>,
    /// How many entries of `X-Forwarded-For`, counted from the right, come from our own proxies.
    #[serde(deserialize_with = "within::<0, 10, _, _>")]
    pub trusted_proxy_hops: usize,
    /// Longest time that a request other than a subscription may take (`request_timeout_seconds`).
    #[serde(
        rename = "request_timeout_seconds",
        deserialize_with = "seconds::<1, 3600, _>",
        serialize_with = "as_seconds"
    )]
    pub request_timeout: Duration,
    /// Largest body of a request that is no upload, in bytes.
    #[serde(deserialize_with = "within::<1024, 104_857_600, _, _>")]
    pub body_limit_bytes: usize,
    /// Largest upload request, all its files together, in bytes.
    #[serde(deserialize_with = "within::<1024, 1_073_741_824, _, _>")]
    pub upload_limit_bytes: usize,
    /// Whether the playground is served.
    pub playground: bool,
    /// Whether clients may ask for the schema.
    pub introspection: bool,
}

impl Http {
    /// Refuses what would expose people in production.
    pub(super) fn check(&self, environment: Environment) -> Result<(), Refusal> {
        if environment != Environment::Production {
            return Ok(());
        }
        if self.cors_origins.iter().any(|origin| origin == "*") {
            return Err(Refusal::new(
                "http.cors_origins",
                "must name the origins in production, not *",
            ));
        }
        if self.public_url.scheme() != "https" && !is_this_machine(&self.public_url) {
            return Err(Refusal::new(
                "http.public_url",
                "must be an https URL in production",
            ));
        }
        Ok(())
    }
}

/// Browsers treat the machine itself as safe without TLS, so that a production image can be tried out at home.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
