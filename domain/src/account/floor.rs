//! Floors: what an account, or one of its subsidiary accounts, may not fall below, with what is held against it.
//!
//! The database keeps them, whoever posts or holds and however many at once
//! ([ADR 21](../docs/adr/0021-subsidiary-ledgers-holds-and-closing.md)). One may be set below which an account is already: then it may only rise.

use chrono::{DateTime, Utc};
use entity::id::{AccountFloorId, AccountId, DimensionValueId};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::Serialize;
use serde_json::json;

pub use entity::account_floor::Model as AccountFloor;

use super::{Account, Accounts, Side, parse_commodity, query, write};
use crate::{
    audit::{self, Change},
    clock::new_id,
    decimal,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::{statement, uuids},
    version,
    viewer::Viewer,
};

/// Decimal places of any amount.
const PLACES: u32 = 6;
/// Largest amount, in millionths.
const AMOUNT_MAX: i128 = 999_999_999_999_999_999_999_999;

/// A floor to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewFloor {
    /// Of which account.
    pub account_id: AccountId,
    /// Of which of its subsidiary accounts; of all together without.
    pub subsidiary_id: Option<DimensionValueId>,
    /// Of which commodity; the account's only one without, or the shop's currency.
    pub commodity: Option<String>,
    /// On which side it is counted; on the account's usual side without.
    pub side: Option<Side>,
    /// The least that is there. Negative: the most on the other side, such as a credit limit.
    pub amount: Decimal,
}

impl Accounts<'_> {
    /// Sets what an account, or one of its subsidiary accounts, may not fall below.
    ///
    /// # Errors
    /// When a value is refused, or there is no such account or subsidiary account of it.
    pub async fn set_floor(
        &self,
        viewer: &Viewer,
        new: NewFloor,
        key: Option<&str>,
    ) -> Result<AccountFloor> {
        viewer.require(Permission::BooksManage)?;
        let max = Decimal::from_i128_with_scale(AMOUNT_MAX, PLACES);
        let amount = decimal::within("amount", new.amount, (-max, max), PLACES)?;
        let commodity = new.commodity.as_deref();
        let commodity = commodity.map(|code| parse_commodity("commodity", code));
        let commodity = commodity.transpose()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "account.floor_set";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // Nobody posts while a floor changes.
        write::own_in_tx(&tx).await?;
        let account = query::lock_in_tx(&tx, new.account_id).await?;
        let account = account.ok_or_else(|| Refusal::new(Code::NotFound, "accountId"))?;
        check(&account, commodity.as_deref())?;
        check_subsidiary_in_tx(&tx, &account, new.subsidiary_id).await?;
        let sql = "INSERT INTO account_floor AS f (id, account_id, subsidiary_id, commodity, side, amount, updated_at)
                   SELECT $1, $2, $3, COALESCE($4, $5, s.currency), $6, $7, $8 FROM shop s
                   WHERE EXISTS (SELECT FROM commodity c WHERE c.code = COALESCE($4, $5, s.currency))
                   ON CONFLICT ON CONSTRAINT account_floor_alone
                   DO UPDATE SET amount = EXCLUDED.amount, version = f.version + 1, updated_at = EXCLUDED.updated_at
                   RETURNING *";
        let values = [
            new_id(now).into(),
            account.id.into(),
            new.subsidiary_id.map(|id| id.0).into(),
            commodity.clone().into(),
            account.commodity.clone().into(),
            new.side.unwrap_or(account.normal_side).to_value().into(),
            amount.into(),
            now.into(),
        ];
        let floor = AccountFloor::find_by_statement(statement(sql, values));
        let floor = floor.one(&tx).await?.ok_or_else(|| {
            let refusal = Refusal::new(Code::UnknownCommodity, "commodity");
            refusal.with("value", commodity.unwrap_or_default())
        })?;
        record_in_tx(&tx, viewer, now, operation, (None, Some(&floor)), &floor).await?;
        claim.keep_in_tx(&tx, &floor).await?;
        self.domain.commit(tx).await?;
        Ok(floor)
    }

    /// Takes a floor away: the account may have as little as it likes.
    ///
    /// # Errors
    /// When there is none such, or somebody changed it since `expected_version`.
    pub async fn clear_floor(
        &self,
        viewer: &Viewer,
        id: AccountFloorId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<AccountFloor> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let operation = "account.floor_clear";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_in_tx(&tx).await?;
        let sql = "DELETE FROM account_floor WHERE id = $1 RETURNING *";
        let floor = AccountFloor::find_by_statement(statement(sql, [id.into()]));
        let floor = floor.one(&tx).await?;
        let floor = floor.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        version::check(floor.version, expected_version)?;
        record_in_tx(&tx, viewer, now, operation, (Some(&floor), None), &floor).await?;
        claim.keep_in_tx(&tx, &floor).await?;
        self.domain.commit(tx).await?;
        Ok(floor)
    }

    /// The floors of these accounts, the first so many of each.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn floors_of(
        &self,
        viewer: &Viewer,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountFloor>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT f.* FROM unnest($1::uuid[]) a (id)
                   CROSS JOIN LATERAL (SELECT * FROM account_floor WHERE account_id = a.id ORDER BY id LIMIT 100) f
                   ORDER BY f.account_id, f.id";
        let floors = AccountFloor::find_by_statement(statement(sql, [uuids(accounts)]));
        Ok(floors.all(&self.domain.reads).await?)
    }
}

/// The trail and the event of a change to one floor.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    (before, after): (Option<&AccountFloor>, Option<&AccountFloor>),
    floor: &AccountFloor,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "account_floor",
        aggregate_id: floor.id.0,
        before,
        after,
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let event = NewEvent {
        kind: Kind::AccountFloorChanged,
        aggregate_id: floor.id.0,
        aggregate_version: floor.version,
        payload: &json!({ "action": action, "account": floor.account_id }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}

/// Only what is posted to has floors, of what is posted to it.
fn check(account: &Account, commodity: Option<&str>) -> Result<(), Refusal> {
    if account.is_group {
        let refusal = Refusal::new(Code::AccountIsGroup, "accountId");
        return Err(refusal.with("account", &account.code));
    }
    match (&account.commodity, commodity) {
        (Some(only), Some(asked)) if only != asked => {
            let refusal = Refusal::new(Code::WrongCommodity, "commodity");
            Err(refusal
                .with("account", &account.code)
                .with("commodity", asked)
                .with("expected", only))
        }
        _ => Ok(()),
    }
}

async fn check_subsidiary_in_tx(
    tx: &DatabaseTransaction,
    account: &Account,
    id: Option<DimensionValueId>,
) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let Some(kind) = account.subsidiary_kind else {
        let refusal = Refusal::new(Code::SubsidiaryUnwanted, "subsidiaryId");
        return Err(refusal.with("account", &account.code).into());
    };
    let sql = "SELECT kind FROM dimension_value WHERE id = $1";
    let row = tx.query_one_raw(statement(sql, [id.into()])).await?;
    let row = row.ok_or_else(|| Error::from(Refusal::new(Code::NotFound, "subsidiaryId")))?;
    let found: String = row.try_get("", "kind")?;
    if found != kind.to_value() {
        let refusal = Refusal::new(Code::WrongDimension, "subsidiaryId");
        return Err(refusal.with("expected", kind.to_value()).into());
    }
    Ok(())
}
