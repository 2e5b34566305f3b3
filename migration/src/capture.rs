//! Of which tables changes of rows are kept in the trail.
//!
//! No migration has to think of it: after each `up`, triggers are made for tables that have none yet, and anew for those whose columns have
//! changed. `domain::trail` knows all tables there are, and misses those that are in neither list.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait,
};

/// A table of rows that change.
struct Captured {
    table: &'static str,
    /// The column that says of which thing a row is a part; none where there is but one, or people know it by its key.
    about: Option<&'static str>,
    /// What is kept as a hash.
    hidden: &'static [&'static str],
}

const fn of(table: &'static str, about: &'static str) -> Captured {
    Captured {
        table,
        about: Some(about),
        hidden: &[],
    }
}

/// In alphabetical order.
const CAPTURED: &[Captured] = &[
    of("account", "id"),
    of("account_floor", "account_id"),
    of("account_role", "account_id"),
    of("account_valuation", "account_id"),
    Captured {
        hidden: &["token_hash"],
        ..of("api_token", "id")
    },
    Captured {
        hidden: &["password_hash"],
        ..of("app_user", "id")
    },
    of("attribute", "id"),
    of("category", "id"),
    Captured {
        about: None,
        ..of("commodity", "")
    },
    of("dimension_value", "id"),
    of("exchange_rate", "id"),
    of("fine_account", "account_id"),
    of("fiscal_year", "id"),
    of("item", "id"),
    of("item_barcode", "item_id"),
    of("item_image", "item_id"),
    of("item_metal", "item_id"),
    of("item_option", "template_id"),
    of("item_pricing", "item_id"),
    of("item_stocking", "item_id"),
    of("journal_attachment", "id"),
    of("journal_draft", "id"),
    of("journal_draft_line", "draft_id"),
    of("journal_hold", "id"),
    of("journal_hold_line", "hold_id"),
    of("journal_revaluation", "entry_id"),
    of("location", "id"),
    of("location_category", "location_id"),
    of("lot", "id"),
    of("metal_rate", "id"),
    of("period", "id"),
    Captured {
        about: None,
        ..of("retention_hold", "")
    },
    Captured {
        about: None,
        ..of("retention_policy", "")
    },
    of("role", "id"),
    of("saved_view", "id"),
    of("saved_view_default", "user_id"),
    of("schedule", "id"),
    Captured {
        about: None,
        ..of("shop", "")
    },
    Captured {
        about: None,
        ..of("stock_account", "")
    },
    Captured {
        about: None,
        ..of("stock_booking", "")
    },
    of("stock_count", "id"),
    of("stock_count_scan", "count_id"),
    of("stock_landed_cost", "id"),
    of("stock_landed_cost_line", "landed_cost_id"),
    of("stock_recosting", "item_id"),
    of("stock_reservation", "id"),
    of("stock_transfer", "id"),
    of("stock_transfer_line", "transfer_id"),
    of("trail_retired", "id"),
    of("unit_of_measure", "id"),
    of("user_role", "user_id"),
];

/// Has changes kept where they are not. Either all of it is done, or nothing.
///
/// # Errors
/// When the database fails.
pub async fn apply(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for Captured {
        table,
        about,
        hidden,
    } in CAPTURED
    {
        let hidden: Vec<_> = hidden.iter().map(|column| (*column).to_owned()).collect();
        let values = [
            (*table).into(),
            about.map(str::to_owned).into(),
            hidden.into(),
        ];
        let sql = "SELECT trail_capture($1, $2, $3)";
        let sql = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        tx.query_one_raw(sql).await?;
    }
    tx.commit().await
}
