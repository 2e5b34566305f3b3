//! What was retired of the trail: which months were dropped, by whom and why.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;

use super::Trail;
use crate::{error::Result, permission::Permission, sql::statement, viewer::Viewer};

/// How many are told.
const MOST: i64 = 1000;

/// A month of the trail that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Retirement {
    /// Of which table: `audit` or `trail_change`.
    pub table: String,
    /// How many rows it had.
    pub rows: i64,
    /// When the first of them was written.
    pub since: DateTime<Utc>,
    /// When the last of them was written.
    pub until: DateTime<Utc>,
    /// For how many days the policy kept it; none where the owner of the database dropped it.
    pub kept_days: Option<i32>,
    /// Who dropped it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Trail<'_> {
    /// What was retired, the newest first, and at most the last thousand.
    ///
    /// # Errors
    /// When the viewer may not see the trail.
    pub async fn retirements(&self, viewer: &Viewer) -> Result<Vec<Retirement>> {
        viewer.require(Permission::AuditRead)?;
        let sql = "SELECT CASE stream WHEN 'audit' THEN 'audit' ELSE 'trail_change' END AS \"table\", rows, since, until, kept_days, actor_name AS by,
                          reason, retired_at AS at
                   FROM trail_retired ORDER BY retired_at DESC, until DESC, stream LIMIT $1";
        let rows = Retirement::find_by_statement(statement(sql, [MOST.into()]));
        Ok(rows.all(&self.domain.reads).await?)
    }
}
