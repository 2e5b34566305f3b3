//! Prices that follow the time that something takes.

use serde_json::json;

use super::price;
use crate::item::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn time_is_charged_in_steps_and_from_a_minimum_on() {
    let shop = Shop::open().await;
    let pricing = json!({"timeBased": {"currency": "EUR", "rate": "60", "unit": "HOUR", "minimumDuration": "1", "step": "0.25"}});
    let repair = shop
        .create("REPAIR", json!({"kind": "SERVICE", "pricing": pricing}))
        .await;
    let exactly = json!({"timeBased": {"currency": "JPY", "rate": "1000", "unit": "DAY"}});
    let hire = shop
        .create("HIRE", json!({"kind": "SERVICE", "pricing": exactly}))
        .await;
    for (item, more, expected) in [
        (&repair, json!({}), "60.00"),
        (&repair, json!({"hours": "0.1"}), "60.00"),
        (&repair, json!({"hours": "1.25"}), "75.00"),
        (&repair, json!({"hours": "1.26"}), "90.00"),
        (&repair, json!({"hours": "1.26", "quantity": "2"}), "180.00"),
        (&hire, json!({}), "1000"),
        (&hire, json!({"hours": "8"}), "333"),
        (&hire, json!({"hours": "12.012"}), "501"),
        (&hire, json!({"hours": "0"}), "0"),
    ] {
        let found = price(&shop.manager, item, more.clone()).await;
        assert_eq!(found["amount"], expected, "{more}");
        assert_eq!(
            (&found["rate"], &found["breakdown"]),
            (&json!(null), &json!(null))
        );
    }
    let eight = price(&shop.manager, &hire, json!({"hours": "8"})).await;
    assert_eq!(eight["exact"], "333.3333333333");
}
