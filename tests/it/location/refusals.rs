//! What is refused, and how it is said.

use domain::locale::Locale;
use serde_json::json;
use tests::{
    app::{PASSWORD, TestApp},
    shop::english,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_new_location_is_told_at_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let new =
        json!({"code": "", "name": [], "kind": "TRAY", "capacity": "0", "externalReference": ""});
    let refused = manager.not_done("locationCreate", new).await;
    let paths: Vec<_> = refused.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["code", "name", "capacity", "externalReference"]);
    let fine = json!({"code": "A", "name": english("A"), "kind": "TRAY", "capacity": "0.0000001"});
    let refused = manager.not_done("locationCreate", fine).await;
    assert_eq!(refused[0].1, "capacity");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_taken_once_and_versions_are_watched() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let one = manager.location("ONE", "SAFE", None).await;
    let two = manager.location("TWO", "SAFE", None).await;
    let again = json!({"code": "one", "name": english("Again"), "kind": "SAFE"});
    let taken = [("ALREADY_TAKEN".to_owned(), "code".to_owned())];
    assert_eq!(manager.not_done("locationCreate", again).await, taken);
    let same = json!({"id": two, "code": "ONE"});
    assert_eq!(manager.not_done("locationUpdate", same).await, taken);
    for mutation in [
        "locationUpdate",
        "locationMove",
        "locationArchive",
        "locationRestore",
    ] {
        let stale = json!({"id": one, "expectedVersion": 7});
        let refused = manager.not_done(mutation, stale).await;
        let expected = [("STALE_VERSION".to_owned(), "expectedVersion".to_owned())];
        assert_eq!(refused, expected, "{mutation}");
    }
    let below_itself = json!({"id": one, "parentId": one});
    assert_eq!(
        manager.not_done("locationMove", below_itself).await,
        [("CYCLE".into(), "parentId".into())]
    );
    let nowhere = json!({"id": one, "beforeId": one});
    assert_eq!(
        manager.not_done("locationMove", nowhere).await,
        [("NOT_FOUND".into(), "beforeId".into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_said_in_persian_too() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let reader = app.new_user("fa@example.com", "manager", Locale::Fa).await;
    let persian = app.anonymous().logged_in(&reader.email, PASSWORD).await;
    let query = "{ location(by: {code: \"LOSS\"}) { id } }";
    let loss = manager.ok(query, json!({})).await["location"]["id"].take();
    let in_english = manager.change("locationArchive", json!({"id": loss})).await;
    let in_persian = persian.change("locationArchive", json!({"id": loss})).await;
    let (one, other) = (in_english.user_errors(), in_persian.user_errors());
    assert_eq!(
        (one[0].code.as_str(), other[0].code.as_str()),
        ("BUILT_IN", "BUILT_IN")
    );
    assert!(one[0].message.is_ascii() && !other[0].message.is_ascii());
}
