//! Does nothing: that it is done tells that PostgreSQL, a relay, Redis and a worker are at work.

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Says that it is done.
///
/// # Errors
/// When another worker has taken the job over, or the database fails.
pub async fn run(context: &Context, attempt: &Attempt) -> Result<(), Failure> {
    Ok(context.together.succeed(attempt).await?)
}
