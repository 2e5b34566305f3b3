//! Keeps what moved week by week of items that move often, so that whoever looks back need not add up all movements. Nobody has to wait for it:
//! without it the past is as right, and slower.

use std::time::Duration;

use domain::{Domain, Viewer};
use tokio_util::sync::CancellationToken;

use crate::looks::Looks;

/// How often it is looked whether enough has moved.
const EVERY: Duration = Duration::from_secs(20);

/// Looks until `stop`. What fails is tried again by the next look.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("weeks");
    let mut looks = Looks::new(EVERY, stop);
    while looks.next().await {
        let added = looks.unless_stopped(add(&domain, &viewer)).await;
        if let Some(Err(error)) = added {
            tracing::warn!(%error, "cannot add movements to weeks");
        }
    }
}

/// All there are, some at a time.
async fn add(domain: &Domain, viewer: &Viewer) -> domain::Result<()> {
    while domain.stock().add_to_weeks(viewer).await? {}
    Ok(())
}
