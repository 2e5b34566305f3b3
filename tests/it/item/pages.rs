//! Pages of items, compared with what a list in memory would give.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::ManualClock;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use sea_orm::sqlx::{self, types::Uuid};
use serde_json::{Value, json};
use tests::{app::TestApp, shop::english};

use super::Shop;

const ITEMS: usize = 40;
const PAGE: &str =
    "query($where: ItemWhere, $orderBy: [ItemOrder!], $first: Int, $last: Int, $after: String, $before: String) {
    items(where: $where, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before) {
        edges { cursor node { sku } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

#[derive(Clone)]
struct Row {
    id: Uuid,
    sku: String,
    updated_at: DateTime<Utc>,
}

/// Items whose SKUs, times of creation and times of change are in three different orders, many of them changed in the same instant.
async fn furnished(random: &mut StdRng) -> (Shop, Vec<Row>) {
    let clock = Arc::new(ManualClock::new(
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
    ));
    let shop = Shop::of(
        TestApp::builder()
            .clock(clock.clone())
            .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
            .start()
            .await,
    )
    .await;
    let mut numbers: Vec<_> = (0..ITEMS).collect();
    numbers.shuffle(random);
    let mut ids = Vec::new();
    for number in numbers {
        let sku = format!("{}-{number}", ["A", "B", "a+", "é", "گ", "Z"][number % 6]);
        ids.push(shop.create(&sku, json!({})).await["id"].clone());
        if random.random_bool(0.3) {
            clock.advance(TimeDelta::microseconds(random.random_range(1..3_000_000)));
        }
    }
    ids.shuffle(random);
    for id in ids.iter().take(ITEMS / 2) {
        shop.manager
            .done("itemUpdate", json!({"id": id, "name": english("Changed")}))
            .await;
        if random.random_bool(0.3) {
            clock.advance(TimeDelta::microseconds(random.random_range(1..3_000_000)));
        }
    }
    let rows: Vec<(Uuid, String, DateTime<Utc>)> =
        sqlx::query_as("SELECT id, sku, updated_at FROM item")
            .fetch_all(shop.app.sql())
            .await
            .unwrap();
    (
        shop,
        rows.into_iter()
            .map(|(id, sku, updated_at)| Row {
                id,
                sku,
                updated_at,
            })
            .collect(),
    )
}

/// The rows in an order given as clients give it; ties go by id, in the direction of the last term.
fn sorted(rows: &[Row], order: &[(&str, &str)]) -> Vec<String> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| {
        let terms = order.iter().map(|(field, direction)| {
            let ordering = match *field {
                "SKU" => a.sku.cmp(&b.sku),
                "UPDATED_AT" => a.updated_at.cmp(&b.updated_at),
                _ => a.id.cmp(&b.id),
            };
            if *direction == "DESC" {
                ordering.reverse()
            } else {
                ordering
            }
        });
        let descending = order
            .last()
            .is_some_and(|(_, direction)| *direction == "DESC");
        let by_id = if descending {
            b.id.cmp(&a.id)
        } else {
            a.id.cmp(&b.id)
        };
        terms
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then(by_id)
    });
    rows.into_iter().map(|row| row.sku).collect()
}

/// A window as clients ask for it, by indexes into the list.
#[derive(Clone, Copy, Debug)]
struct Window {
    after: Option<usize>,
    before: Option<usize>,
    size: usize,
    backward: bool,
}

impl Window {
    fn random(random: &mut StdRng) -> Self {
        let mut index = |chance| {
            random
                .random_bool(chance)
                .then(|| random.random_range(0..ITEMS))
        };
        let (after, before) = (index(0.6), index(0.4));
        Self {
            after,
            before,
            size: random.random_range(0..=12),
            backward: random.random_bool(0.5),
        }
    }

