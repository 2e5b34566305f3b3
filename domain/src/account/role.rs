//! Accounts that use cases post to by themselves, when nobody names another.

use chrono::{DateTime, Utc};
use entity::id::AccountId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::{Account, Accounts, Kind, query};
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
}

impl Role {
    /// The stable text in the table.
    fn code(self) -> &'static str {
        match self {
            Self::RetainedEarnings => "retained_earnings",
        }
    }

    /// What such an account is about.
    fn kind(self) -> Kind {
        match self {
            Self::RetainedEarnings => Kind::Equity,
        }
    }

    fn of(code: &str) -> Option<Self> {
        let mut all = [Self::RetainedEarnings].into_iter();
        all.find(|role| role.code() == code)
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
        let sql = "INSERT INTO account_role (role, account_id, updated_at) VALUES ($1, $2, $3)
                   ON CONFLICT (role) DO UPDATE SET account_id = EXCLUDED.account_id, updated_at = EXCLUDED.updated_at";
        let values = [role.code().into(), account_id.into(), now.into()];
        tx.execute_raw(statement(sql, values)).await?;
        let set = AccountRole {
            role,
            account_id,
            updated_at: now,
        };
        let change = Change {
            action: operation,
            aggregate_type: "account",
            aggregate_id: account_id.0,
            before: None,
            after: Some(&set),
        };
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
    if account.kind != role.kind() {
        use sea_orm::ActiveEnum as _;
        let refusal = Refusal::new(Code::WrongAccountKind, "accountId");
        return Err(refusal.with("expected", role.kind().to_value()));
    }
    Ok(())
}
