//! Landed cost: what makes a receipt cost more or less later.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0034_landed_cost.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = include_str!("sql/0034_landed_cost_down.sql");
        db.execute_unprepared(sql).await?;
        for (name, end) in BEFORE {
            db.execute_unprepared(&before(name, end)?).await?;
        }
        Ok(())
    }
}

/// Functions that were otherwise before, and how each ends.
const BEFORE: [(&str, &str); 5] = [
    ("stock_account_at", "\n$$;"),
    ("stock_book_post", "\nEND $$;"),
    ("stock_recost", "\nEND $$;"),
    ("stock_recosting_books", "\nEND $$;"),
    ("stock_books_verify", "\n$$;"),
];

/// The function as it was before.
fn before(name: &str, end: &str) -> Result<String, DbErr> {
    let text = include_str!("sql/0032_stock_books.sql")
        .split_once(&format!("FUNCTION {name}("))
        .and_then(|(_, rest)| rest.split_once(end));
    let (text, _) = text.ok_or_else(|| DbErr::Migration(format!("no function {name}")))?;
    Ok(format!("CREATE OR REPLACE FUNCTION {name}({text}{end}"))
}
