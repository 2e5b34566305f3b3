//! Metal rates, metal details of items, and pricing models.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0007_pricing.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE item_pricing, item_metal, metal_rate;
                   UPDATE role SET permissions = array_remove(permissions, 'pricing.write')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
