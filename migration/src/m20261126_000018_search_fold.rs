//! Texts are folded for the search with fewer looks at each character.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0018_search_fold.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = include_str!("sql/0016_cheaper_writes.sql");
        let head = "CREATE OR REPLACE FUNCTION search_fold(";
        let former = script
            .split("\n\n")
            .find_map(|part| part.find(head).map(|start| &part[start..]))
            .ok_or_else(|| DbErr::Migration("search_fold is in no script".to_owned()))?;
        manager.get_connection().execute_unprepared(former).await?;
        Ok(())
    }
}