    /// What a list in memory gives: the page, and whether there is something behind and in front of it.
    fn of<'a>(&self, list: &'a [String]) -> (&'a [String], bool, bool) {
        let start = self.after.map_or(0, |after| after + 1);
        let end = self.before.unwrap_or(list.len());
        let length = end.saturating_sub(start);
        let size = self.size.min(length);
        if self.backward {
            (
                &list[start + length - size..start + length],
                end < list.len(),
                size < length || start > 0,
            )
        } else {
            (
                &list[start..start + size],
                size < length || end < list.len(),
                start > 0,
            )
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_every_order_are_those_of_a_list_in_memory() {
    let mut random = StdRng::seed_from_u64(7);
    let (shop, rows) = furnished(&mut random).await;
    let orders: [&[(&str, &str)]; 9] = [
        &[],
        &[("CREATED_AT", "DESC")],
        &[("SKU", "ASC")],
        &[("SKU", "DESC")],
        &[("UPDATED_AT", "ASC")],
        &[("UPDATED_AT", "DESC")],
        &[("UPDATED_AT", "DESC"), ("SKU", "ASC")],
        &[("UPDATED_AT", "ASC"), ("CREATED_AT", "DESC")],
        &[("CREATED_AT", "DESC"), ("SKU", "ASC")],
    ];
    // A filter that all pass is answered in another way than none at all.
    let filters = [json!(null), json!({"hasImage": false})];
    for (order, filter) in orders
        .iter()
        .flat_map(|order| filters.iter().map(move |filter| (order, filter)))
    {
        let list = sorted(&rows, order);
        let order_by: Vec<_> = order
            .iter()
            .map(|(field, direction)| json!({"field": field, "direction": direction}))
            .collect();
        let all = shop
            .manager
            .ok(
                PAGE,
                json!({"where": filter, "orderBy": order_by, "first": 100}),
            )
            .await;
        assert_eq!(skus(&all["items"]), list, "{order:?}");
        let cursors: Vec<_> = all["items"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| edge["cursor"].clone())
            .collect();
        for _ in 0..25 {
            let window = Window::random(&mut random);
            let size = if window.backward { "last" } else { "first" };
            let (after, before) = (
                window.after.map(|index| &cursors[index]),
                window.before.map(|index| &cursors[index]),
            );
            let page = shop.manager.ok(PAGE, json!({"where": filter, "orderBy": order_by, size: window.size, "after": after, "before": before})).await;
            let found = (
                skus(&page["items"]),
                flag(&page, "hasNextPage"),
                flag(&page, "hasPreviousPage"),
            );
            let (rows, next, previous) = window.of(&list);
            assert_eq!(
                found,
                (rows.to_vec(), next, previous),
                "{order:?} {filter} {window:?}"
            );
        }
    }
}

fn skus(items: &Value) -> Vec<String> {
    items["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["sku"].as_str().unwrap().to_owned())
        .collect()
}

fn flag(page: &Value, name: &str) -> bool {
    page["items"]["pageInfo"][name].as_bool().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn walking_page_by_page_meets_every_item_once_while_others_are_added() {
    let shop = Shop::open().await;
    for number in 0..10 {
        shop.create(&format!("OLD-{number}"), json!({})).await;
    }
    let mut met = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = shop.manager.ok(PAGE, json!({"first": 3, "after": after, "orderBy": [{"field": "CREATED_AT", "direction": "DESC"}]})).await;
        met.extend(skus(&page["items"]));
        shop.create(&format!("NEW-{}", met.len()), json!({})).await;
        after = page["items"]["pageInfo"]["endCursor"].clone();
        if !flag(&page, "hasNextPage") {
            break;
        }
    }
    let expected: Vec<_> = (0..10)
        .rev()
        .map(|number| format!("OLD-{number}"))
        .collect();
    assert_eq!(met, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    shop.create("RING-1", json!({})).await;
    let page = shop.manager.ok(PAGE, json!({"first": 1})).await;
    let by_id = page["items"]["pageInfo"]["endCursor"].clone();
    let by_sku = json!([{"field": "SKU", "direction": "ASC"}]);
    for (variables, code) in [
        (json!({"first": 101}), "OUT_OF_RANGE"),
        (json!({"first": -1}), "OUT_OF_RANGE"),
        (json!({"last": 101}), "OUT_OF_RANGE"),
        (json!({"after": ""}), "INVALID_FORMAT"),
        (json!({"after": "x"}), "INVALID_FORMAT"),
        (json!({"before": "گ"}), "INVALID_FORMAT"),
        (json!({"after": "W10"}), "INVALID_FORMAT"),
        (json!({"after": "A".repeat(100_000)}), "INVALID_FORMAT"),
        (json!({"after": by_id, "orderBy": by_sku}), "INVALID_FORMAT"),
    ] {
        let answer = shop.manager.gql(PAGE, variables.clone()).await;
        assert_eq!(answer.codes(), [code], "{:.80}", variables.to_string());
    }
    let answer = shop.manager.gql(PAGE, json!({"first": 1, "last": 1})).await;
    assert_eq!(answer.errors.len(), 1, "one direction at a time");
}
