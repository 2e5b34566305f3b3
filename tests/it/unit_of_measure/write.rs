//! Units that shops add and change.

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    shop::{english, global_id},
};

use super::{unit, weight};

/// The input for a unit of mass, with `more` laid over it.
fn input(code: &str, more: Value) -> Value {
    let mut input = json!({"code": code, "name": english(code), "dimension": "MASS", "numerator": 192, "denominator": 1000});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_ones_own_is_read_at_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let new = input(
        "nokhod",
        json!({"spellings": ["nokhod", "نخود", "Nokhod "]}),
    );
    let created = manager.done("unitOfMeasureCreate", new).await["unitOfMeasure"].take();
    let expected = json!({
        "id": created["id"], "code": "nokhod", "name": "nokhod", "dimension": "MASS",
        "numerator": "192", "denominator": "1000", "spellings": ["nokhod", "نخود"], "version": 1,
    });
    assert_eq!(created, expected);
    let read = weight(&manager, "۲۴ نخود").await;
    assert_eq!(read, Ok(("4.608".to_owned(), true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_checked_and_a_refused_unit_leaves_nothing() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let most = 1_000_000_000_000_000_001_i64;
    let many: Vec<_> = (0..51).map(|number| format!("x{number}")).collect();
    for (more, code, path) in [
        (json!({"code": "gram"}), "ALREADY_TAKEN", "code"),
        (json!({"code": "My Unit"}), "INVALID_FORMAT", "code"),
        (json!({"code": "u".repeat(41)}), "TOO_LONG", "code"),
        (json!({"name": []}), "REQUIRED", "name"),
        (json!({"numerator": 0}), "OUT_OF_RANGE", "numerator"),
        (json!({"numerator": "1.5"}), "OUT_OF_RANGE", "numerator"),
        (json!({"denominator": most}), "OUT_OF_RANGE", "denominator"),
        (
            json!({"spellings": ["ok", "G."]}),
            "ALREADY_TAKEN",
            "spellings.1",
        ),
        (
            json!({"spellings": ["2x"]}),
            "INVALID_FORMAT",
            "spellings.0",
        ),
        (json!({"spellings": [""]}), "REQUIRED", "spellings.0"),
        (json!({"spellings": many}), "TOO_MANY", "spellings"),
    ] {
        let refused = manager
            .not_done("unitOfMeasureCreate", input("mine", more))
            .await;
        assert_eq!(refused, one(code, path));
    }
    assert!(unit(&manager, "mine").await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spelling_of_two_units_is_taken_only_on_purpose_and_then_ambiguous() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    assert!(weight(&manager, "1 tola").await.is_ok());
    let more = json!({"spellings": ["tola"], "numerator": 12, "denominator": 1});
    let refused = manager
        .not_done("unitOfMeasureCreate", input("big_tola", more.clone()))
        .await;
    assert_eq!(refused, one("ALREADY_TAKEN", "spellings.0"));
    let mut on_purpose = input("big_tola", more);
    on_purpose["allowAmbiguousSpellings"] = json!(true);
    let created = manager.done("unitOfMeasureCreate", on_purpose).await["unitOfMeasure"].take();
    assert_eq!(
        weight(&manager, "1 tola").await,
        Err(vec!["AMBIGUOUS".to_owned()])
    );
    // What was taken on purpose need not be said again.
    let change = json!({"id": created["id"], "spellings": ["tola", "big tola"]});
    manager.done("unitOfMeasureUpdate", change).await;
    assert_eq!(
        weight(&manager, "1 big tola").await,
        Ok(("12".to_owned(), true))
    );
    let change = json!({"id": created["id"], "spellings": ["tola", "kg"]});
    let refused = manager.not_done("unitOfMeasureUpdate", change).await;
    assert_eq!(refused, one("ALREADY_TAKEN", "spellings.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_unit_is_worth_stays_once_an_item_is_counted_in_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let created = manager
        .done("unitOfMeasureCreate", input("nokhod", json!({})))
        .await;
    let id = created["unitOfMeasure"]["id"].clone();
    let change = json!({"id": id, "numerator": 2, "denominator": 10, "expectedVersion": 1});
    let changed = manager.done("unitOfMeasureUpdate", change.clone()).await["unitOfMeasure"].take();
    assert_eq!(
        (&changed["numerator"], &changed["version"]),
        (&json!("2"), &json!(2))
    );
    let stale = manager.not_done("unitOfMeasureUpdate", change).await;
    assert_eq!(stale, one("STALE_VERSION", "expectedVersion"));

    let category = manager.category("Rings", None).await;
    let item =
        json!({"sku": "RING-1", "name": english("Ring"), "categoryId": category, "unitId": id});
    manager.done("itemCreate", item).await;
    for (change, path) in [
        (json!({"numerator": 3}), "numerator"),
        (json!({"denominator": 11}), "denominator"),
        (json!({"dimension": "LENGTH"}), "dimension"),
    ] {
        let mut change = change;
        change["id"] = id.clone();
        let refused = manager.not_done("unitOfMeasureUpdate", change).await;
        assert_eq!(refused, one("IN_USE", path));
    }
    let face =
        json!({"id": id, "name": english("chickpea"), "spellings": ["chickpea"], "numerator": 2});
    let changed = manager.done("unitOfMeasureUpdate", face).await["unitOfMeasure"].take();
    assert_eq!(
        (&changed["name"], &changed["version"]),
        (&json!("chickpea"), &json!(3))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_unit_is_always_one_and_what_is_not_there_cannot_be_changed() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (code, change) in [
        ("gram", json!({"numerator": 2})),
        ("litre", json!({"dimension": "MASS"})),
    ] {
        let mut change = change;
        let path = change.as_object().unwrap().keys().next().unwrap().clone();
        change["id"] = unit(&manager, code).await["id"].take();
        let refused = manager.not_done("unitOfMeasureUpdate", change).await;
        assert_eq!(refused, one("IN_USE", &path), "{code}");
    }
    for (id, code) in [
        (
            global_id("UnitOfMeasure", "01930000000070008000000000abcdef"),
            "NOT_FOUND",
        ),
        (
            global_id("Item", "01930000000070008000000000abcdef"),
            "INVALID_FORMAT",
        ),
    ] {
        let refused = manager
            .not_done("unitOfMeasureUpdate", json!({"id": id}))
            .await;
        assert_eq!(refused, one(code, "id"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_unit_is_worth_stays_once_an_attribute_is_told_in_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let created = manager
        .done("unitOfMeasureCreate", input("nokhod", json!({})))
        .await;
    let id = created["unitOfMeasure"]["id"].clone();
    let category = manager.category("Rings", None).await;
    let attribute = json!({
        "categoryId": category, "name": "weight", "label": english("Weight"), "type": "DECIMAL", "unitId": id,
    });
    manager.done("attributeCreate", attribute).await;
    let change = json!({"id": id, "numerator": 3});
    let refused = manager.not_done("unitOfMeasureUpdate", change).await;
    assert_eq!(refused, one("IN_USE", "numerator"));
}
