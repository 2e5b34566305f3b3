//! `migration up | status | down`: brings the database at `DATABASE_URL` (or `DATABASE_URL_FILE`) up to date.

use std::process::ExitCode;

use migration::{Migrator, locked};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectOptions, Database, DbErr},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    match run(command.as_deref()).await {
        Ok(message) => finish(&message, ExitCode::SUCCESS),
        Err(message) => finish(&message, ExitCode::FAILURE),
    }
}

#[expect(clippy::print_stderr, reason = "this is a command line program")]
fn finish(message: &str, code: ExitCode) -> ExitCode {
    eprintln!("migration: {message}");
    code
}

async fn run(command: Option<&str>) -> Result<String, String> {
    let url = database_url()?;
    match command {
        None | Some("up") => up(&url).await,
        Some("status") => status(&url).await,
        Some("down") => down(&url).await,
        Some(other) => return Err(format!("unknown command {other:?}: use up, status or down")),
    }
    .map_err(|error| error.to_string())
}

async fn up(url: &str) -> Result<String, DbErr> {
    Ok(format!(
        "{} applied, the database is up to date",
        locked::up(url).await?
    ))
}

async fn status(url: &str) -> Result<String, DbErr> {
    let db = Database::connect(options(url)).await?;
    let pending = Migrator::get_pending_migrations(&db).await?;
    Ok(format!(
        "{} of {} pending",
        pending.len(),
        Migrator::migrations().len()
    ))
}

/// Takes back the newest migration only: more than that is a matter for backups.
async fn down(url: &str) -> Result<String, DbErr> {
    let db = Database::connect(options(url)).await?;
    Migrator::down(&db, Some(1)).await?;
    Ok("the newest migration was taken back".into())
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}

fn database_url() -> Result<String, String> {
    let url = std::env::var("DATABASE_URL").ok();
    let file = std::env::var("DATABASE_URL_FILE").ok();
    match (url, file) {
        (Some(_), Some(_)) => Err("DATABASE_URL and DATABASE_URL_FILE are both set".into()),
        (Some(url), None) => Ok(url),
        (None, Some(file)) => std::fs::read_to_string(&file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| format!("DATABASE_URL_FILE {file}: {error}")),
        (None, None) => Err("neither DATABASE_URL nor DATABASE_URL_FILE is set".into()),
    }
}
