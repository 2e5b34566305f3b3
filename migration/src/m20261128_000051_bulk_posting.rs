//! Bulks of entries that cost less to post and to seal.

use sea_orm_migration::prelude::*;

use crate::m20261128_000033_reports::rewrite;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Functions of which a few words change, as they were and as they are.
const WORDS: [(&str, &str, &str); 5] = [
    // The same digits, without writing each amount down anew.
    (
        "journal_post",
        "max(scale(trim_scale(amount)))",
        "max(min_scale(amount))",
    ),
    // Whether an account has what stock is worth is asked where accounts are looked at: once for each, and in no trigger of its own.
    (
        "journal_post",
        "    is_floored   boolean;\n",
        "    is_floored   boolean;\n    is_of_stock  boolean;\n",
    ),
    (
        "journal_post",
        "bool_or(a.has_floor)\n    INTO is_closed, is_doubtful, locations, subsidiaries, dimensions, is_floored\n",
        "bool_or(a.has_floor),\n           bool_or(EXISTS (SELECT FROM stock_account s WHERE s.account_id = h.account_id AND s.role = 'inventory'))\n    \
         INTO is_closed, is_doubtful, locations, subsidiaries, dimensions, is_floored, is_of_stock\n",
    ),
    (
        "journal_post",
        "    IF is_closed THEN\n        SELECT jsonb_agg(c.fault) INTO closed\n",
        OF_STOCK,
    ),
    // An entry of the books has two lines at least: no more of them are looked at than make up a batch.
    (
        "trail_seal",
        "upto := LEAST(pending.bound, pending.done + most);",
        "upto := LEAST(pending.bound, pending.done + CASE pending.stream WHEN 'journal' THEN most / 3 + 1 ELSE most END);",
    ),
];

/// No entry but those of stock touches the accounts that have what stock is worth.
const OF_STOCK: &str = "    IF is_of_stock THEN
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('entry', p.entry_id, 'line', p.line, 'code', 'account_of_stock', 'account', a.code) AS fault
            FROM posted p
            JOIN stock_account s ON s.account_id = p.account_id AND s.role = 'inventory'
            JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'stock'
            JOIN account a ON a.id = p.account_id
            LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'accounts of stock follow from stock'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit', DETAIL = faults::text;
        END IF;
    END IF;
    IF is_closed THEN
        SELECT jsonb_agg(c.fault) INTO closed
";

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
        for (function, before, after) in WORDS.into_iter().rev() {
            db.execute_unprepared(&rewrite(function, after, before))
                .await?;
        }
        Ok(())
    }
}
