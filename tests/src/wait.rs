//! Waiting for what will happen: by asking again and again until a deadline, never by sleeping for a fixed time.

use std::time::{Duration, Instant};

/// Long enough for anything that works, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until `look` finds something. `what` is awaited, for the message of the failure.
///
/// # Panics
/// When nothing was found before the deadline.
pub async fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            start.elapsed() < deadline,
            "after {deadline:?} still not: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks until `look` says yes. `what` is awaited, for the message of the failure.
///
/// # Panics
/// When it was never true before the deadline.
pub async fn until(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> bool) {
    eventually(deadline, what, async || look().await.then_some(())).await;
}
