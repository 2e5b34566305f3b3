//! Bulks of entries that cost less to post and to seal.

use sea_orm_migration::prelude::*;

use crate::m20261128_000033_reports::rewrite;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Functions of which a few words change, as they were and as they are.
const WORDS: [(&str, &str, &str); 2] = [
    // The same digits, without writing each amount down anew.
    (
        "journal_post",
        "max(scale(trim_scale(amount)))",
        "max(min_scale(amount))",
    ),
    // An entry of the books has two lines at least: no more of them are looked at than make up a batch.
    (
        "trail_seal",
        "upto := LEAST(pending.bound, pending.done + most);",
        "upto := LEAST(pending.bound, pending.done + CASE pending.stream WHEN 'journal' THEN most / 3 + 1 ELSE most END);",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (function, before, after) in WORDS {
            db.execute_unprepared(&rewrite(function, before, after))
                .await?;
        }
        db.execute_unprepared(include_str!("sql/0051_bulk_posting.sql"))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0051_bulk_posting_down.sql"))
            .await?;
        for (function, before, after) in WORDS {
            db.execute_unprepared(&rewrite(function, after, before))
                .await?;
        }
        Ok(())
    }
}
