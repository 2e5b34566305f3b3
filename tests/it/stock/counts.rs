//! Counting what lies somewhere, while it is being sold.

use serde_json::{Value, json};
use tests::{actor::Actor, answer::Answer, database, database::TestDatabase, proxy::PostgresProxy};

use super::{
    Shop,
    attacks::tried,
    bought,
    concurrency::{at_once, done},
    line, sold,
    statements::behind,
    text,
};

const LINES: &str = "query($id: ID!, $where: StockCountLineWhere) { stockCount(id: $id) { state round progress { locations locationsScanned lines scans \
    differing toRecount } entry { document reason } lines(first: 100, where: $where) { nodes { line round counted countedWeight scans expected \
    expectedWeight variance weightVariance needsRecount item { sku } lot { number } location { code } } } } }";

async fn step(actor: &Actor, mutation: &str, input: Value) -> Value {
    actor.done(mutation, input).await["count"].take()
}

/// A count of this location that shows nothing.
async fn opened(shop: &Shop, location: &str) -> Value {
    step(
        &shop.manager,
        "stockCountOpen",
        json!({"locationId": location}),
    )
    .await["id"]
        .take()
}

/// So many of an item at a location, under this id.
fn found(id: &str, item: &str, location: &str, quantity: i64) -> Value {
    json!({"scanId": id, "itemId": item, "locationId": location, "quantity": quantity})
}

/// A lot or a serial at a location.
fn found_lot(id: &str, item: &str, lot: &str, location: &str) -> Value {
    json!({"scanId": id, "itemId": item, "lotId": lot, "locationId": location})
}

async fn scan(shop: &Shop, count: &Value, scans: Value) -> Value {
    let input = json!({"id": count, "scans": scans});
    shop.manager.done("stockCountScan", input).await["accepted"].take()
}

async fn not_scanned(shop: &Shop, count: &Value, scans: Value) -> Vec<(String, String)> {
    let input = json!({"id": count, "scans": scans});
    shop.manager.not_done("stockCountScan", input).await
}

async fn finish(shop: &Shop, count: &Value) -> Value {
    step(&shop.manager, "stockCountFinish", json!({"id": count})).await
}

async fn approve(shop: &Shop, count: &Value) -> Value {
    step(&shop.manager, "stockCountApprove", json!({"id": count})).await
}

async fn seen(shop: &Shop, count: &Value, filter: Value) -> Value {
    let variables = json!({"id": count, "where": filter});
    shop.manager.ok(LINES, variables).await["stockCount"].take()
}

/// The lines that differ: what, how many were found, how many should have been there.
async fn differing(shop: &Shop, count: &Value) -> Vec<String> {
    let mut rows = rows(&seen(shop, count, json!({"differs": true})).await);
    rows.sort();
    rows
}

fn rows(count: &Value) -> Vec<String> {
    let shown = |row: &Value| {
        let of = |name: &str| row[name].as_str().unwrap_or("?").to_owned();
        let sku = text(&row["item"]["sku"]);
        format!("{sku} {} of {}", of("counted"), of("expected"))
    };
    let nodes = count["lines"]["nodes"].as_array().unwrap();
    nodes.iter().map(shown).collect()
}

/// The serial or lot that this receipt was of.
async fn lot(shop: &Shop, line: Value) -> String {
    let received = shop
        .manager
        .done("stockReceive", bought(json!([line])))
        .await;
    text(&received["entry"]["movements"]["nodes"][0]["lot"]["id"])
}

async fn serial(shop: &Shop, item: &str, location: &str, number: &str) -> String {
    lot(
        shop,
        json!({"itemId": item, "toId": location, "lot": {"number": number}}),
    )
    .await
}

async fn sell(shop: &Shop, item: &str, location: &str, quantity: i64) {
    let lines = json!([line(item, location, quantity)]);
    shop.manager.done("stockIssue", sold(lines)).await;
}

