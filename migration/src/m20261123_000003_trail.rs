//! Audit rows, events, jobs and kept answers.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0003_trail.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE audit, event, job, idempotency; DROP SEQUENCE event_position; DROP FUNCTION refuse_change";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
