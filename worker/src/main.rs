//! `worker`: does background work until it is told to stop. Its subcommands are the operator's command line.

mod commands;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory as _, Parser};
use commands::{
    Command, audit, backup, backups, days, demo, health, images, jobs, ledger, queues, retention,
    schedules, user,
};
use platform::{config::Config, telemetry};
use tokio::runtime::Runtime;
use worker::service::StartError;

/// goldshop's job worker and operator's command line.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// How long threads that cannot be stopped may hold up the program's end.
const LAST_WAIT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Completions { shell }) = arguments.command {
        commands::complete(shell, &mut Arguments::command());
        return ExitCode::SUCCESS;
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return commands::fail(&error),
    };
    let ended = runtime.block_on(Box::pin(run(arguments.command)));
    // A picture may still be on its way through the decoder, whose result nobody wants any more.
    runtime.shutdown_timeout(LAST_WAIT);
    match ended {
        Ok(code) => code,
        Err(error) => commands::fail(&*error),
    }
}

async fn run(command: Option<Command>) -> Result<ExitCode, StartError> {
    let config = Config::load()?;
    let _log = telemetry::init(&config.telemetry, config.environment, "goldshop-worker")?;
    match command {
        None | Some(Command::Run) => commands::work(&config).await?,
        Some(Command::Days) => days::run(&config).await?,
        Some(Command::Demo(arguments)) => demo::run(&config, arguments).await?,
        Some(Command::AuditKey) => audit::make_key(&config)?,
        Some(Command::AuditVerify(arguments)) => audit::run(&config, arguments).await?,
        Some(Command::Backup(arguments)) => backup::create(&config, arguments).await?,
        Some(Command::Backups(arguments)) => backups::run(&config, arguments).await?,
        Some(Command::Restore(arguments)) => backup::restore(&config, arguments).await?,
        Some(Command::Verify(arguments)) => backup::verify(&config, arguments).await?,
        // Said before: it takes no settings.
        Some(Command::Completions { .. }) => {}
        Some(Command::Images(arguments)) => return images::run(&config, arguments).await,
        Some(Command::Healthcheck) => health::run(&config).await?,
        Some(Command::Jobs(arguments)) => return jobs::run(&config, arguments).await,
        Some(Command::LedgerVerify) => ledger::run(&config).await?,
        Some(Command::Queues(arguments)) => queues::run(&config, arguments).await?,
        Some(Command::Retention(arguments)) => retention::run(&config, arguments).await?,
        Some(Command::Schedules(arguments)) => schedules::run(&config, arguments).await?,
        Some(Command::User(arguments)) => user::run(&config, arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}
