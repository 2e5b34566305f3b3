//! Proves that levels are the sums of movements.

use entity::id::StockReconciliationId;

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Makes the proof. One that is made again is made of what there is by then.
///
/// # Errors
/// When the database fails.
pub async fn run(
    context: &Context,
    attempt: &Attempt,
    id: StockReconciliationId,
) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    let stock = context.domain.stock();
    Ok(stock.make_reconciliation(&attempt.viewer, job, id).await?)
}
