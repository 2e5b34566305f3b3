//! Indexes by price that know the category of each item.
//!
//! A page of a category by price walks along an order's index and reads the items of that category only. PostgreSQL answers from an index
//! alone only when it has every column that is asked of, so the price is in it beside what it is ordered by; and only of pages of the table
//! that were vacuumed after their last change, so items are vacuumed when two of a hundred have changed, and not twenty.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: [(&str, &str); 2] = [
    ("item_price_up", "COALESCE(price_amount, 'Infinity')"),
    ("item_price_down", "COALESCE(price_amount, -1)"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Nobody is to wait for the indexes. Each step may be taken once more, should the last attempt have ended in the middle.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rebuild(manager, " INCLUDE (category_id, price_amount)").await?;
        let often = "ALTER TABLE item SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)";
        manager.get_connection().execute_unprepared(often).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rebuild(manager, "").await?;
        let usual = "ALTER TABLE item RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)";
        manager.get_connection().execute_unprepared(usual).await?;
        Ok(())
    }
}

/// Puts other indexes in the place of the present ones while these are in use. What PostgreSQL knows of their expressions is looked at before
/// the change, for it goes with the former indexes.
async fn rebuild(manager: &SchemaManager<'_>, beside: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for (name, expression) in INDEXES {
        let left_behind = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}_next");
        db.execute_unprepared(&left_behind).await?;
        let next =
            format!("CREATE INDEX CONCURRENTLY {name}_next ON item ({expression}, id){beside}");
        db.execute_unprepared(&next).await?;
    }
    db.execute_unprepared("ANALYZE item").await?;
    for (name, _) in INDEXES {
        let former = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
        db.execute_unprepared(&former).await?;
        let renamed = format!("ALTER INDEX {name}_next RENAME TO {name}");
        db.execute_unprepared(&renamed).await?;
    }
    Ok(())
}
