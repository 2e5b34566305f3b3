//! Who may listen, and from where.

use chrono::TimeDelta;
use domain::Permission;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, subscription::Received};

use super::{ITEMS, JOBS, TREE};

/// The code with which a subscription is refused.
async fn refusal(actor: &Actor, document: &str, variables: Value) -> String {
    match actor.subscribe(document, variables).await.receive().await {
        Received::Error(errors) => errors[0]["extensions"]["code"].as_str().unwrap().to_owned(),
        Received::Next(result) => result["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap()
            .to_owned(),
        other => panic!("instead of a refusal came {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_hears_nothing() {
    let app = TestApp::start().await;
    for document in [ITEMS, TREE, JOBS] {
        assert_eq!(
            refusal(&app.anonymous(), document, json!({})).await,
            "UNAUTHENTICATED"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_only_what_they_may_see() {
    let app = TestApp::start().await;
    let clerk = app.user("clerk").await;
    let with = async |permission: Permission| {
        let secret = app
            .token(
                &clerk,
                Some([permission].into_iter().collect()),
                TimeDelta::hours(1),
            )
            .await;
        app.anonymous().with_token(&secret)
    };
    let only_catalogue = with(Permission::CatalogueRead).await;
    assert_eq!(refusal(&only_catalogue, JOBS, json!({})).await, "FORBIDDEN");
    let only_jobs = with(Permission::JobRead).await;
    for document in [ITEMS, TREE] {
        assert_eq!(refusal(&only_jobs, document, json!({})).await, "FORBIDDEN");
    }
    // And what they may see they hear.
    let mut tree = only_catalogue.subscribe(TREE, json!({"after": "0"})).await;
    app.manager().await.category("Rings", None).await;
    assert_eq!(
        tree.next().await["categoryTreeChanged"]["category"]["name"],
        "Rings"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_none_is_refused_with_a_code() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for number in 1..=5 {
        manager.category(&format!("Rings {number}"), None).await;
    }
    let newest: i64 = app.position().await.parse().unwrap();
    let after = |position: &str| json!({"after": position});
    assert_eq!(
        refusal(&manager, TREE, after(&(newest + 1).to_string())).await,
        "EVENT_POSITION_UNKNOWN"
    );
    assert_eq!(
        refusal(&manager, TREE, after("-1")).await,
        "EVENT_POSITION_UNKNOWN"
    );
    for garbage in ["yesterday", "", "9223372036854775808", "1.5"] {
        assert_eq!(
            refusal(&manager, TREE, after(garbage)).await,
            "BAD_USER_INPUT",
            "{garbage:?}"
        );
    }
    let wrong_type = manager.category("Chains", None).await;
    assert_eq!(
        refusal(&manager, ITEMS, json!({"item": wrong_type})).await,
        "INVALID_FORMAT"
    );

    // Events are not kept for ever: who was away for too long is told so, instead of being given a part.
    sqlx::query("DELETE FROM event WHERE position <= 3")
        .execute(app.sql())
        .await
        .unwrap();
    assert_eq!(
        refusal(&manager, TREE, after("2")).await,
        "EVENT_POSITION_EXPIRED"
    );
    let mut kept = manager.subscribe(TREE, after("3")).await;
    assert_eq!(super::position(&kept.next().await), 4);
}
