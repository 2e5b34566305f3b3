//! `api`: serves GraphQL. `api schema` and `api env-example` print the files that are generated from the code, `api healthcheck` asks the
//! one that serves on this machine whether it is ready.

use std::process::ExitCode;

use api::state::StartError;
use platform::{config::Config, shutdown, telemetry};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A field of the schema's roots is looked for in one object behind the other, and each is a frame of the stack: without optimisation they are
/// more than the two megabytes that threads have by default. Only what is used is memory.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(Box::pin(run(command.as_deref()))),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

async fn run(command: Option<&str>) -> Result<(), StartError> {
    match command {
        None => serve().await,
        Some("healthcheck") => api::healthcheck::run(Config::load()?.http.address).await,
        Some("schema") => print(&api::graphql::schema::sdl()),
        Some("config") => print(platform::config::default_toml()),
        Some("env-example") => print(&platform::config::env_example()),
        Some(other) => Err(format!(
            "unknown command {other:?}: use schema, config, env-example, healthcheck, or nothing to serve"
        )
        .into()),
    }
}

async fn serve() -> Result<(), StartError> {
    let config = Config::load()?;
    let _log = telemetry::init(&config.telemetry, config.environment, "goldshop-api")?;
    api::server::run(config, shutdown::on_signal()?).await
}

#[expect(clippy::print_stdout, reason = "this is a command line program")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "one arm of a match whose others can fail"
)]
fn print(text: &str) -> Result<(), StartError> {
    print!("{text}");
    Ok(())
}

/// One line that says why.
#[expect(clippy::print_stderr, reason = "this is a command line program")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("api: {error}");
    ExitCode::FAILURE
}
