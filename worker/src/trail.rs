//! Seals the trail behind writing, writes checkpoints outside of the database, and makes partitions of months to come.

use std::{path::PathBuf, time::Duration};

use domain::{Domain, Viewer};
use platform::{
    checkpoint::{CheckpointError, SigningKey},
    config,
};
use tokio_util::sync::CancellationToken;

use crate::{looks::Looks, service::StartError};

/// How often it is looked whether anything was written.
const EVERY: Duration = Duration::from_secs(10);
/// Every so many looks, a checkpoint is written, and partitions are made.
const CHECKPOINT: u64 = 6;
const PREPARE: u64 = 360;

/// Where checkpoints go, and what signs them.
#[derive(Debug)]
pub struct Checkpoints {
    key: SigningKey,
    file: PathBuf,
    last: i64,
}

impl Checkpoints {
    /// As the settings say; none where they name no key.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn new(worker: &config::Worker) -> Result<Option<Self>, CheckpointError> {
        let key = worker.checkpoint_key_file.as_path();
        if key.as_os_str().is_empty() || worker.checkpoint_file.as_os_str().is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            key: SigningKey::read(key)?,
            file: worker.checkpoint_file.clone(),
            last: 0,
        }))
    }

    /// All there are up to now; none before the first.
    ///
    /// # Errors
    /// When they cannot be read, or one is not signed.
    pub fn read(&self) -> Result<domain::trail::Checkpoints, CheckpointError> {
        if self.file.exists() {
            self.key.public().checkpoints(&self.file)
        } else {
            Ok(domain::trail::Checkpoints::new())
        }
    }

    /// Writes one, when there are new seals.
    ///
    /// # Errors
    /// When the database fails, or the file cannot be written.
    pub async fn write(&mut self, domain: &Domain, viewer: &Viewer) -> Result<(), StartError> {
        if let Some(sealed) = domain.trail().last_seal(viewer).await?
            && sealed.number > self.last
        {
            self.key.append(&self.file, &sealed)?;
            self.last = sealed.number;
        }
        Ok(())
    }
}

/// Looks until `stop`. What fails is tried again by the next look.
pub async fn run(domain: Domain, mut checkpoints: Option<Checkpoints>, stop: CancellationToken) {
    let viewer = Viewer::system("trail");
    let mut looks = Looks::new(EVERY, stop);
    let mut look = 0_u64;
    while looks.next().await {
        let done = one(&domain, &viewer, &mut checkpoints, look);
        if let Some(Err(error)) = looks.unless_stopped(done).await {
            tracing::warn!(%error, "cannot seal the trail");
        }
        look += 1;
    }
}

async fn one(
    domain: &Domain,
    viewer: &Viewer,
    checkpoints: &mut Option<Checkpoints>,
    look: u64,
) -> Result<(), StartError> {
    if look.is_multiple_of(PREPARE) {
        domain.trail().prepare(viewer).await?;
    }
    domain.trail().seal(viewer).await?;
    match checkpoints {
        Some(checkpoints) if look.is_multiple_of(CHECKPOINT) => {
            checkpoints.write(domain, viewer).await
        }
        _ => Ok(()),
    }
}
