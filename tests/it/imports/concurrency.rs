//! Imports that get into each other's way.

use futures_util::future::join_all;
use serde_json::json;

use super::{Shop, counts, rings};

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_the_same_items_at_once_create_each_once() {
    let shop = Shop::open().await;
    let _another_worker = shop.app.worker();
    let (forwards, backwards) = (rings(1..3001), rings((1..3001).rev()));
    let ids = join_all([
        shop.ask(&shop.manager, forwards, json!({})),
        shop.ask(&shop.manager, backwards, json!({})),
    ])
    .await;
    let ended = join_all(ids.iter().map(|id| shop.ended(id))).await;
    let created: i64 = ended.iter().map(|import| counts(import)[1]).sum();
    assert_eq!(created, 3000);
    for import in &ended {
        let [read, created, updated, unchanged, failed] = counts(import);
        assert_eq!((read, failed, updated), (3000, 0, 0), "{import}");
        assert_eq!(created + unchanged, 3000);
    }
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 3000);
    let once = "SELECT count(*) FROM audit WHERE action = 'item.import'";
    assert_eq!(shop.app.count(once).await, 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_somebody_creates_meanwhile_is_found() {
    let shop = Shop::open().await;
    let id = shop.ask(&shop.manager, rings(1..2001), json!({})).await;
    let unit = shop.manager.unit("piece").await;
    let singles = (1..30).map(|number| {
        let input = super::row(&shop, &unit, &format!("R-{}", number * 60), json!({}));
        shop.manager.change("itemCreate", input)
    });
    join_all(singles).await;
    let import = shop.ended(&id).await;
    assert_eq!(counts(&import)[4], 0, "{import}");
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 2000);
}
