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
        self.lock_beside(&[])
    }

    /// The same, but what there is of backups with these names stays, for whoever goes on with it.
    ///
    /// # Errors
    /// As [`Folders::lock`].
    pub(super) fn lock_beside(&self, names: &[&str]) -> Result<Locked, BackupError> {
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
        self.sweep(names)?;
        Ok(Locked {
            root: self.0.clone(),
            _file: file,
        })
    }

    /// Whoever holds the lock is the only one who writes: what is not whole now never will be.
    fn sweep(&self, kept: &[&str]) -> Result<(), BackupError> {
        let goes = |name: &&String| {
            let begun = name.strip_prefix(PARTIAL);
            begun.is_some_and(|begun| !kept.contains(&begun))
        };
        for name in names(&self.0)?.iter().filter(goes) {
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

/// Whether a backup may be called so: by the time it was begun, and the end of its id.
pub(super) fn is_name(text: &str) -> bool {
    let mut words = text.split('-');
    let mut is = |length: Option<usize>, radix: u32| {
        words.next().is_some_and(|word| {
            length.is_none_or(|length| word.len() == length)
                && !word.is_empty()
                && word.chars().all(|c| c.is_digit(radix))
        })
    };
    is(Some(8), 10) && is(Some(6), 10) && is(None, 16) && words.next().is_none()
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
        Ok(self.partial(path, name))
    }

    /// Begins with a backup that was made elsewhere, or goes on with what there is of it.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub(super) fn resume(&self, name: &str) -> Result<Partial, BackupError> {
        let path = self.root.join(format!("{PARTIAL}{name}"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(BackupError::at(&path))?;
        Ok(self.partial(path, name.to_owned()))
    }

    fn partial(&self, path: PathBuf, name: String) -> Partial {
        Partial {
            root: self.root.clone(),
            path,
            name,
            stays: false,
        }
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

/// A backup that is not whole. Its folder goes when this is dropped, unless it is to stay.
#[derive(Debug)]
pub(super) struct Partial {
    root: PathBuf,
    path: PathBuf,
    name: String,
    stays: bool,
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
    pub(super) fn finish(self, manifest: &Manifest) -> Result<PathBuf, BackupError> {
        let text = serde_json::to_vec_pretty(manifest);
        let mut text = text.map_err(BackupError::of(manifest::FILE))?;
        text.push(b'\n');
        self.finish_with(&text)
    }

    /// The same, with a manifest that somebody else has written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish_with(mut self, manifest: &[u8]) -> Result<PathBuf, BackupError> {
        let whole = self.root.join(&self.name);
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(self.path.join(manifest::FILE))?;
            file.write_all(manifest)?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, &whole)?;
            File::open(&self.root)?.sync_all()
        };
        write().map_err(BackupError::of(manifest::FILE))?;
        self.stays = true;
        Ok(whole)
    }
}

impl Partial {
    /// Leaves what there is, for somebody who goes on with it.
    pub(super) fn leave(mut self) {
        self.stays = true;
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.stays
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), %error, "cannot be removed; the next backup tries again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_name, short};

    #[test]
    fn names_of_backups_are_told_from_others() {
        let id = short(uuid::Uuid::max());
        assert!(is_name(&format!("20261128-020000-{id}")));
        for other in [
            "",
            "health",
            "20261128-020000",
            "20261128-020000-",
            "20261128-020000-xyz",
            "20261128-020000-1a-2b",
            "2026112-020000-1a",
            "../../20261128-020000-1a",
            "20261128-020000-1a/..",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
