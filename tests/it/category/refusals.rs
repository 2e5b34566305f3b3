//! What categories are refused for, and how that is said.

use serde_json::{Value, json};
use tests::{app::TestApp, shop::english};

use super::outline;

/// A well-formed id of this type that no row has.
fn unknown(kind: &str) -> String {
    tests::shop::global_id(kind, "01930000000070008000000000abcdef")
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_other_values_are_checked() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    manager
        .done(
            "categoryCreate",
            json!({"name": english("Rings"), "externalReference": "taken"}),
        )
        .await;
    let two = json!([{"language": "en", "text": "A"}, {"language": "en", "text": "B"}]);
    for (input, code, path) in [
        (json!({"name": []}), "REQUIRED", "name"),
        (json!({"name": english("")}), "REQUIRED", "name.en"),
        (json!({"name": english("  ")}), "REQUIRED", "name.en"),
        (
            json!({"name": english(&"x".repeat(201))}),
            "TOO_LONG",
            "name.en",
        ),
        (
            json!({"name": english("a\u{0}b")}),
            "INVALID_FORMAT",
            "name.en",
        ),
        (json!({"name": two}), "ALREADY_TAKEN", "name"),
        (
            json!({"name": [{"language": "english", "text": "A"}]}),
            "INVALID_FORMAT",
            "name.english",
        ),
        (
            json!({"name": english("A"), "colour": "red"}),
            "INVALID_FORMAT",
            "colour",
        ),
        (
            json!({"name": english("A"), "icon": "x".repeat(101)}),
            "TOO_LONG",
            "icon",
        ),
        (
            json!({"name": english("A"), "externalReference": "taken"}),
            "ALREADY_TAKEN",
            "externalReference",
        ),
        (
            json!({"name": english("A"), "externalReference": ""}),
            "REQUIRED",
            "externalReference",
        ),
        (
            json!({"name": english("A"), "parentId": unknown("Category")}),
            "NOT_FOUND",
            "parentId",
        ),
        (
            json!({"name": english("A"), "parentId": unknown("Item")}),
            "INVALID_FORMAT",
            "parentId",
        ),
        (
            json!({"name": english("A"), "parentId": "nonsense"}),
            "INVALID_FORMAT",
            "parentId",
        ),
    ] {
        let refused = manager.not_done("categoryCreate", input.clone()).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{input}");
    }
    assert_eq!(outline(&manager).await, ["Rings"]);
    manager.category(&"گ".repeat(200), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_said_at_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let refused = manager
        .not_done(
            "categoryCreate",
            json!({"name": english(""), "colour": "red", "icon": ""}),
        )
        .await;
    let paths: Vec<_> = refused.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["name.en", "icon", "colour"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_lead_nowhere_and_old_versions_are_refused_by_every_mutation() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    for mutation in [
        "categoryUpdate",
        "categoryMove",
        "categoryArchive",
        "categoryRestore",
    ] {
        for (id, version, code, path) in [
            (unknown("Category"), 1, "NOT_FOUND", "id"),
            (unknown("Item"), 1, "INVALID_FORMAT", "id"),
            (rings.clone(), 7, "STALE_VERSION", "expectedVersion"),
        ] {
            let refused = manager
                .not_done(mutation, json!({"id": id, "expectedVersion": version}))
                .await;
            assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{mutation}");
        }
    }
    let found = manager
        .ok(
            "query($id: ID!) { category(by: {id: $id}) { version } }",
            json!({"id": rings}),
        )
        .await;
    assert_eq!(
        found["category"]["version"],
        json!(1),
        "nothing was changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_refuse_ids_of_other_types() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    for (document, id) in [
        (
            "query($id: ID!) { category(by: {id: $id}) { id } }",
            unknown("Item"),
        ),
        (
            "query($id: ID!) { categoryTree(of: {rootId: $id}) { id } }",
            unknown("Job"),
        ),
        (
            "query($id: ID!) { categories(descendantOf: $id) { nodes { id } } }",
            "x".to_owned(),
        ),
    ] {
        let answer = clerk.gql(document, json!({"id": id})).await;
        assert_eq!(answer.codes(), ["INVALID_FORMAT"], "{document}");
        assert!(
            answer.errors[0]["message"]
                .as_str()
                .unwrap()
                .contains("is not the id of Category"),
            "{:?}",
            answer.errors
        );
    }
    let missing = clerk
        .gql(
            "query($id: ID!) { categoryTree(of: {rootId: $id}) { id } }",
            json!({"id": unknown("Category")}),
        )
        .await;
    assert_eq!(missing.codes(), ["NOT_FOUND"]);
    assert_eq!(missing.data, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_said_in_the_users_language() {
    let app = TestApp::start().await;
    let persian = app.persian_manager().await;
    let rings = persian.category("انگشتر", None).await;
    let answer = persian
        .change("categoryMove", json!({"id": rings, "parentId": rings}))
        .await;
    let error = &answer.user_errors()[0];
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("CYCLE", "این را نمی‌توان به زیر خودش برد.")
    );
    let answer = persian
        .change("categoryCreate", json!({"name": english(&"x".repeat(201))}))
        .await;
    assert_eq!(
        answer.user_errors()[0].message,
        "این متن بیش از اندازه بلند است؛ حداکثر 200 نویسه پذیرفته می‌شود."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_keep_what_is_absent_and_clear_what_is_null() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let input = json!({"name": english("Rings"), "icon": "ring", "colour": "#FFD700", "externalReference": "ext-1"});
    let created = manager.done("categoryCreate", input).await["category"].take();
    assert_eq!(created["colour"], "#ffd700");
    let id = &created["id"];
    let updated = manager
        .done(
            "categoryUpdate",
            json!({"id": id, "name": english("Bands"), "icon": null}),
        )
        .await["category"]
        .take();
    let expected = (
        &json!("Bands"),
        &Value::Null,
        &json!("#ffd700"),
        &json!("ext-1"),
        &json!(2),
    );
    let found = (
        &updated["name"],
        &updated["icon"],
        &updated["colour"],
        &updated["externalReference"],
        &updated["version"],
    );
    assert_eq!(found, expected);
}
