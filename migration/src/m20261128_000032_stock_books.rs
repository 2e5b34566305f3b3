//! Stock posts to the books.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0032_stock_books.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = "DROP TRIGGER stock_entry_posts_to_books ON stock_entry; DROP TRIGGER item_category_books ON item; \
                   DROP TRIGGER category_path_books ON category; DROP TRIGGER location_path_books ON location; \
                   DROP TRIGGER account_of_stock ON account; DROP TRIGGER journal_line_of_stock ON journal_line; \
                   DROP TRIGGER journal_entry_of_stock ON journal_entry; \
                   DROP TABLE stock_recosting, stock_booked, stock_booking, stock_account; \
                   DROP FUNCTION stock_entry_books, stock_recosting_books, item_category_books, category_path_books, location_path_books, \
                   account_of_stock_stays, journal_line_of_stock, journal_entry_of_stock, stock_books_verify, stock_books, stock_accounts_set, \
                   stock_rebook, stock_book_pools, stock_book_plain, stock_book_post, stock_book_write, stock_book_targets, stock_account_at; \
                   DROP TYPE stock_book, stock_book_line; \
                   ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_kind_check; \
                   ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_kind_check \
                   CHECK (kind IN ('general', 'reversal', 'opening', 'closing'))";
        db.execute_unprepared(sql).await?;
        db.execute_unprepared(&recost_before()?).await?;
        Ok(())
    }
}

/// How items were computed anew before that was kept.
fn recost_before() -> Result<String, DbErr> {
    let text = include_str!("sql/0025_stock_cost.sql")
        .split_once("CREATE FUNCTION stock_recost(")
        .and_then(|(_, rest)| rest.split_once("\nEND $$;"));
    let (text, _) = text.ok_or_else(|| DbErr::Migration("no function stock_recost".to_owned()))?;
    Ok(format!(
        "CREATE OR REPLACE FUNCTION stock_recost({text}\nEND $$;"
    ))
}
