//! What stock has cost, and the currency of the shop.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0025_stock_cost.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TRIGGER stock_movement_values ON stock_movement; \
                   DROP TRIGGER item_costing_begins ON item_stocking; DROP TRIGGER item_costing_stays ON item_stocking; \
                   DROP TABLE stock_cost, stock_cost_layer, stock_value, shop; \
                   ALTER TABLE item_stocking DROP COLUMN cost_method; \
                   DROP FUNCTION stock_cost_post, stock_cost_apply, stock_recost_begin, stock_recost, stock_recost_from, stock_cost_of, stock_cost_share, \
                   item_costing_stays, shop_currency_stays; \
                   DROP TYPE stock_cost_line, stock_cost_change";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
