//! Making a backup.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use chrono::TimeDelta;
use domain::{
    backup::{
        Made, Part,
        facts::{Facts, Snapshot},
    },
    clock::Clock,
};
use platform::config::ExposeSecret as _;
use uuid::Uuid;

use super::{
    BackupError, Manifest, Progress, Setup, copies, database,
    folder::{Locked, Partial},
    manifest::Content,
    part::PartWriter,
    redis,
    uploads::{self, Known},
};

/// Which backup.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its id. The same one again is the same backup: if it is there already, nothing is done.
    pub id: Uuid,
    /// Whether files that the last backup has are left out.
    pub is_incremental: bool,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it was copied to another store.
    pub is_copied: bool,
    /// Names of older ones that were removed.
    pub removed: Vec<String>,
}

impl Outcome {
    /// The same, for the table of backups.
    #[must_use]
    pub fn made(&self) -> Made {
        Made {
            name: self.manifest.name.clone(),
            byte_size: i64::try_from(self.manifest.bytes()).unwrap_or(i64::MAX),
            parts: self.manifest.parts.clone(),
            is_copied: self.is_copied,
            removed: self.removed.clone(),
        }
    }
}

/// Makes a backup: all of it, or nothing that looks as if it were.
///
/// # Errors
/// [`BackupError::Busy`] when one is being made already; when any part of it fails.
pub async fn create(
    setup: &Arc<Setup>,
    clock: &dyn Clock,
    request: Request,
    progress: &Arc<Progress>,
) -> Result<Outcome, BackupError> {
    if setup.settings.database_url.expose_secret().is_empty() {
        let why = "backup.database_url must be given, for example in DATABASE_BACKUP_URL: a role that may read everything";
        return Err(BackupError::Refused(why.to_owned()));
    }
    let folders = setup.folders();
    let locked = folders.lock()?;
    let manifest = match folders.find(request.id)? {
        // Whoever made it has died before they could say so.
        Some(manifest) => manifest,
        None => {
            let parent = parent(setup, request)?;
            let partial = locked.begin(request.id, clock.now())?;
            write(setup, clock, request, parent, partial, progress).await?
        }
    };
    let is_copied = copies::put(setup, &folders.root().join(&manifest.name), &manifest).await?;
    Ok(Outcome {
        manifest,
        is_copied,
        removed: retire(setup, clock, &locked),
    })
}

/// Removes what has been kept long enough. The backup is as good when that fails.
fn retire(setup: &Setup, clock: &dyn Clock, locked: &Locked) -> Vec<String> {
    let days = setup.settings.keep_days;
    if days == 0 {
        return Vec::new();
    }
    let before = clock.now() - TimeDelta::days(days.into());
    locked
        .retire(&setup.folders(), before)
        .unwrap_or_else(|error| {
            tracing::error!(%error, "backups that are too old cannot be removed");
            Vec::new()
        })
}

/// The last backup, when files that it has are to be left out.
fn parent(setup: &Setup, request: Request) -> Result<Option<Manifest>, BackupError> {
    let folders = setup.folders();
    let last = folders.complete()?.pop().filter(|_| request.is_incremental);
    last.map(|name| Manifest::read(&folders.root().join(name)))
        .transpose()
}

async fn write(
    setup: &Arc<Setup>,
    clock: &dyn Clock,
    request: Request,
    parent: Option<Manifest>,
    partial: Partial,
    progress: &Arc<Progress>,
) -> Result<Manifest, BackupError> {
    let created_at = clock.now();
    let folder = partial.path();
    let known = match &parent {
        Some(parent) => {
            Known::read(
                setup,
                &setup.folders().root().join(&parent.name),
                parent.part("uploads-list")?,
            )
            .await?
        }
        None => Known::default(),
    };
    let mut snapshot = Snapshot::take(setup.settings.database_url.expose_secret()).await?;
    let id = snapshot.id().to_owned();
    let server = snapshot.server().clone();
    // Files are written before the rows that name them: those of this moment are all there.
    let (dumped, facts, cache, archived) = tokio::try_join!(
        database::dump(setup, folder, &id, progress),
        facts(&mut snapshot, progress),
        redis::dump(setup, folder, progress),
        uploads::archive(setup, folder, known, progress),
    )?;
    snapshot.release().await?;
    same_rows(&facts, &dumped.rows)?;
    let versions = [
        ("goldshop", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("pg_dump", Some(dumped.version)),
        ("redis", cache.version),
    ];
    let versions = versions
        .into_iter()
        .filter_map(|(name, version)| Some((name.to_owned(), version?)));
    let mut parts = Vec::from(dumped.parts);
    parts.push(cache.part);
    parts.extend(archived.parts);
    parts.push(configuration(setup, folder, progress).map_err(BackupError::of("configuration"))?);
    let manifest = Manifest::new(Content {
        id: request.id,
        name: partial.name().to_owned(),
        created_at,
        finished_at: clock.now(),
        versions: versions.collect(),
        server,
        parent: parent.map(|parent| parent.name),
        parts,
        facts,
        files: archived.files,
    });
    partial.finish(&manifest)?;
    Ok(manifest)
}

async fn facts(snapshot: &mut Snapshot, progress: &Progress) -> Result<Facts, BackupError> {
    let facts = snapshot.facts().await?;
    let rows: i64 = facts.rows.values().sum();
    progress.expect_rows(u64::try_from(rows).unwrap_or_default());
    Ok(facts)
}

/// What was counted in the database is what has passed into the file.
fn same_rows(facts: &Facts, dumped: &BTreeMap<String, i64>) -> Result<(), BackupError> {
    if facts.rows == *dumped {
        return Ok(());
    }
    let names = facts.rows.keys().chain(dumped.keys());
    let mut different = names.filter(|name| facts.rows.get(*name) != dumped.get(*name));
    let table = different.next().map_or("", String::as_str);
    let rows = |counts: &BTreeMap<String, i64>| {
        counts
            .get(table)
            .map_or_else(|| "no table".to_owned(), |rows| format!("{rows} rows"))
    };
    let what = format!(
        "{table}: {} in the database, {} in the dump",
        rows(&facts.rows),
        rows(dumped)
    );
    Err(BackupError::about("database", what))
}

fn configuration(setup: &Setup, folder: &Path, progress: &Arc<Progress>) -> io::Result<Part> {
    let writer = PartWriter::create(
        setup,
        folder,
        "configuration",
        "configuration.json",
        progress,
    );
    let mut writer = writer.map_err(io::Error::other)?;
    writer.write_all(&setup.configuration)?;
    writer.finish()
}
