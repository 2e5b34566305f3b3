//! Proves that the books are what their lines make them.

use entity::id::LedgerVerificationId;

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Makes the proof. One that is made again is made of what there is by then. What is wrong is logged: when a schedule asks, nobody waits for
/// the answer.
///
/// # Errors
/// When the database fails.
pub async fn run(
    context: &Context,
    attempt: &Attempt,
    id: LedgerVerificationId,
) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    let journal = context.domain.journal();
    let differences = journal.make_verification(&attempt.viewer, job, id).await?;
    if differences > 0 {
        tracing::error!(differences, "the books are not what their lines make them");
    }
    Ok(())
}
