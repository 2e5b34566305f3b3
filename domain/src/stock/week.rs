//! What moved at each place week by week, of items that move often, for whoever looks back (`past.rs`, `card.rs`). A worker adds to it behind
//! posting; whoever reads is right whether it has or not, as it is known which movements are in it.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use super::Stock;
use crate::{
    error::{Error, Result},
    sql::statement,
    viewer::Viewer,
};

/// Fewer movements than these are not worth a look, nor those of one item worth adding.
const ENOUGH: i64 = 1_000;
/// How many movements are looked at in one go.
const MOST: i64 = 50_000;
/// An item may have very many that are in no week yet.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'";

impl Stock<'_> {
    /// Adds some of the movements that are in no week yet to weeks; tells whether there may be more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn add_to_weeks(&self, viewer: &Viewer) -> Result<bool> {
        viewer.require_system()?;
        // A transaction of its own, and a short one: nobody posts meanwhile.
        let tx = self.domain.begin().await?;
        let sql = statement("SELECT stock_week_set_mark($1)", [ENOUGH.into()]);
        told_in_tx(&tx, sql).await?;
        self.domain.commit(tx).await?;
        let tx = self.domain.begin().await?;
        tx.execute_unprepared(PATIENCE).await?;
        let sql = statement(
            "SELECT stock_week_add($1, $2)",
            [MOST.into(), ENOUGH.into()],
        );
        let more = told_in_tx(&tx, sql).await?;
        self.domain.commit(tx).await?;
        Ok(more)
    }
}

/// The one thing that the function tells.
pub(crate) async fn told_in_tx(tx: &DatabaseTransaction, sql: Statement) -> Result<bool> {
    let row = tx.query_one_raw(sql).await?;
    let row = row.ok_or_else(|| Error::internal("a function without a row"))?;
    Ok(row.try_get_by_index(0)?)
}
