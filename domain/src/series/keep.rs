//! Days are kept behind posting: by a worker, some movements at a time.

use sea_orm::ConnectionTrait as _;

use super::TimeSeriesOf;
use crate::{error::Result, sql::statement, stock::told_in_tx, viewer::Viewer};

/// How many movements, and lines of costs, are added in one go.
const MOST: i64 = 20_000;
/// What is back-dated changes all later days of its places.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'";

impl TimeSeriesOf<'_> {
    /// Adds some of what is not in the days yet; tells whether there may be more. When the shop has another time zone than the days were made
    /// for, all of them are made anew.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn add(&self, viewer: &Viewer) -> Result<bool> {
        viewer.require_system()?;
        // Transactions of their own, and short ones: nobody posts meanwhile.
        for sql in [
            "SELECT stock_series_bound()",
            "SELECT stock_series_bound_costs()",
        ] {
            let tx = self.domain.begin().await?;
            told_in_tx(&tx, statement(sql, [])).await?;
            self.domain.commit(tx).await?;
        }
        let tx = self.domain.begin().await?;
        tx.execute_unprepared(PATIENCE).await?;
        let sql = statement("SELECT stock_series_add($1)", [MOST.into()]);
        let more = told_in_tx(&tx, sql).await?;
        self.domain.commit(tx).await?;
        Ok(more)
    }

    /// Lets all days be made anew, by whoever adds to them next.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn rebuild(&self, viewer: &Viewer) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        tx.execute_raw(statement("SELECT stock_series_rebuild()", []))
            .await?;
        self.domain.commit(tx).await
    }
}
