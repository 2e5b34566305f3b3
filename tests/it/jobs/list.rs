//! The list of jobs: what operators look through when something has not come.

use domain::Permission;
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{
    actor::Actor, app::TestApp, database::TestDatabase, picture::small, proxy::PostgresProxy,
    work::uuid_of,
};

const JOBS: &str = "query($where: JobWhere, $first: Int, $last: Int, $after: String, $before: String) {
    jobs(where: $where, first: $first, last: $last, after: $after, before: $before) {
        edges { cursor node { id kind queue state } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

/// Seven codes to draw and a picture to render: the oldest two are dead, the third is done.
async fn furnished(app: &TestApp) -> Actor {
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 1..=7 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let item = manager.item("RING-8", &category).await;
    manager.picture(&item, small(1)).await;
    let ids: Vec<_> = app.jobs().await.iter().map(|job| job.id).collect();
    end(app, "dead", &ids[..2]).await;
    end(app, "succeeded", &ids[2..3]).await;
    manager
}

async fn end(app: &TestApp, state: &str, ids: &[uuid::Uuid]) {
    let sql =
        "UPDATE job SET state = $1, relayed_at = now(), finished_at = now() WHERE id = ANY($2)";
    let ended = sqlx::query(sql).bind(state).bind(ids);
    ended.execute(app.sql()).await.unwrap();
}

/// Ids of every job, newest first.
async fn newest_first(app: &TestApp) -> Vec<String> {
    let jobs = app.jobs().await;
    jobs.iter().rev().map(|job| job.global_id()).collect()
}

fn ids(data: &Value) -> Vec<String> {
    let edges = data["jobs"]["edges"].as_array().unwrap().iter();
    edges
        .map(|edge| edge["node"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_the_newest_first_and_lead_in_both_directions() {
    let app = TestApp::start().await;
    let manager = furnished(&app).await;
    let all = newest_first(&app).await;
    let (mut met, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = manager.ok(JOBS, json!({"first": 4, "after": after})).await;
        assert_eq!(page["jobs"]["pageInfo"]["hasPreviousPage"], !met.is_empty());
        met.extend(ids(&page));
        after = page["jobs"]["pageInfo"]["endCursor"].clone();
        if page["jobs"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(met, all);
    let back = manager.ok(JOBS, json!({"last": 3, "before": after})).await;
    assert_eq!(ids(&back), all[all.len() - 4..all.len() - 1]);
    assert_eq!(back["jobs"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_is_meant() {
    let app = TestApp::start().await;
    let manager = furnished(&app).await;
    for (filter, count) in [
        (json!({}), 9),
        (json!({"state": {"in": ["DEAD"]}}), 2),
        (json!({"state": {"in": ["DEAD", "SUCCEEDED"]}}), 3),
        (json!({"state": {"in": ["CANCELLED"]}}), 0),
        (json!({"state": {"in": []}}), 0),
        (json!({"kind": {"eq": "item.render_image"}}), 1),
        (json!({"kind": {"startsWith": "item."}}), 9),
        (json!({"kind": {"in": []}}), 0),
        (json!({"queue": {"in": ["codes"]}}), 8),
        (json!({"queue": {"eq": "songs"}}), 0),
        (
            json!({"queue": {"eq": "media"}, "state": {"in": ["QUEUED"]}}),
            1,
        ),
        (
            json!({"queue": {"eq": "media"}, "state": {"in": ["DEAD"]}}),
            0,
        ),
    ] {
        let found = manager.ok(JOBS, json!({"where": filter})).await;
        assert_eq!(ids(&found).len(), count, "{filter}");
    }
    let dead = json!({"where": {"state": {"in": ["DEAD"]}}, "first": 1});
    let page = manager.ok(JOBS, dead).await;
    assert_eq!(ids(&page), newest_first(&app).await[7..8]);
    assert_eq!(page["jobs"]["edges"][0]["node"]["state"], "DEAD");
    assert_eq!(page["jobs"]["pageInfo"]["hasNextPage"], true);
}

/// A schedule that has caused the first, third and fifth of all jobs; its id.
async fn causing(app: &TestApp, manager: &Actor) -> String {
    let input = json!({"name": "Codes", "cron": "0 0 1 1 *", "errand": "VERIFY_TRAIL"});
    let created = manager.done("scheduleCreate", input).await;
    let id = created["schedule"]["id"].as_str().unwrap().to_owned();
    let jobs = app.jobs().await;
    for job in [&jobs[0], &jobs[2], &jobs[4]] {
        let sql = "UPDATE job SET schedule_id = $2, tick = clock_timestamp() WHERE id = $1";
        let caused = sqlx::query(sql).bind(job.id).bind(uuid_of(&id));
        caused.execute(app.sql()).await.unwrap();
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_found_by_the_schedule_that_caused_them() {
    let app = TestApp::start().await;
    let manager = furnished(&app).await;
    let id = causing(&app, &manager).await;
    let newest = newest_first(&app).await;
    let other = tests::shop::global_id("Schedule", "01930000000070008000000000abcdef");
    for (schedules, expected) in [
        (json!([id]), vec![4, 6, 8]),
        (json!([other, id]), vec![4, 6, 8]),
        (json!([other]), vec![]),
        (json!([]), vec![]),
    ] {
        let filter = json!({"where": {"schedule": {"in": schedules}}});
        let expected: Vec<_> = expected
            .into_iter()
            .map(|place: usize| newest[place].clone())
            .collect();
        assert_eq!(
            ids(&manager.ok(JOBS, filter).await),
            expected,
            "{schedules}"
        );
    }
    let both =
        json!({"where": {"schedule": {"in": [id]}, "state": {"in": ["SUCCEEDED"]}}, "first": 1});
    assert_eq!(ids(&manager.ok(JOBS, both).await), newest[6..7]);
    let wrong = json!({"where": {"schedule": {"in": [newest[0]]}}});
    assert_eq!(manager.gql(JOBS, wrong).await.codes(), ["INVALID_FORMAT"]);
    let many = json!({"where": {"schedule": {"in": vec![id; 101]}}});
    assert_eq!(manager.gql(JOBS, many).await.codes(), ["TOO_MANY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedules_of_a_page_are_one_statement() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = furnished(&app).await;
    causing(&app, &manager).await;
    let query = "{ jobs(first: 20) { edges { node { scheduleId schedule { name } } } } }";
    manager.ok(query, json!({})).await;
    let executed = proxy
        .during(async || manager.ok(query, json!({})).await)
        .await;
    assert_eq!(executed.len(), 2, "{executed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_make_no_sense_are_refused_and_so_is_who_may_not_see_jobs() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (variables, code) in [
        (json!({"first": 101}), "OUT_OF_RANGE"),
        (json!({"after": "x"}), "INVALID_FORMAT"),
        (
            json!({"where": {"kind": {"eq": "x".repeat(201)}}}),
            "TOO_LONG",
        ),
        (
            json!({"where": {"state": {"in": vec!["DEAD"; 101]}}}),
            "TOO_MANY",
        ),
    ] {
        let answer = manager.gql(JOBS, variables.clone()).await;
        assert_eq!(answer.codes(), [code], "{:.80}", variables.to_string());
    }
    let user = app.user("manager").await;
    let permissions = [Permission::CatalogueRead].into_iter().collect();
    let life = chrono::TimeDelta::hours(1);
    let secret = app.token(&user, Some(permissions), life).await;
    let narrow = app.anonymous().with_token(&secret);
    assert_eq!(narrow.gql(JOBS, json!({})).await.codes(), ["FORBIDDEN"]);
}

/// The statement with its parameters written out, in their order.
fn written_out(sql: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(sql.to_owned(), |sql, (index, value)| {
        sql.replace(&format!("${}", index + 1), value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_one_statement_that_reads_an_index_in_order() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = furnished(&app).await;
    let many = "INSERT INTO job (id, kind, queue, payload, state, max_attempts, created_at, relayed_at, finished_at)
        SELECT gen_random_uuid(), 'item.render_code', 'codes', '{}', CASE WHEN n % 50 = 0 THEN 'dead' ELSE 'succeeded' END, 1,
            now(), now(), now()
        FROM generate_series(1, 5000) n";
    sqlx::query(many).execute(app.sql()).await.unwrap();
    let rare = causing(&app, &manager).await;
    let caused = format!("'{}'", uuid_of(&rare));
    let caused = caused.as_str();
    sqlx::query("ANALYZE job").execute(app.sql()).await.unwrap();
    let dead = json!({"state": {"in": ["DEAD"]}});
    let first = manager.ok(JOBS, json!({"where": dead, "first": 20})).await;
    let after = first["jobs"]["pageInfo"]["endCursor"].clone();
    let id = "'01930000-0000-7000-8000-000000000000'";
    let (state, limit) = ("'dead'", "21");
    for (variables, values, index) in [
        (json!({"first": 20}), vec![limit], "job_pkey"),
        (
            json!({"first": 20, "where": dead}),
            vec![state, limit],
            "job_state",
        ),
        (
            json!({"first": 20, "where": dead, "after": after}),
            vec![state, id, state, id, state, id, limit],
            "job_state",
        ),
        (
            json!({"first": 20, "where": {"schedule": {"in": [rare]}}}),
            vec![caused, limit],
            "job_by_schedule",
        ),
    ] {
        let executed = proxy
            .during(async || manager.ok(JOBS, variables.clone()).await)
            .await;
        let [sql] = &executed[..] else {
            panic!("{executed:#?}")
        };
        let explain = format!("EXPLAIN (COSTS OFF) {}", written_out(sql, &values));
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
            .fetch_all(app.sql())
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(&format!("Backward using {index}")), "{plan}");
        assert!(
            !plan.contains("Sort") && !plan.contains("Seq Scan"),
            "{plan}"
        );
    }
}
