//! Stock: lots, entries of movements, the levels that follow from them, and reservations.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0022_stock.sql"))
            .await?;
        db.execute_unprepared(include_str!("sql/0022_stock_posting.sql"))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TRIGGER item_stays_as_stocked ON item; DROP TRIGGER location_kept ON location; \
                   DROP TRIGGER location_nature ON location; \
                   DROP TABLE stock_reconciliation, stock_reservation, stock_lot_level, stock_level, stock_movement, stock_entry, stock_closing, lot, item_stocking; \
                   ALTER TABLE location DROP CONSTRAINT location_may_run_short, DROP COLUMN may_run_short, DROP COLUMN keeps_stock; \
                   DROP FUNCTION stock_post, stock_hold, stock_moment, stock_expire, stock_shortage, stock_shortages_since, stock_own, \
                   stock_entry_complete, stays, lot_as_item_is_tracked, item_stays_as_stocked, item_weighing_stays";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
