//! Listening to rates.

use serde_json::{Value, json};
use tests::{app::TestApp, subscription::Received};

use super::record;

const RATES: &str = "subscription($after: EventPosition, $metal: Metal, $currency: String) {
    metalRateChanged(after: $after, metal: $metal, currency: $currency) { position metalRate { metal currency pricePerGram } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn listeners_hear_what_they_missed_and_what_comes_of_what_they_asked_for() {
    let app = TestApp::start().await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let after = app.position().await;
    record(&manager, "1", json!({})).await;
    record(&manager, "2", json!({"metal": "SILVER"})).await;
    record(&manager, "3", json!({"currency": "EUR"})).await;
    let listen = async |variables: Value| clerk.subscribe(RATES, variables).await;
    let of_gold = json!({"after": after, "metal": "GOLD", "currency": "irr"});
    let mut gold = listen(of_gold.clone()).await;
    let mut all = listen(json!({"after": after})).await;
    let expected = |price: &str| json!({"metal": "GOLD", "currency": "IRR", "pricePerGram": price});
    let missed = gold.next().await["metalRateChanged"].take();
    assert_eq!(missed["metalRate"], expected("1"));
    record(&manager, "4", json!({})).await;
    let live = gold.next().await["metalRateChanged"].take();
    assert_eq!(live["metalRate"], expected("4"));
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(all.next().await["metalRateChanged"]["metalRate"]["pricePerGram"].take());
    }
    assert_eq!(heard, ["1", "2", "3", "4"]);
    // From the last position on nothing is left out and nothing comes twice.
    drop(gold);
    record(&manager, "5", json!({})).await;
    let mut again = of_gold;
    again["after"] = live["position"].clone();
    let mut gold = listen(again).await;
    assert_eq!(
        gold.next().await["metalRateChanged"]["metalRate"],
        expected("5")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let mut refused = app
        .clerk()
        .await
        .subscribe(RATES, json!({"currency": "rial"}))
        .await;
    let (Received::Error(errors) | Received::Next(errors)) = refused.receive().await else {
        panic!("it is refused")
    };
    assert!(errors.to_string().contains("INVALID_FORMAT"), "{errors}");
}
