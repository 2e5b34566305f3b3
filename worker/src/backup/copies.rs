//! Copies of backups in another store, and getting them back. The manifest comes last: without one a copy is not whole.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use domain::{backup::Part, trail::hex};
use futures_util::TryStreamExt as _;
use platform::blob::{BlobError, BlobKey, BlobStore};
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    BackupError, Manifest, Setup,
    folder::{Partial, is_name},
    list::{Found, fault},
    manifest,
    part::{self, length_differs},
    program::pump,
    restore::check_parent,
};

/// How much is asked for at once, in bytes: no request takes longer than that, and what is interrupted goes on from there.
const FETCHED: u64 = 8 << 20;

/// Copies a backup, where the settings say so; tells whether they do. A copy that is whole already stays as it is.
///
/// # Errors
/// When the store cannot be reached, or does not take it.
pub(super) async fn put(
    setup: &Setup,
    folder: &Path,
    content: &Manifest,
) -> Result<bool, BackupError> {
    let Some(store) = setup.settings.copies().map_err(BackupError::of("copy"))? else {
        return Ok(false);
    };
    let copied = copy(&store, folder, content).await;
    copied.map_err(|error| {
        BackupError::about(
            format!("{} is complete, but not copied", content.name),
            error,
        )
    })?;
    Ok(true)
}

async fn copy(store: &BlobStore, folder: &Path, content: &Manifest) -> Result<(), BackupError> {
    let last = key(&content.name, manifest::FILE)?;
    if store.exists(&last).await.map_err(BackupError::of("copy"))? {
        return Ok(());
    }
    for part in &content.parts {
        let key = key(&content.name, &part.file)?;
        store
            .put_file(&key, &folder.join(&part.file))
            .await
            .map_err(BackupError::of("copy"))?;
    }
    store
        .put_file(&last, &folder.join(manifest::FILE))
        .await
        .map_err(BackupError::of("copy"))?;
    Ok(())
}

fn key(name: &str, file: &str) -> Result<BlobKey, BackupError> {
    format!("{name}/{file}")
        .parse()
        .map_err(BackupError::of("copy"))
}

/// The store that copies are in.
fn store(setup: &Setup) -> Result<BlobStore, BackupError> {
    let store = setup.settings.copies().map_err(BackupError::of("copy"))?;
    store.ok_or_else(|| {
        let why = "backup.copy_bucket must be given, for example in GOLDSHOP_BACKUP__COPY_BUCKET: the bucket that has the copies";
        BackupError::Refused(why.to_owned())
    })
}

/// All copies that the store has, oldest first, also those that are not whole.
///
/// # Errors
/// [`BackupError::Refused`] when no store is named; when it cannot be reached.
pub async fn list(setup: &Setup) -> Result<Vec<Found>, BackupError> {
    let store = store(setup)?;
    let mut copies: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut listed = store.list();
    while let Some(object) = listed.try_next().await.map_err(BackupError::of("copy"))? {
        if let Some((name, file)) = object.key.as_str().split_once('/')
            && is_name(name)
        {
            let files = copies.entry(name.to_owned()).or_default();
            files.insert(file.to_owned(), object.bytes);
        }
    }
    let mut found = Vec::new();
    for (name, files) in copies {
        let length = |file: &str| files.get(file).copied();
        let read = match length(manifest::FILE) {
            Some(_) => Copied::read(&store, &name).await,
            None => Err(BackupError::about(manifest::FILE, "is missing")),
        };
        found.push(match read {
            Ok(Copied { manifest, .. }) => Found {
                fault: fault(&manifest, length),
                manifest: Some(manifest),
                name,
            },
            Err(error) => Found {
                name,
                manifest: None,
                fault: Some(error.to_string()),
            },
        });
    }
    Ok(found)
}

/// A backup as the store has it.
struct Copied {
    manifest: Manifest,
    /// Its manifest as it was written.
    text: Bytes,
}

impl Copied {
    async fn read(store: &BlobStore, name: &str) -> Result<Self, BackupError> {
        let key = key(name, manifest::FILE)?;
        let read = store.read_limited(&key, manifest::SIZE_MAX).await;
        let text = read.map_err(|error| match error {
            BlobError::NotFound(_) => BackupError::about(name, "the store has no such backup"),
            BlobError::TooLarge { .. } => {
                BackupError::about(key.as_str(), "is too long to be a manifest")
            }
            error => BackupError::about("copy", error),
        })?;
        let manifest = Manifest::parse(&text, key.as_str())?;
        if manifest.name != name {
            let what = format!("says that it is of {:?}", manifest.name);
            return Err(BackupError::about(key.as_str(), what));
        }
        Ok(Self { manifest, text })
    }

    /// Whether all its files are there, before anything is fetched.
    async fn look(&self, store: &BlobStore) -> Result<(), BackupError> {
        let name = &self.manifest.name;
        for part in &self.manifest.parts {
            let length = match store.length(&key(name, &part.file)?).await {
                Ok(length) => Some(length),
                Err(BlobError::NotFound(_)) => None,
                Err(error) => return Err(BackupError::about("copy", error)),
            };
            if let Some(wrong) = length_differs(part, length) {
                return Err(BackupError::about(name, wrong));
            }
        }
        Ok(())
    }
}

/// A backup and its parents, oldest first.
async fn lineage(store: &BlobStore, name: &str) -> Result<Vec<Copied>, BackupError> {
    let mut found: Vec<Copied> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let copied = Copied::read(store, &name).await?;
        next = copied.manifest.parent.clone();
        found.push(copied);
        if let Some(parent) = &next {
            check_parent(parent, found.iter().map(|copied| &copied.manifest))?;
        }
    }
    found.reverse();
    Ok(found)
}

