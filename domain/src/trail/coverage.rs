//! What becomes of each table: what the trail proves, and what something else does.
//!
//! The list is compiled in: whoever has the database has not this. A table that is in none of it is missing, and so is one that should be kept
//! and is not, because its triggers are gone or sleep.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{error::Result, sql::statement};

/// How a table is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Its rows are only added, and sealed as they are.
    Sealed,
    /// Each change of its rows is kept and sealed, and its rows are as the last change left them.
    Kept,
    /// It follows from rows that are sealed or kept, which something else proves.
    Derived,
    /// It says nothing about the business.
    Excluded,
}

/// A table, how it is covered, and by what or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The table.
    pub table: &'static str,
    /// How.
    pub cover: Cover,
    /// What proves it, or why nothing has to.
    pub by: &'static str,
    /// Of a kept table, the column that says of which thing a row is a part; empty where there is none.
    pub(super) about: &'static str,
    /// Columns that are kept as hashes.
    pub(super) hidden: &'static [&'static str],
    /// Of a sealed table, the columns that are hashed, or give a row its place.
    pub(super) columns: &'static [&'static str],
}

const fn covered(table: &'static str, cover: Cover, by: &'static str) -> Covered {
    Covered {
        table,
        cover,
        by,
        about: "",
        hidden: &[],
        columns: &[],
    }
}

