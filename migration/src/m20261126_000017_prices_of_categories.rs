//! Indexes by price that know the category of each item.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0017_prices_of_categories.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP INDEX item_price_up, item_price_down;\
                   CREATE INDEX item_price_up ON item (COALESCE(price_amount, 'Infinity'), id);\
                   CREATE INDEX item_price_down ON item (COALESCE(price_amount, -1), id)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
