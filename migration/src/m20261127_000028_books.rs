//! The books: commodities, accounts, fiscal years with their periods, and entries with what follows from them.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            include_str!("sql/0028_books.sql"),
            include_str!("sql/0028_books_posting.sql"),
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE account_turnover, journal_line, journal_entry, journal_sequence, period, fiscal_year, account, commodity; \
                   DROP FUNCTION account_check_paths, account_owns, account_stays_as_posted, books_own, books_share, fiscal_year_begin, \
                   journal_entry_complete, journal_entry_number, journal_numbers, journal_post, journal_verify, period_keep, period_owns; \
                   UPDATE role SET permissions = array_remove(array_remove(array_remove(array_remove(permissions, 'books.manage'), \
                   'books.post'), 'books.read'), 'period.close')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
