//! Recording rates.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::clock::{Clock, ManualClock, SystemClock};
use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{latest, rate, record};

/// How many rates there are, and audit rows and events of them.
async fn counts(app: &TestApp) -> (i64, i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM metal_rate), (SELECT count(*) FROM audit WHERE aggregate_type = 'metal_rate'),
                      (SELECT count(*) FROM event WHERE kind = 'metal_rate.changed')";
    sqlx::query_as(sql).fetch_one(app.sql()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_exactly_with_its_trail() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let more = json!({"currency": "irr", "fineness": "999.900", "effectiveAt": "2026-01-05T10:00:00Z", "source": " London fix "});
    let recorded = record(&manager, "123456789012.345678", more).await;
    assert_eq!(
        recorded,
        json!({
            "id": recorded["id"],
            "metal": "GOLD",
            "fineness": "999.9",
            "currency": "IRR",
            "pricePerGram": "123456789012.345678",
            "effectiveAt": "2026-01-05T10:00:00+00:00",
            "source": "London fix",
            "recordedAt": recorded["recordedAt"],
        })
    );
    let trail: (String, String, Option<Value>, Value) = sqlx::query_as(
        "SELECT action, actor_name, before, after FROM audit WHERE aggregate_type = 'metal_rate'",
    )
    .fetch_one(app.sql())
    .await
    .unwrap();
    let (action, actor, before, after) = trail;
    assert_eq!(
        (action.as_str(), actor.as_str(), before),
        ("metal_rate.record", "Test manager", None)
    );
    assert_eq!(after["price_per_gram"], "123456789012.345678");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_of_those_whose_time_has_come_holds() {
    let start = SystemClock.now();
    let clock = Arc::new(ManualClock::new(start));
    let app = TestApp::builder()
        .clock(Arc::<ManualClock>::clone(&clock))
        .start()
        .await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let gold = async || latest(&clerk, "GOLD", "irr").await;
    assert_eq!(gold().await, Value::Null);
    record(&manager, "100", json!({})).await;
    assert_eq!(gold().await, "100");
    // One of yesterday corrects the past, not the present.
    let yesterday = json!({"effectiveAt": start - TimeDelta::days(1)});
    record(&manager, "90", yesterday).await;
    assert_eq!(gold().await, "100");
    // Of two for the same time the one recorded last decides.
    record(&manager, "101", json!({"effectiveAt": start})).await;
    assert_eq!(gold().await, "101");
    // One that lies ahead holds from its time on, and not before.
    record(
        &manager,
        "110",
        json!({"effectiveAt": start + TimeDelta::minutes(4)}),
    )
    .await;
    assert_eq!(gold().await, "101");
    clock.advance(TimeDelta::minutes(4));
    assert_eq!(gold().await, "110");
    assert_eq!(latest(&clerk, "SILVER", "IRR").await, Value::Null);
    assert_eq!(latest(&clerk, "GOLD", "EUR").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_rate_is_refused_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let tomorrow = SystemClock.now() + TimeDelta::days(1);
    for (more, code, path) in [
        (json!({"pricePerGram": "0"}), "OUT_OF_RANGE", "pricePerGram"),
        (
            json!({"pricePerGram": "-1"}),
            "OUT_OF_RANGE",
            "pricePerGram",
        ),
        (
            json!({"pricePerGram": "1.0000001"}),
            "TOO_FINE",
            "pricePerGram",
        ),
        (
            json!({"pricePerGram": "1000000000000"}),
            "OUT_OF_RANGE",
            "pricePerGram",
        ),
        (json!({"fineness": "0"}), "OUT_OF_RANGE", "fineness"),
        (json!({"fineness": "1000.001"}), "OUT_OF_RANGE", "fineness"),
        (json!({"fineness": "750.0001"}), "TOO_FINE", "fineness"),
        (json!({"fineness": "18"}), "AMBIGUOUS", "fineness"),
        (json!({"currency": "RIAL"}), "INVALID_FORMAT", "currency"),
        (json!({"source": " "}), "REQUIRED", "source"),
        (json!({"source": "s".repeat(201)}), "TOO_LONG", "source"),
        (
            json!({"effectiveAt": tomorrow}),
            "TIME_OUT_OF_RANGE",
            "effectiveAt",
        ),
        (
            json!({"effectiveAt": "1969-12-31T23:59:59Z"}),
            "TIME_OUT_OF_RANGE",
            "effectiveAt",
        ),
        (json!({"idempotencyKey": ""}), "REQUIRED", "idempotencyKey"),
    ] {
        let input = rate("1", more.clone());
        let refused = manager.not_done("metalRateRecord", input).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{more}");
    }
    assert_eq!(counts(&app).await, (0, 0, 0));
    let persian = app.persian_manager().await;
    let answer = persian
        .change(
            "metalRateRecord",
            rate("1", json!({"effectiveAt": tomorrow})),
        )
        .await;
    assert!(
        answer.user_errors()[0]
            .message
            .starts_with("زمان باید میان "),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_records_nothing() {
    let app = TestApp::start().await;
    let answer = app
        .clerk()
        .await
        .change("metalRateRecord", rate("1", json!({})))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(
        answer.errors[0]["extensions"]["permission"],
        "pricing.write"
    );
    assert_eq!(counts(&app).await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_record_with_one_key_record_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let input = rate("100", json!({"idempotencyKey": "rate-1"}));
    let answers = join_all((0..10).map(|_| manager.done("metalRateRecord", input.clone()))).await;
    assert!(
        answers.iter().all(|answer| answer == &answers[0]),
        "{answers:?}"
    );
    assert_eq!(counts(&app).await, (1, 1, 1));
    let other = rate("101", json!({"idempotencyKey": "rate-1"}));
    let refused = manager.not_done("metalRateRecord", other).await;
    assert_eq!(
        refused,
        [(
            "IDEMPOTENCY_KEY_REUSED".to_owned(),
            "idempotencyKey".to_owned()
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hand_changes_a_rate() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    record(&manager, "100", json!({})).await;
    for sql in [
        "UPDATE metal_rate SET price_per_gram = 1",
        "DELETE FROM metal_rate",
        "TRUNCATE metal_rate",
    ] {
        let refused = sqlx::query(sql)
            .execute(app.sql())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("metal_rate is append-only"),
            "{sql}: {refused}"
        );
    }
    assert_eq!(latest(&manager, "GOLD", "IRR").await, "100");
}
