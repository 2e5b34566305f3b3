//! Binds the health pages to what they are about.

use domain::{Domain, replica::Standing};
use platform::{blob::BlobStore, memory::available_percent, presence::Presence, redis::Redis};

use crate::http::{HealthProbes, Probe};

/// With less of its memory available the machine is close to ending programs.
const MEMORY_MIN_PERCENT: u64 = 5;

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

    async fn migrations(&self) -> Probe {
        match self.domain.is_migrated().await {
            Ok(true) => Probe::Healthy,
            Ok(false) | Err(_) => Probe::Unhealthy,
        }
    }

    async fn redis(&self) -> Probe {
        probe(&self.redis.ping().await)
    }

    async fn storage(&self) -> Probe {
        probe(&self.blobs.health().await)
    }

    async fn system(&self) -> Probe {
        match available_percent() {
            Some(percent) if percent < MEMORY_MIN_PERCENT => Probe::Unhealthy,
            Some(_) | None => Probe::Healthy,
        }
    }

    async fn worker(&self) -> Probe {
        match self.presence.count().await {
            Ok(0) | Err(_) => Probe::Unhealthy,
            Ok(_) => Probe::Healthy,
        }
    }

    fn replicas(&self) -> Vec<Standing> {
        self.domain.replicas()
    }
}
