//! Counts of stock.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0024_stock_count.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE stock_count_scan, stock_count_line, stock_count_location, stock_count;
                   DROP FUNCTION stock_count_take(), stock_count_begin(), stock_count_step(), stock_count_settle(), stock_count_recount(),
                                 stock_count_end(), stock_count_expected(uuid, uuid, uuid, timestamptz);
                   UPDATE role SET permissions = array_remove(permissions, 'stock.approve')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
