//! Whoever owns the database and puts triggers to sleep can change anything: and is found, to the row.

use std::collections::{BTreeMap, BTreeSet};

use domain::trail::{COVERAGE, Cover, Verdict, Wrong};
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::json;

use super::{Shop, report, system};

/// How many rows are tampered with: `TAMPERINGS=1000` for all that was promised.
fn tamperings() -> usize {
    let asked = std::env::var("TAMPERINGS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(100)
}

struct Column {
    name: String,
    kind: String,
    is_key: bool,
}

struct Table {
    name: &'static str,
    columns: Vec<Column>,
    rows: i64,
}

async fn tables(shop: &Shop) -> Vec<Table> {
    let sql = "SELECT a.attname::text, format_type(a.atttypid, NULL),
                      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey::int2[]))
               FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''";
    let mut tables = Vec::new();
    for covered in COVERAGE {
        if !matches!(covered.cover, Cover::Sealed | Cover::Kept) || covered.table == "trail_seal" {
            continue;
        }
        let columns: Vec<(String, String, bool)> = sqlx::query_as(sql)
            .bind(covered.table)
            .fetch_all(shop.app.sql())
            .await
            .unwrap();
        let count = format!("SELECT count(*) FROM {}", covered.table);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count))
            .fetch_one(shop.app.sql())
            .await
            .unwrap();
        let column = |(name, kind, is_key)| Column { name, kind, is_key };
        tables.push(Table {
            name: covered.table,
            columns: columns.into_iter().map(column).collect(),
            rows,
        });
    }
    tables
}

/// Another value than there is.
fn other(column: &Column) -> Option<String> {
    let name = format!("\"{}\"", column.name);
    Some(match column.kind.as_str() {
        "text" => format!("COALESCE({name}, '') || 'x'"),
        "integer" | "bigint" | "smallint" | "numeric" => format!("COALESCE({name}, 1) + 1"),
        "boolean" => format!("NOT COALESCE({name}, false)"),
        "uuid" => "'01930000-0000-7000-8000-0000000000ff'".to_owned(),
        "timestamp with time zone" => format!("COALESCE({name}, now()) + interval '1 second'"),
        "date" => format!("COALESCE({name}, '2026-05-01') + 1"),
        "jsonb" => format!("jsonb_build_object('tampered', {name})"),
        "ltree" => "'999'".to_owned(),
        "text[]" => format!("array_append({name}, 'x')"),
        "bytea" => format!("{name} || '\\x00'::bytea"),
        "\"char\"" => format!("CASE {name} WHEN 'u' THEN 'i'::\"char\" ELSE 'u' END"),
        "xid8" => "'1'::xid8".to_owned(),
        _ => return None,
    })
}

/// As the report names the row.
fn key(table: &str) -> &'static str {
    match table {
        "audit" | "trail_change" | "stock_cost" => "number::text",
        "stock_movement" | "journal_line" => "entry_id || '/' || line",
        "item_barcode" => "barcode",
        "item_metal" | "item_pricing" | "item_stocking" => "item_id::text",
        "item_option" => "template_id || '/' || key",
        "location_category" => "location_id || '/' || category_id",
        "user_role" => "user_id || '/' || role_id",
        "saved_view_default" => "user_id || '/' || list",
        "stock_count_scan" => "count_id || '/' || scan_id",
        "stock_transfer_line" => "transfer_id || '/' || line",
        "commodity" => "code",
        "retention_policy" => "subject",
        "retention_hold" | "shop" => "singleton::text",
        _ => "id::text",
    }
}

/// Tables whose rows take others with them.
async fn takers(shop: &Shop) -> BTreeSet<String> {
    let sql = "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'";
    let names: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(shop.app.sql())
        .await
        .unwrap();
    names.into_iter().collect()
}

/// Where each row of a table lies.
async fn places(shop: &Shop, table: &str) -> BTreeSet<(String, String)> {
    let sql = format!("SELECT tableoid::regclass::text, ctid::text FROM {table}");
    let places: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(shop.app.sql())
        .await
        .unwrap();
    places.into_iter().collect()
}

