//! Tags: completed as they are typed, called otherwise, and asked for.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::item::Shop;

async fn tags(shop: &Shop, prefix: &str) -> Vec<(String, i64)> {
    let query = "query($prefix: String) { tags(prefix: $prefix) { name count exact } }";
    let data = shop.manager.ok(query, json!({ "prefix": prefix })).await;
    let tags = data["tags"].as_array().unwrap().iter();
    let told = tags.map(|tag| {
        assert_eq!(tag["exact"], true);
        let name = tag["name"].as_str().unwrap().to_owned();
        (name, tag["count"].as_i64().unwrap())
    });
    told.collect()
}

fn counted(tags: &[(&str, i64)]) -> Vec<(String, i64)> {
    let tags = tags.iter();
    tags.map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_completed_the_most_usual_first() {
    let shop = Shop::open().await;
    for (sku, tags) in [
        ("1", json!(["Gold", "gift", "طلای زرد"])),
        ("2", json!(["gold", "golden age"])),
        ("3", json!(["GOLD ", "طلاي قرمز"])),
        ("4", json!(["silver"])),
    ] {
        shop.create(sku, json!({ "tags": tags })).await;
    }
    assert_eq!(
        tags(&shop, "G").await,
        counted(&[("gold", 3), ("gift", 1), ("golden age", 1)])
    );
    assert_eq!(tags(&shop, "gold").await[1].0, "golden age");
    // Whoever types Arabic letters means Persian ones, and the other way round.
    for prefix in ["طلای", "طلاي"] {
        assert_eq!(tags(&shop, prefix).await.len(), 2, "{prefix}");
    }
    assert_eq!(tags(&shop, "").await.len(), 6);
    assert_eq!(tags(&shop, "%").await.len(), 6, "signs say nothing");
    assert_eq!(tags(&shop, "bronze").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_item_in_use_has_is_not_proposed() {
    let shop = Shop::open().await;
    let item = shop.create("1", json!({"tags": ["gold"]})).await;
    shop.manager
        .done("itemUpdate", json!({"id": item["id"], "tags": ["silver"]}))
        .await;
    assert_eq!(tags(&shop, "").await, counted(&[("silver", 1)]));
    shop.manager
        .done("itemArchive", json!({"id": item["id"]}))
        .await;
    assert_eq!(tags(&shop, "").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn usual_tags_are_estimated_once_postgresql_knows_them() {
    let shop = Shop::open().await;
    shop.create("1", json!({"tags": ["gold", "new"]})).await;
    // As many as no test would create one by one.
    shop.app
        .execute(
            "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, tags, created_at, updated_at)
             SELECT gen_random_uuid(), kind, 'S-' || n, name, category_id, unit_id, tracking, '{gold}', now(), now()
             FROM item, generate_series(1, 3000) n",
        )
        .await;
    shop.app.execute("ANALYZE item").await;
    let data = shop
        .manager
        .ok("{ tags { name count exact } }", json!({}))
        .await;
    assert_eq!(
        data["tags"],
        json!([
            {"name": "gold", "count": 3001, "exact": false},
            {"name": "new", "count": 1, "exact": true},
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_gets_another_name_on_all_items() {
    let shop = Shop::open().await;
    let one = shop.create("1", json!({"tags": ["old", "z", "a"]})).await;
    let both = shop.create("2", json!({"tags": ["old", "new"]})).await;
    let away = shop.create("3", json!({"tags": ["old"]})).await;
    let other = shop.create("4", json!({"tags": ["older"]})).await;
    shop.manager
        .done("itemArchive", json!({"id": away["id"]}))
        .await;
    let renamed = shop
        .manager
        .done("tagRename", json!({"from": " OLD", "to": "New "}))
        .await;
    assert_eq!(
        renamed,
        json!({"tag": "new", "changed": 3, "complete": true, "userErrors": []})
    );
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Item { tags version } } }";
    let ids = json!({"ids": [one["id"], both["id"], away["id"], other["id"]]});
    assert_eq!(
        shop.manager.ok(query, ids).await["nodes"],
        json!([
            {"tags": ["a", "new", "z"], "version": 2},
            {"tags": ["new"], "version": 2},
            {"tags": ["new"], "version": 3},
            {"tags": ["older"], "version": 1},
        ])
    );
    assert_eq!(tags(&shop, "").await.len(), 4);
    assert_eq!(tags(&shop, "old").await, counted(&[("older", 1)]));
    assert_eq!(shop.app.events_of("item.rename_tag").await.len(), 3);
    let audited = "SELECT count(*) FROM audit WHERE action = 'item.rename_tag' AND actor_name = 'Test manager'
                   AND before->'tags' ? 'old' AND NOT after->'tags' ? 'old' AND after->'tags' ? 'new'";
    assert_eq!(shop.app.count(audited).await, 3);
    for (from, to, expected) in [
        ("old", "new", ("NOT_FOUND", "from")),
        ("", "new", ("REQUIRED", "from")),
        ("older", "OLDER", ("ALREADY_TAKEN", "to")),
    ] {
        let refused = shop
            .manager
            .not_done("tagRename", json!({"from": from, "to": to}))
            .await;
        assert_eq!(refused, [(expected.0.to_owned(), expected.1.to_owned())]);
    }
    let long = json!({"from": "older", "to": "x".repeat(51)});
    assert_eq!(
        shop.manager.not_done("tagRename", long).await[0].0,
        "TOO_LONG"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_items_than_are_changed_at_once_are_changed_in_turns() {
    let shop = Shop::open().await;
    shop.create("1", json!({"tags": ["old"]})).await;
    shop.app
        .execute(
            "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, tags, created_at, updated_at)
             SELECT gen_random_uuid(), kind, 'S-' || n, name, category_id, unit_id, tracking, tags, now(), now()
             FROM item, generate_series(1, 5499) n",
        )
        .await;
    let input = json!({"from": "old", "to": "new"});
    let turn = shop.manager.done("tagRename", input.clone()).await;
    assert_eq!(
        (&turn["changed"], &turn["complete"]),
        (&json!(5000), &json!(false))
    );
    let turn = shop.manager.done("tagRename", input).await;
    assert_eq!(
        (&turn["changed"], &turn["complete"]),
        (&json!(500), &json!(true))
    );
    let trail = "SELECT count(*) FROM audit WHERE action = 'item.rename_tag'";
    assert_eq!(shop.app.count(trail).await, 5500);
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_and_changes_at_once_leave_no_old_tag_behind() {
    let shop = Shop::open().await;
    let items = (0..12).map(async |n| {
        let tags = json!({"tags": ["old"]});
        shop.create(&n.to_string(), tags).await["id"].take()
    });
    let items = join_all(items).await;
    let rows: Vec<_> = items
        .iter()
        .map(|id| json!({"id": id, "tags": ["old", "more"]}))
        .collect();
    let (renamed, _many, _one) = tokio::join!(
        shop.manager
            .change("tagRename", json!({"from": "old", "to": "new"})),
        shop.manager.change("itemsUpdate", json!({"rows": rows})),
        join_all(items.iter().map(|id| {
            let change = json!({"id": id, "barcodes": [id]});
            shop.manager.change("itemUpdate", change)
        })),
    );
    let _renamed = renamed.ok();
    let again = json!({"from": "old", "to": "new"});
    let _nothing_or_the_rest = shop.manager.change("tagRename", again).await;
    let left = "SELECT count(*) FROM item WHERE tags @> '{old}' OR NOT tags @> '{new}'";
    assert_eq!(shop.app.count(left).await, 0);
    let trail = "SELECT count(*) FROM item i WHERE version <>
                 (SELECT count(*) FROM audit a WHERE a.aggregate_id = i.id)";
    assert_eq!(
        shop.app.count(trail).await,
        0,
        "a row of the trail a version"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_asked_for_by_all_by_any_and_by_none() {
    let shop = Shop::open().await;
    for (sku, tags) in [
        ("GN", json!(["gold", "new"])),
        ("G", json!(["gold"])),
        ("S", json!(["silver"])),
        ("", json!([])),
    ] {
        shop.create(&format!("{sku}-"), json!({ "tags": tags }))
            .await;
    }
    let query = "query($tags: TagFilter!) { items(where: {tags: $tags}) { nodes { sku } } }";
    for (filter, expected) in [
        (json!({"all": ["Gold", "new "]}), vec!["GN-"]),
        (json!({"any": ["NEW", "silver"]}), vec!["GN-", "S-"]),
        (json!({"none": ["gold"]}), vec!["S-", "-"]),
        (json!({"any": ["gold"], "none": ["new"]}), vec!["G-"]),
        (json!({"any": []}), vec![]),
        (json!({"none": []}), vec!["GN-", "G-", "S-", "-"]),
        (json!({}), vec!["GN-", "G-", "S-", "-"]),
    ] {
        let data = shop.manager.ok(query, json!({ "tags": filter })).await;
        let nodes = data["items"]["nodes"].as_array().unwrap().iter();
        let found: Vec<&Value> = nodes.map(|node| &node["sku"]).collect();
        assert_eq!(found, expected, "{filter}");
    }
}
