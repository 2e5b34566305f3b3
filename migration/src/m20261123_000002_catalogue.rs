//! Units, categories, items, barcodes and pictures.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0002_catalogue.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE item DROP CONSTRAINT item_primary_image_own; DROP TABLE item_image, item_barcode, item, category, unit_of_measure; DROP FUNCTION category_check_paths";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
