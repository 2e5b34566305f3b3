//! Keeps what moved and lay where day by day, for time series. Nobody has to wait for it: what is not in the days yet is added by whoever reads.

use std::time::Duration;

use domain::{Domain, Viewer};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether anything has moved.
const EVERY: Duration = Duration::from_secs(15);

/// Looks until `stop`. What fails is tried again by the next look.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("days");
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        // What is left undone when it is time to stop is undone by the database, too, and done by another.
        let added = tokio::select! {
            () = stop.cancelled() => return,
            added = add(&domain, &viewer) => added,
        };
        if let Err(error) = added {
            tracing::warn!(%error, "cannot add movements to days");
        }
    }
}

/// All there are, some at a time.
async fn add(domain: &Domain, viewer: &Viewer) -> domain::Result<()> {
    while domain.series().add(viewer).await? {}
    Ok(())
}
