//! Metal rates: what a gram of metal costs, from when on.
//!
//! Rates are only ever added, and nothing else is written when one is: prices that depend on a rate are derived when they are read
//! ([ADR 10](../docs/adr/0010-prices-are-derived.md)).

mod fetched;
mod query;
mod rules;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    id::MetalRateId,
    metal_rate::{ActiveModel, Entity},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde::Serialize;
use serde_json::json;

pub use entity::metal_rate::{Metal, Model as MetalRate};
pub use fetched::FETCHED_MAX;

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    currency::Currency,
    error::Result,
    event::{self, Kind, NewEvent},
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    permission::Permission,
    viewer::Viewer,
};

/// A rate to be recorded.
#[derive(Clone, Debug, Serialize)]
pub struct NewMetalRate {
    /// Of which metal.
    pub metal: Metal,
    /// Of which fineness, as people write it: `750`, `18K`.
    pub fineness: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Price of one gram of that fineness.
    pub price_per_gram: Decimal,
    /// From when on it holds; from now on without.
    pub effective_at: Option<DateTime<Utc>>,
    /// Where it comes from.
    pub source: String,
}

/// Which rates: those of one metal, in one currency, or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetalRateFilter {
    /// Of this metal only.
    pub metal: Option<Metal>,
    /// In this currency only.
    pub currency: Option<Currency>,
}

/// A metal and a currency: what a rate is asked for by.
pub type RateKey = (Metal, Currency);

/// Metal rates: their use case and queries.
#[derive(Clone, Copy, Debug)]
pub struct MetalRates<'a> {
    pub(crate) domain: &'a Domain,
}

impl MetalRates<'_> {
    /// Records a rate. Of all that have become effective the one with the latest time holds, so one that is back-dated corrects the past
    /// and the present only as far as no later one does.
    ///
    /// # Errors
    /// When a value is refused; a time may lie a few minutes ahead, as far as clocks differ, and holds from then on.
    pub async fn record(
        &self,
        viewer: &Viewer,
        new: NewMetalRate,
        key: Option<&str>,
    ) -> Result<MetalRate> {
        viewer.require(Permission::PricingWrite)?;
        let now = self.domain.now();
        let draft = rules::parse_new(&new, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "metal_rate.record", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let rate = insert_in_tx(&tx, now, draft).await?;
        record_in_tx(&tx, viewer, now, &rate).await?;
        claim.keep_in_tx(&tx, &rate).await?;
        self.domain.commit(tx).await?;
        Ok(rate)
    }

    /// The rate that holds now.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn latest(&self, viewer: &Viewer, key: RateKey) -> Result<Option<MetalRate>> {
        Ok(self.latest_of(viewer, &[key]).await?.pop())
    }

    /// The rates that hold now of these metals in these currencies, in any order; one statement for all.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn latest_of(&self, viewer: &Viewer, keys: &[RateKey]) -> Result<Vec<MetalRate>> {
        viewer.require(Permission::CatalogueRead)?;
        query::latest_of(&self.domain.reads, keys, self.domain.now()).await
    }

    /// The rates with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[MetalRateId]) -> Result<Vec<MetalRate>> {
        viewer.require(Permission::CatalogueRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of the rates that pass the filter, by the time from which they hold, latest first.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or an argument is wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &MetalRateFilter,
        args: &PageArgs,
    ) -> Result<Page<MetalRate>> {
        viewer.require(Permission::CatalogueRead)?;
        query::page(&self.domain.reads, filter, args).await
    }
}

/// The rates that hold now, by what they were asked for by.
pub(crate) async fn latest_by_key(
    db: &impl ConnectionTrait,
    keys: &[RateKey],
    now: DateTime<Utc>,
) -> Result<HashMap<RateKey, MetalRate>> {
    let rates = query::latest_of(db, keys, now).await?;
    let keyed = rates.into_iter().map(|rate| {
        let currency = Currency::parse("currency", &rate.currency)?;
        Ok(((rate.metal, currency), rate))
    });
    keyed.collect()
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    draft: rules::Draft,
) -> Result<MetalRate> {
    let rules::Draft {
        metal,
        fineness,
        currency,
        price_per_gram,
        effective_at,
        source,
    } = draft;
    let row = ActiveModel {
        id: Set(MetalRateId(new_id(now))),
        metal: Set(metal),
        fineness: Set(fineness),
        currency: Set(currency.as_str().to_owned()),
        price_per_gram: Set(price_per_gram),
        effective_at: Set(effective_at),
        source: Set(source),
        created_at: Set(now),
    };
    Ok(Entity::insert(row).exec_with_returning(tx).await?)
}

/// The trail and the one event. No item is touched, however many are priced by the rate.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rate: &MetalRate,
) -> Result<()> {
    let change = Change::of_new("metal_rate.record", "metal_rate", rate.id.0, rate);
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload =
        json!({ "action": "metal_rate.record", "metal": rate.metal, "currency": rate.currency });
    let event = NewEvent {
        kind: Kind::MetalRateChanged,
        aggregate_id: rate.id.0,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
