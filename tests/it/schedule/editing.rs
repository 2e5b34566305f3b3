//! What operators say of schedules, and what is refused.

use std::sync::Arc;

use domain::clock::ManualClock;
use futures_util::future::join_all;
use migration::locked;
use serde_json::{Value, json};
use tests::{
    actor::Actor, answer::Answer, app::TestApp, database, shop::document, subscription::Received,
};

use super::{fire, let_come, rarely, schedule, shown};

const PREVIEW: &str = "query($cron: String!, $zone: String, $count: Int! = 3) {
    schedulePreview(cron: $cron, timeZone: $zone, count: $count)
}";

async fn names(actor: &Actor) -> Vec<Value> {
    let all = actor.ok("{ schedules { name } }", json!({})).await;
    let all = all["schedules"].as_array().unwrap().iter();
    all.map(|schedule| schedule["name"].clone()).collect()
}

/// Why some of these were refused.
fn codes(answers: &[Answer]) -> Vec<String> {
    let refused = answers.iter().flat_map(Answer::user_errors);
    refused.map(|refused| refused.code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_say_when_is_refused_in_words() {
    let app = TestApp::start().await;
    let (manager, persian) = (app.manager().await, app.persian_manager().await);
    let refusal = async |actor: &Actor, cron: &str| {
        let input = json!({"name": "Proof", "cron": cron, "errand": "VERIFY_TRAIL"});
        let answer = actor
            .gql(&document("scheduleCreate"), json!({"input": input}))
            .await;
        answer.data["scheduleCreate"]["userErrors"][0].clone()
    };
    for (cron, code, english, persian_words) in [
        (
            "99 * * * *",
            "INVALID_CRON",
            "first field, the minute, is from 0 to 59",
            "دقیقه",
        ),
        (
            "0 25 * * *",
            "INVALID_CRON",
            "second field, the hour",
            "ساعت",
        ),
        (
            "0 2 * *",
            "INVALID_CRON",
            "Write minute, hour",
            "هر شب ساعت دو",
        ),
        (
            "0 0 2 * * *",
            "INVALID_CRON",
            "Write minute, hour",
            "هر شب ساعت دو",
        ),
        ("0 0 30 2 *", "NEVER_COMES", "never comes", "هرگز"),
        ("", "REQUIRED", "", ""),
    ] {
        for (actor, words) in [(&manager, english), (&persian, persian_words)] {
            let refused = refusal(actor, cron).await;
            assert_eq!(refused["code"], code, "{cron}: {refused}");
            assert_eq!(refused["path"], json!(["cron"]), "{cron}");
            let message = refused["message"].as_str().unwrap();
            assert!(message.contains(words), "{cron}: {message}");
        }
    }
    // All that is wrong is said at once, and nothing is kept.
    let wrong = json!({"name": " ", "cron": "99 * * * *", "timeZone": "Asia/Teheran", "errand": "VERIFY_TRAIL"});
    let answer = manager.change("scheduleCreate", wrong).await;
    assert_eq!(
        answer.refused(),
        [
            ("REQUIRED".into(), "name".into()),
            ("INVALID_CRON".into(), "cron".into()),
            ("UNKNOWN_TIME_ZONE".into(), "timeZone".into()),
        ]
    );
    let id = schedule(&manager, "Proof", json!({})).await;
    let change = json!({"id": id, "cron": "* * * * 8"});
    let answer = manager.change("scheduleUpdate", change).await;
    assert_eq!(answer.refused(), [("INVALID_CRON".into(), "cron".into())]);
    assert_eq!(shown(&manager, &id).await["cron"], rarely());
    // What is done to one thing is nothing for a schedule.
    let of_an_item = json!({"name": "Code", "cron": rarely(), "errand": "RENDER_CODE"});
    for (actor, words) in [(&manager, "by hand"), (&persian, "دستی")] {
        let answer = actor.change("scheduleCreate", of_an_item.clone()).await;
        assert_eq!(
            answer.refused(),
            [("NOT_BY_SCHEDULE".into(), "errand".into())]
        );
        let said = &answer.user_errors()[0].message;
        assert!(
            said.contains("item.render_code") && said.contains(words),
            "{said}"
        );
    }
    for count in [21, -1] {
        let answer = manager
            .gql(PREVIEW, json!({"cron": "@daily", "count": count}))
            .await;
        assert_eq!(answer.codes(), ["OUT_OF_RANGE"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_times_are_shown_through_both_changes_of_the_clock() {
    let clock = Arc::new(ManualClock::new("2026-03-28T00:00:00Z".parse().unwrap()));
    let app = TestApp::builder().clock(clock).start().await;
    let manager = app.manager().await;
    let times = async |cron: &str, zone: &str| {
        let asked = json!({"cron": cron, "zone": zone});
        manager.ok(PREVIEW, asked).await["schedulePreview"].take()
    };
    // Berlin has no half past two on 29 March.
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin").await,
        json!([
            "2026-03-28T01:30:00+00:00",
            "2026-03-29T01:00:00+00:00",
            "2026-03-30T00:30:00+00:00"
        ])
    );
    assert_eq!(
        times("30 2 * * *", "Asia/Tehran").await,
        json!([
            "2026-03-28T23:00:00+00:00",
            "2026-03-29T23:00:00+00:00",
            "2026-03-30T23:00:00+00:00"
        ])
    );
    // And two of them on 25 October.
    assert_eq!(
        times("30 2 25,26 10 *", "Europe/Berlin").await,
        json!([
            "2026-10-25T00:30:00+00:00",
            "2026-10-26T01:30:00+00:00",
            "2027-10-25T00:30:00+00:00"
        ])
    );
    let unknown = manager
        .gql(PREVIEW, json!({"cron": "@daily", "zone": "Mars/Olympus"}))
        .await;
    assert_eq!(unknown.codes(), ["UNKNOWN_TIME_ZONE"]);
    manager
        .done("shopSet", json!({"timeZone": "Asia/Tehran"}))
        .await;
    let of_shop = manager.ok(PREVIEW, json!({"cron": "0 2 * * *"})).await;
    assert_eq!(of_shop["schedulePreview"][0], "2026-03-28T22:30:00+00:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_shows_the_next_five_and_the_first_of_them_is_next() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"cron": "*/7 * * * *"})).await;
    let shown = shown(&manager, &id).await;
    let runs = shown["nextRuns"].as_array().unwrap();
    assert_eq!(runs.len(), 5);
    assert_eq!(runs[0], shown["nextAt"]);
    let mut sorted: Vec<_> = runs.iter().map(ToString::to_string).collect();
    sorted.dedup();
    assert!(sorted.is_sorted() && sorted.len() == 5, "{sorted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_the_second_hears_of_the_first() {
    let app = TestApp::start().await;
    let (one, other) = (app.manager().await, app.owner().await);
    let id = schedule(&one, "Proof", json!({})).await;
    let change = |cron: &str| json!({"id": id, "cron": cron, "expectedVersion": 1});
    let (first, second) = tokio::join!(
        one.change("scheduleUpdate", change("0 1 * * *")),
        other.change("scheduleUpdate", change("0 2 * * *")),
    );
    assert_eq!(codes(&[first, second]), ["STALE_VERSION"]);
    assert_eq!(shown(&one, &id).await["version"], 2);
    for mutation in ["schedulePause", "scheduleResume", "scheduleDelete"] {
        let stale = json!({"id": id, "expectedVersion": 1});
        let answer = other.change(mutation, stale).await;
        assert_eq!(
            answer.refused(),
            [("STALE_VERSION".into(), "expectedVersion".into())],
            "{mutation}"
        );
    }

    let new = json!({"name": "Same", "cron": rarely(), "errand": "VERIFY_TRAIL"});
    let made = join_all((0..6).map(|_| one.change("scheduleCreate", new.clone()))).await;
    assert_eq!(codes(&made), ["ALREADY_TAKEN"; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_schedules_from_the_beginning_and_what_is_taken_away_stays_away() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let from_the_beginning = [
        "Backup",
        "Proof of costs",
        "Proof of stock levels",
        "Proof of the books",
        "Proof of the days of stock",
        "Proof of the newest backup",
        "Proof of the trail",
        "Retention",
    ];
    assert_eq!(names(&manager).await, from_the_beginning);
    let all = manager
        .ok("{ schedules { id name version } }", json!({}))
        .await;
    let retention = all["schedules"][7]["id"].as_str().unwrap().to_owned();
    manager
        .done("scheduleDelete", json!({"id": retention}))
        .await;
    let gone = manager
        .change("scheduleRunNow", json!({"id": retention}))
        .await;
    assert_eq!(gone.refused(), [("NOT_FOUND".into(), "id".into())]);
    assert_eq!(shown(&manager, &retention).await, Value::Null);

    let role = database::role_in(&app.database_url());
    locked::up(&database::as_owner(&app.database_url()), &role)
        .await
        .unwrap();
    assert_eq!(names(&manager).await, &from_the_beginning[..7]);
    // Its name is free, and the trail still has it.
    let again = schedule(&manager, "Retention", json!({"errand": "RETENTION"})).await;
    assert_ne!(again, retention);
    let owner = app.owner().await;
    let history = "query($id: ID!) { history(of: $id) { nodes { table operation action } } }";
    let history = owner.ok(history, json!({"id": retention})).await;
    let last = &history["history"]["nodes"][0];
    assert_eq!(
        (&last["table"], &last["action"]),
        (&json!("schedule"), &json!("schedule.delete")),
        "{history}"
    );
    let deleted = "SELECT count(*) FROM audit WHERE action = 'schedule.delete' AND before->>'name' = 'Retention'";
    assert_eq!(app.count(deleted).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_hears_of_changes_and_of_times_that_come() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({})).await;
    let after = json!({"after": app.position().await});
    manager.done("schedulePause", json!({"id": id})).await;
    manager.done("scheduleResume", json!({"id": id})).await;
    let_come(&app, &id, "2026-02-01T00:00:00Z".parse().unwrap()).await;
    fire(&app, &id).await.unwrap();
    manager.done("scheduleDelete", json!({"id": id})).await;
    let document = "subscription($after: EventPosition) { scheduleChanged(after: $after) { action schedule { name } } }";
    let mut changes = manager.subscribe(document, after).await;
    for action in ["pause", "resume", "fire", "delete"] {
        let Received::Next(next) = changes.receive().await else {
            panic!("{action} is told")
        };
        let change = &next["data"]["scheduleChanged"];
        assert_eq!(change["action"], format!("schedule.{action}"), "{next}");
        // As it is by now: gone.
        assert_eq!(change["schedule"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_are_enough_and_their_list_costs_what_one_costs() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let fill = "WITH made AS (
            INSERT INTO schedule (id, name, cron, errand, when_missed, created_at, updated_at)
            SELECT gen_random_uuid(), 'S ' || n, '0 0 1 1 *', 'trail.verify', 'skip', now(), now() FROM generate_series(1, 92) n RETURNING id)
        INSERT INTO schedule_state (schedule_id) SELECT id FROM made";
    app.execute(fill).await;
    let new = json!({"name": "One more", "cron": rarely(), "errand": "VERIFY_TRAIL"});
    let answer = manager.change("scheduleCreate", new).await;
    assert_eq!(answer.refused(), [("TOO_MANY".into(), String::new())]);
    assert_eq!(names(&manager).await.len(), 100);
}
