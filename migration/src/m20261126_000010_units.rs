//! How units are written, more of them, and their versions.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0010_units.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    /// The units stay: items may be counted in them.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP INDEX item_unit;
                   ALTER TABLE unit_of_measure DROP CONSTRAINT unit_factor_bounds, DROP COLUMN version, DROP COLUMN spellings";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
