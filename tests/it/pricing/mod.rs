//! What items cost: from the weight of their metal, from the time they take, by a formula.

mod formula;
mod import;
mod many;
mod metal;
mod models;
mod statements;
mod time;
mod weight;

use serde_json::{Value, json};
use tests::actor::Actor;

use crate::item::Shop;

/// What an item costs now, and why not.
const PRICE: &str = "query($id: ID!, $quantity: Decimal, $hours: Decimal) { item(by: {id: $id}) {
    currentPrice(quantity: $quantity, durationHours: $hours) {
        amount exact currency problem message breakdown { metal making profit toMinimum } rate { id pricePerGram }
    }
} }";

/// What an item costs now.
async fn price(actor: &Actor, item: &Value, more: Value) -> Value {
    let mut variables = json!({"id": item["id"]});
    for (name, value) in more.as_object().unwrap() {
        variables[name] = value.clone();
    }
    actor.ok(PRICE, variables).await["item"]["currentPrice"].take()
}

/// The amount that an item costs now, or the problem.
async fn amount(actor: &Actor, item: &Value) -> String {
    let price = price(actor, item, json!({})).await;
    let told = price["amount"].as_str().or(price["problem"].as_str());
    told.unwrap_or("nothing").to_owned()
}

/// A ring of 4 g of 18 karat gold.
fn ring() -> Value {
    json!({"metal": "GOLD", "fineness": "750", "netWeight": "4"})
}

/// Weight-based, in rials, with a profit of 7 percent.
fn by_weight() -> Value {
    json!({"weightBased": {"currency": "IRR", "profitPercent": "7"}})
}

/// Creates an item of this metal, priced so.
async fn priced(shop: &Shop, sku: &str, metal: Value, pricing: Value) -> Value {
    shop.create(sku, json!({"metal": metal, "pricing": pricing}))
        .await
}
