//! Backups of everything: the database, Redis, files and settings ([ADR 29](../../docs/adr/0029-backups.md)).
//!
//! A backup is a folder. It is written under a name that begins with `.partial-` and renamed when all of it is on the disk, the manifest last: what is
//! called otherwise is whole. Everything is streamed, by threads that may block, so that memory stays flat and the worker's other jobs go on.

pub mod address;
pub mod copies;
mod create;
mod database;
mod error;
pub mod folder;
pub mod list;
mod manifest;
mod part;
mod program;
mod progress;
mod redis;
mod restore;
mod rows;
mod uploads;
mod verify;

use std::path::Path;

use platform::{
    blob::BlobStore,
    config::{self, Config, SecretString},
};

pub use create::{Outcome, Request, create};
pub use error::BackupError;
pub use folder::Folders;
pub use manifest::Manifest;
pub use progress::Progress;
pub use restore::{Restored, What, restore};
pub use verify::verify;

use program::Programs;

/// What backups are made of, and where they go.
#[derive(Debug)]
pub struct Setup {
    settings: config::Backup,
    redis_url: SecretString,
    redis_prefix: String,
    blobs: BlobStore,
    /// The settings without secrets, as JSON.
    configuration: Vec<u8>,
    programs: Programs,
}

impl Setup {
    /// As the settings say, with files in this store.
    ///
    /// # Errors
    /// Never, unless the settings cannot be written down.
    pub fn new(config: &Config, blobs: BlobStore) -> Result<Self, BackupError> {
        let mut configuration =
            serde_json::to_vec_pretty(config).map_err(BackupError::of("configuration"))?;
        configuration.push(b'\n');
        Ok(Self {
            programs: Programs::new(&config.backup.programs),
            settings: config.backup.clone(),
            redis_url: config.redis.url.clone(),
            redis_prefix: config.redis.key_prefix.clone(),
            blobs,
            configuration,
        })
    }

    /// Where backups are.
    #[must_use]
    pub fn folders(&self) -> Folders {
        Folders::new(&self.settings.directory)
    }

    /// The file with the key that encrypted backups are read with; none where none is named.
    fn identity(&self) -> Option<&Path> {
        let path = self.settings.identity_file.as_path();
        (!path.as_os_str().is_empty()).then_some(path)
    }
}