fn user_error(answer: &Answer) -> (String, String) {
    let error = &answer.user_errors()[0];
    (error.code.clone(), error.message.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_count_a_showcase_and_what_differs_is_put_right_when_approved() {
    let shop = Shop::open().await;
    let clerk = shop.app.clerk().await;
    let case = shop.manager.location("CASE", "SHOWCASE", None).await;
    let shelf = shop.manager.location("SHELF", "TRAY", Some(&case)).await;
    let [ring, chain, pearl, clock] = [
        shop.item("RING", "NONE").await,
        shop.item("CHAIN", "NONE").await,
        shop.item("PEARL", "NONE").await,
        shop.item("CLOCK", "NONE").await,
    ];
    for (item, place, quantity) in [
        (&ring, &shelf, 10),
        (&chain, &case, 5),
        (&pearl, &shelf, 3),
        (&clock, &shelf, 2),
        (&ring, &shop.tray, 7),
    ] {
        shop.manager.receive(item, place, quantity).await;
    }
    let opened = step(&clerk, "stockCountOpen", json!({"locationId": case})).await;
    assert_eq!(
        (opened["state"].as_str(), opened["number"].as_i64()),
        (Some("OPEN"), Some(1))
    );
    let count = opened["id"].clone();
    // Both at once, 15 times each: rings and clocks on the shelf, chains in the showcase.
    let scanned = async |actor: &Actor, who: &str| {
        let requests = (0..15).map(|number| {
            let what = match number {
                0..6 => found(&format!("{who}-{number}"), &ring, &shelf, 1),
                6..8 => found(&format!("{who}-{number}"), &chain, &case, 1),
                8 => found(&format!("{who}-{number}"), &clock, &shelf, 1),
                _ => found(&format!("{who}-0"), &ring, &shelf, 1),
            };
            ("stockCountScan", json!({"id": count, "scans": [what]}))
        });
        let answers = at_once(actor, requests.collect()).await;
        assert_eq!(done(&answers, "none"), 15);
    };
    tokio::join!(scanned(&clerk, "clerk"), scanned(&shop.manager, "manager"));
    let so_far = seen(&shop, &count, json!({})).await;
    assert_eq!(
        so_far["progress"],
        json!({"locations": 2, "locationsScanned": 2, "lines": 3, "scans": 18, "differing": null, "toRecount": null})
    );
    let mut blind = rows(&so_far);
    blind.sort();
    assert_eq!(blind, ["CHAIN 4 of ?", "CLOCK 2 of ?", "RING 12 of ?"]);
    assert_eq!(
        shop.manager
            .not_done("stockCountApprove", json!({"id": count}))
            .await,
        [("WRONG_STATE".into(), "id".into())]
    );
    let finished = step(&clerk, "stockCountFinish", json!({"id": count})).await;
    assert_eq!(finished["state"], "REVIEW");
    // Pearls are not there: nobody has scanned one.
    assert_eq!(
        differing(&shop, &count).await,
        ["CHAIN 4 of 5", "PEARL 0 of 3", "RING 12 of 10"]
    );
    let all = seen(&shop, &count, json!({})).await;
    assert_eq!(
        all["progress"],
        json!({"locations": 2, "locationsScanned": 2, "lines": 4, "scans": 18, "differing": 3, "toRecount": 3})
    );
    assert_eq!(
        not_scanned(&shop, &count, json!([found("late", &ring, &shelf, 1)])).await,
        [("WRONG_STATE".into(), "id".into())]
    );
    let refused = clerk
        .change("stockCountApprove", json!({"id": count}))
        .await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    // What is sold meanwhile is not what is put right.
    sell(&shop, &ring, &shelf, 4).await;
    let approved = approve(&shop, &count).await;
    assert_eq!(approved["state"], "POSTED");
    assert!(approved["approvedByName"].is_string());
    let posted = seen(&shop, &count, json!({})).await;
    assert_eq!(
        posted["entry"],
        json!({"document": "C-1", "reason": "COUNTED"})
    );
    for (item, place, there) in [
        (&ring, &shelf, "8"),
        (&chain, &case, "4"),
        (&pearl, &shelf, "0"),
        (&clock, &shelf, "2"),
        (&ring, &shop.tray, "7"),
    ] {
        assert_eq!(shop.pieces(item, place).await[0], there);
    }
    for mutation in [
        "stockCountFinish",
        "stockCountRecount",
        "stockCountApprove",
        "stockCountCancel",
    ] {
        assert_eq!(
            shop.manager.not_done(mutation, json!({"id": count})).await,
            [("WRONG_STATE".into(), "id".into())],
            "{mutation}"
        );
    }
    let query = "{ stockCounts(where: {states: [POSTED]}) { nodes { number openedByName location { code } category { id } entry { kind } \
                 progress { scans } } } }";
    let listed = shop.manager.ok(query, json!({})).await["stockCounts"]["nodes"][0].take();
    assert_eq!(
        (
            &listed["number"],
            &listed["location"]["code"],
            &listed["entry"]["kind"]
        ),
        (&json!(1), &json!("CASE"), &json!("ADJUST"))
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_while_people_count_is_netted_out() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let pearl = shop.item_in_tray("PEARL", 10).await;
    let clock = shop.item_in_tray("CLOCK", 10).await;
    let count = opened(&shop, &shop.tray).await;
    // Sold before the scan, and after it.
    sell(&shop, &ring, &shop.tray, 2).await;
    scan(
        &shop,
        &count,
        json!([
            found("1", &ring, &shop.tray, 8),
            found("2", &chain, &shop.tray, 4),
            found("3", &pearl, &shop.tray, 4)
        ]),
    )
    .await;
    for item in [&ring, &chain, &pearl] {
        sell(&shop, item, &shop.tray, 1).await;
    }
    // Between two scans: one of those that were still to be scanned, and one of those that were scanned already.
    scan(
        &shop,
        &count,
        json!([
            found("4", &chain, &shop.tray, 5),
            found("5", &pearl, &shop.tray, 6)
        ]),
    )
    .await;
    for item in [&ring, &chain, &pearl, &clock] {
        sell(&shop, item, &shop.tray, 1).await;
    }
    finish(&shop, &count).await;
    sell(&shop, &clock, &shop.tray, 1).await;
    // The tally is about the last scan: by then nine pearls were there, and ten had been scanned. Nobody has scanned the clocks.
    assert_eq!(
        differing(&shop, &count).await,
        ["CLOCK 0 of 9", "PEARL 10 of 9"]
    );
    let again = step(&shop.manager, "stockCountRecount", json!({"id": count})).await;
    assert_eq!(
        (again["state"].as_str(), again["round"].as_i64()),
        (Some("OPEN"), Some(2))
    );
    scan(
        &shop,
        &count,
        json!([
            found("6", &pearl, &shop.tray, 8),
            found("7", &clock, &shop.tray, 8)
        ]),
    )
    .await;
    finish(&shop, &count).await;
    assert_eq!(differing(&shop, &count).await, [""; 0]);
    let approved = approve(&shop, &count).await;
    assert_eq!(
        (approved["state"].as_str(), &approved["entry"]),
        (Some("POSTED"), &Value::Null)
    );
    assert_eq!(shop.pieces(&pearl, &shop.tray).await[0], "8");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_entered_late_was_before_the_scan_all_the_same() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let mut came = bought(json!([{"itemId": ring, "toId": shop.tray, "quantity": 10}]));
    came["effectiveAt"] = json!("2026-03-01T09:00:00Z");
    shop.manager.done("stockReceive", came).await;
    let count = opened(&shop, &shop.tray).await;
    scan(&shop, &count, json!([found("1", &ring, &shop.tray, 8)])).await;
    let mut sale = sold(json!([line(&ring, &shop.tray, 2)]));
    sale["effectiveAt"] = json!("2026-03-01T10:00:00Z");
    shop.manager.done("stockIssue", sale).await;
    finish(&shop, &count).await;
    assert_eq!(differing(&shop, &count).await, [""; 0]);
}

/// Sales and scans of one ring at once, over and over: whatever comes first, nothing differs in the end but what was lost.
#[tokio::test(flavor = "multi_thread")]
async fn sales_and_scans_at_the_same_moment_are_in_front_of_each_other_or_behind() {
    let shop = Shop::open().await;
    let mut items = Vec::new();
    for number in 0..20 {
        items.push(shop.item_in_tray(&format!("I-{number}"), 50).await);
    }
    let count = opened(&shop, &shop.tray).await;
    // What is there is scanned as the level says it at the moment of the scan: expected and counted come from one lock.
    let requests = items.iter().enumerate().flat_map(|(number, item)| {
        let scanned = found(&format!("{number}"), item, &shop.tray, 50);
        let sale = ("stockIssue", sold(json!([line(item, &shop.tray, 1)])));
        [
            sale.clone(),
            ("stockCountScan", json!({"id": count, "scans": [scanned]})),
            sale,
        ]
    });
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "none"), 60);
    finish(&shop, &count).await;
    let lines = seen(&shop, &count, json!({})).await;
    for row in lines["lines"]["nodes"].as_array().unwrap() {
        let expected: i64 = text(&row["expected"]).parse().unwrap();
        // As many as had not been sold when it was scanned.
        let sql = "SELECT 50 - count(*) FROM stock_movement m JOIN stock_entry e ON e.id = m.entry_id JOIN item i ON i.id = m.item_id
                   JOIN stock_count_line l ON l.item_id = m.item_id AND m.effective_at < l.last_scan_at
                   WHERE e.kind = 'issue' AND i.sku = $1";
        let left: i64 = sea_orm::sqlx::query_scalar(sql)
            .bind(text(&row["item"]["sku"]))
            .fetch_one(shop.app.sql())
            .await
            .unwrap();
        assert_eq!(expected, left, "{row}");
    }
    approve(&shop, &count).await;
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_is_counted_once_and_at_one_place() {
    let shop = Shop::open().await;
    let case = shop.manager.location("CASE", "SHOWCASE", None).await;
    let [left, right] = [
        shop.manager.location("LEFT", "TRAY", Some(&case)).await,
        shop.manager.location("RIGHT", "TRAY", Some(&case)).await,
    ];
    let watch = shop.item("WATCH", "SERIAL").await;
    let mut watches = Vec::new();
    for number in 0..4 {
        watches.push(serial(&shop, &watch, &left, &format!("W-{number}")).await);
    }
    let count = opened(&shop, &case).await;
    let at = |id: &str, number: usize, place: &str| found_lot(id, &watch, &watches[number], place);
    let accepted = scan(
        &shop,
        &count,
        json!([at("1", 0, &left), at("2", 0, &left), at("2", 0, &left)]),
    )
    .await;
    assert_eq!(accepted, 2);
    assert_eq!(scan(&shop, &count, json!([at("3", 0, &left)])).await, 1);
    let input = json!({"id": count, "scans": [at("4", 1, &left), at("5", 0, &right)]});
    let refused = shop.manager.change("stockCountScan", input).await;
    assert_eq!(
        refused.refused(),
        [("COUNTED_ELSEWHERE".into(), "scans.1.lotId".into())]
    );
    let (_, message) = user_error(&refused);
    assert!(
        message.contains("W-0") && message.contains("LEFT"),
        "{message}"
    );
    let both = not_scanned(
        &shop,
        &count,
        json!([at("4", 1, &left), at("5", 1, &right)]),
    )
    .await;
    assert!(
        both.contains(&("COUNTED_ELSEWHERE".into(), "scans.1.lotId".into())),
        "{both:?}"
    );
    // Two find it at two places at once: one of them hears of the other.
    let requests = [&left, &right].into_iter().cycle().take(8).enumerate();
    let requests = requests.map(|(client, place)| {
        let what = at(&format!("at-once-{client}"), 1, place);
        ("stockCountScan", json!({"id": count, "scans": [what]}))
    });
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "COUNTED_ELSEWHERE"), 4);
    // It was a mistake: taken back there, and found here, at once.
    let mut back = at("6", 0, &left);
    back["quantity"] = json!(-1);
    scan(&shop, &count, json!([at("7", 0, &right), back])).await;
    let mut nothing = at("8", 0, &left);
    nothing["quantity"] = json!(-1);
    let refused = not_scanned(&shop, &count, json!([nothing])).await;
    assert_eq!(
        refused,
        [("COUNTED_FEWER".into(), "scans.0.quantity".into())]
    );
    scan(&shop, &count, json!([at("9", 2, &left)])).await;
    finish(&shop, &count).await;
    approve(&shop, &count).await;
    // The first lies where it was found, and the last is nowhere.
    let there = "query($id: ID!) { lots(where: {itemIds: [$id]}) { nodes { number levels { onHand location { code } } } } }";
    let there = shop.manager.ok(there, json!({"id": watch})).await["lots"]["nodes"].take();
    let place = |number: &str| {
        let lots = there.as_array().unwrap();
        let lot = lots.iter().find(|lot| lot["number"] == number).unwrap();
        let levels = lot["levels"].as_array().unwrap();
        let held = levels.iter().find(|level| level["onHand"] == "1");
        held.map(|level| text(&level["location"]["code"]))
    };
    assert_eq!(place("W-0").as_deref(), Some("RIGHT"));
    assert_eq!(place("W-2").as_deref(), Some("LEFT"));
    assert_eq!(place("W-3"), None);
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_lies_outside_by_the_books_is_brought_in_first() {
    let shop = Shop::open().await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let piece = serial(&shop, &watch, &shop.safe, "W-1").await;
    let count = opened(&shop, &shop.tray).await;
    let here = |id: &str| json!([found_lot(id, &watch, &piece, &shop.tray)]);
    scan(&shop, &count, here("1")).await;
    finish(&shop, &count).await;
    let refused = shop
        .manager
        .change("stockCountApprove", json!({"id": count}))
        .await;
    assert_eq!(
        refused.refused(),
        [("SERIAL_ELSEWHERE".into(), "id".into())]
    );
    let (_, message) = user_error(&refused);
    assert!(
        message.contains("W-1") && message.contains("SAFE"),
        "{message}"
    );
    let moved = json!({"itemId": watch, "lotId": piece, "fromId": shop.safe, "toId": shop.tray});
    shop.manager
        .done("stockMove", json!({"lines": [moved]}))
        .await;
    step(&shop.manager, "stockCountRecount", json!({"id": count})).await;
    scan(&shop, &count, here("2")).await;
    finish(&shop, &count).await;
    assert_eq!(approve(&shop, &count).await["entry"], Value::Null);
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_in_one_count_at_a_time() {
    let shop = Shop::open().await;
    let case = shop.manager.location("CASE", "SHOWCASE", None).await;
    let shelf = shop.manager.location("SHELF", "TRAY", Some(&case)).await;
    shop.item_in_tray("RING", 1).await;
    let places = [&case, &shelf].into_iter().cycle().take(8);
    let requests = places.map(|place| ("stockCountOpen", json!({"locationId": place})));
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "COUNT_LOCATION_TAKEN"), 1);
    let won = answers
        .iter()
        .find(|answer| answer.user_errors().is_empty());
    let won = won.unwrap().data["stockCountOpen"]["count"].clone();
    let refused = shop
        .manager
        .change("stockCountOpen", json!({"locationId": shelf}))
        .await;
    let (code, message) = user_error(&refused);
    assert_eq!(code, "COUNT_LOCATION_TAKEN");
    let number = format!("C-{}", won["number"]);
    assert!(
        message.contains("SHELF") && message.contains(&number),
        "{message}"
    );
    let persian = shop.app.persian_manager().await;
    let refused = persian
        .change("stockCountOpen", json!({"locationId": shelf}))
        .await;
    let (_, message) = user_error(&refused);
    assert!(
        message.contains("انبارگردانی") && message.contains(&number),
        "{message}"
    );
    // In review it is still taken; called off it is free.
    let id = &won["id"];
    finish(&shop, id).await;
    assert_eq!(
        shop.manager
            .not_done("stockCountOpen", json!({"locationId": shelf}))
            .await[0]
            .0,
        "COUNT_LOCATION_TAKEN"
    );
    let off = step(&shop.manager, "stockCountCancel", json!({"id": id})).await;
    assert_eq!(off["state"], "CANCELLED");
    opened(&shop, &case).await;
    // What is made later is not part of it, and can be counted by itself.
    let later = shop.manager.location("LATER", "TRAY", Some(&case)).await;
    opened(&shop, &later).await;
    for (input, expected) in [
        (
            json!({"locationId": shop.tray, "tolerance": "100.1"}),
            ("OUT_OF_RANGE", "tolerance"),
        ),
        (
            json!({"locationId": shop.tray, "tolerance": "-1"}),
            ("OUT_OF_RANGE", "tolerance"),
        ),
        (
            json!({"locationId": tests::shop::global_id("Location", "01930000000070008003000000000002")}),
            ("WRONG_LOCATION", "locationId"),
        ),
        (
            json!({"locationId": tests::shop::global_id("Location", "01930000000070008003000000000005")}),
            ("WRONG_LOCATION", "locationId"),
        ),
        (
            json!({"locationId": tests::shop::global_id("Location", "01930000000070008003000000abcdef")}),
            ("NOT_FOUND", "locationId"),
        ),
    ] {
        assert_eq!(
            shop.manager.not_done("stockCountOpen", input.clone()).await,
            [(expected.0.into(), expected.1.into())],
            "{input}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_by_more_than_is_tolerated_is_counted_again() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 100).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let input = json!({"locationId": shop.tray, "tolerance": "5", "isBlind": false});
    let count = step(&shop.manager, "stockCountOpen", input).await["id"].take();
    for what in [
        found("1", &ring, &shop.tray, 95),
        found("2", &chain, &shop.tray, 8),
    ] {
        scan(&shop, &count, json!([what])).await;
    }
    // Nobody counts blindly here.
    let so_far = rows(&seen(&shop, &count, json!({})).await);
    assert_eq!(so_far, ["RING 95 of 100", "CHAIN 8 of 10"]);
    finish(&shop, &count).await;
    let above = seen(&shop, &count, json!({"needsRecount": true})).await;
    assert_eq!(rows(&above), ["CHAIN 8 of 10"]);
    assert_eq!(above["progress"]["toRecount"], 1);
    let stale = json!({"id": count, "expectedVersion": 1});
    assert_eq!(
        shop.manager.not_done("stockCountRecount", stale).await,
        [("STALE_VERSION".into(), "expectedVersion".into())]
    );
    let unknown = json!({"id": count, "lines": [above["lines"]["nodes"][0]["line"], 1_000_000]});
    assert_eq!(
        shop.manager.not_done("stockCountRecount", unknown).await,
        [("NOT_FOUND".into(), "lines".into())]
    );
    step(
        &shop.manager,
        "stockCountRecount",
        json!({"id": count, "expectedVersion": 2}),
    )
    .await;
    assert_eq!(
        not_scanned(&shop, &count, json!([found("3", &ring, &shop.tray, 5)])).await,
        [("NOT_RECOUNTED".into(), "scans.0.itemId".into())]
    );
    // The old tally does not count any more, and old scans are still known.
    let again = json!([
        found("2", &chain, &shop.tray, 8),
        found("4", &chain, &shop.tray, 10)
    ]);
    assert_eq!(scan(&shop, &count, again).await, 1);
    finish(&shop, &count).await;
    assert_eq!(differing(&shop, &count).await, ["RING 95 of 100"]);
    let first = seen(&shop, &count, json!({"round": 1})).await;
    assert_eq!(rows(&first), ["RING 95 of 100", "CHAIN 8 of 10"]);
    // None needs it now; one can be chosen all the same.
    assert_eq!(
        shop.manager
            .not_done("stockCountRecount", json!({"id": count}))
            .await,
        [("NOTHING_SELECTED".into(), "lines".into())]
    );
    let mut line = first["lines"]["nodes"][0]["line"].clone();
    for round in 3..=9 {
        let input = json!({"id": count, "lines": [line]});
        let opened = step(&shop.manager, "stockCountRecount", input).await;
        assert_eq!(opened["round"], round);
        let what = json!([found(&format!("round-{round}"), &ring, &shop.tray, 99)]);
        scan(&shop, &count, what).await;
        finish(&shop, &count).await;
        let now = seen(&shop, &count, json!({"differs": true})).await;
        line = now["lines"]["nodes"][0]["line"].clone();
    }
    let input = json!({"id": count, "lines": [line]});
    assert_eq!(
        shop.manager.not_done("stockCountRecount", input).await,
        [("TOO_MANY".into(), "id".into())]
    );
    approve(&shop, &count).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "99");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_approve_one_does() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let count = opened(&shop, &shop.tray).await;
    scan(&shop, &count, json!([found("1", &ring, &shop.tray, 7)])).await;
    finish(&shop, &count).await;
    let requests = (0..8).map(|_| ("stockCountApprove", json!({"id": count})));
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "WRONG_STATE"), 1);
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "7");
    let entries = "{ stockEntries(where: {reasons: [COUNTED]}) { nodes { document movements { nodes { quantity from { code } to { code } } } } } }";
    let entries = shop.manager.ok(entries, json!({})).await["stockEntries"]["nodes"].take();
    let moved = json!([{"quantity": "3", "from": {"code": "TRAY"}, "to": {"code": "ADJUSTMENT"}}]);
    assert_eq!(
        entries,
        json!([{"document": "C-1", "movements": {"nodes": moved}}])
    );
    let audited =
        "SELECT array_agg(action ORDER BY number) FROM audit WHERE aggregate_type = 'stock_count'";
    let audited: Vec<String> = sea_orm::sqlx::query_scalar(audited)
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    let steps = ["open", "scan", "finish", "approve"].map(|step| format!("stock_count.{step}"));
    assert_eq!(audited, steps);
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_for_somebody_is_not_written_off() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let held = json!({"consumer": "order", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 9}]});
    let held = shop.manager.done("stockReserve", held).await["reservations"][0]["id"].take();
    let count = opened(&shop, &shop.tray).await;
    let both = json!([
        found("1", &ring, &shop.tray, 8),
        found("2", &chain, &shop.tray, 9)
    ]);
    scan(&shop, &count, both).await;
    finish(&shop, &count).await;
    let refused = shop
        .manager
        .change("stockCountApprove", json!({"id": count}))
        .await;
    assert_eq!(
        refused.refused(),
        [("INSUFFICIENT_STOCK".into(), "id".into())]
    );
    let (_, message) = user_error(&refused);
    assert!(
        message.contains("RING") && message.contains("TRAY"),
        "{message}"
    );
    // Nothing of it was done.
    assert_eq!(shop.pieces(&chain, &shop.tray).await[0], "10");
    assert_eq!(seen(&shop, &count, json!({})).await["state"], "REVIEW");
    shop.manager
        .done("stockReservationRelease", json!({"id": held}))
        .await;
    approve(&shop, &count).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "8");
    assert_eq!(shop.pieces(&chain, &shop.tray).await[0], "9");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_weighed_is_put_right_in_pieces_and_grams() {
    let shop = Shop::open().await;
    let chain = shop.weighed_item("CHAIN", "750", "0", "LOT").await;
    let watch = shop.weighed_item("WATCH", "750", "0", "SERIAL").await;
    let mut lots = Vec::new();
    for (number, quantity, weight) in [
        ("A", 4, "20"),
        ("B", 4, "20"),
        ("C", 4, "20"),
        ("D", 2, "10"),
    ] {
        let came = json!({"itemId": chain, "toId": shop.tray, "quantity": quantity, "weight": weight, "lot": {"number": number}});
        lots.push(lot(&shop, came).await);
    }
    let mut watches = Vec::new();
    for number in ["W-1", "W-2", "W-3"] {
        let came =
            json!({"itemId": watch, "toId": shop.tray, "weight": "50", "lot": {"number": number}});
        watches.push(lot(&shop, came).await);
    }
    let count = opened(&shop, &shop.tray).await;
    let weighed = |id: &str, lot: usize, quantity: i64, weight: &str| json!({"scanId": id, "itemId": chain, "lotId": lots[lot], "locationId": shop.tray, "quantity": quantity, "weight": weight});
    let piece = |id: &str, piece: usize, weight: Option<&str>| json!({"scanId": id, "itemId": watch, "lotId": watches[piece], "locationId": shop.tray, "weight": weight});
    for (wrong, expected) in [
        (
            json!({"scanId": "x", "itemId": chain, "lotId": lots[0], "locationId": shop.tray}),
            ("REQUIRED", "scans.0.weight"),
        ),
        (weighed("x", 0, 1, "-1"), ("EXCLUSIVE", "scans.0.weight")),
    ] {
        assert_eq!(
            not_scanned(&shop, &count, json!([wrong])).await,
            [(expected.0.into(), expected.1.into())]
        );
    }
    // A as it should be; B a piece and 6 g short; C a piece more and 1 g less; D nowhere. One watch was not weighed, one is lighter, one is
    // missing.
    let all = json!([
        weighed("1", 0, 3, "15"),
        weighed("2", 0, 1, "5"),
        weighed("3", 1, 3, "14"),
        weighed("4", 2, 5, "19"),
        piece("5", 0, None),
        piece("6", 1, Some("49.5"))
    ]);
    scan(&shop, &count, all).await;
    let left = not_scanned(&shop, &count, json!([weighed("7", 1, -3, "-13")])).await;
    assert_eq!(left, [("WEIGHT_LEFT".into(), "scans.0.weight".into())]);
    finish(&shop, &count).await;
    let seen = seen(&shop, &count, json!({"differs": true})).await;
    let told = |row: &Value| {
        let of = |name: &str| text(&row[name]);
        format!(
            "{} {} {}",
            text(&row["lot"]["number"]),
            of("variance"),
            of("weightVariance")
        )
    };
    let mut told: Vec<_> = seen["lines"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(told)
        .collect();
    told.sort();
    assert_eq!(
        told,
        ["B -1 -6", "C 1 -1", "D -2 -10", "W-2 0 -0.5", "W-3 -1 -50"]
    );
    approve(&shop, &count).await;
    let [on_hand, _, _, weight, _] = shop.manager.level(&chain, &shop.tray).await;
    assert_eq!((on_hand.as_str(), weight.as_str()), ("12", "53"));
    let [on_hand, _, _, weight, fine] = shop.manager.level(&watch, &shop.tray).await;
    assert_eq!(
        (on_hand.as_str(), weight.as_str(), fine.as_str()),
        ("2", "99.5", "74.625")
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_that_cannot_be_are_refused_and_none_of_them_is_added() {
    let shop = Shop::open().await;
    let other = shop.manager.category("Clocks", None).await;
    let ring = shop.item_in_tray("RING", 10).await;
    let clock = shop.manager.item_kept("CLOCK", &other, "NONE").await;
    shop.manager.receive(&clock, &shop.tray, 5).await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let piece = serial(&shop, &watch, &shop.tray, "W-1").await;
    let input = json!({"locationId": shop.tray, "categoryId": shop.category});
    let count = step(&shop.manager, "stockCountOpen", input).await["id"].take();
    let good = found("good", &ring, &shop.tray, 3);
    let mut half = found("1", &ring, &shop.tray, 1);
    half["quantity"] = json!("0.5");
    let mut heavy = found("1", &ring, &shop.tray, 1);
    heavy["weight"] = json!("1");
    let mut two = found_lot("two", &watch, &piece, &shop.tray);
    two["quantity"] = json!(2);
    for (wrong, code, field) in [
        (
            found("1", &ring, &shop.safe, 1),
            "NOT_IN_COUNT",
            "locationId",
        ),
        (found("1", &clock, &shop.tray, 1), "NOT_IN_COUNT", "itemId"),
        (found("1", &watch, &shop.tray, 1), "LOT_REQUIRED", "lotId"),
        (
            found_lot("1", &ring, &piece, &shop.tray),
            "NOT_FOUND",
            "lotId",
        ),
        (two, "OUT_OF_RANGE", "quantity"),
        (half, "NOT_WHOLE", "quantity"),
        (heavy, "NOT_WEIGHED", "weight"),
        (found("1", &ring, &shop.tray, 0), "REQUIRED", "quantity"),
        (
            found("1", &ring, &shop.tray, -4),
            "COUNTED_FEWER",
            "quantity",
        ),
        (found("", &ring, &shop.tray, 1), "REQUIRED", "scanId"),
        (
            found(&"1".repeat(101), &ring, &shop.tray, 1),
            "TOO_LONG",
            "scanId",
        ),
        (
            found("1", &ring, &shop.tray, 10_000_000_000_000),
            "OUT_OF_RANGE",
            "quantity",
        ),
        (
            found("1", &ring, &shop.tray, 9_999_999_999_999),
            "OUT_OF_RANGE",
            "quantity",
        ),
    ] {
        let refused = not_scanned(&shop, &count, json!([good, wrong])).await;
        assert_eq!(
            refused,
            [(code.into(), format!("scans.1.{field}"))],
            "{wrong}"
        );
    }
    let many: Vec<_> = (0..1_001)
        .map(|number| found(&number.to_string(), &ring, &shop.tray, 1))
        .collect();
    let refused = not_scanned(&shop, &count, json!(many)).await;
    assert_eq!(refused, [("TOO_MANY".into(), "scans".into())]);
    assert_eq!(
        seen(&shop, &count, json!({})).await["progress"]["scans"],
        json!(0)
    );
    let thousand: Vec<_> = (0..1_000)
        .map(|number| found(&number.to_string(), &ring, &shop.tray, 1))
        .collect();
    assert_eq!(scan(&shop, &count, json!(thousand)).await, 1_000);
    assert_eq!(scan(&shop, &count, json!(thousand)).await, 0);
    assert_eq!(
        scan(
            &shop,
            &count,
            json!([found("back", &ring, &shop.tray, -991)])
        )
        .await,
        1
    );
    finish(&shop, &count).await;
    // The clocks are of another category, and not missing.
    assert_eq!(
        differing(&shop, &count).await,
        ["RING 9 of 10", "WATCH 0 of 1"]
    );
    approve(&shop, &count).await;
    assert_eq!(shop.pieces(&clock, &shop.tray).await[0], "5");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_counts_with_psql_what_nobody_has_scanned() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let count = opened(&shop, &shop.tray).await;
    scan(&shop, &count, json!([found("1", &ring, &shop.tray, 7)])).await;
    let ended = opened(&shop, &shop.safe).await;
    finish(&shop, &ended).await;
    approve(&shop, &ended).await;
    let db = database::pool(&shop.app.database_url());
    let scanned = |state: &str, place: &str, quantity: i64| {
        format!(
            "INSERT INTO stock_count_scan (count_id, scan_id, line, round, item_id, location_id, quantity, weight, actor_kind, actor_name, scanned_at) \
             SELECT c.id, 'psql', 1, c.round, i.id, l.id, {quantity}, 0, 'system', 'psql', now() FROM stock_count c, item i, location l \
             WHERE c.state = '{state}' AND i.sku = 'RING' AND l.code = '{place}'"
        )
    };
    let to = |state: &str| format!("UPDATE stock_count SET state = '{state}' WHERE state = 'open'");
    let attacks = [
        // Scans stay.
        ("UPDATE stock_count_scan SET quantity = 10".to_owned(), "42501"),
        ("DELETE FROM stock_count_scan".to_owned(), "42501"),
        ("TRUNCATE stock_count_scan".to_owned(), "42501"),
        // Tallies and places follow.
        ("UPDATE stock_count_line SET counted = 10".to_owned(), "42501"),
        ("UPDATE stock_count_line SET expected = 7, expected_weight = 0".to_owned(), "42501"),
        ("INSERT INTO stock_count_line (count_id) SELECT id FROM stock_count".to_owned(), "42501"),
        ("DELETE FROM stock_count_line".to_owned(), "42501"),
        ("DELETE FROM stock_count_location".to_owned(), "42501"),
        ("UPDATE stock_count_location SET is_open = false".to_owned(), "42501"),
        ("INSERT INTO stock_count_location (count_id, location_id) SELECT c.id, l.id FROM stock_count c, location l".to_owned(), "42501"),
        // Nothing is scanned once it is over, nor elsewhere, nor less than nothing.
        (scanned("posted", "SAFE", 1), "stock_count_open"),
        (scanned("open", "SAFE", 1), "stock_count_scan_fits"),
        (scanned("open", "TRAY", -8), "stock_count_scan_fits"),
        (scanned("open", "TRAY", 0), "stock_count_scan_something"),
        (scanned("open", "TRAY", 1).replace("c.round", "2"), "stock_count_open"),
        // A count goes its way, and stays what it is.
        (to("posted"), "stock_count_step"),
        ("UPDATE stock_count SET state = 'open', round = round + 1 WHERE state = 'posted'".to_owned(), "stock_count_step"),
        ("UPDATE stock_count SET state = 'review', round = 2 WHERE state = 'open'".to_owned(), "stock_count_step"),
        ("UPDATE stock_count SET tolerance = 100".to_owned(), "stock_count_identity"),
        ("UPDATE stock_count SET approver_name = 'psql' WHERE state = 'posted'".to_owned(), "stock_count_identity"),
        ("DELETE FROM stock_count".to_owned(), "stock_count_kept"),
        (
            format!("{}; UPDATE stock_count SET state = 'posted', approved_at = now(), approver_kind = 'system', approver_name = 'psql' WHERE state = 'review'", to("review")),
            "stock_count_posts",
        ),
        (
            format!("{}; UPDATE stock_count SET state = 'posted', approved_at = now(), approver_kind = 'system', approver_name = 'psql', \
                     entry_id = (SELECT id FROM stock_entry LIMIT 1) WHERE state = 'review'", to("review")),
            "stock_count_posts",
        ),
        (
            "INSERT INTO stock_count (id, state, location_id, is_blind, tolerance, round, actor_kind, actor_name, created_at, updated_at) \
             SELECT gen_random_uuid(), 'open', id, true, 0, 1, 'system', 'psql', now(), now() FROM location WHERE code = 'TRAY'".to_owned(),
            "stock_count_location_once",
        ),
        (
            "INSERT INTO stock_count (id, state, location_id, is_blind, tolerance, round, actor_kind, actor_name, created_at, updated_at) \
             SELECT gen_random_uuid(), 'review', id, true, 0, 1, 'system', 'psql', now(), now() FROM location WHERE code = 'SAFE'".to_owned(),
            "stock_count_begins_open",
        ),
    ];
    for (sql, expected) in attacks {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    // And what is right is done.
    assert_eq!(tried(&db, &scanned("open", "TRAY", 3)).await, "done");
    finish(&shop, &count).await;
    assert_eq!(differing(&shop, &count).await, [""; 0]);
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_costs_as_many_statements_however_much_there_is() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let shop = behind(&proxy).await;
    let mut items = Vec::new();
    for number in 0..30 {
        items.push(shop.item_in_tray(&format!("I-{number}"), 2).await);
    }
    let watch = shop.item("WATCH", "SERIAL").await;
    serial(&shop, &watch, &shop.tray, "W-1").await;
    let count = opened(&shop, &shop.tray).await;
    let scans = |from: usize, to: usize| -> Value {
        let scans = items[from..to].iter().enumerate();
        scans
            .map(|(number, item)| found(&format!("{from}-{number}"), item, &shop.tray, 1))
            .collect()
    };
    let document = "mutation($input: StockCountScanInput!) { stockCountScan(input: $input) { accepted userErrors { code } } }";
    let mut costs = Vec::new();
    for (from, to) in [(0, 2), (2, 30)] {
        let input = json!({"input": {"id": count, "scans": scans(from, to)}});
        let executed = proxy
            .during(async || shop.manager.ok(document, input).await)
            .await;
        costs.push(executed.len());
    }
    assert_eq!(costs[0], costs[1]);
    finish(&shop, &count).await;
    let variables = json!({"id": count, "where": {}});
    shop.manager.ok(LINES, variables.clone()).await;
    let executed = proxy
        .during(async || shop.manager.ok(LINES, variables.clone()).await)
        .await;
    assert!((1..=7).contains(&executed.len()), "{executed:#?}");
    approve(&shop, &count).await;
}
