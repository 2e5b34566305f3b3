//! `worker`: does background work until it is told to stop. Its subcommands are the operator's command line.

mod commands;

use std::process::ExitCode;

use clap::Parser;

use commands::{Command, demo, user};

/// goldshop's job worker and operator's command line.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(&*error),
    }
}

async fn run(command: Option<Command>) -> Result<(), worker::service::StartError> {
    let config = platform::config::Config::load()?;
    match command {
        None | Some(Command::Run) => commands::work(&config).await,
        Some(Command::Demo(arguments)) => demo::run(&config, arguments).await,
        Some(Command::User(arguments)) => user::run(&config, arguments).await,
    }
}
