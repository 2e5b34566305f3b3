//! Words that somebody may be about to type.

use serde_json::{Value, json};
use tests::shop::english;

use super::Shop;

async fn suggested(shop: &Shop, prefix: &str) -> Value {
    let query = "query($prefix: String!) { searchSuggestions(prefix: $prefix, first: 3) }";
    shop.manager.ok(query, json!({"prefix": prefix})).await["searchSuggestions"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_items_have_are_suggested_the_most_usual_first() {
    let shop = Shop::open().await;
    for number in 0..5 {
        shop.create(&format!("N-{number}"), json!({"name": english("Necklace")}))
            .await;
    }
    shop.create("A-1", json!({"name": english("Nebula"), "tags": ["neon"]}))
        .await;
    let gone = shop.create("A-2", json!({"name": english("Nectar")})).await;
    let _archived = shop
        .manager
        .done("itemArchive", json!({"id": gone["id"]}))
        .await;
    shop.ring("P-1", "Ring", "گردن‌بند").await;
    assert_eq!(
        suggested(&shop, "ne").await,
        json!(["nebula", "necklace", "neon"])
    );
    assert_eq!(suggested(&shop, "nect").await, json!([]));
    // As soon as PostgreSQL has looked at the items.
    shop.app.execute("ANALYZE item").await;
    assert_eq!(suggested(&shop, "ne").await[0], "necklace");
    assert_eq!(
        suggested(&shop, "Gold NECK").await,
        json!(["gold necklace"])
    );
    assert_eq!(suggested(&shop, "گردن").await, json!(["گردن", "گردنبند"]));
    assert_eq!(suggested(&shop, "ring ").await, json!([]));
    assert_eq!(suggested(&shop, "").await, json!([]));
}
