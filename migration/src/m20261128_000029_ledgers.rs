//! Subsidiary accounts, cost centres and projects, floors and holds, and how fiscal years are closed.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            include_str!("sql/0029_dimensions.sql"),
            include_str!("sql/0029_holds.sql"),
            include_str!("sql/0029_closing.sql"),
            include_str!("sql/0029_posting.sql"),
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (name, end) in [
            ("journal_entry_number", "\nEND $$;"),
            ("journal_post", "\nEND $$;"),
            ("journal_verify", "\n$$;"),
        ] {
            db.execute_unprepared(&as_it_was(name, end)?).await?;
        }
        db.execute_unprepared(include_str!("sql/0029_down.sql"))
            .await?;
        Ok(())
    }
}

/// A function as it was written before.
fn as_it_was(name: &str, end: &str) -> Result<String, DbErr> {
    let sql = include_str!("sql/0028_books_posting.sql");
    let text = sql
        .split_once(&format!("CREATE FUNCTION {name}("))
        .and_then(|(_, rest)| rest.split_once(end));
    let (text, _) = text.ok_or_else(|| DbErr::Migration(format!("no function {name}")))?;
    Ok(format!("CREATE OR REPLACE FUNCTION {name}({text}{end}"))
}
