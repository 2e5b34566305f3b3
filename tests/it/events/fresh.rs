//! An event shows things as they are by now, each time anew.

use serde_json::json;
use tests::app::TestApp;

const WHOLE: &str = "subscription($after: EventPosition) {
    itemChanged(after: $after) { action item { tags barcodes category { name } images { id } } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn what_one_event_has_loaded_is_loaded_again_for_the_next() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let mut listener = manager
        .subscribe(WHOLE, json!({"after": app.position().await}))
        .await;
    let change = async |tags: &[&str], barcodes: &[&str]| {
        manager
            .done(
                "itemUpdate",
                json!({"id": item, "tags": tags, "barcodes": barcodes}),
            )
            .await;
    };
    change(&["one"], &["4006381333931"]).await;
    let first = listener.next().await["itemChanged"]["item"].take();
    assert_eq!(
        first,
        json!({"tags": ["one"], "barcodes": ["4006381333931"], "category": {"name": "Rings"}, "images": []})
    );

    manager
        .done(
            "categoryUpdate",
            json!({"id": category, "name": tests::shop::english("Golden rings")}),
        )
        .await;
    manager.picture(&item, tests::picture::small(1)).await;
    let second = listener.next().await["itemChanged"]["item"].take();
    assert_eq!(
        (
            &second["category"]["name"],
            second["images"].as_array().map(Vec::len)
        ),
        (&json!("Golden rings"), Some(1))
    );
    change(&["two"], &["96385074"]).await;
    let third = listener.next().await["itemChanged"]["item"].take();
    assert_eq!(
        (&third["tags"], &third["barcodes"]),
        (&json!(["two"]), &json!(["96385074"]))
    );
}
