//! The proof that a backup can be restored, and is what was there.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{
    Domain, Viewer,
    backup::{Check, Report, cluster::Cluster, facts},
    clock::{Clock as _, SystemClock, new_id},
    db,
};
use platform::config::ExposeSecret as _;
use tokio::task::spawn_blocking;

use super::{
    BackupError, Manifest, Setup, address,
    part::{PartReader, compare},
    program::pump,
    redis,
    restore::{Loading, archives, difference, lineage, load},
    rows::Rows,
    uploads,
};

/// What the names of databases begin with that proofs make.
const SCRATCH: &str = "goldshop_verify_";
/// How long one statement of a proof may take.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Restores a backup into a database of its own, looks at everything, and drops it. Something that is wrong with the backup is in the report.
///
/// # Errors
/// When it cannot be found out: there is no such backup, or no server to restore it on.
pub async fn verify(
    setup: &Arc<Setup>,
    folder: &Path,
    viewer: &Viewer,
) -> Result<Report, BackupError> {
    let url = setup.settings.scratch_url.expose_secret();
    if url.is_empty() {
        let why = "backup.scratch_url must be given, for example in DATABASE_SCRATCH_URL: a role that may create databases";
        return Err(BackupError::Refused(why.to_owned()));
    }
    // A server that is away says nothing about the backup.
    let mut cluster = Cluster::connect(url).await?;
    cluster.sweep(SCRATCH).await?;
    let mut report = Report {
        checks: Vec::new(),
        restored_in: None,
    };
    let (manifest, lineage) = match read(folder) {
        Ok(read) => read,
        Err(error) => {
            report.checks.push(failed("manifest", &error));
            return Ok(report);
        }
    };
    let files = look("files", files(lineage.clone())).await;
    let is_sound = files.is_sound;
    report.checks.push(files);
    if is_sound {
        report
            .checks
            .push(look("sql", sql(setup, folder, &manifest)).await);
        report
            .checks
            .push(look("redis", redis_file(setup, folder, &manifest)).await);
        report
            .checks
            .push(look("uploads", archived(setup, folder, &manifest, &lineage)).await);
        database(setup, folder, &manifest, viewer, &mut cluster, &mut report).await?;
    }
    Ok(report)
}

type Lineage = Vec<(PathBuf, Manifest)>;

fn read(folder: &Path) -> Result<(Manifest, Lineage), BackupError> {
    let manifest = Manifest::read(folder)?;
    let lineage = lineage(folder, &manifest)?;
    Ok((manifest, lineage))
}

fn failed(name: &str, error: &BackupError) -> Check {
    Check::new(name, false, error.to_string())
}

/// What was found, or why it could not be looked at: then it is not sound either.
async fn look(
    name: &str,
    looked: impl Future<Output = Result<(bool, String), BackupError>>,
) -> Check {
    match looked.await {
        Ok((is_sound, detail)) => Check::new(name, is_sound, detail),
        Err(error) => failed(name, &error),
    }
}

/// Every file is what the manifest says, those of parents included.
async fn files(lineage: Lineage) -> Result<(bool, String), BackupError> {
    let looked = spawn_blocking(move || {
        let mut count = 0;
        for (folder, manifest) in &lineage {
            for part in &manifest.parts {
                if let Some(wrong) = compare(folder, part)? {
                    return Ok((false, wrong));
                }
                count += 1;
            }
        }
        Ok::<_, io::Error>((true, format!("{count} files are what they were")))
    });
    looked
        .await
        .map_err(BackupError::of("files"))?
        .map_err(BackupError::of("files"))
}

/// The SQL has the same rows, and an end.
async fn sql(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
) -> Result<(bool, String), BackupError> {
    let reader = PartReader::open(setup, folder, manifest.part("sql")?)?;
    let said = manifest.facts.clone();
    let looked = spawn_blocking(move || {
        let mut rows = Rows::default();
        let mut decoder = zstd::Decoder::new(reader)?;
        pump(decoder.by_ref(), |piece| {
            rows.feed(piece);
            Ok(())
        })?;
        let all = rows.all();
        Ok::<_, io::Error>(match rows.finish() {
            None => (false, "its end is missing".to_owned()),
            Some(rows) => {
                let found = facts::Facts {
                    rows,
                    totals: said.totals.clone(),
                };
                let wrong = difference(&said, &found);
                (
                    wrong.is_none(),
                    wrong.unwrap_or_else(|| format!("{all} rows")),
                )
            }
        })
    });
    looked
        .await
        .map_err(BackupError::of("sql"))?
        .map_err(BackupError::of("sql"))
}

async fn redis_file(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
) -> Result<(bool, String), BackupError> {
    let found = redis::check(setup, folder, manifest.part("redis")?).await?;
    Ok((true, found))
}

async fn archived(
    setup: &Arc<Setup>,
    folder: &Path,
    manifest: &Manifest,
    lineage: &[(PathBuf, Manifest)],
) -> Result<(bool, String), BackupError> {
    let readers = archives(setup, lineage)?;
    let (found, listed) =
        uploads::count(setup, readers, folder, manifest.part("uploads-list")?).await?;
    let is_sound = found == listed && listed == manifest.files.count;
    Ok((
        is_sound,
        format!(
            "{found} of {listed} files are there; the manifest says {}",
            manifest.files.count
        ),
    ))
}

/// The database goes again, whatever becomes of it.
async fn database(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
    viewer: &Viewer,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<(), BackupError> {
    let name = format!("{SCRATCH}{}", new_id(SystemClock.now()).simple());
    let url = address::with_database(setup.settings.scratch_url.expose_secret(), &name)?;
    cluster.hold(&name).await?;
    cluster.create(&name, &manifest.server).await?;
    let proved = prove(setup, folder, manifest, viewer, &url, report).await;
    cluster.drop(&name).await?;
    if let Err(error) = proved {
        report.checks.push(failed("restore", &error));
    }
    Ok(())
}

async fn prove(
    setup: &Setup,
    folder: &Path,
    manifest: &Manifest,
    viewer: &Viewer,
    url: &str,
    report: &mut Report,
) -> Result<(), BackupError> {
    let took = load(setup, folder, manifest, url, Loading::InParts).await?;
    report.restored_in = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    report.checks.push(Check::new(
        "restore",
        true,
        format!("in {} s", took.as_secs()),
    ));
    let found = facts::of(url).await?;
    let wrong = difference(&manifest.facts, &found);
    let all: i64 = found.rows.values().sum();
    let detail = wrong
        .clone()
        .unwrap_or_else(|| format!("{all} rows, {} totals", found.totals.len()));
    report
        .checks
        .push(Check::new("rows", wrong.is_none(), detail));
    let settings = db::Settings {
        url: url.to_owned(),
        application_name: "goldshop-verify",
        max_connections: 4,
        acquire_timeout: Duration::from_secs(30),
        statement_timeout: PATIENCE,
        transaction_pooling: false,
        direct_url: None,
        read_urls: Vec::new(),
        replica_lag_max: Duration::ZERO,
    };
    let domain = Domain::connect(settings, Arc::new(SystemClock))?;
    let proved = domain.backups().prove(viewer).await;
    domain.close().await?;
    report.checks.extend(proved?);
    Ok(())
}
