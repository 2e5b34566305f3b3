//! Fetches rates of metals from the source that the settings name, and records those that are new.

use chrono::{DateTime, Utc};
use domain::metal_rate::{Metal, NewMetalRate};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// What the source answers.
#[derive(Debug, Deserialize)]
struct Document {
    /// What it calls itself.
    source: String,
    rates: Vec<Rate>,
}

#[derive(Debug, Deserialize)]
struct Rate {
    metal: Metal,
    fineness: String,
    currency: String,
    /// Written as text, so that no digit is lost on the way.
    #[serde(with = "rust_decimal::serde::str")]
    price_per_gram: Decimal,
    effective_at: DateTime<Utc>,
}

/// Fetches and records. A source that is away, or answers something else, is asked again later.
///
/// # Errors
/// When no source is named, it does not answer as it should, or a rate of it is refused.
pub async fn run(context: &Context, attempt: &Attempt) -> Result<(), Failure> {
    let feed = context
        .metal_rates
        .as_ref()
        .ok_or_else(|| Failure::discard("no source is named: worker.metal_rate_url is not set"))?;
    let document = feed.fetch().await.map_err(Failure::retry)?;
    let document: Document = serde_json::from_slice(&document).map_err(Failure::retry)?;
    let rates: Vec<_> = document
        .rates
        .into_iter()
        .map(|rate| new(&document.source, rate))
        .collect();
    let job = (attempt.job, attempt.number);
    let metal_rates = context.domain.metal_rates();
    let recorded = metal_rates
        .record_fetched(&attempt.viewer, job, &rates)
        .await?;
    tracing::info!(fetched = rates.len(), recorded, "metal rates fetched");
    Ok(())
}

fn new(source: &str, rate: Rate) -> NewMetalRate {
    let Rate {
        metal,
        fineness,
        currency,
        price_per_gram,
        effective_at,
    } = rate;
    NewMetalRate {
        metal,
        fineness,
        currency,
        price_per_gram,
        effective_at: Some(effective_at),
        source: source.to_owned(),
    }
}
