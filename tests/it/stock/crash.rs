//! The server dies in the middle of many sales: what was answered has happened, what was not has happened whole or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::json;
use tests::shop::document;

use super::{Shop, line, sold};

const CLIENTS: usize = 8;
const BEFORE_THE_CRASH: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn sales_are_whole_whenever_the_server_is_killed() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 100_000).await;
    let chain = shop.item_in_tray("CHAIN", 100_000).await;
    let (mut program, url) = shop.app.api_process().await;
    let manager = shop.manager.at(&url);
    let answered = AtomicUsize::new(0);
    let sell = async || {
        let input = sold(json!([
            line(&ring, &shop.tray, 1),
            line(&chain, &shop.tray, 2)
        ]));
        while let Ok(answer) = manager
            .try_gql(&document("stockIssue"), json!({"input": input}))
            .await
        {
            if answer.status != 200 || !answer.errors.is_empty() {
                return;
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    };
    let kill = async {
        while answered.load(Ordering::SeqCst) < BEFORE_THE_CRASH {
            tokio::task::yield_now().await;
        }
        program.kill();
    };
    tokio::join!(join_all((0..CLIENTS).map(|_| sell())), kill);
    // Whatever the server was doing ends when PostgreSQL notices that nobody is there.
    tests::wait::until(tests::wait::PATIENCE, "no transaction is open any more", async || {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
        sqlx::query_scalar::<_, i64>(open).fetch_one(shop.app.sql()).await.unwrap() == 0
    })
    .await;
    let sales: i64 = sqlx::query_scalar("SELECT count(*) FROM stock_entry WHERE kind = 'issue'")
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    let answered = i64::try_from(answered.load(Ordering::SeqCst)).unwrap();
    assert!(
        (answered..=answered + i64::try_from(CLIENTS).unwrap()).contains(&sales),
        "{answered} were answered, {sales} are there"
    );
    assert_eq!(
        shop.pieces(&ring, &shop.tray).await[0],
        (100_000 - sales).to_string()
    );
    assert_eq!(
        shop.pieces(&chain, &shop.tray).await[0],
        (100_000 - 2 * sales).to_string()
    );
    shop.assert_levels_add_up().await;
    let trail: i64 = sqlx::query_scalar("SELECT count(*) FROM audit WHERE action = 'stock.issue'")
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(trail, sales);
}
