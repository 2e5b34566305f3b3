//! What is no attribute, and who may not declare one.

use serde_json::json;
use tests::answer::Answer;

use super::{Shop, laid_over, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn contradicting_declarations_are_refused_and_leave_nothing() {
    let shop = Shop::open().await;
    let gram = shop.manager.unit("gram").await;
    for (kind, more, code, path) in [
        (
            "TEXT",
            json!({"name": "Gold Colour"}),
            "INVALID_FORMAT",
            "name",
        ),
        ("TEXT", json!({"label": []}), "REQUIRED", "label"),
        ("ENUM", json!({}), "REQUIRED", "options"),
        (
            "TEXT",
            json!({"pattern": "(a+"}),
            "INVALID_FORMAT",
            "pattern",
        ),
        (
            "NUMBER",
            json!({"unitId": gram}),
            "INVALID_FORMAT",
            "unitId",
        ),
        (
            "DECIMAL",
            json!({"unitId": gram, "min": "1 metre"}),
            "INCOMPATIBLE_UNITS",
            "min",
        ),
        (
            "NUMBER",
            json!({"min": "5", "max": "4"}),
            "OUT_OF_RANGE",
            "max",
        ),
        (
            "NUMBER",
            json!({"max": "4", "default": 5}),
            "OUT_OF_RANGE",
            "default",
        ),
        ("REFERENCE", json!({}), "REQUIRED", "refersTo"),
        (
            "BOOLEAN",
            json!({"unique": true}),
            "INVALID_FORMAT",
            "unique",
        ),
        (
            "TEXT",
            json!({"categoryId": shop.piece}),
            "INVALID_FORMAT",
            "categoryId",
        ),
    ] {
        let input = shop.attribute("it", kind, more);
        let refused = shop
            .manager
            .not_done("attributeCreate", input.clone())
            .await;
        assert_eq!(refused, wrong(code, path), "{input}");
    }
    assert_eq!(shop.app.count("SELECT count(*) FROM attribute").await, 0);
    let _ = shop.declare("note", "TEXT", json!({})).await;
    let again = shop.attribute("note", "TEXT", json!({}));
    assert_eq!(
        shop.manager.not_done("attributeCreate", again).await,
        wrong("ALREADY_TAKEN", "name")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_declares_nothing() {
    let shop = Shop::open().await;
    let clerk = shop.app.clerk().await;
    let input = shop.attribute("note", "TEXT", json!({}));
    let answer: Answer = clerk.change("attributeCreate", input).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(shop.app.count("SELECT count(*) FROM attribute").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_category_declares_nothing() {
    let shop = Shop::open().await;
    let old = shop.manager.category("Old", None).await;
    let _ = shop
        .manager
        .done("categoryArchive", json!({"id": old}))
        .await;
    let input = laid_over(
        shop.attribute("note", "TEXT", json!({})),
        json!({"categoryId": old}),
    );
    assert_eq!(
        shop.manager.not_done("attributeCreate", input).await,
        wrong("ARCHIVED", "categoryId")
    );
}
