//! What may lie where, and what the tree may look like.

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{app::TestApp, shop::english};

#[tokio::test(flavor = "multi_thread")]
async fn a_location_says_what_may_lie_in_it_and_can_be_told_otherwise() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let tools = manager.category("Tools", None).await;
    let new = json!({"code": "tray-1", "name": english("Tray 1"), "kind": "TRAY", "capacity": "24.000",
        "categoryIds": [rings, tools, rings], "externalReference": "ext-1"});
    let tray = manager.done("locationCreate", new).await["location"].take();
    assert_eq!(tray["code"], json!("TRAY-1"));
    assert_eq!(tray["capacity"], json!("24"));
    assert_eq!(tray["negativeAllowed"], json!(false));
    assert_eq!(tray["categories"], json!([{"id": rings}, {"id": tools}]));
    let change = json!({"id": tray["id"], "capacity": null, "negativeAllowed": true, "categoryIds": [tools], "kind": "SAFE", "expectedVersion": 1});
    let changed = manager.done("locationUpdate", change).await["location"].take();
    assert_eq!(changed["capacity"], Value::Null);
    assert_eq!(changed["negativeAllowed"], json!(true));
    assert_eq!(changed["categories"], json!([{"id": tools}]));
    assert_eq!(changed["kind"], json!("SAFE"));
    assert_eq!(
        changed["externalReference"],
        json!("ext-1"),
        "what is not named stays"
    );
    assert_eq!(changed["version"], json!(2));
    let sql = "SELECT after->'category_ids' FROM audit WHERE action = 'location.update'";
    let trail: Value = sqlx::query_scalar(sql).fetch_one(app.sql()).await.unwrap();
    assert_eq!(
        trail.as_array().unwrap().len(),
        1,
        "the trail has the categories"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_locations_keep_to_their_kind_whoever_writes_them() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let query = "{ location(by: {code: \"supplier\"}) { id } }";
    let supplier = manager.ok(query, json!({})).await["location"]["id"].take();
    let shop = manager.location("SHOP", "SHOP", None).await;
    let supplier = supplier.as_str().unwrap();
    let under = manager.location("ACME", "SUPPLIER", Some(supplier)).await;
    let mismatch = |path: &str| [("KIND_MISMATCH".to_owned(), path.to_owned())];
    for (kind, parent) in [
        ("TRAY", supplier),
        ("CUSTOMER", supplier),
        ("SUPPLIER", &shop),
    ] {
        let new = json!({"code": "NEW", "name": english("New"), "kind": kind, "parentId": parent});
        let refused = manager.not_done("locationCreate", new).await;
        assert_eq!(refused, mismatch("parentId"), "{kind}");
    }
    let to = json!({"id": under, "parentId": shop});
    assert_eq!(
        manager.not_done("locationMove", to).await,
        mismatch("parentId")
    );
    let kind = json!({"id": shop, "kind": "LOSS"});
    assert_eq!(
        manager.not_done("locationUpdate", kind).await,
        mismatch("kind")
    );
    let bounded = json!({"id": under, "capacity": "5", "negativeAllowed": false});
    let refused = manager.not_done("locationUpdate", bounded).await;
    let expected = ["negativeAllowed", "capacity"];
    assert_eq!(
        refused,
        expected.map(|path| ("VIRTUAL_LOCATION".to_owned(), path.to_owned()))
    );
    // By hand it is the database that refuses.
    for attack in [
        "UPDATE location SET kind = 'loss', negative_allowed = true WHERE code = 'ACME'",
        "UPDATE location SET negative_allowed = false WHERE code = 'SUPPLIER'",
        "UPDATE location SET archived_at = now() WHERE code = 'SUPPLIER'",
        "UPDATE location SET path = '1.2.3' WHERE code = 'SHOP'",
        "UPDATE location SET parent_id = (SELECT id FROM location WHERE code = 'SHOP') WHERE code = 'ACME'",
        "INSERT INTO location_category (location_id, category_id) SELECT l.id, c.id FROM location l, category c WHERE l.code = 'ACME'",
        "UPDATE location SET code = 'shop' WHERE code = 'SHOP'",
        "UPDATE location SET capacity = 0 WHERE code = 'SHOP'",
    ] {
        manager.category("Rings", None).await;
        let attacked = sqlx::query(attack).execute(app.sql()).await;
        assert!(attacked.is_err(), "{attack}");
    }
    super::assert_tree_is_sound(&app).await;
}
