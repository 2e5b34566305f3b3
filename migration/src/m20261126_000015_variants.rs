//! Templates of items and their variants.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0015_variants.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TRIGGER item_vary_inserted ON item; DROP TRIGGER item_vary_updated ON item; DROP FUNCTION item_vary;\
                   DROP TABLE item_option; ALTER TABLE item DROP CONSTRAINT item_template, DROP CONSTRAINT item_template_key, \
                   DROP COLUMN variant_options, DROP COLUMN template_id, DROP COLUMN is_template, DROP COLUMN of_template";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
