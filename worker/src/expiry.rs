//! Lets go of reservations of stock and of holds of the books whose time is over. They hold nothing any more in any case; this is so that
//! whoever shows stock hears of it, and nobody who sells or posts has to clear up first.

use std::time::Duration;

use domain::{Domain, Viewer};
use tokio_util::sync::CancellationToken;

use crate::looks::Looks;

/// How often it is looked for them.
const EVERY: Duration = Duration::from_secs(1);
/// How many are let go at a time.
const MOST: u32 = 500;

/// Looks for them until `stop`. What fails is tried again by the next look.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("expiry");
    let mut looks = Looks::new(EVERY, stop);
    while looks.next().await {
        if let Err(error) = let_go(&domain, &viewer).await {
            tracing::warn!(%error, "cannot let go of reservations whose time is over");
        }
        if let Err(error) = let_go_of_holds(&domain, &viewer).await {
            tracing::warn!(%error, "cannot let go of holds whose time is over");
        }
    }
}

/// All there are, some at a time.
async fn let_go(domain: &Domain, viewer: &Viewer) -> domain::Result<()> {
    while domain.reservations().expire(viewer, MOST).await? >= u64::from(MOST) {}
    Ok(())
}

async fn let_go_of_holds(domain: &Domain, viewer: &Viewer) -> domain::Result<()> {
    while domain.journal().expire_holds(viewer, MOST).await? >= u64::from(MOST) {}
    Ok(())
}
