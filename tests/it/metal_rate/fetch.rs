//! Rates that are fetched from a source by a schedule.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{SecondsFormat, TimeDelta};
use domain::clock::{Clock as _, SystemClock};
use poem::{
    EndpointExt as _, Response, Server,
    endpoint::make_sync,
    http::StatusCode,
    listener::{Acceptor as _, Listener as _, TcpListener},
};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    wait::{PATIENCE, until},
};
use tokio::task::JoinHandle;

/// A source on this machine that answers whatever it is told to.
struct Source {
    url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Source {
    async fn start() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await;
        let acceptor = acceptor.unwrap();
        let address = acceptor.local_addr().remove(0);
        let port = address.as_socket_addr().unwrap().port();
        let answer = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, count) = (Arc::clone(&answer), Arc::clone(&asked));
        let endpoint = make_sync(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let (status, body) = told.lock().unwrap().clone();
            Response::builder()
                .status(status)
                .header("location", "https://example.com/")
                .body(body)
        });
        let task = tokio::spawn(async move {
            let server = Server::new_with_acceptor(acceptor);
            server.run(endpoint.map_to_response()).await.unwrap();
        });
        Self {
            url: format!("http://127.0.0.1:{port}/rates"),
            answer,
            asked,
            task,
        }
    }

    fn says(&self, status: StatusCode, body: impl ToString) {
        *self.answer.lock().unwrap() = (status, body.to_string());
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn gold(price: &str, effective_at: &str) -> Value {
    json!({"source": "Bazaar", "rates": [
        {"metal": "gold", "fineness": "750", "currency": "IRR", "price_per_gram": price, "effective_at": effective_at},
        {"metal": "silver", "fineness": "925", "currency": "IRR", "price_per_gram": "1200000.5", "effective_at": effective_at},
    ]})
}

/// Has them fetched, and waits until that has ended; how.
async fn fetch(app: &TestApp, manager: &Actor, schedule: &str) -> (String, Option<String>) {
    let run = manager
        .done("scheduleRunNow", json!({"id": schedule}))
        .await;
    let id = run["job"]["id"].clone();
    let ended = async || {
        let jobs = app.jobs().await;
        let job = jobs.into_iter().find(|job| json!(job.global_id()) == id);
        job.unwrap()
    };
    until(PATIENCE, "it has ended", async || {
        let job = ended().await;
        // What comes again has failed once.
        job.state == "succeeded" || job.error.is_some()
    })
    .await;
    let job = ended().await;
    (job.state, job.error)
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_a_source_are_recorded_once() {
    let source = Source::start().await;
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__METAL_RATE_URL", &source.url)
        .with_worker()
        .start()
        .await;
    let manager = app.manager().await;
    let new = json!({"name": "Rates", "cron": "*/10 * * * *", "errand": "FETCH_METAL_RATES", "allowOverlap": true});
    let created = manager.done("scheduleCreate", new).await;
    let schedule = created["schedule"]["id"].as_str().unwrap().to_owned();
    let time =
        (SystemClock.now() - TimeDelta::minutes(3)).to_rfc3339_opts(SecondsFormat::Secs, true);

    source.says(StatusCode::OK, gold("45210000", &time));
    for _ in 0..3 {
        let (state, error) = fetch(&app, &manager, &schedule).await;
        assert_eq!((state.as_str(), error), ("succeeded", None));
    }
    assert_eq!(app.count("SELECT count(*) FROM metal_rate").await, 2);
    let latest = json!({"metal": "GOLD", "currency": "IRR"});
    let latest = manager.ok(super::LATEST, latest).await;
    assert_eq!(latest["metalRateLatest"]["source"], "Bazaar");
    assert_eq!(
        app.count("SELECT count(*) FROM audit WHERE action = 'metal_rate.record' AND actor_kind = 'system'").await,
        2
    );
    // What is corrected is recorded beside.
    source.says(StatusCode::OK, gold("45300000", &time));
    fetch(&app, &manager, &schedule).await;
    assert_eq!(app.count("SELECT count(*) FROM metal_rate").await, 3);

    let asked = source.asked.load(Ordering::SeqCst);
    for (status, body, words) in [
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            String::new(),
            "answers 500",
        ),
        (StatusCode::FOUND, String::new(), "answers 302"),
        (StatusCode::OK, "<html>".to_owned(), "expected value"),
        (StatusCode::OK, gold("x", &time).to_string(), "at line 1"),
        (StatusCode::OK, "x".repeat(300_000), "longer than"),
        (StatusCode::OK, gold("-1", &time).to_string(), "OutOfRange"),
        (
            StatusCode::OK,
            gold("1", "2099-01-01T00:00:00Z").to_string(),
            "TimeOutOfRange",
        ),
    ] {
        source.says(status, body);
        let (state, error) = fetch(&app, &manager, &schedule).await;
        let error = error.unwrap();
        assert!(error.contains(words), "{words}: {state} {error}");
        app.execute("UPDATE job SET state = 'dead', finished_at = now() WHERE state IN ('failed', 'queued', 'running')")
            .await;
    }
    assert!(source.asked.load(Ordering::SeqCst) >= asked + 7);
    assert_eq!(app.count("SELECT count(*) FROM metal_rate").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_source_it_is_said_so() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let new = json!({"name": "Rates", "cron": "@hourly", "errand": "FETCH_METAL_RATES"});
    let created = manager.done("scheduleCreate", new).await;
    let id = created["schedule"]["id"].as_str().unwrap();
    let (_, error) = fetch(&app, &manager, id).await;
    assert!(error.unwrap().contains("metal_rate_url"));
}
