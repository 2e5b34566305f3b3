//! Getting back what a backup has.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    backup::{
        Part,
        cluster::{self, Cluster},
        facts,
    },
    clock::{Clock as _, SystemClock, new_id},
};
use tokio::task::spawn_blocking;

use super::{
    BackupError, Manifest, Setup, address,
    part::{self, PartReader, compare, is_sealed},
    program::{Running, pump},
    redis, uploads,
};

/// What is to be got back.
#[derive(Clone, Debug)]
pub struct What {
    /// The database, at this address for a role that owns it, or may create it; none for leaving it as it is.
    pub database: Option<String>,
    /// What Redis had of this installation.
    pub redis: bool,
    /// Files of people.
    pub uploads: bool,
    /// Whether what is there may be replaced.
    pub overwrite: bool,
}

/// What was got back.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Rows of the database, all tables together; none when it was left as it is.
    pub rows: Option<i64>,
    /// Keys of Redis.
    pub keys: Option<u64>,
    /// Files.
    pub files: Option<u64>,
}

/// Gets it back. What is wrong with the files is found before anything is touched.
///
/// # Errors
/// [`BackupError::Refused`] when something is there that nobody has said may be replaced; when a file is not what it was, or anything fails.
pub async fn restore(
    setup: &Arc<Setup>,
    folder: &Path,
    what: &What,
) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(folder)?;
    let lineage = lineage(folder, &manifest)?;
    let wanted = wanted(&lineage, what)?;
    sound(wanted).await?;
    if what.uploads && !what.overwrite && !uploads::is_empty(&setup.blobs).await? {
        let why = "there are files in the store already: say --overwrite to add to them and replace those of the same names";
        return Err(BackupError::Refused(why.to_owned()));
    }
    let mut restored = Restored::default();
    if let Some(url) = &what.database {
        restored.rows = Some(database(setup, folder, &manifest, url, what.overwrite).await?);
    }
    if what.uploads {
        let readers = archives(setup, &lineage)?;
        restored.files =
            Some(uploads::restore(setup, readers, folder, manifest.part("uploads-list")?).await?);
    }
    if what.redis {
        restored.keys =
            Some(redis::restore(setup, folder, manifest.part("redis")?, what.overwrite).await?);
    }
    Ok(restored)
}

/// A backup and its parents, oldest first, each with its folder: parents lie beside it.
///
/// # Errors
/// When one is missing, or goes in a circle.
pub(super) fn lineage(
    folder: &Path,
    manifest: &Manifest,
) -> Result<Vec<(PathBuf, Manifest)>, BackupError> {
    let mut found = vec![(folder.to_owned(), manifest.clone())];
    let mut next = manifest.parent.clone();
    while let Some(name) = next {
        check_parent(&name, found.iter().map(|(_, manifest)| manifest))?;
        let beside = folder.parent().unwrap_or(Path::new(".")).join(name);
        let parent = Manifest::read(&beside)?;
        next = parent.parent.clone();
        found.push((beside, parent));
    }
    found.reverse();
    Ok(found)
}

/// The name of a parent comes from a manifest: it must be that of a folder beside it, and none that was met.
///
/// # Errors
/// When it is not.
pub(super) fn check_parent<'a>(
    name: &str,
    mut met: impl Iterator<Item = &'a Manifest>,
) -> Result<(), BackupError> {
    let is_known = met.any(|manifest| manifest.name == name);
    if is_known || name.contains(['/', '\\']) || name.starts_with('.') {
        let what = format!("names {name:?} as its parent");
        return Err(BackupError::about("manifest.json", what));
    }
    Ok(())
}

/// The files that are needed.
fn wanted(
    lineage: &[(PathBuf, Manifest)],
    what: &What,
) -> Result<Vec<(PathBuf, Part)>, BackupError> {
    let mut wanted = Vec::new();
    if what.uploads {
        for (folder, manifest) in lineage {
            wanted.push((folder.clone(), manifest.part("uploads")?.clone()));
        }
    }
    let Some((folder, manifest)) = lineage.last() else {
        return Ok(wanted);
    };
    let parts = [
        (what.database.is_some(), "database"),
        (what.redis, "redis"),
        (what.uploads, "uploads-list"),
    ];
    for (is_wanted, part) in parts {
        if is_wanted {
            wanted.push((folder.clone(), manifest.part(part)?.clone()));
        }
    }
    Ok(wanted)
}

/// Whether all these files are what they were.
async fn sound(files: Vec<(PathBuf, Part)>) -> Result<(), BackupError> {
    let looked = spawn_blocking(move || {
        for (folder, part) in files {
            if let Some(wrong) = compare(&folder, &part).map_err(BackupError::at(&folder))? {
                return Err(BackupError::about(folder.display().to_string(), wrong));
            }
        }
        Ok(())
    });
    looked.await.map_err(BackupError::of("files"))?
}

