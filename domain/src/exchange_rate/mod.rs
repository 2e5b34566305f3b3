//! Exchange rates: what one of a currency is worth in the shop's currency, by days.
//!
//! Rates are only ever added. Of several of one day the one that was recorded last counts, so a mistake is corrected by recording another one. Two
//! currencies convert through the shop's; what metals are worth follows from their own rates, as prices do
//! ([ADR 26](../docs/adr/0026-rates-and-revaluation.md)).

mod query;
mod rules;

pub(crate) use query::no_rate;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::{DatabaseTransaction, FromQueryResult as _};
use serde::Serialize;

pub use entity::exchange_rate::Model as ExchangeRate;

use crate::{
    Domain,
    audit::{self, Actor, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    permission::Permission,
    shop,
    sql::statement,
    viewer::Viewer,
};

/// A rate to be recorded.
#[derive(Clone, Debug, Serialize)]
pub struct NewExchangeRate {
    /// Of which currency: none that is the shop's.
    pub commodity: String,
    /// How much of the shop's currency one of it is worth.
    pub rate: Decimal,
    /// Of which day; of today without.
    pub date: Option<NaiveDate>,
    /// Where it comes from.
    pub source: String,
}

/// Which rates. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRateFilter {
    /// Of this currency.
    pub commodity: Option<String>,
    /// Of this day or later.
    pub from: Option<NaiveDate>,
    /// Of this day or earlier.
    pub until: Option<NaiveDate>,
    /// As it was known then.
    pub known_at: Option<DateTime<Utc>>,
}

/// What is to be converted into what.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// One of which commodity: a currency, or a gram of fine metal.
    pub from: String,
    /// Into which; into the shop's currency without.
    pub to: Option<String>,
    /// At the end of which day; of today without.
    pub date: Option<NaiveDate>,
    /// As it was known then; as it is known now without.
    pub known_at: Option<DateTime<Utc>>,
}

/// How much of one commodity another one is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// One of which commodity.
    pub from_code: String,
    /// Into which.
    pub to_code: String,
    /// At the end of which day.
    pub date: NaiveDate,
    /// How much: as it was recorded, where it is a currency's in the shop's; rounded to 15 digits everywhere else.
    pub rate: Decimal,
    /// The day of the rate that was taken of the one; none for the shop's currency.
    pub from_since: Option<NaiveDate>,
    /// The day of the rate that was taken of the other; likewise.
    pub to_since: Option<NaiveDate>,
}

/// Exchange rates: their use case and queries.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeRates<'a> {
    pub(crate) domain: &'a Domain,
}

impl ExchangeRates<'_> {
    /// Records what one of a currency is worth in the shop's.
    ///
    /// # Errors
    /// When a value is refused: it is no currency, or the shop's, or the day is still to come.
    pub async fn record(
        &self,
        viewer: &Viewer,
        new: NewExchangeRate,
        key: Option<&str>,
    ) -> Result<ExchangeRate> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "exchange_rate.record";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let today = shop::day_in_tx(&tx, now).await?;
        let date = rules::check_date(parsed.date.unwrap_or(today), today)?;
        let rate = insert_in_tx(&tx, viewer, now, date, &parsed).await?;
        let change = Change::of_new(operation, "exchange_rate", rate.id.0, &rate);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &rate).await?;
        self.domain.commit(tx).await?;
        Ok(rate)
    }

    /// A page of the rates that pass the filter, the latest day first, and of one day the one that counts.
    ///
    /// # Errors
    /// When the viewer may not see the books, or an argument is wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &ExchangeRateFilter,
        args: &PageArgs,
    ) -> Result<Page<ExchangeRate>> {
        viewer.require(Permission::BooksRead)?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// How much of one commodity another one is worth.
    ///
    /// # Errors
    /// When the viewer may not see the books, there is no such commodity, or nobody had recorded a rate of it for that day or an earlier one.
    pub async fn quote(&self, viewer: &Viewer, of: &Conversion) -> Result<Quote> {
        viewer.require(Permission::BooksRead)?;
        query::quote(&self.domain.reads, of, self.domain.now()).await
    }
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    date: NaiveDate,
    parsed: &rules::Parsed,
) -> Result<ExchangeRate> {
    let sql = "INSERT INTO exchange_rate (id, currency, base_currency, date, rate, source, recorded_at, actor_kind, actor_id, actor_name)
               SELECT $1, $2, currency, $3, $4, $5, $6, $7, $8, $9 FROM shop RETURNING *";
    let Actor { kind, id, name } = Actor::of(viewer);
    let currency = parsed.currency.as_str();
    let values = [
        new_id(now).into(),
        currency.into(),
        date.into(),
        parsed.rate.into(),
        parsed.source.clone().into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
    ];
    let inserted = ExchangeRate::find_by_statement(statement(sql, values));
    let unknown = Refusal::new(Code::UnknownCommodity, "commodity").with("value", currency);
    let own = Refusal::new(Code::NotACurrency, "commodity").with("value", currency);
    let inserted = inserted.one(tx).await.map_err(|error| {
        refuse_if_broken(
            error,
            &[
                ("exchange_rate_currency_fkey", unknown),
                ("exchange_rate_of_another", own),
            ],
        )
    })?;
    inserted.ok_or_else(|| Error::internal("a rate was recorded and gave no row"))
}
