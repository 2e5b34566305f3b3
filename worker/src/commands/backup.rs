//! `worker backup`, `worker verify` and `worker restore`: without jobs and Redis, and where no goldshop is any more.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use domain::{
    Domain, Viewer,
    backup::{NewBackup, Report},
    clock::{Clock as _, SystemClock, new_id},
};
use entity::id::BackupId;
use indicatif::{ProgressBar, ProgressStyle};
use platform::config::Config;
use serde_json::{Value, json};
use worker::{
    backup::{
        self, BackupError, Outcome, Progress, Request, Restored, Setup, What, address, copies,
    },
    service::StartError,
};

use super::{Exit, say};

/// How long the database may take to hear of a backup. Without it the backup is as good.
const WORD: Duration = Duration::from_secs(30);

/// Something else is in the way: another backup, or what would be overwritten.
const REFUSED: u8 = 3;
/// A backup is not sound.
const NOT_SOUND: u8 = 4;

/// How a backup is made.
#[derive(Args)]
pub(crate) struct BackupArguments {
    /// Leave out files that the last backup has. That one is needed to restore this one.
    #[arg(long)]
    incremental: bool,
    /// Why it is made.
    #[arg(long)]
    note: Option<String>,
    /// Say what was made as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What is proved.
#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// Name of a backup, or its folder; the last one when none is named.
    backup: Option<PathBuf>,
    /// Fetch it out of the store that has the copies first, unless it is here.
    #[arg(long, requires = "backup")]
    from_s3: bool,
    /// Say what was found as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// A part that can be restored for itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The database.
    Database,
    /// Sessions and counts of failed logins.
    Redis,
    /// Files of people.
    Uploads,
}

/// What is restored, and where.
#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// Name of a backup, or its folder.
    backup: PathBuf,
    /// Fetch it out of the store that has the copies first, with its parents, unless it is here.
    #[arg(long)]
    from_s3: bool,
    /// Only this part; several times for several. Everything, unless one is named.
    #[arg(long = "part")]
    parts: Vec<Part>,
    /// The database it is restored into: the one that DATABASE_OWNER_URL names, unless another one is named. It is made when it is missing.
    #[arg(long)]
    into: Option<String>,
    /// Replace what is there.
    #[arg(long)]
    overwrite: bool,
    /// Say what was restored as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Makes a backup.
pub(crate) async fn create(config: &Config, arguments: BackupArguments) -> Result<(), StartError> {
    let setup = setup(config)?;
    let request = Request {
        id: new_id(SystemClock.now()),
        is_incremental: arguments.incremental,
    };
    let progress = Arc::<Progress>::default();
    let shown = Shown::start(arguments.json, &progress);
    let made = backup::create(&setup, &SystemClock, request, &progress).await;
    shown.end();
    // One that is being made by somebody else is theirs to tell of.
    if !matches!(made, Err(BackupError::Busy(_))) {
        tell(config, request, arguments.note, &made).await;
    }
    let outcome = made.map_err(exit)?;
    if arguments.json {
        say(&made_as_json(&setup, &outcome).to_string());
    } else {
        let folder = setup.folders().root().join(&outcome.manifest.name);
        say(&format!(
            "{}: {} bytes",
            folder.display(),
            outcome.manifest.bytes()
        ));
    }
    Ok(())
}

fn made_as_json(setup: &Setup, outcome: &Outcome) -> Value {
    let manifest = &outcome.manifest;
    json!({
        "backup": manifest.name,
        "folder": setup.folders().root().join(&manifest.name),
        "bytes": manifest.bytes(),
        "parts": manifest.parts,
        "parent": manifest.parent,
        "isCopied": outcome.is_copied,
        "removed": outcome.removed,
    })
}

/// Lets people see it where they see the others. That this fails does not make it worse.
async fn tell(
    config: &Config,
    request: Request,
    note: Option<String>,
    made: &Result<Outcome, BackupError>,
) {
    let told = async {
        let domain = domain(config)?;
        let new = NewBackup {
            is_incremental: request.is_incremental,
            note,
        };
        let made = made
            .as_ref()
            .map(Outcome::made)
            .map_err(BackupError::to_string);
        domain
            .backups()
            .record(
                &Viewer::system("command line"),
                BackupId(request.id),
                new,
                made,
            )
            .await
    };
    match tokio::time::timeout(WORD, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database does not know of this backup"),
        Err(_elapsed) => {
            tracing::warn!("the database does not know of this backup: it does not answer")
        }
    }
}

/// Proves that a backup is sound.
pub(crate) async fn verify(config: &Config, arguments: VerifyArguments) -> Result<(), StartError> {
    let setup = setup(config)?;
    let folder = match arguments.backup {
        Some(name) => located(&setup, &name, arguments.from_s3).await?,
        None => last(&setup)?,
    };
    let viewer = Viewer::system("command line");
    let report = backup::verify(&setup, &folder, &viewer)
        .await
        .map_err(exit)?;
    remember(config, &viewer, &folder, &report).await;
    if arguments.json {
        let found = json!({"folder": folder, "isSound": report.is_sound(), "report": report});
        say(&found.to_string());
    } else {
        for check in &report.checks {
            let verdict = if check.is_sound { "ok" } else { "WRONG" };
            say(&format!("{verdict:<6}{}: {}", check.name, check.detail));
        }
    }
    if report.is_sound() {
        Ok(())
    } else {
        Err(Exit::boxed(
            NOT_SOUND,
            format!("{} is not sound", folder.display()),
        ))
    }
}

