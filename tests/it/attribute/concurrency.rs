//! Attributes and items that change at the same time.

use futures_util::future::join_all;
use serde_json::json;

use super::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn no_item_slips_past_an_attribute_that_becomes_required() {
    let shop = Shop::open().await;
    let attribute = shop.declare("metal", "TEXT", json!({})).await;
    let creations = join_all((0..30).map(|number| {
        let input = shop.ring(&format!("R-{number}"), json!({}));
        async {
            shop.manager
                .change("itemCreate", input)
                .await
                .user_errors()
                .is_empty()
        }
    }));
    let change = json!({"id": attribute["id"], "required": true});
    let demand = async {
        shop.manager
            .change("attributeUpdate", change)
            .await
            .user_errors()
            .is_empty()
    };
    let (created, demanded) = tokio::join!(creations, demand);
    let created = created.into_iter().filter(|created| *created).count();
    let missing = shop
        .app
        .count("SELECT count(*) FROM item WHERE NOT attributes ? 'metal'")
        .await;
    assert_eq!(missing, i64::try_from(created).unwrap());
    // Either all items were there first, and the change was refused, or there is no item without the value.
    assert!(
        !demanded || missing == 0,
        "{missing} items lack what is demanded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_one_value_one_gets_it() {
    let shop = Shop::open().await;
    let _ = shop.declare("huid", "TEXT", json!({"unique": true})).await;
    let tries = (0..16).map(|number| {
        let input = shop.ring(&format!("R-{number}"), json!({"huid": "AB12CD"}));
        async {
            shop.manager
                .change("itemCreate", input)
                .await
                .user_errors()
                .is_empty()
        }
    });
    let winners = join_all(tries).await.into_iter().filter(|won| *won).count();
    assert_eq!(winners, 1);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_attribute_above_and_below_at_once_never_contradicts() {
    for _ in 0..5 {
        let shop = Shop::open().await;
        let above = shop.attribute("size", "NUMBER", json!({"max": "5"}));
        let below = shop.attribute(
            "size",
            "NUMBER",
            json!({"categoryId": shop.rings, "max": "9"}),
        );
        let (above, below) = tokio::join!(
            shop.manager.change("attributeCreate", above),
            shop.manager.change("attributeCreate", below),
        );
        let refused = [above, below]
            .iter()
            .filter(|answer| !answer.user_errors().is_empty())
            .count();
        assert_eq!(refused, 1);
    }
}
