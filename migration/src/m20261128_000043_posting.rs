//! Posting costs less, and what is old is read in few rows.

use sea_orm_migration::prelude::*;

use crate::m20261128_000033_reports::rewrite;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0043_posting.sql"))
            .await?;
        db.execute_unprepared(&rewrite("journal_verify", MONTHS, &years()))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(&rewrite("journal_verify", &years(), MONTHS))
            .await?;
        db.execute_unprepared(include_str!("sql/0043_posting_down.sql"))
            .await?;
        Ok(())
    }
}

/// Which turnovers of subsidiary accounts a proof of the books has known.
const MONTHS: &str = "FROM journal_line WHERE subsidiary_id IS NOT NULL GROUP BY account_id, subsidiary_id, commodity, date) d
        CROSS JOIN LATERAL (VALUES ('day', d.date), ('month', date_trunc('month', d.date)::date)) s (span, since)";

/// Those, and years.
fn years() -> String {
    MONTHS.replace(
        "d.date)::date)) s",
        "d.date)::date), ('year', date_trunc('year', d.date)::date)) s",
    )
}
