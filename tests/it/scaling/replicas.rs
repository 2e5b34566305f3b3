//! Queries read from a real streaming replica. Its replay is paused to make it lag as long as a test wants: what was written since is then
//! seen by whoever reads from the primary, and by nobody else.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::sqlx::{self, Connection as _, PgConnection};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    database::as_owner,
    postgres::PostgresServer,
    wait::{PATIENCE, until},
};
use tokio_util::sync::CancellationToken;

use crate::events::ITEMS;

const BY_SKU: &str = "query($sku: String!) { item(by: {sku: $sku}) { id sku category { id } } }";
const SCAN: &str = "query($code: String!) { scan(code: $code) { __typename } }";

/// A primary with one replica, and an app that may read from it.
struct Shop {
    app: TestApp,
    replica: PostgresServer,
    _primary: PostgresServer,
}

impl Shop {
    /// A replica is read from as long as the oldest write that it lacks is no older than so many seconds.
    async fn start(lag_max: u32) -> Self {
        let primary = PostgresServer::with_replicas().await;
        let replica = primary.replica().await;
        let app = TestApp::builder()
            .database_url(primary.url())
            .set("DATABASE_READ_URLS", replica.url())
            .set("GOLDSHOP_DATABASE__REPLICA_LAG_MAX_SECONDS", lag_max)
            .start()
            .await;
        until_standing(app.url(), &["in use"]).await;
        Self {
            app,
            replica,
            _primary: primary,
        }
    }

    async fn on_replica(&self, sql: &'static str) -> String {
        let mut connection = PgConnection::connect(&as_owner(&self.replica.url()))
            .await
            .unwrap();
        let said = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
        connection.close().await.unwrap();
        said.unwrap()
    }

    /// From now on the replica stays as it is.
    async fn pause(&self) {
        self.on_replica("SELECT pg_wal_replay_pause()::text").await;
        until(PATIENCE, "nothing is replayed", async || {
            self.on_replica("SELECT pg_get_wal_replay_pause_state()")
                .await
                == "paused"
        })
        .await;
    }

    async fn go_on(&self) {
        self.on_replica("SELECT pg_wal_replay_resume()::text").await;
    }
}

/// How the replicas stand, as the health page of the server says.
async fn standings(server: &str) -> Vec<String> {
    let request = Actor::anonymous(server).get("/api/health/detailed");
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    let replicas = page["components"]["replicas"].as_array().unwrap();
    let standings = replicas
        .iter()
        .map(|replica| replica["status"].as_str().unwrap().to_owned());
    standings.collect()
}

async fn until_standing(server: &str, expected: &[&str]) {
    until(
        PATIENCE,
        &format!("replicas are {expected:?}"),
        async || standings(server).await == expected,
    )
    .await;
}

