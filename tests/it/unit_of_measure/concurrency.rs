//! Several who change units at once.

use futures_util::future::{join, join_all};
use sea_orm::sqlx;
use serde_json::json;
use tests::{app::TestApp, shop::english};

use super::weight;

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_spelling_one_gets_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let inputs = (0..10).map(|number| {
        let code = format!("unit_{number}");
        json!({"code": code, "name": english(&code), "dimension": "MASS", "numerator": 7, "spellings": ["bhori"]})
    });
    let sent = inputs.map(|input| manager.change("unitOfMeasureCreate", input));
    let refused: Vec<_> = join_all(sent)
        .await
        .iter()
        .flat_map(|answer| answer.user_errors())
        .map(|error| (error.code, error.path))
        .collect();
    assert_eq!(
        refused,
        vec![("ALREADY_TAKEN".into(), "spellings.0".into()); 9]
    );
    assert_eq!(
        weight(&manager, "2 bhori").await,
        Ok(("14".to_owned(), true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_item_is_counted_in_a_unit_whose_worth_changes_afterwards() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for round in 0..10 {
        let code = format!("unit_{round}");
        let new =
            json!({"code": code, "name": english(&code), "dimension": "MASS", "numerator": 7});
        let unit = manager.done("unitOfMeasureCreate", new).await["unitOfMeasure"]["id"].take();
        let item =
            json!({"sku": code, "name": english(&code), "categoryId": category, "unitId": unit});
        let (created, changed) = join(
            manager.change("itemCreate", item),
            manager.change("unitOfMeasureUpdate", json!({"id": unit, "numerator": 8})),
        )
        .await;
        let _item = created.ok();
        for error in changed.user_errors() {
            assert_eq!(
                (error.code.as_str(), error.path.as_str()),
                ("IN_USE", "numerator")
            );
        }
        assert!(changed.errors.is_empty(), "{changed:?}");
    }
    // The trail is written with the locks held: its order is the order in which it happened.
    let sql = "SELECT count(*) FROM audit u JOIN audit i ON i.after->>'unit_id' = u.aggregate_id::text
               WHERE u.action = 'unit_of_measure.update' AND i.action = 'item.create' AND i.number < u.number";
    let wrong: i64 = sqlx::query_scalar(sql).fetch_one(app.sql()).await.unwrap();
    assert_eq!(wrong, 0);
}
