//! Stock locations: a tree, and the virtual ones that are the other side of movements.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0021_locations.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE location_category, location; DROP FUNCTION location_check_paths; \
                   UPDATE role SET permissions = array_remove(array_remove(array_remove(permissions, 'stock.read'), 'stock.write'), \
                   'location.write')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
