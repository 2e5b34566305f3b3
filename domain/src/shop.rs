//! What is said once for the whole shop: in which currency its stock is valued.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
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
    viewer::Viewer,
};

/// There is one shop: what is written about it names no other.
const SHOP: Uuid = Uuid::nil();

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

    /// Changes the currency. As soon as anything in stock has a value, that is too late.
    ///
    /// # Errors
    /// When it is no currency, stock is valued in another, or somebody changed it since `expected_version`.
    pub async fn set(
        &self,
        viewer: &Viewer,
        currency: &str,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Shop> {
        viewer.require(Permission::ShopManage)?;
        let currency = Currency::parse("currency", currency)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (currency, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "shop.set", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx).await?;
        if let Some(expected) = expected_version.filter(|expected| *expected != before.version) {
            let refusal = Refusal::new(Code::StaleVersion, "expectedVersion");
            let refusal = refusal
                .with("expected", expected)
                .with("actual", before.version);
            return Err(refusal.into());
        }
        let after = write_in_tx(&tx, now, currency).await?;
        record_in_tx(&tx, viewer, now, &before, &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<Shop> {
    one(Shop::find_by_statement(statement("SELECT * FROM shop", []))
        .one(db)
        .await?)
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
    currency: Currency,
) -> Result<Shop> {
    let sql = "UPDATE shop SET currency = $1, currency_scale = $2, version = version + 1, updated_at = $3 RETURNING *";
    let scale = i16::try_from(currency.minor_unit()).unwrap_or(i16::MAX);
    let values = [currency.as_str().into(), scale.into(), now.into()];
    let written = Shop::find_by_statement(statement(sql, values))
        .one(tx)
        .await;
    let in_use = Refusal::new(Code::InUse, "currency");
    let written =
        written.map_err(|error| refuse_if_broken(error, &[("shop_currency_stays", in_use)]))?;
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
