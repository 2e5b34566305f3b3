//! Connections to the database that stay open and bring nothing any more: the other machine has lost its power, or a router has
//! forgotten them.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::{
    actor::Actor, app::TestApp, database::TestDatabase, proxy::PostgresProxy, wait::until,
};

/// Far more than the pool has connections.
const ASKERS: usize = 12;
/// Long enough to give up each connection of the pool, far shorter than the quarter of an hour that the kernel takes.
const RECOVERY: Duration = Duration::from_secs(15);

async fn ask(actor: &Actor) -> Vec<String> {
    let answer = actor.gql("{ categoryTree { name } }", json!({})).await;
    answer.codes().into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_whose_connections_fell_silent_is_soon_itself_again() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_HTTP__REQUEST_TIMEOUT_SECONDS", 2)
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let all_ask = async || join_all((0..ASKERS).map(|_| ask(&manager))).await.concat();
    assert!(all_ask().await.is_empty(), "every connection works");

    proxy.silence_what_is_open();
    let codes = all_ask().await;
    assert!(!codes.is_empty(), "some met a silent connection");
    for code in &codes {
        assert!(
            ["SERVICE_UNAVAILABLE", "TIMEOUT"].contains(&code.as_str()),
            "{codes:?}"
        );
    }
    until(RECOVERY, "all are answered again", async || {
        all_ask().await.is_empty()
    })
    .await;
}
