//! What the real programs tell of: exactly what has happened, to nobody outside, and no more series than there are fields and routes, whatever clients
//! send.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    process::Program,
    wait::{PATIENCE, until},
};

/// What was told of: each series with its value, as it stands there.
struct Told(BTreeMap<String, String>);

impl Told {
    fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        Self(
            series
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// What the server at this address tells.
    async fn by(actor: &Actor) -> Self {
        let response = actor.get("/api/metrics").send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        Self::read(&response.text().await.unwrap())
    }

    /// The value of a series; 0 when there is none, as for whoever adds up.
    fn value(&self, series: &str) -> &str {
        self.0.get(series).map_or("0", String::as_str)
    }

    /// How many series begin so.
    fn count(&self, beginning: &str) -> usize {
        let names = self.0.keys();
        names.filter(|name| name.starts_with(beginning)).count()
    }
}

fn operations(kind: &str, field: &str, outcome: &str) -> String {
    format!(
        "goldshop_graphql_operations_total{{field=\"{field}\",outcome=\"{outcome}\",type=\"{kind}\"}}"
    )
}

fn requests(route: &str, status: &str) -> String {
    format!("goldshop_http_requests_total{{route=\"{route}\",status=\"{status}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_counted_once_and_as_what_it_was() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for _ in 0..7 {
        manager
            .ok("query Any { items(first: 1) { nodes { id } } }", json!({}))
            .await;
    }
    // Nobody may see items: the field fails, and the operation was one.
    let nobody = app.anonymous();
    nobody
        .gql("{ items(first: 1) { nodes { id } } }", json!({}))
        .await;
    manager
        .ok(
            "{ items(first: 1) { nodes { id } } shop { currency } }",
            json!({}),
        )
        .await;
    // Neither is a document of the schema: one cannot be parsed, the other does not validate.
    manager.gql("{ items(", json!({})).await;
    manager.gql("{ songs }", json!({})).await;
    nobody.get("/api/health/liveness").send().await.unwrap();
    nobody.get("/api/songs").send().await.unwrap();

    let told = Told::by(&nobody).await;
    for (series, value) in [
        (operations("query", "items", "answered"), "7"),
        (operations("query", "items", "refused"), "1"),
        (operations("query", "several", "answered"), "1"),
        (operations("unknown", "unknown", "invalid"), "1"),
        (operations("query", "unknown", "invalid"), "1"),
        (
            "goldshop_graphql_operation_duration_seconds_count{field=\"items\",type=\"query\"}"
                .to_owned(),
            "8",
        ),
        (requests("/api/graphql", "2xx"), "9"),
        (requests("/api/graphql", "4xx"), "2"),
        (requests("/api/health/liveness", "2xx"), "1"),
        (requests("unknown", "4xx"), "1"),
        (
            "goldshop_http_request_duration_seconds_count{route=\"/api/graphql\"}".to_owned(),
            "11",
        ),
        // Six were known of the first document; the others were new, and one is not parsed at all.
        (
            "goldshop_cache_lookups_total{cache=\"documents\",outcome=\"hit\"}".to_owned(),
            "6",
        ),
        (
            "goldshop_cache_lookups_total{cache=\"documents\",outcome=\"miss\"}".to_owned(),
            "4",
        ),
        ("goldshop_graphql_document_fields_count".to_owned(), "4"),
        ("goldshop_source_up{source=\"figures\"}".to_owned(), "1"),
        ("goldshop_source_up{source=\"queues\"}".to_owned(), "1"),
        ("goldshop_source_up{source=\"workers\"}".to_owned(), "1"),
        ("goldshop_source_up{source=\"process\"}".to_owned(), "1"),
    ] {
        assert_eq!(told.value(&series), value, "{series}");
    }
    let token = |outcome: &str| {
        let series =
            format!("goldshop_cache_lookups_total{{cache=\"tokens\",outcome=\"{outcome}\"}}");
        told.value(&series).parse::<u64>().unwrap()
    };
    assert_eq!(token("hit") + token("miss"), 10);
    assert!(token("miss") > 0);
    let statements = "goldshop_sql_statement_duration_seconds_count{pool=\"reads\"}";
    assert!(told.value(statements).parse::<u64>().unwrap() >= 8);
    assert!(told.value("process_resident_memory_bytes").len() > 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_clients_send_there_are_no_more_series() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let before = hostile(&app, &nobody, "a").await;
    let after = hostile(&app, &nobody, "b").await;
    let of = |told: &Told, name: &str| told.count(name);
    for name in ["goldshop_http_", "goldshop_graphql_", "goldshop_cache_"] {
        assert_eq!(of(&before, name), of(&after, name), "{name}");
        assert!(of(&after, name) > 0, "{name}");
    }
    assert!(
        after.count("goldshop_") < 600,
        "{}",
        after.count("goldshop_")
    );
    assert!(after.0.keys().all(|name| !name.contains("hostile")));
}

/// Forty names each, of operations, fields, aliases, paths, methods and headers, which nobody has sent before; then what is told.
async fn hostile(app: &TestApp, nobody: &Actor, round: &str) -> Told {
    for number in 0..40 {
        let name = format!("hostile_{round}_{number}");
        for document in [
            format!("query {name} {{ __typename }}"),
            format!("{{ {name} }}"),
            format!("{{ {name}: __typename }}"),
            format!("mutation {name} {{ {name} }}"),
            format!("query {{ ...{name} }} fragment {name} on Query {{ ...{name} }}"),
            format!("subscription {{ {name} }}"),
            format!("{{ {name}"),
        ] {
            nobody.gql(&document, json!({})).await;
        }
        for path in [
            format!("/{name}"),
            format!("/api/{name}"),
            format!("/media/{name}"),
            format!("/api/files/{name}"),
            format!("/api/health/{name}"),
        ] {
            nobody.get(&path).send().await.unwrap();
        }
        let stranger = nobody.with_header("user-agent", &name);
        stranger.get("/api/health/liveness").send().await.unwrap();
    }
    // A request is counted behind its answer: the first of these is among what the second one tells.
    Told::by(&app.anonymous()).await;
    Told::by(&app.anonymous()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn those_outside_are_refused_whatever_they_say_of_themselves() {
    let app = TestApp::builder()
        .set("GOLDSHOP_HTTP__TRUSTED_PROXY_HOPS", 1)
        .start()
        .await;
    let owner = app.owner().await;
    for from in ["203.0.113.7", "127.0.0.1, 203.0.113.7", "10.0.0.1", "::2"] {
        let outside = owner.with_header("x-forwarded-for", from);
        let response = outside.get("/api/metrics").send().await.unwrap();
        assert_eq!(response.status().as_u16(), 403, "{from}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let inside = app.anonymous().with_header("x-forwarded-for", "127.0.0.1");
    assert_eq!(
        inside.get("/api/metrics").send().await.unwrap().status(),
        200
    );

    // The machine itself is trusted by default only.
    let app = TestApp::builder()
        .set("GOLDSHOP_METRICS__NETWORKS", "203.0.113.0/24")
        .start()
        .await;
    let here = app.anonymous();
    let response = here.get("/api/metrics").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
    // Nobody stands in front of us, so that nobody else can say who it is.
    let spoofed = here.with_header("x-forwarded-for", "203.0.113.7");
    let response = spoofed.get("/api/metrics").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_shop() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let tray = manager.location("TRAY", "TRAY", None).await;
    let ring = manager.item_kept("RING", &category, "NONE").await;
    let chain = manager.item_kept("CHAIN", &category, "NONE").await;
    for (item, point) in [(&ring, "4"), (&chain, "2")] {
        let stocking = json!({"itemId": item, "reorderPoint": point});
        manager.done("itemStockingSet", stocking).await;
    }
    let lines = json!([{"itemId": ring, "toId": tray, "quantity": 9, "unitCost": "5"}]);
    let bought = json!({"reason": "PURCHASED", "lines": lines});
    manager.done("stockReceive", bought).await;

    let query = "{ stockValueTotal { value { amount currency } } lowStock(first: 10) { nodes { item { sku } } } }";
    let shop = manager.ok(query, json!({})).await;
    let value = &shop["stockValueTotal"]["value"];
    let low = shop["lowStock"]["nodes"].as_array().unwrap().len();
    let told = Told::by(&app.anonymous()).await;
    let currency = value["currency"].as_str().unwrap();
    let series = format!("goldshop_stock_value{{currency=\"{currency}\"}}");
    assert_eq!((value["amount"].as_str(), low), (Some("45"), 1));
    assert_eq!(told.value(&series), "45");
    assert_eq!(told.value("goldshop_stock_low_items"), low.to_string());
    let entries = app.count("SELECT count(*) FROM journal_entry").await;
    assert_eq!(told.value("goldshop_journal_entries"), entries.to_string());
    let newest = app.count("SELECT max(number) FROM stock_entry").await;
    assert_eq!(
        told.value("goldshop_stock_entry_number"),
        newest.to_string()
    );
    let waiting = "goldshop_queue_jobs{queue=\"codes\",state=\"waiting\"}";
    let queued = app
        .count("SELECT count(*) FROM job WHERE queue = 'codes' AND state = 'queued'")
        .await;
    assert!(queued > 0);
    assert_eq!(told.value(waiting), queued.to_string());
    let waiting = "goldshop_outbox_waiting{kind=\"jobs\"}";
    let queued = app
        .count("SELECT count(*) FROM job WHERE state = 'queued'")
        .await;
    assert_eq!(told.value(waiting), queued.to_string());

    // They are read once a minute at most: what is sold now is not among them yet.
    let sold =
        json!({"reason": "SOLD", "lines": [{"itemId": ring, "fromId": tray, "quantity": 6}]});
    manager.done("stockIssue", sold).await;
    let told = Told::by(&app.anonymous()).await;
    assert_eq!(told.value(&series), "45");
}

/// The program with an address for its metrics, and what it says there.
async fn address_of(program: &Program) -> String {
    program.says("metrics are told of").await;
    let output = program.output();
    let line = output
        .lines()
        .find(|line| line.contains("metrics are told of"));
    let rest = line.and_then(|line| line.split("127.0.0.1:").nth(1));
    let port: String = rest
        .unwrap()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    format!("http://127.0.0.1:{port}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_of_its_jobs_at_an_address_of_its_own() {
    let app = TestApp::builder()
        .set("GOLDSHOP_METRICS__WORKER_ADDRESS", "127.0.0.1:0")
        .set("GOLDSHOP_METRICS__API_ADDRESS", "127.0.0.1:0")
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..3 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let worker = app.worker_process().await;
    app.until_done(PATIENCE).await;
    let at_worker = app.anonymous().at(&address_of(&worker).await);
    let done =
        "goldshop_job_duration_seconds_count{kind=\"item.render_code\",outcome=\"succeeded\"}";
    until(PATIENCE, "three codes are counted", async || {
        let told = Told::by(&at_worker).await;
        told.value(done) == "3"
            && told.value("goldshop_jobs_running{kind=\"item.render_code\"}") == "0"
    })
    .await;
    let told = Told::by(&at_worker).await;
    assert_eq!(
        told.count("goldshop_build_info{program=\"goldshop-worker\""),
        1
    );
    // Nothing else is there.
    let response = at_worker.get("/api/graphql").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 404);

    let (api, url) = app.api_process().await;
    let at_api = app.anonymous().at(&address_of(&api).await);
    assert_ne!(at_api.server(), url);
    until(PATIENCE, "a worker is seen", async || {
        Told::by(&at_api).await.value("goldshop_workers_alive") == "1"
    })
    .await;
    assert_eq!(
        Told::by(&at_api)
            .await
            .value("goldshop_queue_jobs{queue=\"codes\",state=\"waiting\"}"),
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_counted_as_long_as_it_is() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (sockets, subscriptions) = ("goldshop_websockets_open", "goldshop_subscriptions_open");
    let nobody = app.anonymous();
    assert_eq!(Told::by(&nobody).await.value(sockets), "0");
    let open = manager
        .subscribe("subscription { itemChanged { item { id } } }", json!({}))
        .await;
    until(PATIENCE, "both are open", async || {
        let told = Told::by(&nobody).await;
        told.value(sockets) == "1" && told.value(subscriptions) == "1"
    })
    .await;
    let begun = operations("subscription", "itemChanged", "answered");
    assert_eq!(Told::by(&nobody).await.value(&begun), "1");
    drop(open);
    until(PATIENCE, "neither is open", async || {
        let told = Told::by(&nobody).await;
        told.value(sockets) == "0" && told.value(subscriptions) == "0"
    })
    .await;
}

/// Whatever is told of has a line in the page for operators, and whatever is said there is told of.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_operators_names_what_is_told_of() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations/monitoring.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let said: Vec<_> = rows
        .filter_map(|row| row.split('`').next())
        .filter(|name| name.starts_with("goldshop_") || name.starts_with("process_"))
        .collect();
    assert!(said.len() > 30, "{said:?}");
    let app = TestApp::builder().with_worker().start().await;
    let told = Told::by(&app.anonymous()).await;
    for series in told.0.keys() {
        let name = series.split('{').next().unwrap_or_default();
        let ends = ["_bucket", "_sum", "_count"];
        let plain = ends.iter().find_map(|end| name.strip_suffix(end));
        let is_said = said.contains(&name) || plain.is_some_and(|plain| said.contains(&plain));
        assert!(is_said, "{name} is not in the page");
    }
}
