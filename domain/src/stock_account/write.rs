//! Writing which accounts are for what, and what of it the database refuses.

use entity::id::{AccountId, CategoryId, LocationId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};
use serde::Deserialize;
use uuid::Uuid;

use super::{Row, StockAccount, StockBooking, StockRole};
use crate::{
    Domain,
    audit::{self, Actor, Change},
    clock::new_id,
    db,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    sql::{statement, uuids},
    version,
    viewer::Viewer,
};

/// There is one way in which stock is booked: what is written about it names no other.
const BOOKING: Uuid = Uuid::nil();
/// No category, nor location, as arrays of nullable values do not bind.
const NO_ID: Uuid = Uuid::nil();

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Option<StockBooking>> {
    let sql = "SELECT since, version FROM stock_booking";
    let Some(head) = db.query_one_raw(statement(sql, [])).await? else {
        return Ok(None);
    };
    let sql = "SELECT role, category_id, location_id, account_id FROM stock_account ORDER BY role, category_id NULLS FIRST, location_id NULLS FIRST";
    let rows = Row::find_by_statement(statement(sql, [])).all(db).await?;
    let accounts = rows.into_iter().map(|row| {
        Ok(StockAccount {
            role: StockRole::of(&row.role)?,
            category_id: row.category_id,
            location_id: row.location_id,
            account_id: row.account_id,
        })
    });
    Ok(Some(StockBooking {
        since: head.try_get("", "since")?,
        version: head.try_get("", "version")?,
        accounts: accounts.collect::<Result<_>>()?,
    }))
}

pub(super) async fn set(
    domain: &Domain,
    viewer: &Viewer,
    accounts: Vec<StockAccount>,
    expected_version: Option<i64>,
    key: Option<&str>,
) -> Result<StockBooking> {
    let now = domain.now();
    let tx = domain.begin().await?;
    let operation = "stock_account.set";
    let asked = (&accounts, expected_version);
    let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
        Claimed::Before(answer) => return Ok(answer),
        Claimed::Now(claim) => claim,
    };
    // Nobody posts until it is said.
    tx.execute_raw(statement("SELECT books_own()", [])).await?;
    let before = read(&tx).await?;
    check_version(before.as_ref(), expected_version)?;
    if let Err(error) = write_in_tx(&tx, viewer, now, &accounts).await {
        return Err(refused(error));
    }
    let after = read(&tx).await?;
    let after = after.ok_or_else(|| Error::internal("stock is booked, and nothing says so"))?;
    let change = Change {
        action: operation,
        aggregate_type: "stock_booking",
        aggregate_id: BOOKING,
        before: before.as_ref(),
        after: Some(&after),
    };
    audit::write_in_tx(&tx, viewer, now, change).await?;
    claim.keep_in_tx(&tx, &after).await?;
    domain.commit(tx).await?;
    Ok(after)
}

fn check_version(before: Option<&StockBooking>, expected: Option<i64>) -> Result<(), Refusal> {
    version::check(before.map_or(0, |before| before.version), expected)
}

async fn write_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: chrono::DateTime<chrono::Utc>,
    accounts: &[StockAccount],
) -> Result<(), DbErr> {
    let Actor { kind, id, name } = Actor::of(viewer);
    let roles = accounts.iter().map(|one| one.role.code().to_owned());
    let categories = accounts
        .iter()
        .map(|one| one.category_id.unwrap_or(CategoryId(NO_ID)));
    let locations = accounts
        .iter()
        .map(|one| one.location_id.unwrap_or(LocationId(NO_ID)));
    let ids: Vec<AccountId> = accounts.iter().map(|one| one.account_id).collect();
    let entry: Uuid = new_id(now);
    let sql = "SELECT stock_accounts_set($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = [
        roles.collect::<Vec<_>>().into(),
        uuids(&categories.collect::<Vec<_>>()),
        uuids(&locations.collect::<Vec<_>>()),
        uuids(&ids),
        entry.into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// One thing that is wrong.
#[derive(Deserialize)]
struct Fault {
    code: String,
    /// Which account, from 1.
    place: Option<usize>,
    account: Option<String>,
    role: Option<String>,
}

fn refused(error: DbErr) -> Error {
    let Some((constraint, detail)) = db::broken(&error) else {
        return error.into();
    };
    match constraint.as_str() {
        "stock_fiscal_year" => Refusal::new(Code::NoPeriod, "accounts")
            .with("date", detail.unwrap_or_default())
            .into(),
        "journal_period_open" => Refusal::new(Code::PeriodClosed, "accounts").into(),
        "stock_account_fit" => {
            let faults: Vec<Fault> = detail
                .and_then(|detail| serde_json::from_str(&detail).ok())
                .unwrap_or_default();
            Error::Refused(faults.iter().map(told).collect())
        }
        _ => error.into(),
    }
}

fn told(fault: &Fault) -> Refusal {
    let index = fault.place.and_then(|place| place.checked_sub(1));
    let at = |code, field: &str| {
        let path = index.map_or_else(
            || "accounts".to_owned(),
            |index| format!("accounts.{index}.{field}"),
        );
        let refusal = Refusal::new(code, &path);
        refusal.with("account", fault.account.as_deref().unwrap_or_default())
    };
    match fault.code.as_str() {
        "account_unknown" => at(Code::NotFound, "accountId"),
        "account_is_group" => at(Code::AccountIsGroup, "accountId"),
        "account_archived" => at(Code::Archived, "accountId"),
        "not_an_asset" => at(Code::WrongAccountKind, "accountId").with("expected", "asset"),
        "category_unknown" => at(Code::NotFound, "categoryId"),
        "location_unknown" => at(Code::NotFound, "locationId"),
        "role_missing" => {
            at(Code::Required, "").with("value", fault.role.as_deref().unwrap_or_default())
        }
        _ => at(Code::UnfitForStock, "accountId"),
    }
}

/// What the books refuse of what happened in stock is known at the end of the transaction.
pub(crate) fn refused_at_commit(error: DbErr) -> Error {
    match db::broken(&error) {
        Some((constraint, detail)) if constraint == "stock_fiscal_year" => {
            let day = detail.unwrap_or_default();
            Refusal::new(Code::NoPeriod, "effectiveAt")
                .with("date", day)
                .into()
        }
        // Somebody added it while the receipt was being undone.
        Some((constraint, _)) if constraint == "stock_entry_bears_nothing" => {
            Refusal::new(Code::HasLandedCost, "id").into()
        }
        _ => error.into(),
    }
}