/// The folder of a backup, after it was fetched where that is wanted.
async fn located(setup: &Setup, backup: &Path, from_s3: bool) -> Result<PathBuf, StartError> {
    if from_s3 {
        let name = backup.to_string_lossy();
        return copies::fetch(setup, &name).await.map_err(exit);
    }
    Ok(setup.folders().path(backup))
}

fn last(setup: &Setup) -> Result<PathBuf, StartError> {
    let folders = setup.folders();
    let name = folders.complete().map_err(exit)?.pop();
    let name = name.ok_or_else(|| format!("there is no backup in {}", folders.root().display()))?;
    Ok(folders.root().join(name))
}

async fn remember(config: &Config, viewer: &Viewer, folder: &Path, report: &Report) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let told = async {
        let domain = domain(config)?;
        domain.backups().proved(viewer, None, &name, report).await
    };
    match tokio::time::timeout(WORD, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database does not hear of this proof"),
        Err(_elapsed) => {
            tracing::warn!("the database does not hear of this proof: it does not answer")
        }
    }
}

/// Gets a backup back.
pub(crate) async fn restore(
    config: &Config,
    arguments: RestoreArguments,
) -> Result<(), StartError> {
    let setup = setup(config)?;
    let wants = |part: Part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let database = if wants(Part::Database) {
        Some(target(arguments.into.as_deref())?)
    } else {
        None
    };
    let what = What {
        database,
        redis: wants(Part::Redis),
        uploads: wants(Part::Uploads),
        overwrite: arguments.overwrite,
    };
    let begun = Instant::now();
    let folder = located(&setup, &arguments.backup, arguments.from_s3).await?;
    let restored = backup::restore(&setup, &folder, &what)
        .await
        .map_err(exit)?;
    let Restored { rows, keys, files } = restored;
    if arguments.json {
        let seconds = begun.elapsed().as_secs();
        say(&json!({"folder": folder, "rows": rows, "keys": keys, "files": files, "seconds": seconds}).to_string());
        return Ok(());
    }
    for (what, count) in [
        ("rows", rows.and_then(|rows| u64::try_from(rows).ok())),
        ("keys of Redis", keys),
        ("files", files),
    ] {
        if let Some(count) = count {
            say(&format!("{count} {what} restored"));
        }
    }
    if rows.is_some() {
        say("now run `migration up`: it gives the application's role what it needs");
    }
    Ok(())
}

/// The database to restore into, for the role that owns it. Like `migration`, this reads its address from the environment alone.
fn target(into: Option<&str>) -> Result<String, StartError> {
    let url = match (
        std::env::var("DATABASE_OWNER_URL"),
        std::env::var("DATABASE_OWNER_URL_FILE"),
    ) {
        (Ok(url), _) if !url.is_empty() => url,
        (_, Ok(path)) if !path.is_empty() => {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("DATABASE_OWNER_URL_FILE {path}: {error}"))?;
            text.trim().to_owned()
        }
        _ => {
            let why = "neither DATABASE_OWNER_URL nor DATABASE_OWNER_URL_FILE is set: the role that owns the database restores it";
            return Err(why.into());
        }
    };
    match into {
        Some(name) => Ok(address::with_database(&url, name).map_err(exit)?),
        None => Ok(url),
    }
}

pub(super) fn setup(config: &Config) -> Result<Arc<Setup>, StartError> {
    Ok(Arc::new(
        Setup::new(config, config.blob.open()?).map_err(exit)?,
    ))
}

fn domain(config: &Config) -> domain::Result<Domain> {
    let settings = platform::database::settings(&config.database, "goldshop-worker");
    Domain::connect(settings, Arc::new(SystemClock))
}

pub(super) fn exit(error: BackupError) -> StartError {
    match error {
        BackupError::Busy(_) | BackupError::Refused(_) => Exit::boxed(REFUSED, error.to_string()),
        BackupError::Part { .. } => error.into(),
    }
}

/// What people see on a terminal while they wait.
struct Shown(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Shown {
    fn start(json: bool, progress: &Arc<Progress>) -> Self {
        if json || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(100);
        if let Ok(style) =
            ProgressStyle::with_template("{elapsed_precise} {bar:40} {percent}% {msg}")
        {
            bar.set_style(style);
        }
        let (shown, progress) = (bar.clone(), Arc::clone(progress));
        let task = tokio::spawn(async move {
            loop {
                shown.set_position(progress.percent());
                shown.set_message(format!("{} MB", progress.bytes() / 1_000_000));
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        Self(Some((bar, task)))
    }

    fn end(self) {
        if let Some((bar, task)) = self.0 {
            task.abort();
            bar.finish_and_clear();
        }
    }
}