/// Numbers that are always the same, and look as if they were not.
fn next(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tampering_is_found_to_the_row() {
    let shop = Shop::open().await;
    shop.assert_whole().await;
    let tables = tables(&shop).await;
    let takers = takers(&shop).await;
    let filled: Vec<_> = tables.iter().filter(|table| table.rows > 0).collect();
    let (mut seed, mut done) = (7, 0);
    let mut touched: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut tries = 0;
    while done < tamperings() {
        tries += 1;
        assert!(
            tries < 20 * tamperings(),
            "most are refused: {done} of {tries}"
        );
        let table = filled[next(&mut seed) % filled.len()];
        let row = i64::try_from(next(&mut seed)).unwrap() % table.rows;
        let named = shop
            .text(&format!(
                "SELECT {0} FROM {1} ORDER BY {0} LIMIT 1 OFFSET {row}",
                key(table.name),
                table.name
            ))
            .await;
        let which = format!("{} = '{named}'", key(table.name));
        let names: Vec<_> = table
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let names = names.join(", ");
        let kept = shop
            .text(&format!(
                "SELECT to_jsonb(r)::text FROM {} r WHERE {which}",
                table.name
            ))
            .await
            .replace('\'', "''");
        let again = format!(
            "INSERT INTO {0} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM jsonb_populate_record(NULL::{0}, '{kept}')",
            table.name
        );
        let column = &table.columns[next(&mut seed) % table.columns.len()];
        let is_deleted = next(&mut seed).is_multiple_of(10) && !takers.contains(table.name);
        let tamper = if is_deleted {
            format!("DELETE FROM {} WHERE {which}", table.name)
        } else {
            let Some(value) = other(column) else { continue };
            format!(
                "UPDATE {} SET \"{}\" = {value} WHERE {which}",
                table.name, column.name
            )
        };
        let before = places(&shop, table.name).await;
        if shop.behind(table.name, &tamper).await.is_err() {
            continue;
        }
        let same = shop
            .text(&format!(
                "SELECT count(*)::text FROM {} r WHERE {which} AND to_jsonb(r) = '{kept}'",
                table.name
            ))
            .await;
        if same == "1" {
            continue;
        }
        let found = shop.finding().await;
        let story = format!("{tamper}: {found:?}");
        assert_eq!(found.table, table.name, "{story}");
        if is_deleted {
            assert!(
                matches!(found.wrong, Wrong::Deleted | Wrong::Truncated),
                "{story}"
            );
        } else if !column.is_key && column.name != "number" && column.name != "fiscal_year_id" {
            assert_eq!(
                (found.wrong, &found.key),
                (Wrong::Changed, &named),
                "{story}"
            );
        }
        // As it was before.
        let back = if is_deleted {
            again
        } else {
            let now = places(&shop, table.name).await;
            let moved: Vec<_> = now.difference(&before).collect();
            let [(part, place)] = moved[..] else {
                panic!("{tamper}: {moved:?}")
            };
            format!(
                "UPDATE {0} SET \"{1}\" = (SELECT \"{1}\" FROM jsonb_populate_record(NULL::{0}, '{kept}')) \
                 WHERE ctid = '{place}' AND tableoid = '{part}'::regclass",
                table.name, column.name
            )
        };
        let restored = shop.behind(table.name, &back).await;
        if let Err(error) = restored {
            panic!("{back}: {error}");
        }
        let there = format!(
            "SELECT count(*)::text FROM {} r WHERE to_jsonb(r) = '{kept}'",
            table.name
        );
        assert_eq!(shop.text(&there).await, "1", "{back}");
        touched.entry(table.name).or_default().insert(&column.name);
        done += 1;
    }
    shop.assert_whole().await;
    assert!(touched.len() > 15 || tamperings() < 100, "{touched:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_swapped_or_cut_off_is_found() {
    let shop = Shop::open().await;
    let swap = "UPDATE stock_entry SET number = -number WHERE number IN (1, 2); \
                UPDATE stock_entry SET number = CASE number WHEN -1 THEN 2 ELSE 1 END WHERE number < 0";
    shop.behind(
        "stock_entry",
        "ALTER TABLE stock_entry ALTER COLUMN number DROP IDENTITY",
    )
    .await
    .unwrap();
    let (wrong, table, _) = shop.found("stock_entry", swap).await;
    assert_eq!((wrong, table.as_str()), (Wrong::Swapped, "stock_entry"));
    shop.behind("stock_entry", swap).await.unwrap();
    shop.assert_whole().await;

    let added = "INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) \
                 SELECT entry_id, 3, account_id, commodity, is_debit, amount, date, number FROM journal_line WHERE line = 1 AND number = 2";
    let (wrong, table, key) = shop.found("journal_line", added).await;
    assert_eq!((wrong, table.as_str()), (Wrong::Inserted, "journal_line"));
    assert!(key.ends_with("/3"), "{key}");
    shop.behind("journal_line", "DELETE FROM journal_line WHERE line = 3")
        .await
        .unwrap();

    let role =
        "INSERT INTO user_role SELECT u.id, r.id FROM app_user u, role r WHERE r.code = 'owner'";
    let (wrong, table, _) = shop.found("user_role", role).await;
    assert_eq!((wrong, table.as_str()), (Wrong::Inserted, "user_role"));
    shop.behind(
        "user_role",
        "DELETE FROM user_role WHERE role_id = (SELECT id FROM role WHERE code = 'owner')",
    )
    .await
    .unwrap();
    shop.assert_whole().await;

    let (wrong, table, key) = shop
        .found("audit", "DELETE FROM audit WHERE number > 3")
        .await;
    assert_eq!(
        (wrong, table.as_str(), key.as_str()),
        (Wrong::Truncated, "audit", "4")
    );
    let seen = report(&shop.manager).await;
    assert_eq!(seen["verdict"], "BROKEN");
    assert_eq!(seen["finding"]["fault"], "TRUNCATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn seals_are_found_broken_too() {
    let shop = Shop::open().await;
    for sql in [
        "UPDATE trail_seal SET rows = rows + 1 WHERE number = 2",
        "UPDATE trail_seal SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) WHERE number = 2",
        "UPDATE trail_seal SET sealed_at = sealed_at + interval '1 second' WHERE number = 2",
        "UPDATE trail_seal SET numbers[1] = numbers[1] + 100000 WHERE number = 2",
        "DELETE FROM trail_seal WHERE number = 2",
    ] {
        let mut tx = shop.app.sql().begin().await.unwrap();
        let kept: Vec<String> =
            sqlx::query_scalar("SELECT to_jsonb(s)::text FROM trail_seal s WHERE number = 2")
                .fetch_all(&mut *tx)
                .await
                .unwrap();
        tx.commit().await.unwrap();
        let (wrong, table, key) = shop.found("trail_seal", sql).await;
        assert_eq!(
            (wrong, table.as_str(), key.as_str()),
            (Wrong::SealBroken, "trail_seal", "2"),
            "{sql}"
        );
        let back = format!(
            "DELETE FROM trail_seal WHERE number = 2; INSERT INTO trail_seal SELECT * FROM jsonb_populate_record(NULL::trail_seal, '{}')",
            kept[0]
        );
        shop.behind("trail_seal", &back).await.unwrap();
    }
    shop.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_covered_is_missing_and_never_well() {
    let shop = Shop::open().await;
    let seen = report(&shop.manager).await;
    assert_eq!(
        (&seen["verdict"], &seen["missing"], &seen["next"]),
        (&json!("WHOLE"), &json!([]), &json!(null))
    );
    for (bend, mend, table, what) in [
        (
            "CREATE TABLE novelty (id uuid PRIMARY KEY)",
            "DROP TABLE novelty",
            "novelty",
            "unknown_table",
        ),
        (
            "ALTER TABLE lot DISABLE TRIGGER lot_trail_update",
            "ALTER TABLE lot ENABLE TRIGGER lot_trail_update",
            "lot",
            "no_trigger",
        ),
        (
            "ALTER TABLE lot ADD COLUMN colour text",
            "ALTER TABLE lot DROP COLUMN colour",
            "lot",
            "column",
        ),
        (
            "ALTER TABLE journal_line ADD COLUMN colour text",
            "ALTER TABLE journal_line DROP COLUMN colour",
            "journal_line",
            "column",
        ),
        (
            "ALTER TABLE role ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE role DISABLE ROW LEVEL SECURITY",
            "role",
            "hidden_rows",
        ),
        (
            "ALTER TABLE tag RENAME TO labels",
            "ALTER TABLE labels RENAME TO tag",
            "tag",
            "no_table",
        ),
    ] {
        sqlx::query(AssertSqlSafe(bend))
            .execute(shop.app.sql())
            .await
            .unwrap();
        let found = shop.verify().await;
        assert_ne!(found.verdict(), Verdict::Whole, "{bend}");
        let missing: Vec<_> = found
            .missing
            .iter()
            .map(|one| (one.table.as_str(), one.what.as_str()))
            .collect();
        assert!(missing.contains(&(table, what)), "{bend}: {missing:?}");
        sqlx::query(AssertSqlSafe(mend))
            .execute(shop.app.sql())
            .await
            .unwrap();
    }
    shop.assert_whole().await;
    let none = shop
        .app
        .domain()
        .trail()
        .verify(&system(), Some("no cursor"))
        .await;
    assert!(none.is_err());
}
