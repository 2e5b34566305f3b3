//! What moved at each place, week by week.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0026_stock_weeks.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP FUNCTION stock_week_set_mark, stock_week_add, stock_changes_since, stock_movements_behind_weeks, stock_week_of, stock_week_end; \
                   DROP TABLE stock_week, stock_week_item, stock_week_mark; DROP INDEX stock_movement_number, stock_movement_item; \
                   CREATE INDEX stock_movement_item ON stock_movement (item_id, effective_at, number)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
