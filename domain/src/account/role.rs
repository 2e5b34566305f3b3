//! Accounts that use cases post to by themselves, when nobody names another.

use chrono::{DateTime, Utc};
use entity::id::AccountId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::{Account, Accounts, Kind, query, valuation};
use crate::{
    audit::{self, Change},
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes what a closed fiscal year has earned: of equity.
    RetainedEarnings,
    /// Takes what is gained and lost because rates change: of revenue, or of expenses.
    ExchangeDifference,
    /// Stands beside accounts of assets that have none of their own beside them, and takes by how much their values have changed.
    AssetValuation,
    /// The same beside accounts of liabilities.
    LiabilityValuation,
}

impl Role {
    /// The stable text in the table.
    fn code(self) -> &'static str {
        match self {
            Self::RetainedEarnings => "retained_earnings",
            Self::ExchangeDifference => "exchange_difference",
            Self::AssetValuation => "asset_valuation",
            Self::LiabilityValuation => "liability_valuation",
        }
    }

    /// What such an account is about: one of these.
    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::RetainedEarnings => &[Kind::Equity],
            Self::ExchangeDifference => &[Kind::Revenue, Kind::Expense],
            Self::AssetValuation => &[Kind::Asset],
            Self::LiabilityValuation => &[Kind::Liability],
        }
    }

    /// Whether revaluations post to it, in the shop's currency.
    fn is_of_revaluations(self) -> bool {
        self != Self::RetainedEarnings
    }

    fn of(code: &str) -> Option<Self> {
        let all = [
            Self::RetainedEarnings,
            Self::ExchangeDifference,
            Self::AssetValuation,
            Self::LiabilityValuation,
        ];
        all.into_iter().find(|role| role.code() == code)
    }
}

/// An account and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRole {
    /// What it is for.
    pub role: Role,
    /// Which account.
    pub account_id: AccountId,
    /// When somebody said so.
    pub updated_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct Row {
    role: String,
    account_id: AccountId,
    updated_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Says which account is for what.
    ///
    /// # Errors
    /// When there is no such account, it is a group, or it is about something else.
    pub async fn set_role(
        &self,
        viewer: &Viewer,
        role: Role,
        account_id: AccountId,
        key: Option<&str>,
    ) -> Result<AccountRole> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (role, account_id);
        let operation = "account.role_set";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let account = query::share_in_tx(&tx, account_id).await?;
        let account = account.ok_or_else(|| Refusal::new(Code::NotFound, "accountId"))?;
        check(role, &account)?;
        if role.is_of_revaluations() {
            valuation::check_takes_shop_currency_in_tx(&tx, &account, "accountId").await?;
        }
        let sql = "INSERT INTO account_role (role, account_id, updated_at) VALUES ($1, $2, $3)
                   ON CONFLICT (role) DO UPDATE SET account_id = EXCLUDED.account_id, updated_at = EXCLUDED.updated_at";
        let values = [role.code().into(), account_id.into(), now.into()];
        tx.execute_raw(statement(sql, values)).await?;
        let set = AccountRole {
            role,
            account_id,
            updated_at: now,
        };
        let change = Change::of_new(operation, "account", account_id.0, &set);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &set).await?;
        self.domain.commit(tx).await?;
        Ok(set)
    }

    /// Which accounts are for what.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn roles(&self, viewer: &Viewer) -> Result<Vec<AccountRole>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT role, account_id, updated_at FROM account_role ORDER BY role";
        let rows = Row::find_by_statement(statement(sql, []));
        let rows = rows.all(&self.domain.reads).await?.into_iter();
        let roles = rows.map(|row| {
            let role = Role::of(&row.role);
            Ok(AccountRole {
                role: role.ok_or_else(|| Error::internal("an unknown role of an account"))?,
                account_id: row.account_id,
                updated_at: row.updated_at,
            })
        });
        roles.collect()
    }
}

/// The account that is for this, if somebody said so.
pub(crate) async fn role_in_tx(tx: &DatabaseTransaction, role: Role) -> Result<Option<AccountId>> {
    let sql = "SELECT account_id FROM account_role WHERE role = $1";
    let row = tx
        .query_one_raw(statement(sql, [role.code().into()]))
        .await?;
    let id = row.map(|row| row.try_get("", "account_id")).transpose()?;
    Ok(id)
}

fn check(role: Role, account: &Account) -> Result<(), Refusal> {
    if account.is_group {
        let refusal = Refusal::new(Code::AccountIsGroup, "accountId");
        return Err(refusal.with("account", &account.code));
    }
    if !role.kinds().contains(&account.kind) {
        use sea_orm::ActiveEnum as _;
        let refusal = Refusal::new(Code::WrongAccountKind, "accountId");
        let expected = role.kinds().first().map(|kind| kind.to_value());
        return Err(refusal.with("expected", expected.unwrap_or_default()));
    }
    Ok(())
}