const fn sealed(table: &'static str, columns: &'static [&'static str]) -> Covered {
    Covered {
        columns,
        ..covered(table, Cover::Sealed, "auditVerify")
    }
}

const fn kept(table: &'static str, about: &'static str) -> Covered {
    Covered {
        about,
        ..covered(table, Cover::Kept, "auditVerify")
    }
}

const fn derived(table: &'static str, by: &'static str) -> Covered {
    covered(table, Cover::Derived, by)
}

const fn excluded(table: &'static str, by: &'static str) -> Covered {
    covered(table, Cover::Excluded, by)
}

const LEVELS: &str = "stockReconcile of LEVELS";
const SERIES: &str = "stockReconcile of SERIES";
const COSTS: &str = "stockReconcile of COSTS, from lines of costs, which are sealed";
const BOOKS: &str = "ledgerVerify";
const INDEX: &str = "items: only what they are found by";
const WORK: &str = "work to be done, no business data; what it does to the business is kept there";
const CLEARED: &str =
    "what was cleared up, which says nothing about the business; the trail has it too";

/// Every table there is, in alphabetical order.
pub const COVERAGE: &[Covered] = &[
    kept("account", "id"),
    kept("account_floor", "account_id"),
    kept("account_role", "account_id"),
    derived("account_turnover", BOOKS),
    kept("account_valuation", "account_id"),
    Covered {
        hidden: &["token_hash"],
        ..kept("api_token", "id")
    },
    Covered {
        hidden: &["password_hash"],
        ..kept("app_user", "id")
    },
    kept("attribute", "id"),
    sealed(
        "audit",
        &[
            "number",
            "at",
            "actor_kind",
            "actor_id",
            "actor_name",
            "request_id",
            "reason",
            "action",
            "aggregate_type",
            "aggregate_id",
            "before",
            "after",
            "tx",
            "written_at",
        ],
    ),
    excluded("backup", WORK),
    excluded("blob_retired", WORK),
    kept("category", "id"),
    excluded("code_batch", WORK),
    kept("commodity", ""),
    kept("dimension_value", "id"),
    excluded("event", "tells what has happened; the trail proves it"),
    kept("exchange_rate", "id"),
    kept("fine_account", "account_id"),
    kept("fiscal_year", "id"),
    excluded("idempotency", "answers that are kept for a time"),
    kept("item", "id"),
    derived("item_attribute_unique", INDEX),
    kept("item_barcode", "item_id"),
    excluded("item_export", WORK),
    kept("item_image", "item_id"),
    excluded("item_import", WORK),
    excluded("item_import_error", WORK),
    kept("item_metal", "item_id"),
    derived("item_name_form", INDEX),
    derived("item_number", INDEX),
    kept("item_option", "template_id"),
    kept("item_pricing", "item_id"),
    kept("item_stocking", "item_id"),
    excluded("job", WORK),
    excluded("job_file", WORK),
    kept("journal_attachment", "id"),
    kept("journal_draft", "id"),
    kept("journal_draft_line", "draft_id"),
    sealed(
        "journal_entry",
        &[
            "id",
            "fiscal_year_id",
            "number",
            "date",
            "kind",
            "description",
            "document_type",
            "document_id",
            "reverses_id",
            "lines",
            "recorded_at",
            "actor_kind",
            "actor_id",
            "actor_name",
        ],
    ),
    kept("journal_hold", "id"),
    kept("journal_hold_line", "hold_id"),
    derived("journal_hold_open", "holds, which are kept"),
    excluded(
        "journal_horizon",
        "what reports were told; it says nothing about the business",
    ),
    excluded("journal_import", WORK),
    sealed(
        "journal_line",
        &[
            "entry_id",
            "line",
            "account_id",
            "commodity",
            "is_debit",
            "amount",
            "base_amount",
            "quantity",
            "location_id",
            "subsidiary_id",
            "cost_center_id",
            "project_id",
            "description",
            "date",
            "number",
        ],
    ),
    kept("journal_revaluation", "entry_id"),
    derived("journal_sequence", BOOKS),
    excluded("label_sheet", WORK),
    excluded("ledger_verification", WORK),
    kept("location", "id"),
    kept("location_category", "location_id"),
    kept("lot", "id"),
    kept("metal_rate", "id"),
    kept("period", "id"),
    excluded("queue_pause", WORK),
    excluded("report_export", WORK),
    excluded("retention_file", WORK),
    kept("retention_hold", ""),
    kept("retention_policy", ""),
    excluded("retention_result", CLEARED),
    excluded("retention_run", CLEARED),
    kept("role", "id"),
    kept("saved_view", "id"),
    kept("saved_view_default", "user_id"),
    kept("schedule", "id"),
    excluded("schedule_firing", WORK),
    excluded("schedule_state", WORK),
    excluded(
        "seaql_migrations",
        "the history of the database's own shape",
    ),
    derived("search_word", INDEX),
    kept("shop", ""),
    kept("stock_account", ""),
    derived("stock_booked", BOOKS),
    kept("stock_booking", ""),
    derived("stock_closing", "periods, which are kept"),
    sealed(
        "stock_cost",
        &[
            "number",
            "entry_id",
            "line",
            "item_id",
            "layer_id",
            "amount",
            "value",
            "effective_at",
            "recorded_at",
            "corrects",
        ],
    ),
    derived("stock_cost_layer", COSTS),
    kept("stock_count", "id"),
    derived("stock_count_line", "scans, which are kept"),
    derived("stock_count_location", "counts, which are kept"),
    kept("stock_count_scan", "count_id"),
    sealed(
        "stock_entry",
        &[
            "id",
            "number",
            "kind",
            "reason",
            "document",
            "note",
            "effective_at",
            "recorded_at",
            "actor_kind",
            "actor_id",
            "actor_name",
            "reverses_id",
            "lines",
        ],
    ),
    derived("stock_flow_day", SERIES),
    derived("stock_flow_total", SERIES),
    kept("stock_landed_cost", "id"),
    kept("stock_landed_cost_line", "landed_cost_id"),
    derived("stock_landed_value", BOOKS),
    derived("stock_level", LEVELS),
    derived("stock_level_day", SERIES),
    derived("stock_lot_level", LEVELS),
    sealed(
        "stock_movement",
        &[
            "entry_id",
            "line",
            "number",
            "item_id",
            "lot_id",
            "from_location_id",
            "to_location_id",
            "quantity",
            "weight",
            "fine_weight",
            "unit_cost",
            "effective_at",
        ],
    ),
    excluded("stock_reconciliation", WORK),
    kept("stock_recosting", "item_id"),
    kept("stock_reservation", "id"),
    derived("stock_series_mark", SERIES),
    kept("stock_transfer", "id"),
    kept("stock_transfer_line", "transfer_id"),
    derived("stock_value", COSTS),
    derived("stock_week", SERIES),
    derived("stock_week_item", SERIES),
    derived("stock_week_mark", SERIES),
    derived("subsidiary_turnover", BOOKS),
    derived("tag", INDEX),
    sealed(
        "trail_change",
        &[
            "number",
            "source",
            "operation",
            "about",
            "key",
            "after",
            "who",
            "role",
            "tx",
            "written_at",
        ],
    ),
    excluded("trail_pending", WORK),
    kept("trail_retired", "id"),
    covered(
        "trail_seal",
        Cover::Sealed,
        "the chain of hashes itself, and checkpoints",
    ),
    excluded("trail_verification", WORK),
    kept("unit_of_measure", "id"),
    kept("user_role", "user_id"),
];

/// What should be covered and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The table.
    pub table: String,
    /// What is wrong with it: `unknown_table`, `no_table`, `no_trigger`, `no_keeper`, `column` or `hidden_rows`.
    pub what: String,
}

