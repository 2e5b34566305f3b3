//! The category tree through the front door.

use serde_json::json;
use tests::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_category_is_created_and_found() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let found = manager
        .ok(
            "query($id: ID!) { category(by: {id: $id}) { name depth } }",
            json!({"id": rings}),
        )
        .await;
    assert_eq!(found["category"], json!({"name": "Rings", "depth": 0}));
}
