//! Many at once: nothing is sold twice, nobody waits in a circle.
//!
//! `OVERSELL_RUNS` says how often the crowds come; once in the suite, a hundred times for the record.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tests::{actor::Actor, answer::Answer};

use super::{Shop, bought, line, sold, text};

const CLIENTS: usize = 200;
const PIECES: usize = 50;

fn runs() -> usize {
    std::env::var("OVERSELL_RUNS").map_or(1, |runs| runs.parse().unwrap())
}

/// Sends all of them at once, each over a connection of its own if need be.
pub(super) async fn at_once(actor: &Actor, requests: Vec<(&'static str, Value)>) -> Vec<Answer> {
    let most = requests.len();
    let sent = requests
        .into_iter()
        .map(|(mutation, input)| async move { actor.change(mutation, input).await });
    stream::iter(sent).buffer_unordered(most).collect().await
}

/// How many were done; all others were refused with this code and nothing else.
pub(super) fn done(answers: &[Answer], code: &str) -> usize {
    let mut done = 0;
    for answer in answers {
        assert!(answer.errors.is_empty(), "{answer:?}");
        let errors = answer.user_errors();
        match errors.first() {
            None => done += 1,
            Some(error) => assert_eq!(error.code, code, "{answer:?}"),
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_who_want_one_of_fifty_fifty_get_one() {
    let shop = Shop::open().await;
    for run in 0..runs() {
        // 20 rings in the tray, and 30 pills of two lots; each client wants one of either, by selling or by reserving.
        let ring = shop.item_in_tray(&format!("RING-{run}"), 20).await;
        let pill = shop.item(&format!("PILL-{run}"), "LOT").await;
        let mut lots = Vec::new();
        for (number, quantity) in [("A", 10), ("B", 20)] {
            let line = json!({"itemId": pill, "toId": shop.tray, "quantity": quantity, "lot": {"number": number}});
            let entry = shop
                .manager
                .done("stockReceive", bought(json!([line])))
                .await["entry"]
                .take();
            lots.push(text(&entry["movements"]["nodes"][0]["lot"]["id"]));
        }
        let requests = (0..CLIENTS).map(|client| {
            let (item, lot) = match client % 3 {
                0 => (&ring, Value::Null),
                which => (&pill, json!(lots[which - 1])),
            };
            if client % 2 == 0 {
                let line =
                    json!({"itemId": item, "lotId": lot, "fromId": shop.tray, "quantity": 1});
                ("stockIssue", sold(json!([line])))
            } else {
                let line =
                    json!({"itemId": item, "lotId": lot, "locationId": shop.tray, "quantity": 1});
                ("stockReserve", json!({"consumer": "cart", "lines": [line]}))
            }
        });
        let answers = at_once(&shop.manager, requests.collect()).await;
        assert_eq!(done(&answers, "INSUFFICIENT_STOCK"), PIECES, "run {run}");
        assert_eq!(shop.pieces(&ring, &shop.tray).await[2], "0");
        assert_eq!(shop.pieces(&pill, &shop.tray).await[2], "0");
    }
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_serial_is_sold_twice() {
    let shop = Shop::open().await;
    for run in 0..runs() {
        let watch = shop.item(&format!("WATCH-{run}"), "SERIAL").await;
        let range = json!({"first": format!("W{run}-01"), "count": PIECES});
        let line = json!({"itemId": watch, "toId": shop.tray, "serialRange": range});
        let entry = shop
            .manager
            .done("stockReceive", bought(json!([line])))
            .await["entry"]
            .take();
        let lots: Vec<_> = entry["movements"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|movement| movement["lot"]["id"].clone())
            .collect();
        let requests = (0..CLIENTS).map(|client| {
            let lot = &lots[client % PIECES];
            let sale = json!({"itemId": watch, "lotId": lot, "fromId": shop.tray});
            ("stockIssue", sold(json!([sale])))
        });
        let answers = at_once(&shop.manager, requests.collect()).await;
        let mut done = 0;
        for answer in &answers {
            assert!(answer.errors.is_empty(), "{answer:?}");
            match answer.user_errors().first() {
                None => done += 1,
                // The last of them leaves nothing behind.
                Some(error) => assert!(
                    ["INSUFFICIENT_STOCK", "SERIAL_ELSEWHERE"].contains(&error.code.as_str()),
                    "{error:?}"
                ),
            }
        }
        assert_eq!(done, PIECES, "run {run}");
        assert_eq!(shop.pieces(&watch, &shop.tray).await[0], "0");
    }
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_in_any_order_make_nobody_wait_in_a_circle() {
    let shop = Shop::open().await;
    let mut items = Vec::new();
    for number in 0..6 {
        items.push(shop.item_in_tray(&format!("RING-{number}"), 1_000).await);
    }
    let requests = (0..120).map(|client: usize| {
        let mut lines: Vec<_> = (0..4)
            .map(|place| line(&items[(client * 7 + place * 5) % 6], &shop.tray, 1))
            .collect();
        if client.is_multiple_of(2) {
            lines.reverse();
        }
        if client.is_multiple_of(3) {
            for line in &mut lines {
                line["toId"] = json!(shop.safe);
            }
            return ("stockMove", json!({"lines": lines}));
        }
        ("stockIssue", sold(json!(lines)))
    });
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "none"), 120);
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_undo_one_entry_undo_it_once() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let sale = shop
        .manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 4)])))
        .await["entry"]["id"]
        .take();
    let requests = (0..10).map(|_| ("stockReverse", json!({"id": sale})));
    let answers = at_once(&shop.manager, requests.collect()).await;
    assert_eq!(done(&answers, "ALREADY_REVERSED"), 1);
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "10");
}
