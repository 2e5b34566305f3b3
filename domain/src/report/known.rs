//! What the books knew at a moment.
//!
//! An entry says when it was recorded before it is committed. So that a report as known at a moment never changes, whoever posts is waited for
//! before it is read, and told the moment: what comes later is recorded later than that (migration 0033, `journal_known`).

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    sql::statement,
};

/// Settles what was known at this moment.
///
/// # Errors
/// When it has not come yet: nobody knows what will be known then.
pub(crate) async fn settle(
    domain: &Domain,
    path: &str,
    moment: Option<DateTime<Utc>>,
) -> Result<()> {
    let Some(moment) = moment else {
        return Ok(());
    };
    let now = domain.now();
    if moment > now {
        let refusal = Refusal::new(Code::TimeOutOfRange, path);
        return Err(refusal.with("max", now.to_rfc3339()).with("min", "").into());
    }
    let sql = "SELECT journal_known($1)";
    domain
        .db
        .execute_raw(statement(sql, [moment.into()]))
        .await?;
    Ok(())
}
