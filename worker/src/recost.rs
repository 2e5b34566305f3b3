//! Computes anew what items have cost of which something was written down later than it happened.

use std::time::Duration;

use domain::{Domain, Viewer};
use entity::id::ItemId;
use tokio_util::sync::CancellationToken;

use crate::looks::Looks;

/// How often it is looked for them.
const EVERY: Duration = Duration::from_secs(1);
/// How many are looked up at a time.
const MOST: u32 = 100;

/// Looks for them until `stop`. What fails is tried again by the next look, and holds none of the others up.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("recost");
    let mut looks = Looks::new(EVERY, stop);
    while looks.next().await {
        let due = match domain.costs().due(&viewer, MOST).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "cannot look for items whose costs are to be computed anew");
                continue;
            }
        };
        for item in due {
            if looks.are_over() {
                return;
            }
            recost(&domain, &viewer, item).await;
        }
    }
}

async fn recost(domain: &Domain, viewer: &Viewer, item: ItemId) {
    match domain.costs().recost(viewer, item).await {
        Ok(Some(lines)) => tracing::info!(item = %item.0, lines, "costs computed anew"),
        Ok(None) => {}
        Err(error) => tracing::error!(item = %item.0, %error, "cannot compute costs anew"),
    }
}
