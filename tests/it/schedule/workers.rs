//! Real workers, killed at random: each time comes once, whoever is there.

use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use domain::clock::{Clock as _, SystemClock};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tests::{
    app::TestApp,
    process::Program,
    wait::{PATIENCE, until},
};

use super::{firings, let_come, schedule};

/// How often one of the workers is killed.
const DEATHS: usize = 20;

async fn start(app: &TestApp) -> Program {
    Program::spawn("worker", &[], app.variables())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_random_lose_no_time_and_double_none() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Proof", json!({"allowOverlap": true})).await;
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let mut workers = [start(&app).await, start(&app).await, start(&app).await];
    for worker in &workers {
        worker.says("at work").await;
    }
    let first = SystemClock.now().trunc_subsecs(0) - TimeDelta::days(60);
    let mut times = Vec::new();
    for round in 0..DEATHS {
        let time = first + TimeDelta::hours(i64::try_from(round).unwrap());
        times.push(time);
        let_come(&app, &id, time).await;
        // At any moment of the second in which one of them looks: before, while it writes, or behind.
        let moment = Duration::from_millis(random.random_range(0..1100));
        tokio::time::sleep(moment).await;
        let victim = random.random_range(0..workers.len());
        workers[victim].kill();
        workers[victim] = start(&app).await;
        let what = format!("time {round} has come (seed {seed})");
        until(PATIENCE, &what, async || {
            firings(&app, &id).await.len() == round + 1
        })
        .await;
    }
    let came = firings(&app, &id).await;
    let ticks: Vec<_> = came.iter().map(|(tick, ..)| *tick).collect();
    assert_eq!(ticks, times);
    let mut jobs: Vec<_> = came.iter().map(|(_, _, job)| job.unwrap()).collect();
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!(jobs.len(), DEATHS, "each has a job of its own");
    let asked = "SELECT count(*) FROM trail_verification v JOIN job j ON j.id = v.job_id";
    assert_eq!(app.count(asked).await, i64::try_from(DEATHS).unwrap());
    assert_eq!(
        app.count("SELECT count(*) FROM job").await,
        i64::try_from(DEATHS).unwrap()
    );
    app.until_done(PATIENCE).await;
}
