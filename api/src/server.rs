//! Serves until it is told to stop, then lets requests that are under way come to their end.

use std::time::Duration;

use platform::config::Config;
use poem::{
    Server,
    listener::{Acceptor, Listener, TcpListener},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::state::{StartError, State};

/// How long a connection may stay open without a request: a little longer than proxies keep theirs.
const IDLE: Duration = Duration::from_secs(75);
/// How long requests and streams may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves on the configured address until `stop`.
///
/// # Errors
/// When the server cannot be put together, or the address is taken.
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), StartError> {
    let address = config.http.address;
    let state = State::new(config)?;
    let acceptor = TcpListener::bind(address).into_acceptor().await?;
    serve(state, acceptor, stop).await
}

/// Serves what `acceptor` accepts until `stop`.
///
/// # Errors
/// When accepting fails for good, or events can no longer be followed.
pub async fn serve<A: Acceptor + 'static>(
    state: State,
    acceptor: A,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let metrics = match state.metrics_address() {
        Some(address) => Some(tokio::net::TcpListener::bind(address).await?),
        None => None,
    };
    let streams = TaskTracker::new();
    let events = tokio::spawn(needed(
        state.events().clone().run(stop.clone()),
        stop.clone(),
    ));
    let endpoint = state.endpoint(stop.clone(), streams.clone());
    for address in acceptor.local_addr() {
        tracing::info!(%address, "serving");
    }
    let metrics = metrics.map(|listener| {
        let metrics = state.metrics().clone();
        tokio::spawn(platform::metrics::serve(listener, metrics, stop.clone()))
    });
    let stopped = stop.clone().cancelled_owned();
    let server = Server::new_with_acceptor(acceptor).idle_timeout(IDLE);
    let served = server
        .run_with_graceful_shutdown(endpoint, stopped, Some(PATIENCE))
        .await;
    stop.cancel();
    streams.close();
    let _ = tokio::time::timeout(PATIENCE, streams.wait()).await;
    events.await?;
    if let Some(metrics) = metrics {
        metrics.await?;
    }
    Ok(served?)
}

/// Work without which there is no use in serving: when it ends, even by a panic, the server is told to stop.
async fn needed(work: impl Future<Output = ()>, stop: CancellationToken) {
    let _stops = stop.drop_guard();
    work.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_server_stops_when_what_it_needs_panics() {
        let stop = CancellationToken::new();
        let work = async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "the work fails");
        };
        let ended = tokio::spawn(needed(work, stop.clone())).await;
        assert!(ended.is_err_and(|error| error.is_panic()));
        assert!(stop.is_cancelled());
    }
}
