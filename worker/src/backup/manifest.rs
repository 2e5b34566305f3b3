//! What a backup says of itself: written last, so that what has one is whole.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use domain::backup::{
    Part,
    facts::{Facts, Server},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BackupError, part, uploads::Files};

/// What the file is called.
pub(super) const FILE: &str = "manifest.json";
/// How manifests are written at present.
const FORMAT: u32 = 1;
/// Longest manifest that is read, in bytes.
pub(super) const SIZE_MAX: u64 = 16 * 1024 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// Which backup.
    pub id: Uuid,
    /// What its folder is called.
    pub name: String,
    /// When it was begun: the database is as it was a moment after that.
    pub created_at: DateTime<Utc>,
    /// When it was complete.
    pub finished_at: DateTime<Utc>,
    /// Versions of what made it: goldshop, `pg_dump`, Redis.
    pub versions: BTreeMap<String, String>,
    /// The server that the database was on.
    pub server: Server,
    /// The backup that has the files which this one leaves out; none of a full one.
    pub parent: Option<String>,
    /// Its files.
    pub parts: Vec<Part>,
    /// What was counted in the moment that the dump is of.
    pub facts: Facts,
    /// Files of people.
    pub files: Files,
}

/// What a manifest is made of.
pub(super) struct Content {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) finished_at: DateTime<Utc>,
    pub(super) versions: BTreeMap<String, String>,
    pub(super) server: Server,
    pub(super) parent: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) facts: Facts,
    pub(super) files: Files,
}

impl Manifest {
    pub(super) fn new(content: Content) -> Self {
        let Content {
            id,
            name,
            created_at,
            finished_at,
            versions,
            server,
            parent,
            parts,
            facts,
            files,
        } = content;
        Self {
            format: FORMAT,
            id,
            name,
            created_at,
            finished_at,
            versions,
            server,
            parent,
            parts,
            facts,
            files,
        }
    }

    /// Reads the one in this folder.
    ///
    /// # Errors
    /// When there is none, or it is none.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(FILE);
        let length = path.metadata().map_err(BackupError::at(&path))?.len();
        if length > SIZE_MAX {
            return Err(BackupError::about(
                path.display().to_string(),
                "is too long to be a manifest",
            ));
        }
        let text = std::fs::read(&path).map_err(BackupError::at(&path))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads one that was found at this place.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse(text: &[u8], place: &str) -> Result<Self, BackupError> {
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| BackupError::about(place, error))?;
        if manifest.format != FORMAT {
            let what = format!(
                "is of format {}, and this program knows {FORMAT}",
                manifest.format
            );
            return Err(BackupError::about(place, what));
        }
        for one in &manifest.parts {
            part::path_of(Path::new(""), one)?;
        }
        Ok(manifest)
    }

    /// The part of this name.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn part(&self, part: &str) -> Result<&Part, BackupError> {
        let found = self.parts.iter().find(|one| one.part == part);
        found.ok_or_else(|| BackupError::about(FILE, format!("names no part {part}")))
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }
}
