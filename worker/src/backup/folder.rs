//! The folders of backups: one at a time is written, under a name that says that it is not whole.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{BackupError, Manifest, manifest};

/// What the name of a folder begins with that is not whole.
const PARTIAL: &str = ".partial-";
/// The file that whoever writes holds. The kernel lets go of it with the process.
const LOCK: &str = ".lock";

/// Where backups are.
#[derive(Clone, Debug)]
pub struct Folders(PathBuf);

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }

    /// Where they are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Makes sure that nobody else writes, and clears away what somebody has left who died.
    ///
    /// # Errors
    /// [`BackupError::Busy`] when somebody else does; when the folder cannot be made or written.
    pub(super) fn lock(&self) -> Result<Locked, BackupError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        made.map_err(BackupError::at(&self.0))?;
        let path = self.0.join(LOCK);
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(BackupError::at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(self.0.clone())),
            Err(TryLockError::Error(error)) => return Err(BackupError::at(&path)(error)),
        }
        self.sweep()?;
        Ok(Locked {
            root: self.0.clone(),
            _file: file,
        })
    }

    /// Whoever holds the lock is the only one who writes: what is not whole now never will be.
    fn sweep(&self) -> Result<(), BackupError> {
        for name in names(&self.0)?
            .iter()
            .filter(|name| name.starts_with(PARTIAL))
        {
            let path = self.0.join(name);
            tracing::info!(folder = %path.display(), "a backup that was never finished is removed");
            fs::remove_dir_all(&path).map_err(BackupError::at(&path))?;
        }
        Ok(())
    }

    /// Names of those that are whole, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn complete(&self) -> Result<Vec<String>, BackupError> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let mut names = names(&self.0)?;
        names.retain(|name| {
            !name.starts_with('.') && self.0.join(name).join(manifest::FILE).is_file()
        });
        names.sort_unstable();
        Ok(names)
    }

    /// The one with this id, when it is whole.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn find(&self, id: Uuid) -> Result<Option<Manifest>, BackupError> {
        let end = short(id);
        for name in self.complete()?.iter().filter(|name| name.ends_with(&end)) {
            let manifest = Manifest::read(&self.0.join(name))?;
            if manifest.id == id {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    /// Where the backup of this name is: in the folder of backups, or wherever else a path leads.
    #[must_use]
    pub fn path(&self, name: &Path) -> PathBuf {
        let inside = self.0.join(name);
        if name.components().count() == 1 && inside.is_dir() {
            inside
        } else {
            name.to_owned()
        }
    }
}

fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let read = || {
        let entries = fs::read_dir(folder)?;
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()
    };
    read().map_err(BackupError::at(folder))
}

/// What tells folders of the same second apart: an id's end, for its beginning is the time.
fn short(id: Uuid) -> String {
    let hex = id.simple().to_string();
    hex.get(24..).unwrap_or_default().to_owned()
}

/// The right to write, until it is dropped.
pub(super) struct Locked {
    root: PathBuf,
    _file: File,
}

impl Locked {
    /// Begins a backup.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub(super) fn begin(&self, id: Uuid, at: DateTime<Utc>) -> Result<Partial, BackupError> {
        // In letters that every store takes.
        let name = format!("{}-{}", at.format("%Y%m%d-%H%M%S"), short(id));
        let path = self.root.join(format!("{PARTIAL}{name}"));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(BackupError::at(&path))?;
        Ok(Partial {
            root: self.root.clone(),
            path,
            name,
            is_whole: false,
        })
    }
}

impl Locked {
    /// Removes whole backups that were begun before this time, but never the last one, nor one that another one that stays needs. Tells which.
    ///
    /// # Errors
    /// When one cannot be read, or removed.
    pub(super) fn retire(
        &self,
        folders: &Folders,
        before: DateTime<Utc>,
    ) -> Result<Vec<String>, BackupError> {
        let mut manifests = Vec::new();
        for name in folders.complete()? {
            manifests.push(Manifest::read(&self.root.join(name))?);
        }
        let last = manifests.last().map(|manifest| manifest.name.clone());
        let mut needed: Vec<String> = Vec::new();
        let mut removed = Vec::new();
        // Newest first: parents are older than their children.
        for manifest in manifests.into_iter().rev() {
            let stays = manifest.created_at >= before
                || Some(&manifest.name) == last.as_ref()
                || needed.contains(&manifest.name);
            if stays {
                needed.extend(manifest.parent);
            } else {
                removed.push(manifest.name);
            }
        }
        // Oldest last, so that what is left when this is interrupted has its parents. Under another name it is not whole any more.
        for name in &removed {
            let away = self.root.join(format!("{PARTIAL}{name}"));
            let gone =
                fs::rename(self.root.join(name), &away).and_then(|()| fs::remove_dir_all(&away));
            gone.map_err(BackupError::at(&away))?;
        }
        Ok(removed)
    }
}

/// A backup that is not whole. Its folder goes when this is dropped.
#[derive(Debug)]
pub(super) struct Partial {
    root: PathBuf,
    path: PathBuf,
    name: String,
    is_whole: bool,
}

impl Partial {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes it whole: the manifest, and then its name. All of it is on the disk before anybody can see it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<PathBuf, BackupError> {
        let whole = self.root.join(&self.name);
        let write = || {
            let mut text = serde_json::to_vec_pretty(manifest)?;
            text.push(b'\n');
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(self.path.join(manifest::FILE))?;
            file.write_all(&text)?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, &whole)?;
            File::open(&self.root)?.sync_all()
        };
        write().map_err(BackupError::of("manifest.json"))?;
        self.is_whole = true;
        Ok(whole)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_whole
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), %error, "cannot be removed; the next backup tries again");
        }
    }
}
