//! What items are found by.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0012_search.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TRIGGER item_found_by_inserted ON item; DROP TRIGGER item_found_by_updated ON item; DROP FUNCTION item_found_by;\
                   DROP TABLE search_word, item_number; \
                   DROP INDEX item_attributes, item_price_up, item_price_down, item_name_en, item_name_fa, item_barcode_prefix; \
                   ALTER TABLE item DROP COLUMN search; DROP FUNCTION search_vocabulary, item_numbers, search_number, item_search, quoted_lexemes, search_fold";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
