//! Writes of the chart of accounts.

use chrono::{DateTime, Utc};
use entity::{
    account::{Kind, Model as Account},
    id::AccountId,
    ltree::Ltree,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};

use super::rules::{Facts, FactsChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::statement,
    tree::Node,
    viewer::Viewer,
};

impl Node for Account {
    type Id = AccountId;
    const TABLE: &'static str = "account";
    const LOCK: i64 = 0x0061_6363_6f75_6e74;

    fn id(&self) -> AccountId {
        self.id
    }

    fn path(&self) -> &Ltree {
        &self.path
    }
}

/// Waits until nobody posts, and keeps others from it until the transaction ends.
pub(super) async fn own_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement("SELECT books_own()", [])).await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    parent_id: Option<AccountId>,
    kind: Kind,
    facts: Facts,
) -> Result<Account> {
    let Facts {
        code,
        name,
        is_group,
        normal_side,
        commodity,
        external_reference,
        subsidiary_kind,
    } = facts;
    let sql = "WITH new AS (SELECT nextval(pg_get_serial_sequence('account', 'number')) AS number)
               INSERT INTO account (id, number, parent_id, path, code, name, kind, normal_side, is_group, commodity, external_reference,
                                    created_at, updated_at, subsidiary_kind)
               OVERRIDING SYSTEM VALUE
               SELECT $1, number, $2, COALESCE((SELECT path FROM account WHERE id = $2), ''::ltree) || number::text, $3, $4, $5, $6, $7, $8, $9,
                      $10, $10, $11
               FROM new
               RETURNING id, number, parent_id, path::text AS path, code, name, kind, normal_side, is_group, commodity, external_reference,
                         archived_at, version, created_at, updated_at, subsidiary_kind, has_floor";
    let values = [
        new_id(now).into(),
        parent_id.into(),
        code.as_str().into(),
        serde_json::to_value(name)?.into(),
        kind.to_value().into(),
        normal_side.unwrap_or(kind.normal_side()).to_value().into(),
        is_group.into(),
        commodity.clone().into(),
        external_reference.clone().into(),
        now.into(),
        subsidiary_kind.map(|kind| kind.to_value()).into(),
    ];
    let inserted = Account::find_by_statement(statement(sql, values)).one(tx);
    let refuse = |error| {
        refused(
            error,
            &code,
            commodity.as_deref(),
            external_reference.as_deref(),
        )
    };
    one(inserted.await.map_err(refuse)?)
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    account: &Account,
    change: FactsChange,
) -> Result<Account> {
    let FactsChange {
        code,
        name,
        normal_side,
        commodity,
        external_reference,
        subsidiary_kind,
    } = change;
    let code = code.unwrap_or_else(|| account.code.clone());
    let name = name.unwrap_or_else(|| account.name.clone());
    let side = normal_side.unwrap_or(account.normal_side);
    let commodity = commodity.apply(account.commodity.clone());
    let reference = external_reference.apply(account.external_reference.clone());
    let subsidiaries = subsidiary_kind.apply(account.subsidiary_kind);
    let sql = "UPDATE account SET code = $2, name = $3, normal_side = $4, commodity = $5, external_reference = $6, version = version + 1,
                                  updated_at = $7, subsidiary_kind = $8
               WHERE id = $1
               RETURNING id, number, parent_id, path::text AS path, code, name, kind, normal_side, is_group, commodity, external_reference,
                         archived_at, version, created_at, updated_at, subsidiary_kind, has_floor";
    let values = [
        account.id.into(),
        code.as_str().into(),
        serde_json::to_value(name)?.into(),
        side.to_value().into(),
        commodity.clone().into(),
        reference.clone().into(),
        now.into(),
        subsidiaries.map(|kind| kind.to_value()).into(),
    ];
    let updated = Account::find_by_statement(statement(sql, values)).one(tx);
    let refuse = |error| refused(error, &code, commodity.as_deref(), reference.as_deref());
    one(updated.await.map_err(refuse)?)
}

fn one(account: Option<Account>) -> Result<Account> {
    account.ok_or_else(|| Error::internal("an account was written and gave no row"))
}

/// What a change of an account can break.
fn refused(error: DbErr, code: &str, commodity: Option<&str>, reference: Option<&str>) -> Error {
    let taken = |path, value| Refusal::new(Code::AlreadyTaken, path).with("value", value);
    let unknown = Refusal::new(Code::UnknownCommodity, "commodity");
    refuse_if_broken(
        error,
        &[
            ("account_code_unique", taken("code", code)),
            (
                "account_external_reference_unique",
                taken("externalReference", reference.unwrap_or_default()),
            ),
            (
                "account_commodity_fkey",
                unknown.with("value", commodity.unwrap_or_default()),
            ),
            ("account_stays_as_posted", Refusal::new(Code::InUse, "id")),
            ("account_of_stock", Refusal::new(Code::InUse, "id")),
        ],
    )
}

/// Stock is booked to nothing that is archived. Nobody says so meanwhile: the caller owns the books.
pub(super) async fn check_no_stock_in_tx(
    tx: &DatabaseTransaction,
    account: &Account,
) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT FROM stock_account s JOIN account a ON a.id = s.account_id WHERE a.path <@ $1::ltree) AS booked";
    let values = [account.path.0.as_str().into()];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    let booked = row.map(|row| row.try_get("", "booked")).transpose()?;
    if booked == Some(true) {
        return Err(Refusal::new(Code::InUse, "id").into());
    }
    Ok(())
}

/// The trail of a change to one account.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Account>,
    after: &Account,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "account",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
