//! Metal rates: recorded once and never changed, the latest one holds.

mod events;
mod fetch;
mod history;
mod record;

use serde_json::{Value, json};
use tests::actor::Actor;

/// The rate that holds now.
const LATEST: &str = "query($metal: Metal!, $currency: String!) {
    metalRateLatest(metal: $metal, currency: $currency) { id pricePerGram effectiveAt source }
}";

/// The input for a rate of 18 karat gold in rials, with `more` laid over it.
pub(crate) fn rate(price: &str, more: Value) -> Value {
    let mut input = json!({"metal": "GOLD", "fineness": "750", "currency": "IRR", "pricePerGram": price, "source": "Bazaar"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// Records a rate.
pub(crate) async fn record(manager: &Actor, price: &str, more: Value) -> Value {
    let done = manager.done("metalRateRecord", rate(price, more)).await;
    done["metalRate"].clone()
}

/// What a gram costs now.
async fn latest(actor: &Actor, metal: &str, currency: &str) -> Value {
    let variables = json!({"metal": metal, "currency": currency});
    actor.ok(LATEST, variables).await["metalRateLatest"]["pricePerGram"].take()
}
