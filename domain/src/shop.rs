//! What is said once for the whole shop: in which currency its stock is valued, and where its days begin and end.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

pub use entity::shop::Model as Shop;

use crate::{
    Domain,
    audit::{self, Change},
    currency::Currency,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::statement,
    version,
    viewer::Viewer,
};

/// There is one shop: what is written about it names no other.
const SHOP: Uuid = Uuid::nil();
/// Longest name of a time zone.
const TIME_ZONE_MAX: usize = 64;

/// What is to be said otherwise. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ShopChange {
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
}

/// What is said for the whole shop: its use case and query.
#[derive(Clone, Copy, Debug)]
pub struct Shops<'a> {
    pub(crate) domain: &'a Domain,
}

impl Shops<'_> {
    /// What is said.
    ///
    /// # Errors
    /// When nobody is logged in, or the database does not answer.
    pub async fn get(&self, viewer: &Viewer) -> Result<Shop> {
        viewer.require(Permission::CatalogueRead)?;
        read(&self.domain.reads).await
    }

    /// Changes the currency or the time zone. As soon as anything in stock has a value, it is too late for another currency. In another time
    /// zone a worker makes all days of time series anew.
    ///
    /// # Errors
    /// When nothing is given, it is no currency or no time zone, stock is valued in another currency, or somebody changed it since
    /// `expected_version`.
    pub async fn set(
        &self,
        viewer: &Viewer,
        change: ShopChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Shop> {
        viewer.require(Permission::ShopManage)?;
        if change.currency.is_none() && change.time_zone.is_none() {
            return Err(Refusal::new(Code::Required, "currency").into());
        }
        let currency = change.currency.as_deref();
        let currency = currency
            .map(|code| Currency::parse("currency", code))
            .transpose()?;
        let time_zone = change.time_zone.as_deref();
        let time_zone = time_zone.map(parse_time_zone).transpose()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (currency, time_zone, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "shop.set", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx).await?;
        version::check(before.version, expected_version)?;
        let after = write_in_tx(&tx, now, currency, time_zone).await?;
        record_in_tx(&tx, viewer, now, &before, &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }
}

/// What may be a name; the database knows whether it is one.
fn parse_time_zone(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    let may_be =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    if name.is_empty() || name.len() > TIME_ZONE_MAX || !name.bytes().all(may_be) {
        return Err(unknown_zone(name));
    }
    Ok(name)
}

fn unknown_zone(name: &str) -> Refusal {
    Refusal::new(Code::UnknownTimeZone, "timeZone").with("value", name)
}

async fn read(db: &impl ConnectionTrait) -> Result<Shop> {
    one(Shop::find_by_statement(statement("SELECT * FROM shop", []))
        .one(db)
        .await?)
}

/// Which day it is where the shop is.
pub(crate) async fn day_in_tx(tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<NaiveDate> {
    let sql = "SELECT ($1 AT TIME ZONE time_zone)::date AS day FROM shop";
    let row = tx.query_one_raw(statement(sql, [now.into()])).await?;
    let row = row.ok_or_else(|| Error::internal("there is no shop"))?;
    Ok(row.try_get("", "day")?)
}

async fn lock_in_tx(tx: &DatabaseTransaction) -> Result<Shop> {
    let sql = "SELECT * FROM shop FOR NO KEY UPDATE";
    one(Shop::find_by_statement(statement(sql, [])).one(tx).await?)
}

fn one(shop: Option<Shop>) -> Result<Shop> {
    shop.ok_or_else(|| Error::internal("there is no shop"))
}

async fn write_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    currency: Option<Currency>,
    time_zone: Option<&str>,
) -> Result<Shop> {
    let sql = "UPDATE shop SET currency = COALESCE($1, currency), currency_scale = COALESCE($2, currency_scale), time_zone = COALESCE($3, time_zone), \
               version = version + 1, updated_at = $4 RETURNING *";
    let scale = currency.map(|currency| i16::try_from(currency.minor_unit()).unwrap_or(i16::MAX));
    let code = currency.map(|currency| currency.as_str().to_owned());
    let zone = time_zone.map(str::to_owned);
    let values = [code.into(), scale.into(), zone.into(), now.into()];
    let written = Shop::find_by_statement(statement(sql, values))
        .one(tx)
        .await;
    let refusals = [
        ("shop_currency_stays", Refusal::new(Code::InUse, "currency")),
        (
            "shop_time_zone_known",
            unknown_zone(time_zone.unwrap_or_default()),
        ),
    ];
    let written = written.map_err(|error| refuse_if_broken(error, &refusals))?;
    one(written)
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &Shop,
    after: &Shop,
) -> Result<()> {
    let change = Change {
        action: "shop.set",
        aggregate_type: "shop",
        aggregate_id: SHOP,
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let event = NewEvent {
        kind: Kind::StockChanged,
        aggregate_id: SHOP,
        aggregate_version: after.version,
        payload: &json!({ "action": "shop.set" }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}
