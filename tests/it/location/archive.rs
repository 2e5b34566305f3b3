//! Closing locations, and opening them again.

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

/// The codes of the open locations of the shop itself.
async fn open(actor: &Actor) -> Vec<String> {
    let query = "{ locations(where: {isVirtual: false}, first: 100) { nodes { code } } }";
    let data = actor.ok(query, json!({})).await;
    let nodes = data["locations"]["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| node["code"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_closes_with_all_below_it_and_opens_with_what_closed_with_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let shop = manager.location("SHOP", "SHOP", None).await;
    let case = manager.location("CASE", "SHOWCASE", Some(&shop)).await;
    let tray = manager.location("TRAY", "TRAY", Some(&case)).await;
    manager.done("locationArchive", json!({"id": tray})).await;
    let closed = manager.done("locationArchive", json!({"id": shop})).await;
    assert!(closed["location"]["archivedAt"].is_string());
    let again = manager.done("locationArchive", json!({"id": shop})).await;
    assert_eq!(again, closed, "closing twice changes nothing");
    assert_eq!(open(&manager).await, [""; 0]);
    let refused = manager
        .not_done("locationRestore", json!({"id": case}))
        .await;
    assert_eq!(refused, [("ARCHIVED".into(), "id".into())]);
    manager.done("locationRestore", json!({"id": shop})).await;
    assert_eq!(open(&manager).await, ["SHOP", "CASE"]);
    let opened = manager.done("locationRestore", json!({"id": tray})).await;
    assert_eq!(opened["location"]["archivedAt"], Value::Null);
    assert_eq!(open(&manager).await, ["SHOP", "CASE", "TRAY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_comes_below_a_closed_location() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let shop = manager.location("SHOP", "SHOP", None).await;
    let tray = manager.location("TRAY", "TRAY", None).await;
    manager.done("locationArchive", json!({"id": shop})).await;
    let archived = [("ARCHIVED".to_owned(), "parentId".to_owned())];
    let new = json!({"code": "SAFE", "name": english("Safe"), "kind": "SAFE", "parentId": shop});
    assert_eq!(manager.not_done("locationCreate", new).await, archived);
    let to = json!({"id": tray, "parentId": shop});
    assert_eq!(manager.not_done("locationMove", to).await, archived);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_shop_has_stays_open() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let query = "{ locations(where: {isVirtual: true}, first: 100) { nodes { id code kind negativeAllowed } } }";
    let data = manager.ok(query, json!({})).await;
    let virtuals = data["locations"]["nodes"].as_array().unwrap();
    assert_eq!(virtuals.len(), 6);
    for location in virtuals {
        assert_eq!(location["code"], location["kind"]);
        assert_eq!(location["negativeAllowed"], json!(true));
        let refused = manager.not_done("locationArchive", json!({"id": location["id"]}));
        assert_eq!(refused.await, [("BUILT_IN".into(), "id".into())]);
    }
}
