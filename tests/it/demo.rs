//! The demo shop: `worker demo` fills an empty shop, and leaves alone what people have made of it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{PASSWORD, TestApp},
    process::{self, Ended},
    shop::english,
};

const OWNER: &str = "owner@demo.goldshop.example";
/// How long loading may take, in a build without optimisation on a busy machine.
const LOAD_LIMIT: Duration = Duration::from_secs(180);
const ITEM: &str = "query($reference: String!) {
    item(by: {externalReference: $reference}) { id sku name archivedAt images { id } category { id } }
}";
const CATEGORY: &str = "query($reference: String!) {
    category(by: {externalReference: $reference}) { id name parentId archivedAt }
}";
const ITEMS: &str = "query($category: ID!) { items(where: {category: {in: [$category]}}, first: 100) { nodes { id } } }";

/// What must be as it was when nothing was changed, to the last letter. Only positions of events may be given meanwhile.
const CONTENT: &str = "SELECT concat_ws(' ',
    (SELECT md5(string_agg(c::text, '' ORDER BY c.id)) FROM category c),
    (SELECT md5(string_agg(i::text, '' ORDER BY i.id)) FROM item i),
    (SELECT md5(string_agg(b::text, '' ORDER BY b.barcode)) FROM item_barcode b),
    (SELECT md5(string_agg(p::text, '' ORDER BY p.id)) FROM item_image p),
    (SELECT md5(string_agg(j::text, '' ORDER BY j.id)) FROM job j),
    (SELECT count(*) FROM audit), (SELECT count(*) FROM event), (SELECT count(*) FROM app_user))";

async fn load(app: &TestApp) -> Ended {
    let password = [("DEMO_PASSWORD".to_owned(), PASSWORD.to_owned())];
    let variables: BTreeMap<_, _> = app
        .variables()
        .clone()
        .into_iter()
        .chain(password)
        .collect();
    let ended = process::run("worker", &["demo"], &variables, "", LOAD_LIMIT).await;
    assert!(ended.status.success(), "{ended:?}");
    ended
}

async fn content(app: &TestApp) -> String {
    let content = sea_orm::sqlx::query_scalar(CONTENT).fetch_one(app.sql());
    content.await.unwrap()
}

async fn item(manager: &Actor, reference: &str) -> Value {
    let found = manager.ok(ITEM, json!({"reference": reference})).await;
    found["item"].clone()
}

async fn category(manager: &Actor, reference: &str) -> Value {
    let found = manager.ok(CATEGORY, json!({"reference": reference})).await;
    found["category"].clone()
}

/// Everything that people may do to the demo shop and that used to get in the way of loading it again.
async fn edit(manager: &Actor) {
    let pictured = item(manager, "demo:item:jeweller-000001").await;
    let picture = json!({"itemId": pictured["id"], "imageId": pictured["images"][0]["id"]});
    manager.done("itemImageRemove", picture).await;
    let change = json!({"id": pictured["id"], "name": english("Mine"), "tags": [], "price": null});
    manager.done("itemUpdate", change).await;
    let archived = item(manager, "demo:item:pharmacy-000001").await;
    manager
        .done("itemArchive", json!({"id": archived["id"]}))
        .await;
    let watches = category(manager, "demo:jeweller:watches").await;
    let renamed = json!({"id": watches["id"], "name": english("Clocks")});
    manager.done("categoryUpdate", renamed).await;
    manager
        .done("categoryMove", json!({"id": watches["id"]}))
        .await;
    give_away_sku(manager).await;
    close_supplies(manager).await;
}

/// The SKU and the barcodes of a demo item belong to another item, which the demo does not know.
async fn give_away_sku(manager: &Actor) {
    let other = item(manager, "demo:item:workshop-000002").await;
    let change = json!({"id": other["id"], "externalReference": null});
    manager.done("itemUpdate", change).await;
}

/// A category is archived, and one of its items is not known as the demo's any more.
async fn close_supplies(manager: &Actor) {
    let supplies = category(manager, "demo:jeweller:supplies").await;
    let items = manager.ok(ITEMS, json!({"category": supplies["id"]})).await;
    let items = items["items"]["nodes"].as_array().unwrap();
    let change =
        json!({"id": items[0]["id"], "externalReference": null, "sku": "MINE-1", "barcodes": []});
    manager.done("itemUpdate", change).await;
    for item in items {
        manager.done("itemArchive", json!({"id": item["id"]})).await;
    }
    manager
        .done("categoryArchive", json!({"id": supplies["id"]}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shop_is_loaded_once_and_what_people_change_stays() {
    let app = TestApp::start().await;
    load(&app).await;
    let categories = app.count("SELECT count(*) FROM category").await;
    assert_eq!(categories, 5_595 + 98);
    let named = "SELECT count(*) FROM item WHERE name->>'en' <> '' AND name->>'fa' <> ''";
    let items = app.count(named).await;
    assert!(items >= 2_000, "{items}");
    assert_eq!(app.count("SELECT count(*) FROM item").await, items);
    let codes = "SELECT count(*) FROM job WHERE kind = 'item.render_code' AND state = 'queued'";
    assert_eq!(app.count(codes).await, items);
    let pictures = "SELECT count(*) FROM job WHERE kind = 'item.render_image' AND state = 'queued'";
    let pictures = app.count(pictures).await;
    assert!((280..=340).contains(&pictures), "{pictures}");

    let manager = app.anonymous().logged_in(OWNER, PASSWORD).await;
    edit(&manager).await;
    let before = content(&app).await;
    let ended = load(&app).await;
    assert!(ended.output.contains("0 new items"), "{ended:?}");
    assert!(ended.output.contains("2 items are left out"), "{ended:?}");
    assert_eq!(content(&app).await, before);

    let mine = item(&manager, "demo:item:jeweller-000001").await;
    assert_eq!(
        (&mine["name"], &mine["images"]),
        (&json!("Mine"), &json!([]))
    );
    let clocks = category(&manager, "demo:jeweller:watches").await;
    assert_eq!(
        (&clocks["name"], &clocks["parentId"]),
        (&json!("Clocks"), &Value::Null)
    );
    let supplies = category(&manager, "demo:jeweller:supplies").await;
    assert!(supplies["archivedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_password_must_be_given() {
    let app = TestApp::start().await;
    let ended = process::run("worker", &["demo"], app.variables(), "", LOAD_LIMIT).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.errors.contains("DEMO_PASSWORD"), "{ended:?}");
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");
    assert_eq!(app.count("SELECT count(*) FROM category").await, 0);
}
