//! What cannot be printed, and by whom.

use serde_json::json;
use tests::{app::TestApp, shop::global_id};

use super::{SHEET, Shop, input};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_is_refused() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "A", json!({})).await;
    let unknown = global_id("Item", "01930000000070008000000000abcdef");
    let many = vec![ring.as_str(); 1_001];
    let thousand = vec![ring.as_str(); 1_000];
    for (input, expected) in [
        (input(&[], json!({})), vec![("NOTHING_SELECTED", "itemIds")]),
        (
            input(&[&ring], json!({"itemIds": null})),
            vec![("NOTHING_SELECTED", "itemIds")],
        ),
        (
            input(&[&ring], json!({"where": {}})),
            vec![("EXCLUSIVE", "where")],
        ),
        (
            input(&[&ring, &unknown], json!({})),
            vec![("NOT_FOUND", "itemIds.1")],
        ),
        (
            input(&[&ring, &shop.category], json!({})),
            vec![("INVALID_FORMAT", "itemIds.1")],
        ),
        (input(&many, json!({})), vec![("TOO_MANY", "itemIds")]),
        (
            input(&thousand, json!({"copies": 11})),
            vec![("OUT_OF_RANGE", "copies")],
        ),
        (
            input(&[&ring], json!({"startAt": 22, "copies": 0})),
            vec![("OUT_OF_RANGE", "startAt"), ("OUT_OF_RANGE", "copies")],
        ),
        (
            input(&[&ring], json!({"startAt": -1, "copies": 1_001})),
            vec![("OUT_OF_RANGE", "startAt"), ("OUT_OF_RANGE", "copies")],
        ),
        (
            input(&[&ring], json!({"layout": "ROLL", "startAt": 2})),
            vec![("OUT_OF_RANGE", "startAt")],
        ),
        (
            input(&[&ring], json!({"kind": "CARTON", "layout": "A4_L7651"})),
            vec![("LABEL_TOO_SMALL", "layout")],
        ),
        (
            json!({"where": {"sku": {"eq": "NONE"}}, "kind": "SHELF", "layout": "ROLL"}),
            vec![("NOTHING_SELECTED", "where")],
        ),
    ] {
        let refused = shop.manager.not_done("labelSheetCreate", input).await;
        let refused: Vec<_> = refused
            .iter()
            .map(|(code, path)| (code.as_str(), path.as_str()))
            .collect();
        assert_eq!(refused, expected);
    }
    assert_eq!(shop.label_jobs().await, [], "nothing is half done");
    assert_eq!(shop.app.count("SELECT count(*) FROM label_sheet").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_catalogue_prints_nothing() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "A", json!({})).await;
    let sheet = shop.ask(input(&[&ring], json!({}))).await;
    let user = shop.app.user("manager").await;
    let only_jobs = [domain::Permission::JobRead].into_iter().collect();
    let secret = shop
        .app
        .token(&user, Some(only_jobs), chrono::TimeDelta::hours(1))
        .await;
    let narrow = shop.app.anonymous().with_token(&secret);
    for (actor, code) in [
        (shop.app.anonymous(), "UNAUTHENTICATED"),
        (narrow, "FORBIDDEN"),
    ] {
        let answer = actor
            .change("labelSheetCreate", input(&[&ring], json!({})))
            .await;
        assert_eq!(answer.codes(), [code]);
        let answer = actor.gql(SHEET, json!({"id": sheet})).await;
        assert_eq!(answer.codes(), [code]);
    }
    assert_eq!(shop.label_jobs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sells_prints_labels_and_fetches_their_own() {
    let shop = Shop::open().await;
    let ring = shop.ring("RING-1", "A", json!({})).await;
    let clerk = shop.app.clerk().await;
    let made = clerk
        .done("labelSheetCreate", input(&[&ring], json!({})))
        .await;
    let sheet = made["labelSheet"]["id"].as_str().unwrap();
    assert_eq!(shop.files(&clerk, sheet).await.len(), 1);
    // Who sees the catalogue and no jobs, as a program may, sees what was asked for, and not what came of it.
    let user = shop.app.user("manager").await;
    let catalogue = [domain::Permission::CatalogueRead].into_iter().collect();
    let secret = shop
        .app
        .token(&user, Some(catalogue), chrono::TimeDelta::hours(1))
        .await;
    let program = shop.app.anonymous().with_token(&secret);
    let seen = program.ok(SHEET, json!({"id": sheet})).await;
    assert_eq!(seen["labelSheet"], json!({"labelCount": 1, "job": null}));
    // The trail tells who has taken prices along.
    let audited = "SELECT count(*) FROM audit WHERE action = 'label_sheet.create'";
    assert_eq!(shop.app.count(audited).await, 1);
    assert_eq!(
        clerk
            .ok(
                SHEET,
                json!({"id": global_id("LabelSheet", "01930000000070008000000000abcdef")})
            )
            .await["labelSheet"],
        json!(null)
    );
}
