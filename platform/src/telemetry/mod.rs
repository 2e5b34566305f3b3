//! The log of the programs: JSON lines for machines, or text for people, on standard error. Standard output is
//! left to what a command prints for its caller.
//!
//! Lines are written by a thread of their own, many at once when there are many: a request neither waits for a slow
//! reader of the log nor for another request's line. When ten thousand lines are waiting, whoever logs waits too, so no
//! line is lost but those that a process had not yet written when it was killed.

mod json;
mod level;
mod panics;
mod request_id;

use std::io::{self, BufWriter, IsTerminal};

use thiserror::Error;
use tracing::{Subscriber, subscriber::SetGlobalDefaultError};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Registry,
    filter::ParseError,
    fmt::{self, MakeWriter, format::JsonFields},
    layer::{Layer, SubscriberExt},
};

pub use self::{
    level::{LogLevel, UnknownLevel},
    request_id::RequestId,
};
use crate::config::{Environment, LogFormat, Telemetry};

/// Why the log could not be started.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter was refused.
    #[error("the log filter is not understood")]
    Filter(#[from] ParseError),
    /// This process logs already.
    #[error("the log was started already")]
    Started(#[from] SetGlobalDefaultError),
}

/// Most lines that wait to be written.
const WAITING_MAX: usize = 10_000;

/// Writes what is still waiting when it goes.
#[must_use = "the log ends with it"]
pub struct Log {
    _writer: WorkerGuard,
}

/// Starts the log of this process, which lasts as long as what is returned, and logs panics too. `service` stands in
/// every line.
///
/// # Errors
/// When the log was started before.
pub fn init(
    settings: &Telemetry,
    environment: Environment,
    service: &'static str,
) -> Result<Log, TelemetryError> {
    let (writer, guard) = writer();
    let subscriber = subscriber(settings, environment, service, writer)?;
    tracing::subscriber::set_global_default(subscriber)?;
    panics::log_them();
    Ok(Log { _writer: guard })
}

fn writer() -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_MAX)
        .lossy(false)
        .thread_name("log")
        .finish(BufWriter::new(io::stderr()))
}

/// What turns events into lines and gives them to `writer`.
fn subscriber<W>(
    settings: &Telemetry,
    environment: Environment,
    service: &'static str,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = match settings.format {
        LogFormat::Json => json_lines(service, writer),
        LogFormat::Pretty => pretty_lines(writer),
        LogFormat::Auto if environment == Environment::Development => pretty_lines(writer),
        LogFormat::Auto => json_lines(service, writer),
    };
    Ok(Registry::default()
        .with(settings.level.filter()?)
        .with(lines))
}

type Lines<S> = Box<dyn Layer<S> + Send + Sync>;

fn json_lines<S, W>(service: &'static str, writer: W) -> Lines<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().fmt_fields(JsonFields::new());
    layer
        .event_format(json::JsonLine { service })
        .with_writer(writer)
        .boxed()
}

fn pretty_lines<S, W>(writer: W) -> Lines<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer()
        .compact()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(writer)
        .boxed()
}

#[cfg(test)]
mod tests;
