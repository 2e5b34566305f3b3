//! `migration up | status | down`: brings the database at `DATABASE_OWNER_URL` (or `DATABASE_OWNER_URL_FILE`) up to date, for the
//! application's role `DATABASE_APP_ROLE`.

use std::process::ExitCode;

use migration::{Migrator, grants, locked, settings::Settings};
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
    let settings = Settings::from_environment()?;
    match command {
        None | Some("up") => up(&settings).await,
        Some("status") => status(&settings).await,
        Some("down") => down(&settings).await,
        Some(other) => return Err(format!("unknown command {other:?}: use up, status or down")),
    }
    .map_err(|error| error.to_string())
}

async fn up(settings: &Settings) -> Result<String, DbErr> {
    Ok(format!(
        "{} applied, the database is up to date",
        locked::up(&settings.owner_url, &settings.app_role).await?
    ))
}

async fn status(settings: &Settings) -> Result<String, DbErr> {
    let db = Database::connect(options(&settings.owner_url)).await?;
    let pending = Migrator::get_pending_migrations(&db).await?;
    Ok(format!(
        "{} of {} pending",
        pending.len(),
        Migrator::migrations().len()
    ))
}

/// Takes back the newest migration only: more than that is a matter for backups.
async fn down(settings: &Settings) -> Result<String, DbErr> {
    let db = Database::connect(options(&settings.owner_url)).await?;
    grants::check(&db, &settings.app_role).await?;
    Migrator::down(&db, Some(1)).await?;
    // It may have made again what a migration had dropped.
    grants::apply(&db, &settings.app_role).await?;
    Ok("the newest migration was taken back".into())
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}