/// Fetches a backup with its parents into the folder of backups, where they are like those that were made there. One that is there already is
/// not fetched again. Each has its name when all of it is on the disk and is what its manifest says.
///
/// # Errors
/// [`BackupError::Refused`] when no store is named, or another backup of this name is here; [`BackupError::Busy`] when a backup is being made; when the
/// store has no such backup, or cannot be reached; when a file is not what it was.
pub async fn fetch(setup: &Setup, name: &str) -> Result<PathBuf, BackupError> {
    if !is_name(name) {
        return Err(BackupError::Refused(format!(
            "{name:?} is no name of a backup"
        )));
    }
    let store = store(setup)?;
    let lineage = lineage(&store, name).await?;
    for copied in &lineage {
        copied.look(&store).await?;
    }
    let folders = setup.folders();
    let names: Vec<_> = lineage
        .iter()
        .map(|copied| copied.manifest.name.as_str())
        .collect();
    let locked = folders.lock_beside(&names)?;
    for copied in &lineage {
        if !is_here(&folders.root().join(&copied.manifest.name), copied)? {
            let partial = locked.resume(&copied.manifest.name)?;
            bring(&store, copied, partial).await?;
        }
    }
    Ok(folders.root().join(name))
}

/// Whether the same backup is here already.
fn is_here(folder: &Path, copied: &Copied) -> Result<bool, BackupError> {
    let path = folder.join(manifest::FILE);
    match std::fs::read(&path) {
        Ok(text) if text == copied.text => Ok(true),
        Ok(_) => Err(BackupError::Refused(format!(
            "{} is another backup than the one that the store has: move it away",
            folder.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(BackupError::at(&path)(error)),
    }
}

/// Why a part is not here.
enum Broken {
    /// The store does not answer: another time it goes on from here.
    Away(BlobError),
    /// It is not what it was, or cannot be written.
    Wrong(BackupError),
}

impl From<BackupError> for Broken {
    fn from(error: BackupError) -> Self {
        Self::Wrong(error)
    }
}

async fn bring(store: &BlobStore, copied: &Copied, partial: Partial) -> Result<(), BackupError> {
    let Manifest { name, parts, .. } = copied.manifest.clone();
    let fetching = Fetching {
        handle: Handle::current(),
        store: store.clone(),
        name: name.clone(),
        folder: partial.path().to_owned(),
    };
    let fetched = spawn_blocking(move || parts.iter().try_for_each(|part| fetching.part(part)));
    match fetched.await.map_err(BackupError::of("copy"))? {
        Ok(()) => {
            partial.finish_with(&copied.text)?;
            Ok(())
        }
        Err(Broken::Wrong(error)) => Err(BackupError::about(name, error)),
        Err(Broken::Away(error)) => {
            partial.leave();
            let what = format!("{error} (what has come is kept: the same command goes on)");
            Err(BackupError::about(name, what))
        }
    }
}

/// A copy on its way, in a thread that may block.
struct Fetching {
    handle: Handle,
    store: BlobStore,
    name: String,
    folder: PathBuf,
}

impl Fetching {
    /// Fetches a part, or what is still missing of it.
    fn part(&self, part: &Part) -> Result<(), Broken> {
        let path = part::path_of(&self.folder, part)?;
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path);
        let mut file = opened.map_err(BackupError::at(&path))?;
        let kept = file.metadata().map_err(BackupError::at(&path))?.len();
        let mut found = String::new();
        if kept <= part.bytes {
            found = self.rest(&path, &mut file, part)?;
        }
        if found != part.sha256 && kept > 0 {
            // What somebody has left behind who died was not all on the disk.
            let emptied = file.set_len(0).and_then(|()| file.rewind());
            emptied.map_err(BackupError::at(&path))?;
            found = self.rest(&path, &mut file, part)?;
        }
        if found != part.sha256 {
            let what = format!("was changed: its SHA-256 is {found}");
            return Err(BackupError::about(&part.file, what).into());
        }
        file.sync_all().map_err(BackupError::at(&path))?;
        tracing::info!(backup = %self.name, file = %part.file, bytes = part.bytes, "fetched");
        Ok(())
    }

    /// Reads what is here, and fetches what is not. Gives the hash of all of it.
    fn rest(&self, path: &Path, file: &mut File, part: &Part) -> Result<String, Broken> {
        let mut hash = Sha256::new();
        let mut at = 0;
        let read = pump(&*file, |piece| {
            hash.update(piece);
            at += piece.len() as u64;
            Ok(())
        });
        read.map_err(BackupError::at(path))?;
        let key = key(&self.name, &part.file)?;
        while at < part.bytes {
            let range = at..part.bytes.min(at + FETCHED);
            let piece = self.handle.block_on(self.store.read_range(&key, range));
            let piece = piece.map_err(|error| match error {
                BlobError::NotFound(_) => {
                    Broken::Wrong(BackupError::about(&part.file, "is missing"))
                }
                error => Broken::Away(error),
            })?;
            if piece.is_empty() {
                return Err(BackupError::about(&part.file, "ended early").into());
            }
            hash.update(&piece);
            at += piece.len() as u64;
            file.write_all(&piece).map_err(BackupError::at(path))?;
        }
        Ok(hex(&hash.finalize()))
    }
}
