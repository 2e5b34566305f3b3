//! What an item is found by is put together with fewer steps.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0020_search_vector.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = include_str!("sql/0016_cheaper_writes.sql");
        let head = "CREATE OR REPLACE FUNCTION item_search(";
        let former = script
            .find(head)
            .and_then(|start| script[start..].split_inclusive("END $$;").next())
            .ok_or_else(|| DbErr::Migration("item_search is in no script".to_owned()))?;
        manager.get_connection().execute_unprepared(former).await?;
        Ok(())
    }
}
