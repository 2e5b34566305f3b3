//! Units of measure: what is converted, what is read, and what shops add to them.

mod concurrency;
mod read;
mod write;

use serde_json::{Value, json};
use tests::actor::Actor;

const UNITS: &str = "{ unitsOfMeasure { id code name nameTranslations { language text } dimension numerator denominator spellings version } }";
const CONVERT: &str = "query($value: Decimal!, $from: UnitOfMeasureBy!, $to: UnitOfMeasureBy!) {
    unitConvert(value: $value, from: $from, to: $to) { converted { value exact unit { code } } userErrors { code path message } }
}";
const WEIGHT: &str = "query($text: String!) { weightParse(text: $text) { weight { grams exact } userErrors { code path message } } }";
const FINENESS: &str = "query($text: String!) {
    finenessParse(text: $text) { fineness { partsPerThousand alike { min max } } userErrors { code path message } }
}";

async fn units(actor: &Actor) -> Vec<Value> {
    let data = actor.ok(UNITS, json!({})).await;
    data["unitsOfMeasure"].as_array().unwrap().clone()
}

async fn unit(actor: &Actor, code: &str) -> Value {
    let units = units(actor).await;
    units
        .into_iter()
        .find(|unit| unit["code"] == code)
        .unwrap_or_default()
}

/// Grams and whether they are exact, or the codes of the refusals.
async fn weight(actor: &Actor, text: &str) -> Result<(String, bool), Vec<String>> {
    let answer = actor.gql(WEIGHT, json!({"text": text})).await;
    let refused: Vec<_> = answer
        .user_errors()
        .into_iter()
        .map(|error| error.code)
        .collect();
    let weight = &answer.data["weightParse"]["weight"];
    match weight["grams"].as_str() {
        Some(grams) if refused.is_empty() => {
            Ok((grams.to_owned(), weight["exact"].as_bool().unwrap()))
        }
        _ => Err(refused),
    }
}