#[derive(FromQueryResult)]
pub(super) struct Table {
    pub(super) name: String,
    /// All that is not generated from others.
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<String>,
    /// How many of the triggers that keep it are awake.
    triggers: i64,
    keeper: String,
    /// Whether rules or policies stand between its rows and whoever looks.
    is_veiled: bool,
}

const TABLES: &str = "
    SELECT c.relname::text AS name,
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
           ARRAY(SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place) AS key,
           (SELECT count(*) FROM pg_trigger t
            WHERE t.tgrelid = c.oid AND t.tgenabled IN ('O', 'A')
              AND t.tgname IN (c.relname || '_trail_insert', c.relname || '_trail_update', c.relname || '_trail_delete', c.relname || '_trail_truncate')
              AND t.tgfoid = to_regproc('public.trail_keep_' || c.relname)) AS triggers,
           COALESCE((SELECT p.prosrc FROM pg_proc p WHERE p.oid = to_regproc('public.trail_keep_' || c.relname)), '') AS keeper,
           c.relhasrules OR c.relrowsecurity AS is_veiled
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1";

pub(super) async fn tables(db: &impl ConnectionTrait) -> Result<Vec<Table>> {
    let rows = Table::find_by_statement(statement(TABLES, []));
    Ok(rows.all(db).await?)
}

/// Compares what there is with what should be covered.
pub(super) fn missing(tables: &[Table]) -> Vec<Missing> {
    let known: BTreeMap<_, _> = COVERAGE.iter().map(|one| (one.table, one)).collect();
    let found: BTreeMap<_, _> = tables
        .iter()
        .map(|table| (table.name.as_str(), table))
        .collect();
    let mut missing = Vec::new();
    let mut say = |table: &str, what: &str| {
        missing.push(Missing {
            table: table.to_owned(),
            what: what.to_owned(),
        });
    };
    for table in tables {
        match known.get(table.name.as_str()) {
            None => say(&table.name, "unknown_table"),
            Some(covered) => {
                if let Some(what) = fault(covered, table) {
                    say(&table.name, what);
                }
            }
        }
    }
    for covered in COVERAGE {
        // Where the database is only as old as its first migrations, nothing is there yet.
        if !found.contains_key(covered.table) {
            say(covered.table, "no_table");
        }
    }
    missing
}

fn fault(covered: &Covered, table: &Table) -> Option<&'static str> {
    match covered.cover {
        Cover::Derived | Cover::Excluded => None,
        Cover::Sealed | Cover::Kept if table.is_veiled => Some("hidden_rows"),
        Cover::Sealed => {
            let is_hashed = |column: &String| covered.columns.contains(&column.as_str());
            let all = covered.columns.is_empty() || table.columns.iter().all(is_hashed);
            (!all).then_some("column")
        }
        Cover::Kept if table.triggers < 4 => Some("no_trigger"),
        Cover::Kept if !table.keeper.contains("INSERT INTO public.trail_change") => {
            Some("no_keeper")
        }
        Cover::Kept => {
            let is_named = |column: &String| table.keeper.contains(column.as_str());
            (!table.columns.iter().all(is_named)).then_some("column")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::COVERAGE;

    #[test]
    fn tables_are_named_once_and_in_order() {
        let names: Vec<_> = COVERAGE.iter().map(|one| one.table).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
