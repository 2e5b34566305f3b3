//! The database, in two forms from one reading: `pg_dump` writes its own format, which goes into a file and at the same time through `pg_restore`,
//! which makes SQL of it. So both are the same, the server is read once, and what cannot be read again is found while it is written.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write as _},
    path::Path,
    process::Stdio,
    sync::Arc,
};

use domain::backup::Part;
use platform::config::ExposeSecret as _;
use tokio::task::spawn_blocking;

use super::{
    BackupError, Progress, Setup, address,
    part::{PartWriter, buffered},
    program::{Running, pump},
    rows::Rows,
};

/// How long `pg_dump` waits for a table that somebody is altering, in milliseconds.
const LOCK_WAIT: &str = "60000";
/// The first version of PostgreSQL whose dumps may be compressed with zstd.
const ZSTD_SINCE: u32 = 16;
/// How much SQL is compressed: quickly, for it is there for those who have nothing but psql.
const SQL_LEVEL: i32 = 1;

/// What was dumped.
pub(super) struct Dumped {
    /// Both files.
    pub(super) parts: [Part; 2],
    /// Rows of each table in it.
    pub(super) rows: BTreeMap<String, i64>,
    /// What made it.
    pub(super) version: String,
}

/// Writes both files, of the moment that the snapshot holds.
///
/// # Errors
/// When anything fails.
pub(super) async fn dump(
    setup: &Setup,
    folder: &Path,
    snapshot: &str,
    progress: &Arc<Progress>,
) -> Result<Dumped, BackupError> {
    let version = setup.programs.version("pg_dump").await?;
    let mut dump = start_dump(setup, snapshot, &version)?;
    let mut convert = start_conversion(setup)?;
    let archive = PartWriter::create(setup, folder, "database", "database.backup", progress)?;
    let sql = PartWriter::create(setup, folder, "sql", "database.sql.zst", progress)?;
    let (from, through, back) = (dump.output()?, convert.input()?, convert.output()?);
    let archived = spawn_blocking(move || archive_and_pass(from, archive, through));
    let progress = Arc::clone(progress);
    let written = spawn_blocking(move || compress(back, sql, &progress));
    let (dump, convert, archived, written) =
        tokio::join!(dump.ended(), convert.ended(), archived, written);
    let archived = archived.map_err(BackupError::of("database"))?;
    let written = written.map_err(BackupError::of("sql"))?;
    // Where one fails, the others lose their pipes: what has failed by itself is told.
    let own = |failed: &io::Error| failed.kind() != io::ErrorKind::BrokenPipe;
    match (&archived, &written) {
        (Err(error), _) if own(error) => {
            return Err(BackupError::about("database", error.to_string()));
        }
        (_, Err(error)) if own(error) => return Err(BackupError::about("sql", error.to_string())),
        _ => {}
    }
    dump?;
    convert?;
    let archived = archived.map_err(BackupError::of("database"))?;
    let (written, rows) = written.map_err(BackupError::of("sql"))?;
    let rows = rows.ok_or_else(|| BackupError::about("sql", "its end is missing"))?;
    Ok(Dumped {
        parts: [archived, written],
        rows,
        version,
    })
}

fn start_dump(setup: &Setup, snapshot: &str, version: &str) -> Result<Running, BackupError> {
    let mut command = setup.programs.command("pg_dump");
    command
        .args([
            "--format=custom",
            "--no-password",
            "--lock-wait-timeout",
            LOCK_WAIT,
            "--snapshot",
            snapshot,
        ])
        .envs(address::postgres(
            setup.settings.database_url.expose_secret(),
        )?)
        .stdout(Stdio::piped());
    if major(version).is_some_and(|major| major >= ZSTD_SINCE) {
        command.arg("--compress=zstd");
    }
    Running::start("pg_dump", &mut command)
}

fn start_conversion(setup: &Setup) -> Result<Running, BackupError> {
    let mut command = setup.programs.command("pg_restore");
    command
        .arg("--file=-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    Running::start("pg_restore", &mut command)
}

/// The number behind `pg_dump (PostgreSQL) `.
fn major(version: &str) -> Option<u32> {
    let number = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn archive_and_pass(from: File, mut archive: PartWriter, mut through: File) -> io::Result<Part> {
    pump(from, |piece| {
        archive.write_all(piece)?;
        through.write_all(piece)
    })?;
    drop(through);
    archive.finish()
}

type Written = (Part, Option<BTreeMap<String, i64>>);

fn compress(from: File, sql: PartWriter, progress: &Progress) -> io::Result<Written> {
    let mut rows = Rows::default();
    let mut encoder = zstd::Encoder::new(buffered(sql), SQL_LEVEL)?;
    encoder.include_checksum(true)?;
    pump(from, |piece| {
        rows.feed(piece);
        progress.dumped(rows.all());
        encoder.write_all(piece)
    })?;
    let writer = encoder.finish()?;
    let sql = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok((sql.finish()?, rows.finish()))
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_version_is_found() {
        assert_eq!(
            major("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major("pg_dump (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(major("nonsense"), None);
    }
}
