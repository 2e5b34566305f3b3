//! Proves that nothing was changed behind the trail's back.

use entity::id::TrailVerificationId;

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Makes the proof, step by step: whoever takes it over goes on where it was.
///
/// # Errors
/// When the database fails, or checkpoints cannot be read.
pub async fn run(
    context: &Context,
    attempt: &Attempt,
    id: TrailVerificationId,
) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    let (trail, viewer) = (context.domain.trail(), &attempt.viewer);
    let checkpoints = match context.checkpoints.as_deref() {
        Some(checkpoints) => checkpoints
            .read()
            .map_err(|error| Failure::discard(error.to_string()))?,
        None => domain::trail::Checkpoints::new(),
    };
    while trail
        .make_verification(viewer, job, id, &checkpoints)
        .await?
    {}
    Ok(())
}