/// The archives of files of these backups.
///
/// # Errors
/// When one cannot be opened.
pub(super) fn archives(
    setup: &Setup,
    lineage: &[(PathBuf, Manifest)],
) -> Result<Vec<PartReader>, BackupError> {
    let open = |(folder, manifest): &(PathBuf, Manifest)| {
        PartReader::open(setup, folder, manifest.part("uploads")?)
    };
    lineage.iter().map(open).collect()
}

async fn database(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
    url: &str,
    overwrite: bool,
) -> Result<i64, BackupError> {
    let name = address::database_of(url)?;
    let mut cluster = Cluster::connect(url).await?;
    if !cluster.has(&name).await? {
        return into_new(setup, folder, manifest, url, &name, &mut cluster).await;
    }
    if cluster::is_empty(url).await? {
        load(setup, folder, manifest, url, Loading::AtOnce).await?;
        return same_facts(manifest, url).await;
    }
    if !overwrite {
        let why = format!(
            "the database {name} is not empty: say --overwrite to put another one in its place, or name another one with --into"
        );
        return Err(BackupError::Refused(why));
    }
    let id = new_id(SystemClock.now()).simple().to_string();
    let (fresh, aside) = (
        format!("goldshop_restore_{id}"),
        format!("goldshop_replaced_{id}"),
    );
    let beside = address::with_database(url, &fresh)?;
    let rows = into_new(setup, folder, manifest, &beside, &fresh, &mut cluster).await?;
    if let Err(error) = cluster.replace(&name, &fresh, &aside).await {
        cluster.drop(&fresh).await?;
        return Err(error.into());
    }
    Ok(rows)
}

/// A database that is made for it goes again when that fails.
async fn into_new(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
    url: &str,
    name: &str,
    cluster: &mut Cluster,
) -> Result<i64, BackupError> {
    cluster.create(name, &manifest.server).await?;
    let filled = async {
        load(setup, folder, manifest, url, Loading::InParts).await?;
        same_facts(manifest, url).await
    };
    match filled.await {
        Ok(rows) => Ok(rows),
        Err(error) => {
            cluster.drop(name).await?;
            Err(error)
        }
    }
}

/// What is there is what the manifest says. Tells how many rows.
async fn same_facts(manifest: &Manifest, url: &str) -> Result<i64, BackupError> {
    let found = facts::of(url).await?;
    if let Some(wrong) = difference(&manifest.facts, &found) {
        return Err(BackupError::about("database", wrong));
    }
    Ok(found.rows.values().sum())
}

/// The first thing that was counted otherwise.
pub(super) fn difference(said: &facts::Facts, found: &facts::Facts) -> Option<String> {
    fn first<V: PartialEq + std::fmt::Display>(
        said: &std::collections::BTreeMap<String, V>,
        found: &std::collections::BTreeMap<String, V>,
    ) -> Option<String> {
        let names = said.keys().chain(found.keys());
        let mut different = names.filter(|name| said.get(*name) != found.get(*name));
        let name = different.next()?;
        let text = |value: Option<&V>| value.map_or_else(|| "nothing".to_owned(), V::to_string);
        Some(format!(
            "{name}: the manifest says {}, and there is {}",
            text(said.get(name)),
            text(found.get(name))
        ))
    }
    first(&said.rows, &found.rows).or_else(|| first(&said.totals, &found.totals))
}

/// How a dump is read in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// All of it or nothing: into a database that somebody else has made.
    AtOnce,
    /// As quickly as it goes: into one that is dropped when it fails.
    InParts,
}

/// Reads the dump into an empty database. Privileges are left to `migration up`, which knows the roles there are. Tells how long it took.
///
/// # Errors
/// At the first thing that cannot be restored.
pub(super) async fn load(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
    url: &str,
    loading: Loading,
) -> Result<Duration, BackupError> {
    let begun = Instant::now();
    let part = manifest.part("database")?;
    let variables = address::postgres(url)?;
    let mut command = setup.programs.command("pg_restore");
    command.args([
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--dbname",
    ]);
    // It has to be named; what it is called is no secret.
    command.arg(address::database_of(url)?).envs(variables);
    if loading == Loading::AtOnce {
        command.arg("--single-transaction");
    } else if !is_sealed(part) {
        command.arg("--jobs").arg(jobs().to_string());
    }
    if is_sealed(part) {
        let reader = PartReader::open(setup, folder, part)?;
        command.stdin(Stdio::piped());
        let mut running = Running::start("pg_restore", &mut command)?;
        let mut input = running.input()?;
        let fed = spawn_blocking(move || {
            pump(reader, |piece| std::io::Write::write_all(&mut input, piece))
        });
        let (ended, fed) = tokio::join!(running.ended(), fed);
        ended?;
        fed.map_err(BackupError::of("database"))?
            .map_err(BackupError::of("database"))?;
    } else {
        command.arg(part::path_of(folder, part)?);
        setup.programs.run("pg_restore", command).await?;
    }
    Ok(begun.elapsed())
}

/// Half of the processors: the server needs the others.
fn jobs() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .div_ceil(2)
        .clamp(1, 8)
}
