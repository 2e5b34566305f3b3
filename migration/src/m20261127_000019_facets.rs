//! An index of the items in use that has what facets count: the entries of a category lie together, and are a fraction of the rows.
//!
//! An entry has its bounds, 2,704 bytes. Attributes of up to 400 bytes of text are at most 1,600 as `jsonb` (a list of single digits),
//! four tags of up to fifty characters at most 840, and the rest is below 100. Items beyond that are few; a second index finds them. How many, PostgreSQL
//! is told by statistics of the same expressions.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const FITS: &str = "octet_length(attributes::text) <= 400 AND cardinality(tags) <= 4";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Nobody is to wait for the indexes. Each step may be taken once more, should the last attempt have ended in the middle.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.down(manager).await?;
        let db = manager.get_connection();
        for step in [
            &format!(
                "CREATE INDEX CONCURRENTLY item_facets ON item (category_id, id) INCLUDE (kind, price_amount, tags, attributes)
                 WHERE archived_at IS NULL AND {FITS}"
            ),
            &format!(
                "CREATE INDEX CONCURRENTLY item_facets_large ON item (category_id, id) WHERE archived_at IS NULL AND NOT ({FITS})"
            ),
            "CREATE STATISTICS item_size ON (octet_length(attributes::text)), (cardinality(tags)) FROM item",
            "ANALYZE item",
        ] {
            db.execute_unprepared(step).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for step in [
            "DROP INDEX CONCURRENTLY IF EXISTS item_facets",
            "DROP INDEX CONCURRENTLY IF EXISTS item_facets_large",
            "DROP STATISTICS IF EXISTS item_size",
        ] {
            db.execute_unprepared(step).await?;
        }
        Ok(())
    }
}
