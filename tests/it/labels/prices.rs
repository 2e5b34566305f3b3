//! Prices on labels are what items cost when their labels are drawn.

use serde_json::{Value, json};
use tests::{app::TestApp, paper::texts};

use super::{Shop, input};

impl Shop {
    async fn record_rate(&self, price_per_gram: &str) {
        let owner = self.app.owner().await;
        let rate = json!({"metal": "GOLD", "fineness": "750", "currency": "IRR", "pricePerGram": price_per_gram, "source": "test"});
        owner.done("metalRateRecord", rate).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_by_weight_follows_the_rate_until_the_label_is_drawn() {
    let shop = Shop::of(TestApp::start().await).await;
    shop.record_rate("1000000").await;
    let pricing = json!({"weightBased": {"currency": "IRR", "profitPercent": "10"}});
    let ring = shop
        .ring(
            "RING-1",
            "",
            json!({"price": Value::Null, "pricing": pricing}),
        )
        .await;
    let price = "query($id: ID!) { item(by: {id: $id}) { currentPrice { amount } } }";
    let sheet = shop.ask(input(&[&ring], json!({}))).await;
    shop.record_rate("2000000").await;
    let now = shop.manager.ok(price, json!({"id": ring})).await;
    assert_eq!(now["item"]["currentPrice"]["amount"], "8580000.00");
    let _worker = shop.app.worker();
    let files = shop.files(&shop.manager, &sheet).await;
    assert_eq!(files.len(), 1);
    let text = texts(&files[0].2).remove(0);
    assert!(text.contains("8,580,000 IRR"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_cannot_be_told_is_left_out_and_noted() {
    let shop = Shop::of(TestApp::start().await).await;
    let pricing = json!({"weightBased": {"currency": "IRR", "profitPercent": "10"}});
    let no_rate = shop
        .ring(
            "NO-RATE",
            "",
            json!({"price": Value::Null, "pricing": pricing}),
        )
        .await;
    let no_price = shop
        .ring("NO-PRICE", "", json!({"price": Value::Null}))
        .await;
    let _worker = shop.app.worker();
    let sheet = shop.ask(input(&[&no_rate, &no_price], json!({}))).await;
    let files = shop.files(&shop.manager, &sheet).await;
    let [(_, _, pdf), (name, _, notes)] = &files[..] else {
        panic!("two files: {files:?}")
    };
    let text = texts(pdf).remove(0);
    assert!(text.contains("NO-RATE") && !text.contains("IRR"), "{text}");
    assert_eq!(
        (&**name, &*String::from_utf8_lossy(notes)),
        (
            "notes.txt",
            "NO-RATE: no price on the label. There is no rate for this metal in this currency yet. Record one.\n\
             NO-PRICE: no price on the label, because it has none.\n"
        )
    );
    // Where no price is shown, none is missed.
    shop.printed(input(&[&no_rate], json!({"kind": "JEWELLERY_TAG"})))
        .await;
}
