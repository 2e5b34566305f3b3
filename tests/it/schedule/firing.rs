//! What becomes of a time that has come.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use domain::{
    clock::{Clock as _, SystemClock},
    schedule::Outcome,
};
use futures_util::future::join_all;
use sea_orm::sqlx::{self, Executor as _};
use serde_json::json;
use tests::{answer::Answer, app::TestApp, database, shop::global_id, work::uuid_of};

use super::{fire, firings, let_come, rarely, schedule, shown};

const CAUSE: &str = "query($id: ID!) { job(id: $id) { kind requestId userId scheduleId tick schedule { name errand } } }";

fn now() -> DateTime<Utc> {
    let now = SystemClock.now();
    now.with_nanosecond(0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_look_at_once_each_time_comes_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    for days in (1..=25).rev() {
        let time = now() - TimeDelta::days(days);
        let_come(&app, &id, time).await;
        let fired = join_all((0..8).map(|_| fire(&app, &id))).await;
        let fired: Vec<_> = fired.into_iter().flatten().collect();
        assert_eq!(fired.len(), 1, "{fired:?}");
        assert_eq!((fired[0].tick, fired[0].outcome), (time, Outcome::Fired));
    }
    let firings = firings(&app, &id).await;
    let mut jobs: Vec<_> = firings.iter().map(|(_, _, job)| job.unwrap()).collect();
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!((firings.len(), jobs.len()), (25, 25));
    assert_eq!(app.count("SELECT count(*) FROM job").await, 25);
    assert_eq!(
        app.count("SELECT count(*) FROM trail_verification").await,
        25
    );
    // Jobs are those of the machine's own, and say which schedule wanted them.
    let by = "SELECT count(*) FROM audit a JOIN trail_verification v ON v.id = a.aggregate_id
        WHERE a.action = 'trail.verify' AND a.actor_kind = 'system' AND v.note = 'Proof'";
    assert_eq!(app.count(by).await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_were_missed_are_made_good_once_or_left_out() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    // Daily, at an hour that is neither now nor in a minute.
    let last = now() - TimeDelta::hours(2);
    let last = last.with_minute(30).unwrap().with_second(0).unwrap();
    let daily = json!({"cron": format!("30 {} * * *", last.hour())});
    let skipping = json!({"cron": daily["cron"], "whenMissed": "SKIP"});
    let made_good = schedule(&manager, "Made good", daily).await;
    let left_out = schedule(&manager, "Left out", skipping).await;
    let first = last - TimeDelta::days(4);
    for id in [&made_good, &left_out] {
        let_come(&app, id, first).await;
    }

    let fired = fire(&app, &made_good).await.unwrap();
    assert_eq!(
        (fired.tick, fired.outcome, fired.missed_since),
        (last, Outcome::Fired, Some(first))
    );
    let missed = fire(&app, &left_out).await.unwrap();
    assert_eq!(
        (missed.tick, missed.outcome, missed.missed_since),
        (last, Outcome::Missed, Some(first))
    );
    assert_eq!(missed.job_id, None);
    assert_eq!(app.count("SELECT count(*) FROM job").await, 1);
    for id in [&made_good, &left_out] {
        assert_eq!(fire(&app, id).await, None, "nothing more has come");
        let next = shown(&manager, id).await["nextAt"].take();
        let next: DateTime<Utc> = next.as_str().unwrap().parse().unwrap();
        assert_eq!(next, last + TimeDelta::days(1));
    }
    // On time it is done, whatever it says about what is missed.
    let just_now = now();
    let_come(&app, &left_out, just_now).await;
    let fired = fire(&app, &left_out).await.unwrap();
    assert_eq!((fired.tick, fired.outcome), (just_now, Outcome::Fired));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_finished_is_not_overtaken_unless_that_is_allowed() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({})).await;
    let time = |days: i64| now() - TimeDelta::days(days);
    let_come(&app, &id, time(9)).await;
    assert_eq!(fire(&app, &id).await.unwrap().outcome, Outcome::Fired);
    for state in ["queued", "failed"] {
        let sql = format!("UPDATE job SET state = '{state}', relayed_at = now()");
        app.sql().execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        let days = if state == "queued" { 8 } else { 7 };
        let_come(&app, &id, time(days)).await;
        let skipped = fire(&app, &id).await.unwrap();
        assert_eq!(
            (skipped.outcome, skipped.job_id),
            (Outcome::Overlapped, None)
        );
    }
    let run = manager.change("scheduleRunNow", json!({"id": id})).await;
    assert_eq!(run.refused(), [("STILL_RUNNING".into(), "id".into())]);

    let allowed = json!({"id": id, "allowOverlap": true});
    manager.done("scheduleUpdate", allowed).await;
    let_come(&app, &id, time(6)).await;
    assert_eq!(fire(&app, &id).await.unwrap().outcome, Outcome::Fired);
    let forbidden = json!({"id": id, "allowOverlap": false});
    manager.done("scheduleUpdate", forbidden).await;
    let_come(&app, &id, time(5)).await;
    assert_eq!(fire(&app, &id).await.unwrap().outcome, Outcome::Overlapped);

    // What is over stands in nobody's way, however it ended.
    app.execute("UPDATE job SET state = 'dead', finished_at = now(), relayed_at = now()")
        .await;
    let_come(&app, &id, time(4)).await;
    assert_eq!(fire(&app, &id).await.unwrap().outcome, Outcome::Fired);
    assert_eq!(app.count("SELECT count(*) FROM job").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_back_brings_no_time_twice() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    let time = now() - TimeDelta::days(3);
    let_come(&app, &id, time).await;
    assert!(fire(&app, &id).await.is_some());
    for _ in 0..3 {
        let_come(&app, &id, time).await;
        assert_eq!(fire(&app, &id).await, None);
        let next = shown(&manager, &id).await["nextAt"].take();
        assert!(next.as_str().unwrap().parse::<DateTime<Utc>>().unwrap() > now());
    }
    assert_eq!(firings(&app, &id).await.len(), 1);
    // Nor does the table take one twice, or let go of it.
    let db = database::pool(&app.database_url());
    for sql in [
        "INSERT INTO schedule_firing SELECT * FROM schedule_firing",
        "UPDATE schedule_firing SET tick = tick - interval '1 hour'",
        "DELETE FROM schedule_firing",
        "TRUNCATE schedule_firing",
        "DELETE FROM schedule",
        "DELETE FROM schedule_state",
    ] {
        assert!(db.execute(sql).await.is_err(), "{sql}");
    }
    assert!(
        app.sql()
            .execute("UPDATE schedule_firing SET outcome = 'missed'")
            .await
            .is_err(),
        "not even its owner changes what has come"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rests_does_not_come_and_nothing_was_missed_afterwards() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"cron": "*/5 * * * *"})).await;
    let rest = manager.done("schedulePause", json!({"id": id})).await;
    assert_eq!(rest["schedule"]["nextAt"], json!(null));
    assert_eq!(shown(&manager, &id).await["nextRuns"], json!([]));
    let_come(&app, &id, now() - TimeDelta::days(1)).await;
    assert_eq!(fire(&app, &id).await, None);
    // It can be done all the same, when somebody says so.
    let run = manager.done("scheduleRunNow", json!({"id": id})).await;
    assert_eq!(run["job"]["kind"], "trail.verify");

    let resumed = manager.done("scheduleResume", json!({"id": id})).await;
    let next: DateTime<Utc> = resumed["schedule"]["nextAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(next > now() && next <= now() + TimeDelta::minutes(5));
    assert_eq!(fire(&app, &id).await, None);
    let outcomes: Vec<_> = firings(&app, &id).await;
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].1, "requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn doing_it_now_leaves_its_times_as_they_are() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    let before = shown(&manager, &id).await;
    for _ in 0..3 {
        manager.done("scheduleRunNow", json!({"id": id})).await;
    }
    let after = shown(&manager, &id).await;
    assert_eq!(
        (&after["nextAt"], &after["lastTick"], &after["version"]),
        (&before["nextAt"], &before["lastTick"], &before["version"])
    );
    let rows = firings(&app, &id).await;
    assert!(
        rows.iter()
            .all(|(_, outcome, job)| outcome == "requested" && job.is_some())
    );
    assert_eq!(rows.len(), 3);
    let whose = "SELECT count(*) FROM job j JOIN app_user u ON u.id = j.user_id WHERE u.email = 'manager@example.com'";
    assert_eq!(app.count(whose).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_press_the_same_button_one_has_it_done_and_the_others_are_told() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({})).await;
    let pressed = (0..8).map(|_| manager.change("scheduleRunNow", json!({"id": id})));
    let answers = join_all(pressed).await;
    let refused: Vec<_> = answers.iter().flat_map(Answer::user_errors).collect();
    assert_eq!(refused.len(), 7, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|refused| refused.code == "STILL_RUNNING")
    );
    assert_eq!(app.count("SELECT count(*) FROM job").await, 1);
    assert_eq!(firings(&app, &id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_errand_of_a_schedule_makes_its_job() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (errand, kind) in [
        ("CREATE_BACKUP", "backup.create"),
        ("FETCH_METAL_RATES", "metal_rate.fetch"),
        ("RECONCILE_COSTS", "stock.reconcile"),
        ("RECONCILE_LEVELS", "stock.reconcile"),
        ("RECONCILE_SERIES", "stock.reconcile"),
        ("REGENERATE_IMAGES", "item.regenerate_images"),
        ("RETENTION", "retention.run"),
        ("VERIFY_BACKUP", "backup.verify"),
        ("VERIFY_LEDGER", "ledger.verify"),
        ("VERIFY_TRAIL", "trail.verify"),
    ] {
        let id = schedule(&manager, errand, json!({"errand": errand})).await;
        let_come(&app, &id, now() - TimeDelta::days(1)).await;
        let fired = fire(&app, &id).await.unwrap();
        assert_eq!(fired.outcome, Outcome::Fired, "{errand}");
        let job = global_id("Job", &fired.job_id.unwrap().to_string());
        let asked = json!({"id": job});
        let job = manager.ok(CAUSE, asked).await["job"].take();
        assert_eq!(job["kind"], kind, "{errand}");
        assert_eq!(job["schedule"]["errand"], errand);
    }
    let noted = "SELECT count(*) FROM ledger_verification WHERE note = 'VERIFY_LEDGER'";
    assert_eq!(app.count(noted).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_tells_the_schedule_that_caused_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    let time = now() - TimeDelta::days(1);
    let_come(&app, &id, time).await;
    fire(&app, &id).await.unwrap();
    let run = manager.done("scheduleRunNow", json!({"id": id})).await;
    let cause =
        async |job: &serde_json::Value| manager.ok(CAUSE, json!({"id": job})).await["job"].take();
    let last = manager
        .ok("{ jobs(last: 1) { nodes { id } } }", json!({}))
        .await;
    let by_itself = cause(&last["jobs"]["nodes"][0]["id"]).await;
    let tick: DateTime<Utc> = by_itself["tick"].as_str().unwrap().parse().unwrap();
    assert_eq!((tick, &by_itself["userId"]), (time, &json!(null)));
    let by_hand = cause(&run["job"]["id"]).await;
    assert!(
        by_hand["userId"].is_string()
            && by_hand["requestId"].is_string()
            && by_hand["tick"].is_string(),
        "{by_hand}"
    );
    for job in [&by_itself, &by_hand] {
        assert_eq!(
            (&job["scheduleId"], &job["schedule"]["name"]),
            (&json!(id), &json!("Proof"))
        );
    }
    // What was taken away is told by its id, which leads to its history.
    manager.done("scheduleDelete", json!({"id": id})).await;
    let gone = cause(&run["job"]["id"]).await;
    assert_eq!(
        (&gone["scheduleId"], &gone["schedule"]),
        (&json!(id), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_somebody_else_has_asked_for_stays_theirs() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let asked = manager.done("backupCreate", json!({})).await;
    let id = schedule(&manager, "Again", json!({"errand": "CREATE_BACKUP"})).await;
    let_come(&app, &id, now() - TimeDelta::days(1)).await;
    let job = fire(&app, &id).await.unwrap().job_id.unwrap();
    let seen = json!({"id": global_id("Job", &job.to_string())});
    let seen = manager.ok(CAUSE, seen).await["job"].take();
    assert_eq!(
        (&seen["schedule"], &seen["tick"]),
        (&json!(null), &json!(null)),
        "{asked}"
    );
    assert!(seen["userId"].is_string());
    assert_eq!(app.count("SELECT count(*) FROM job").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_while_it_comes_is_one_or_the_other() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    let mut came = 0;
    for round in 0..12 {
        let cron = if round % 2 == 0 {
            rarely()
        } else {
            rarely().replacen('0', "5", 1)
        };
        // Behind the last time of either.
        let_come(
            &app,
            &id,
            now() - TimeDelta::days(40) + TimeDelta::hours(round),
        )
        .await;
        let change = manager.done("scheduleUpdate", json!({"id": id, "cron": cron}));
        let (_, fired) = tokio::join!(change, join_all((0..4).map(|_| fire(&app, &id))));
        let fired = fired.into_iter().flatten().count();
        assert!(fired <= 1, "round {round}");
        came += fired;
        let shown = shown(&manager, &id).await;
        assert_eq!(shown["cron"], cron);
        let preview = "query($cron: String!) { schedulePreview(cron: $cron, count: 1) }";
        let preview = manager.ok(preview, json!({"cron": cron})).await;
        assert_eq!(
            shown["nextAt"], preview["schedulePreview"][0],
            "round {round}"
        );
    }
    assert_eq!(firings(&app, &id).await.len(), came);
    let jobs = app.count("SELECT count(*) FROM job").await;
    assert_eq!(usize::try_from(jobs).unwrap(), came);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_shop_moves_with_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let follows = schedule(&manager, "Follows", json!({"cron": "0 2 * * *"})).await;
    let stays = json!({"cron": "0 2 * * *", "timeZone": "Europe/Berlin"});
    let stays = schedule(&manager, "Stays", stays).await;
    let before = shown(&manager, &stays).await;
    manager
        .done("shopSet", json!({"timeZone": "Asia/Tehran"}))
        .await;
    assert_eq!(fire(&app, &follows).await, None, "it is only computed");
    let moved = shown(&manager, &follows).await;
    assert_eq!(moved["effectiveTimeZone"], "Asia/Tehran");
    let next: DateTime<Utc> = moved["nextAt"].as_str().unwrap().parse().unwrap();
    assert_eq!((next.hour(), next.minute()), (22, 30));
    assert!(next > now());
    assert_eq!(shown(&manager, &stays).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_done_holds_none_of_the_others_up() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let broken = schedule(&manager, "A: broken", json!({})).await;
    let whole = schedule(&manager, "B: whole", json!({})).await;
    for id in [&broken, &whole] {
        let_come(&app, id, now() - TimeDelta::days(1)).await;
    }
    let sql = "UPDATE schedule SET errand = 'of.another.release' WHERE id = $1";
    sqlx::query(sql)
        .bind(uuid_of(&broken))
        .execute(app.sql())
        .await
        .unwrap();
    let _worker = app.worker();
    tests::wait::until(tests::wait::PATIENCE, "the other has come", async || {
        firings(&app, &whole).await.len() == 1
    })
    .await;
    assert!(firings(&app, &broken).await.is_empty());
}
