//! Putting categories away, and bringing them back.

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

use super::outline;

async fn archive(actor: &Actor, id: &str) -> Value {
    actor.done("categoryArchive", json!({"id": id})).await["category"].take()
}

async fn restore(actor: &Actor, id: &str) -> Value {
    actor.done("categoryRestore", json!({"id": id})).await["category"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_goes_with_all_below_it_and_comes_back_with_what_went_with_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let jewellery = manager.category("Jewellery", None).await;
    let rings = manager.category("Rings", Some(&jewellery)).await;
    let wedding = manager.category("Wedding rings", Some(&rings)).await;
    manager.category("Necklaces", Some(&jewellery)).await;

    archive(&manager, &wedding).await;
    let archived = archive(&manager, &jewellery).await;
    assert!(archived["archivedAt"].is_string());
    assert_eq!(outline(&manager).await, [""; 0]);
    let all = manager
        .ok(
            "{ categoryTree(of: {includeArchived: true}) { name } }",
            json!({}),
        )
        .await;
    assert_eq!(all["categoryTree"].as_array().unwrap().len(), 4);

    assert_eq!(
        manager
            .not_done("categoryRestore", json!({"id": rings}))
            .await,
        [("ARCHIVED".into(), "id".into())]
    );
    let restored = restore(&manager, &jewellery).await;
    assert_eq!(restored["archivedAt"], Value::Null);
    assert_eq!(
        outline(&manager).await,
        ["Jewellery", "  Rings", "  Necklaces"],
        "what was put away before stays away"
    );
    restore(&manager, &wedding).await;
    assert_eq!(
        outline(&manager).await,
        ["Jewellery", "  Rings", "    Wedding rings", "  Necklaces"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_twice_changes_nothing_the_second_time() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let first = archive(&manager, &rings).await;
    assert_eq!(archive(&manager, &rings).await, first);
    let first = restore(&manager, &rings).await;
    assert_eq!(restore(&manager, &rings).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_with_items_in_use_stays() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let jewellery = manager.category("Jewellery", None).await;
    let rings = manager.category("Rings", Some(&jewellery)).await;
    let item = manager.item("RING-1", &rings).await;
    for category in [&rings, &jewellery] {
        let refused = manager
            .change("categoryArchive", json!({"id": category}))
            .await;
        let errors = refused.user_errors();
        assert_eq!((errors[0].code.as_str(), errors.len()), ("NOT_EMPTY", 1));
        assert_eq!(
            errors[0].message,
            "One item is still in it. Move or archive it first."
        );
    }
    assert_eq!(
        outline(&manager).await,
        ["Jewellery", "  Rings"],
        "nothing is half done"
    );
    manager.done("itemArchive", json!({"id": item})).await;
    archive(&manager, &jewellery).await;
    assert_eq!(
        manager.not_done("itemRestore", json!({"id": item})).await[0].0,
        "ARCHIVED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_comes_into_an_archived_category() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (rings, tools) = (
        manager.category("Rings", None).await,
        manager.category("Tools", None).await,
    );
    let item = manager.item("DRILL-1", &tools).await;
    archive(&manager, &rings).await;
    let unit = manager.unit("piece").await;
    for (mutation, input, path) in [
        (
            "categoryCreate",
            json!({"name": english("Wedding rings"), "parentId": rings}),
            "parentId",
        ),
        (
            "categoryMove",
            json!({"id": tools, "parentId": rings}),
            "parentId",
        ),
        (
            "itemCreate",
            json!({"sku": "R-1", "name": english("Ring"), "categoryId": rings, "unitId": unit}),
            "categoryId",
        ),
        (
            "itemUpdate",
            json!({"id": item, "categoryId": rings}),
            "categoryId",
        ),
    ] {
        assert_eq!(
            manager.not_done(mutation, input).await,
            [("ARCHIVED".into(), path.into())],
            "{mutation}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_are_reordered_without_naming_those_that_are_put_away() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(manager.category(name, None).await);
    }
    archive(&manager, &ids[1]).await;
    manager
        .done("categoryReorder", json!({"order": [ids[2], ids[0]]}))
        .await;
    assert_eq!(outline(&manager).await, ["C", "A"]);
    restore(&manager, &ids[1]).await;
    assert_eq!(outline(&manager).await.len(), 3);
    super::assert_tree_is_sound(&app).await;
}
