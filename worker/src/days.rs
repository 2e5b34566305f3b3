//! Keeps what moved and lay where day by day, for time series. Nobody has to wait for it: what is not in the days yet is added by whoever reads.

use std::time::Duration;

use domain::{Domain, Viewer};
use tokio_util::sync::CancellationToken;

use crate::looks::Looks;

/// How often it is looked whether anything has moved.
const EVERY: Duration = Duration::from_secs(15);

/// Looks until `stop`. What fails is tried again by the next look.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("days");
    let mut looks = Looks::new(EVERY, stop);
    while looks.next().await {
        let added = looks.unless_stopped(add(&domain, &viewer)).await;
        if let Some(Err(error)) = added {
            tracing::warn!(%error, "cannot add movements to days");
        }
    }
}

/// All there are, some at a time.
async fn add(domain: &Domain, viewer: &Viewer) -> domain::Result<()> {
    while domain.series().add(viewer).await? {}
    Ok(())
}
