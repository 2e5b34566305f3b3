//! Which account stands beside an account that is valued in the shop's currency: it takes by how much its value has changed.

use chrono::{DateTime, Utc};
use entity::id::AccountId;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::{Account, Accounts, Kind, query};
use crate::{
    audit::{self, Change},
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// An account, and the one that stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, FromQueryResult)]
pub struct AccountValuation {
    /// Which account is valued.
    pub account_id: AccountId,
    /// Which one stands beside it; that of its role without.
    pub valuation_id: Option<AccountId>,
    /// When somebody said so.
    pub updated_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Says which account stands beside one that is valued; without, that of the role for its kind does.
    ///
    /// # Errors
    /// When there is no such account, it is a group, both are not of assets or both of liabilities, or the one beside takes no amounts in the
    /// shop's currency alone.
    pub async fn set_valuation(
        &self,
        viewer: &Viewer,
        account_id: AccountId,
        valuation_id: Option<AccountId>,
        key: Option<&str>,
    ) -> Result<AccountValuation> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (account_id, valuation_id);
        let operation = "account.valuation_set";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let account = valued_in_tx(&tx, account_id).await?;
        match valuation_id {
            Some(id) => {
                check_beside_in_tx(&tx, &account, id).await?;
                let sql = "INSERT INTO account_valuation (account_id, valuation_id, kind, updated_at) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (account_id) DO UPDATE SET valuation_id = EXCLUDED.valuation_id, updated_at = EXCLUDED.updated_at";
                let values = [
                    account_id.into(),
                    id.into(),
                    account.kind.to_value().into(),
                    now.into(),
                ];
                tx.execute_raw(statement(sql, values)).await?;
            }
            None => {
                let sql = "DELETE FROM account_valuation WHERE account_id = $1";
                tx.execute_raw(statement(sql, [account_id.into()])).await?;
            }
        }
        let set = AccountValuation {
            account_id,
            valuation_id,
            updated_at: now,
        };
        let change = Change::of_new(operation, "account", account_id.0, &set);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &set).await?;
        self.domain.commit(tx).await?;
        Ok(set)
    }

    /// Which accounts have one beside them, where somebody has said so.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn valuations(&self, viewer: &Viewer) -> Result<Vec<AccountValuation>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT v.account_id, v.valuation_id, v.updated_at FROM account_valuation v JOIN account a ON a.id = v.account_id ORDER BY a.code";
        let rows = AccountValuation::find_by_statement(statement(sql, []));
        Ok(rows.all(&self.domain.reads).await?)
    }
}

/// An account that can be valued.
async fn valued_in_tx(tx: &DatabaseTransaction, id: AccountId) -> Result<Account> {
    let account = query::share_in_tx(tx, id).await?;
    let account = account.ok_or_else(|| Refusal::new(Code::NotFound, "accountId"))?;
    if account.is_group {
        let refusal = Refusal::new(Code::AccountIsGroup, "accountId");
        return Err(refusal.with("account", account.code).into());
    }
    if !matches!(account.kind, Kind::Asset | Kind::Liability) {
        let refusal = Refusal::new(Code::WrongAccountKind, "accountId");
        return Err(refusal.with("expected", Kind::Asset.to_value()).into());
    }
    Ok(account)
}

async fn check_beside_in_tx(
    tx: &DatabaseTransaction,
    account: &Account,
    id: AccountId,
) -> Result<()> {
    let path = "valuationAccountId";
    let beside = query::share_in_tx(tx, id).await?;
    let beside = beside.ok_or_else(|| Refusal::new(Code::NotFound, path))?;
    if beside.id == account.id {
        return Err(Refusal::new(Code::Cycle, path).into());
    }
    if beside.kind != account.kind {
        let refusal = Refusal::new(Code::WrongAccountKind, path);
        return Err(refusal.with("expected", account.kind.to_value()).into());
    }
    check_takes_shop_currency_in_tx(tx, &beside, path).await
}

/// What a revaluation posts is of the shop's currency, and of no subsidiary account.
pub(super) async fn check_takes_shop_currency_in_tx(
    tx: &DatabaseTransaction,
    account: &Account,
    path: &str,
) -> Result<()> {
    if account.is_group {
        let refusal = Refusal::new(Code::AccountIsGroup, path);
        return Err(refusal.with("account", &account.code).into());
    }
    if account.subsidiary_kind.is_some() {
        let refusal = Refusal::new(Code::SubsidiaryUnwanted, path);
        return Err(refusal.with("account", &account.code).into());
    }
    let row = tx
        .query_one_raw(statement("SELECT currency FROM shop", []))
        .await?;
    let currency: Option<String> = row.map(|row| row.try_get("", "currency")).transpose()?;
    if account.commodity.is_some() && account.commodity != currency {
        let refusal = Refusal::new(Code::WrongCommodity, path);
        return Err(refusal
            .with("account", &account.code)
            .with("commodity", currency.unwrap_or_default())
            .with("expected", account.commodity.clone().unwrap_or_default())
            .into());
    }
    Ok(())
}
