//! Saved views, tags, and what makes two items look like one.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0014_views.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TRIGGER item_looks_like_inserted ON item; DROP TRIGGER item_looks_like_updated ON item; \
                   DROP FUNCTION item_looks_like; DROP INDEX item_barcode_gtin; DROP TABLE item_name_form, tag, saved_view_default, saved_view; \
                   DROP FUNCTION gtin14, name_form; \
                   UPDATE role SET permissions = array_remove(permissions, 'audit.read')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
