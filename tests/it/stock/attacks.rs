//! What somebody tries who has the application's password, and psql: the database refuses it by itself.

use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _, PgPool};
use serde_json::json;
use tests::database;

use super::{Shop, bought, line, sold};

/// Tries it, and tells what PostgreSQL says: the constraint, or the code when there is none.
pub(super) async fn tried(db: &PgPool, sql: &str) -> String {
    let mut connection = db.acquire().await.unwrap();
    // As one transaction, deferred constraints included.
    let result = connection
        .execute(AssertSqlSafe(format!("BEGIN; {sql}; COMMIT")))
        .await;
    let told = match result {
        Ok(_) => "done".to_owned(),
        Err(error) => {
            let error = error
                .as_database_error()
                .unwrap_or_else(|| panic!("{sql}: {error}"));
            let code = error.code().unwrap().into_owned();
            error.constraint().map_or(code, str::to_owned)
        }
    };
    connection.execute("ROLLBACK").await.unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_round_the_rules_with_psql() {
    let shop = Shop::open().await;
    shop.item_in_tray("RING", 10).await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let pill = shop.item("PILL", "LOT").await;
    let ring = shop.item_in_tray("CHAIN", 10).await;
    let serial = json!({"itemId": watch, "toId": shop.tray, "lot": {"number": "W-1"}});
    let batch = json!({"itemId": pill, "toId": shop.tray, "quantity": 5, "lot": {"number": "P-1"}});
    shop.manager
        .done("stockReceive", bought(json!([serial, batch])))
        .await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 1)])))
        .await;
    let held = json!({"consumer": "cart", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 2}]});
    shop.manager.done("stockReserve", held).await;
    let db = database::pool(&shop.app.database_url());
    let entry = |kind: &str, lines: i32| {
        format!(
            "INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines) \
             VALUES ('01930000-0000-7000-8000-00000000e001', '{kind}', 'moved', now(), now(), 'system', 'psql', {lines})"
        )
    };
    let movement = |line: i32, sku: &str, from: &str, to: &str, quantity: &str, lot: &str| {
        format!(
            "INSERT INTO stock_movement (entry_id, line, item_id, lot_id, from_location_id, to_location_id, quantity, effective_at) \
             SELECT '01930000-0000-7000-8000-00000000e001', {line}, i.id, (SELECT id FROM lot WHERE number = '{lot}'), f.id, t.id, {quantity}, now() \
             FROM item i, location f, location t WHERE i.sku = '{sku}' AND f.code = '{from}' AND t.code = '{to}'"
        )
    };
    let both = |kind: &str, movement: String| format!("{}; {movement}", entry(kind, 1));
    let attacks = [
        // What happened stays.
        ("UPDATE stock_movement SET quantity = 1".to_owned(), "42501"),
        ("DELETE FROM stock_movement".to_owned(), "42501"),
        ("TRUNCATE stock_movement".to_owned(), "42501"),
        ("UPDATE stock_entry SET note = 'x'".to_owned(), "42501"),
        ("DELETE FROM stock_entry".to_owned(), "42501"),
        ("ALTER TABLE stock_movement DISABLE TRIGGER ALL".to_owned(), "42501"),
        // Levels follow.
        ("UPDATE stock_level SET on_hand = 1000".to_owned(), "42501"),
        ("INSERT INTO stock_level SELECT * FROM stock_level".to_owned(), "42501"),
        ("DELETE FROM stock_level".to_owned(), "42501"),
        ("UPDATE stock_lot_level SET on_hand = 0".to_owned(), "42501"),
        ("INSERT INTO stock_week SELECT item_id, location_id, now(), 1, 0, 0 FROM stock_level".to_owned(), "42501"),
        ("INSERT INTO stock_week_item SELECT id FROM item".to_owned(), "42501"),
        ("UPDATE stock_week_mark SET number = 1000".to_owned(), "42501"),
        ("SET session_replication_role = replica".to_owned(), "42501"),
        // Entries are whole.
        (entry("issue", 1), "stock_entry_whole"),
        (movement(1, "RING", "TRAY", "CUSTOMER", "1", ""), "stock_entry_whole"),
        (format!("{}; {}", entry("issue", 2), movement(1, "RING", "TRAY", "CUSTOMER", "1", "")), "stock_entry_whole"),
        (format!("{}; {}; {}", entry("issue", 1), movement(1, "RING", "TRAY", "CUSTOMER", "1", ""), movement(2, "RING", "TRAY", "CUSTOMER", "1", "")), "stock_entry_whole"),
        (
            "INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at) \
             SELECT m.entry_id, 100 + m.line, m.item_id, m.from_location_id, m.to_location_id, 1, m.effective_at FROM stock_movement m".to_owned(),
            "stock_entry_whole",
        ),
        // No more leaves than there is, and nothing of what is held.
        (both("issue", movement(1, "RING", "TRAY", "CUSTOMER", "11", "")), "stock_insufficient"),
        (both("issue", movement(1, "CHAIN", "TRAY", "CUSTOMER", "8", "")), "stock_insufficient"),
        (both("issue", movement(1, "WATCH", "SAFE", "CUSTOMER", "1", "W-1")), "stock_insufficient"),
        (both("receive", movement(1, "WATCH", "SUPPLIER", "SAFE", "1", "W-1")), "stock_insufficient"),
        (both("issue", movement(1, "PILL", "TRAY", "CUSTOMER", "6", "P-1")), "stock_insufficient"),
        // Lines make sense.
        (both("issue", movement(1, "RING", "TRAY", "CUSTOMER", "0.5", "")), "stock_line"),
        (both("issue", movement(1, "PILL", "TRAY", "CUSTOMER", "1", "")), "stock_line"),
        (both("issue", movement(1, "RING", "TRAY", "CUSTOMER", "1", "P-1")), "stock_line"),
        (both("issue", movement(1, "WATCH", "TRAY", "CUSTOMER", "1", "P-1")), "stock_line"),
        (both("issue", movement(1, "RING", "TRAY", "SAFE", "1", "")), "stock_line"),
        (both("receive", movement(1, "RING", "TRAY", "SAFE", "1", "")), "stock_line"),
        (both("move", movement(1, "RING", "TRAY", "TRAY", "1", "")), "stock_movement_moves"),
        (both("issue", movement(1, "RING", "TRAY", "CUSTOMER", "-1", "")), "stock_movement_quantity_check"),
        // A reversal is a mirror.
        (
            format!(
                "INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines, reverses_id) \
                 SELECT '01930000-0000-7000-8000-00000000e001', 'reverse', 'mistaken', now(), now(), 'system', 'psql', 1, id FROM stock_entry WHERE kind = 'issue'; {}",
                movement(1, "CHAIN", "CUSTOMER", "TRAY", "2", "")
            ),
            "stock_reversal_mirrors",
        ),
        // What is held is let go, and nothing else.
        ("UPDATE stock_reservation SET open = open + 1".to_owned(), "stock_reservation_only_shrinks"),
        ("UPDATE stock_reservation SET item_id = (SELECT id FROM item WHERE sku = 'RING')".to_owned(), "stock_reservation_only_shrinks"),
        ("DELETE FROM stock_reservation".to_owned(), "stock_reservation_kept"),
        (
            "INSERT INTO stock_reservation SELECT gen_random_uuid(), item_id, location_id, lot_id, 8, 8, state, consumer, document, expires_at, \
             actor_kind, actor_id, actor_name, version, created_at, updated_at FROM stock_reservation".to_owned(),
            "stock_insufficient",
        ),
        // Lots, items and places stay what they are.
        ("UPDATE lot SET item_id = (SELECT id FROM item WHERE sku = 'RING')".to_owned(), "lot_identity"),
        ("DELETE FROM lot".to_owned(), "lot_kept"),
        ("UPDATE item SET tracking = 'none' WHERE sku = 'WATCH'".to_owned(), "item_tracking_stays"),
        ("UPDATE item SET unit_id = (SELECT id FROM unit_of_measure WHERE code = 'gram') WHERE sku = 'RING'".to_owned(), "item_unit_stays"),
        ("DELETE FROM location WHERE code = 'TRAY'".to_owned(), "location_kept"),
        ("UPDATE location SET kind = 'customer', negative_allowed = true WHERE code = 'TRAY'".to_owned(), "location_nature"),
        ("INSERT INTO lot (id, item_id, kind, number, created_at, updated_at) SELECT gen_random_uuid(), id, 'lot', 'X', now(), now() FROM item WHERE sku = 'WATCH'".to_owned(), "lot_tracking"),
    ];
    for (sql, expected) in attacks {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    // And what is right is done: it is not the password that is refused.
    let right = both("issue", movement(1, "RING", "TRAY", "CUSTOMER", "10", ""));
    assert_eq!(tried(&db, &right).await, "done");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_cannot_change_what_happened_either() {
    let shop = Shop::open().await;
    shop.item_in_tray("RING", 10).await;
    for table in ["stock_entry", "stock_movement"] {
        for sql in [
            format!("UPDATE {table} SET effective_at = now()"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            let refused = sqlx::query(AssertSqlSafe(sql.clone()))
                .execute(shop.app.sql())
                .await
                .unwrap_err();
            let constraint = refused
                .as_database_error()
                .and_then(|error| error.constraint());
            assert_eq!(
                constraint,
                Some(format!("{table}_append_only").as_str()),
                "{sql}"
            );
        }
    }
}
