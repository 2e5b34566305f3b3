//! Binds the health pages to what they are about.

use domain::Domain;
use platform::{blob::BlobStore, presence::Presence, redis::Redis};

use crate::http::{HealthProbes, Probe};

/// What the server needs, to be asked whether it answers.
#[derive(Clone)]
pub struct Probes {
    domain: Domain,
    redis: Redis,
    blobs: BlobStore,
    presence: Presence,
}

impl Probes {
    /// Probes of these.
    #[must_use]
    pub fn new(domain: Domain, redis: Redis, blobs: BlobStore, presence: Presence) -> Self {
        Self {
            domain,
            redis,
            blobs,
            presence,
        }
    }
}

fn probe<T, E>(result: &Result<T, E>) -> Probe {
    if result.is_ok() {
        Probe::Healthy
    } else {
        Probe::Unhealthy
    }
}

impl HealthProbes for Probes {
    async fn database(&self) -> Probe {
        probe(&self.domain.ping().await)
    }

    async fn redis(&self) -> Probe {
        probe(&self.redis.ping().await)
    }

    async fn storage(&self) -> Probe {
        probe(&self.blobs.health().await)
    }

    async fn worker(&self) -> Probe {
        match self.presence.count().await {
            Ok(0) | Err(_) => Probe::Unhealthy,
            Ok(_) => Probe::Healthy,
        }
    }
}
