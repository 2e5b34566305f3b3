//! Rates that a program has fetched from a source: recorded once, however often they are fetched.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    metal_rate::{Column, Entity, Metal},
};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveEnum as _, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};

use super::{MetalRates, NewMetalRate, insert_in_tx, record_in_tx, rules};
use crate::{
    error::{Code, Error, Refusal, Result},
    job::succeed_in_tx,
    sql::statement,
    viewer::Viewer,
};

/// Most rates of one document.
pub const FETCHED_MAX: usize = 100;

/// Any number will do, as long as nothing else locks it.
const FETCHES: i64 = 0x72_6174_6573;

/// What tells a rate from others of its source.
type Key = (String, Decimal, String, Decimal, DateTime<Utc>);

impl MetalRates<'_> {
    /// Records the rates that are not there yet, all or none, and ends the job that has fetched them well. Tells how many were new. Each says from when
    /// on it holds: that is what it is known by again.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, there are too many, a rate does not say from when on it holds, or a value is refused.
    pub async fn record_fetched(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        rates: &[NewMetalRate],
    ) -> Result<usize> {
        viewer.require_system()?;
        let now = self.domain.now();
        let drafts = parse(rates, now)?;
        let tx = self.domain.begin().await?;
        let lock = statement("SELECT pg_advisory_xact_lock($1)", [FETCHES.into()]);
        tx.execute_raw(lock).await?;
        let mut known = known_in_tx(&tx, &drafts).await?;
        let mut recorded = 0;
        for draft in drafts {
            if !known.insert(key(&draft)) {
                continue;
            }
            let rate = insert_in_tx(&tx, now, draft).await?;
            record_in_tx(&tx, viewer, now, &rate).await?;
            recorded += 1;
        }
        succeed_in_tx(&tx, viewer, now, job.0, job.1).await?;
        self.domain.commit(tx).await?;
        Ok(recorded)
    }
}

fn parse(rates: &[NewMetalRate], now: DateTime<Utc>) -> Result<Vec<rules::Draft>> {
    if rates.len() > FETCHED_MAX {
        return Err(Refusal::new(Code::TooMany, "rates")
            .with("max", FETCHED_MAX)
            .into());
    }
    let parse = |(index, rate): (usize, &NewMetalRate)| {
        if rate.effective_at.is_none() {
            let refusal = Refusal::new(Code::Required, "effectiveAt");
            return Err(refusal.in_row(index).into());
        }
        rules::parse_new(rate, now).map_err(|error| in_row(error, index))
    };
    rates.iter().enumerate().map(parse).collect()
}

fn in_row(error: Error, index: usize) -> Error {
    match error {
        Error::Refused(refusals) => {
            let refusals = refusals.into_iter();
            Error::Refused(refusals.map(|refusal| refusal.in_row(index)).collect())
        }
        other => other,
    }
}

/// Those that there are of the same sources and times.
async fn known_in_tx(tx: &DatabaseTransaction, drafts: &[rules::Draft]) -> Result<BTreeSet<Key>> {
    let times = drafts.iter().map(|draft| draft.effective_at);
    let sources = drafts.iter().map(|draft| draft.source.clone());
    let known = Entity::find()
        .filter(Column::EffectiveAt.is_in(times))
        .filter(Column::Source.is_in(sources));
    let known = known.all(tx).await?.into_iter();
    Ok(known
        .map(|rate| {
            let source = format!("{} {}", rate.source, text(rate.metal));
            let prices = (rate.fineness.normalize(), rate.price_per_gram.normalize());
            (source, prices.0, rate.currency, prices.1, rate.effective_at)
        })
        .collect())
}

fn key(draft: &rules::Draft) -> Key {
    (
        format!("{} {}", draft.source, text(draft.metal)),
        draft.fineness.normalize(),
        draft.currency.as_str().to_owned(),
        draft.price_per_gram.normalize(),
        draft.effective_at,
    )
}

fn text(metal: Metal) -> String {
    metal.to_value()
}
