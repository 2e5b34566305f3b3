//! Revaluation of other currencies and metals, and files that belong to entries.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            include_str!("sql/0037_revaluation.sql"),
            include_str!("sql/0037_attachments.sql"),
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0037_down.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
