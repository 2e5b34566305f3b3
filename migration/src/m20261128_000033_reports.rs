//! Reports of the books: what was known when, exports into files, imports of journals.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0033_reports.sql"))
            .await?;
        for (function, before, after) in FINER {
            db.execute_unprepared(&rewrite(function, before, after))
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (function, before, after) in FINER {
            db.execute_unprepared(&rewrite(function, after, before))
                .await?;
        }
        db.execute_unprepared(include_str!("sql/0033_reports_down.sql"))
            .await?;
        Ok(())
    }
}

/// What functions say about how fine amounts are, and what they say from now on: accounts for what is left over take finer ones. Other
/// migrations write these functions anew, so only these words of them are changed.
const FINER: [(&str, &str, &str); 2] = [
    (
        "journal_post",
        "SELECT CASE WHEN w.code IS NOT NULL THEN",
        "SELECT CASE WHEN w.code IS NOT NULL AND (w.code <> 'too_fine' OR NOT EXISTS (SELECT FROM fine_account f WHERE f.account_id = p.account_id)) THEN",
    ),
    (
        "journal_verify",
        "AND l.amount = trunc(l.amount, c.scale) AND",
        "AND (l.amount = trunc(l.amount, c.scale) OR EXISTS (SELECT FROM fine_account f WHERE f.account_id = l.account_id)) AND",
    ),
];

/// Puts `after` where a function says `before`, which it must say once.
pub(crate) fn rewrite(function: &str, before: &str, after: &str) -> String {
    format!(
        "DO $rewrite$
         DECLARE
             text text := pg_get_functiondef('{function}'::regproc);
         BEGIN
             IF length(text) - length(replace(text, $words${before}$words$, '')) <> length($words${before}$words$) THEN
                 RAISE EXCEPTION 'the function {function} is not as this migration knows it';
             END IF;
             EXECUTE replace(text, $words${before}$words$, $words${after}$words$);
         END $rewrite$"
    )
}