async fn sees(actor: &Actor, sku: &str) -> bool {
    let data = actor.ok(BY_SKU, json!({"sku": sku})).await;
    !data["item"].is_null()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_written_sees_it_wherever_they_ask_and_others_read_what_the_replica_has() {
    let shop = Shop::start(300).await;
    let other = shop.app.another_server().await;
    until_standing(&other.url, &["in use"]).await;
    let (manager, clerk) = (shop.app.manager().await, shop.app.clerk().await);
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    until(PATIENCE, "the replica has the first ring", async || {
        sees(&clerk, "RING-1").await
    })
    .await;

    shop.pause().await;
    manager.item("RING-2", &category).await;
    let change = json!({"id": item, "sku": "RING-0"});
    manager.done("itemUpdate", change).await;
    for server in [shop.app.url(), other.url.as_str()] {
        let (manager, clerk) = (manager.at(server), clerk.at(server));
        for _ in 0..5 {
            assert!(sees(&manager, "RING-2").await, "their own write");
            assert!(sees(&manager, "RING-0").await, "their own change");
            assert!(!sees(&manager, "RING-1").await, "what it was before");
            // Nobody but the replica knows so little: this is where the clerk reads.
            assert!(!sees(&clerk, "RING-2").await, "what the replica has");
            assert!(sees(&clerk, "RING-1").await, "what the replica has");
        }
    }
    assert_eq!(standings(shop.app.url()).await, ["in use"]);

    shop.go_on().await;
    until(PATIENCE, "the replica has the second ring", async || {
        sees(&clerk, "RING-2").await
    })
    .await;
    assert!(sees(&manager, "RING-2").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_or_is_scanned_is_seen_though_the_replica_lacks_it() {
    let shop = Shop::start(300).await;
    let (manager, clerk) = (shop.app.manager().await, shop.app.clerk().await);
    let category = manager.category("Rings", None).await;
    until(PATIENCE, "the replica has the category", async || {
        let query = "query($id: ID!) { category(by: {id: $id}) { id } }";
        let data = clerk.ok(query, json!({"id": category})).await;
        !data["category"].is_null()
    })
    .await;
    let after = json!({"after": shop.app.position().await});
    let mut listener = clerk.subscribe(ITEMS, after).await;

    shop.pause().await;
    manager.item("RING-1", &category).await;
    // At the till the newest counts, for whoever scans it.
    let owner = shop.app.owner().await;
    let scanned = owner.ok(SCAN, json!({"code": "RING-1"})).await;
    assert_ne!(scanned["scan"], json!([]), "{scanned}");
    assert!(
        !sees(&owner, "RING-1").await,
        "everything else is read there"
    );
    let heard = listener.next().await;
    assert_eq!(heard["itemChanged"]["item"]["sku"], "RING-1");
    assert!(sees(&clerk, "RING-1").await, "they have been told of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_costs_nobody_an_answer_and_is_read_from_again_when_it_is_back() {
    let mut shop = Shop::start(300).await;
    let (manager, clerk) = (shop.app.manager().await, shop.app.clerk().await);
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    until(PATIENCE, "the replica has the ring", async || {
        sees(&clerk, "RING-1").await
    })
    .await;
    let (stop, asked) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (clerk, stop, asked) = (clerk.clone(), stop.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    assert!(sees(&clerk, "RING-1").await);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let until_more = async |count: usize| {
        let enough = asked.load(Ordering::Relaxed) + count;
        until(PATIENCE, "more is read", async || {
            asked.load(Ordering::Relaxed) >= enough
        })
        .await;
    };
    until_more(20).await;
    shop.replica.kill_hard().await;
    until_standing(shop.app.url(), &["lost"]).await;
    until_more(20).await;
    shop.replica.resume().await;
    until_standing(shop.app.url(), &["in use"]).await;
    until_more(20).await;
    stop.cancel();
    for reader in readers {
        reader.await.unwrap();
    }
    shop.pause().await;
    manager.item("RING-2", &category).await;
    assert!(!sees(&clerk, "RING-2").await, "it is read from again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_too_far_behind_is_left_out_until_it_has_caught_up() {
    let shop = Shop::start(1).await;
    let (manager, clerk) = (shop.app.manager().await, shop.app.clerk().await);
    let category = manager.category("Rings", None).await;
    shop.pause().await;
    manager.item("RING-1", &category).await;
    until_standing(shop.app.url(), &["behind"]).await;
    assert!(sees(&clerk, "RING-1").await, "the primary has it");
    shop.go_on().await;
    until_standing(shop.app.url(), &["in use"]).await;
    assert!(sees(&clerk, "RING-1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_replica_of_ours_is_never_read_from() {
    let primary = PostgresServer::with_replicas().await;
    let stranger = PostgresServer::with_replicas().await;
    let of_stranger = stranger.replica().await;
    let nobody = "postgres://nobody@127.0.0.1:1/postgres";
    let urls = [primary.url(), of_stranger.url(), nobody.to_owned()];
    let app = TestApp::builder()
        .database_url(primary.url())
        .set("DATABASE_READ_URLS", urls.join(","))
        .start()
        .await;
    let all = ["not a replica", "of another system", "lost"];
    until_standing(app.url(), &all).await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    assert!(sees(&app.clerk().await, "RING-1").await);
    let health = app.anonymous().get("/api/health/readiness");
    assert_eq!(health.send().await.unwrap().status().as_u16(), 200);
}
