//! What stock has cost, and the currency of the shop.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0025_stock_cost.sql"))
            .await?;
        db.execute_unprepared(include_str!("sql/0025_stock_posting.sql"))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for name in ["stock_moment", "stock_post"] {
            db.execute_unprepared(&as_it_was(name)?).await?;
        }
        let sql = "DROP TRIGGER item_costing_begins ON item_stocking; DROP TRIGGER item_costing_stays ON item_stocking; \
                   DROP TABLE stock_cost, stock_cost_layer, stock_value, shop; \
                   ALTER TABLE item_stocking DROP COLUMN cost_method; \
                   DROP FUNCTION stock_post_usual, stock_cost_settle, stock_cost_apply, stock_recost_begin, stock_recost, stock_recost_from, stock_cost_of, stock_cost_share, \
                   item_costing_stays, shop_currency_stays; \
                   DROP TYPE stock_cost_line, stock_cost_change";
        db.execute_unprepared(sql).await?;
        Ok(())
    }
}

/// A function as it was written before.
fn as_it_was(name: &str) -> Result<String, DbErr> {
    let sql = include_str!("sql/0022_stock_posting.sql");
    let text = sql
        .split_once(&format!("CREATE FUNCTION {name}("))
        .and_then(|(_, rest)| rest.split_once("\nEND $$;"));
    let (text, _) = text.ok_or_else(|| DbErr::Migration(format!("no function {name}")))?;
    Ok(format!("CREATE OR REPLACE FUNCTION {name}({text}\nEND $$;"))
}
