//! Which account stands beside an account that is valued, as clients see it and say it.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{Permission, account::AccountValuation as Row};
use entity::id::AccountId;

use super::Account;
use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{load, preload},
    payload::{UserError, settle},
};

/// An account that is valued in the shop's currency, and the account that stands beside it and takes by how much its value has changed.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AccountValuation {
    /// When somebody said so.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    valuation_id: Option<AccountId>,
}

impl AccountValuation {
    fn new(row: Row) -> Self {
        let Row {
            account_id,
            valuation_id,
            updated_at,
        } = row;
        Self {
            updated_at,
            account_id,
            valuation_id,
        }
    }
}

#[ComplexObject]
impl AccountValuation {
    /// Which account is valued.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// Which one stands beside it; null when it is that of the role.
    async fn valuation_account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let Some(id) = self.valuation_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Queries about accounts that stand beside others.
#[derive(Default)]
pub struct AccountValuationQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl AccountValuationQuery {
    /// Which accounts have one of their own beside them, by their codes. Beside all others stands that of the role. Needs `books.read`.
    #[graphql(complexity = "cost::tree(None, child_complexity)")]
    async fn account_valuations(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<AccountValuation>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().accounts().valuations(viewer).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        preload(ctx, rows.iter().filter_map(|row| row.valuation_id)).await?;
        Ok(rows.into_iter().map(AccountValuation::new).collect())
    }
}

/// Which account stands beside which.
#[derive(InputObject)]
pub struct AccountValuationSetInput {
    /// Which account is valued: of assets or of liabilities, and no group.
    account_id: ID,
    /// Which one stands beside it: another of the same kind that takes the shop's currency, and demands no subsidiary account. That of the role
    /// `ASSET_VALUATION` or `LIABILITY_VALUATION` without.
    valuation_account_id: Option<ID>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of saying so.
#[derive(SimpleObject)]
pub struct AccountValuationSetPayload {
    /// Which account stands beside which; null when it was refused.
    account_valuation: Option<AccountValuation>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of accounts that stand beside others.
#[derive(Default)]
pub struct AccountValuationMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl AccountValuationMutation {
    /// Says which account stands beside one that is valued, and takes by how much its value has changed. Needs `books.manage`.
    async fn account_valuation_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account stands beside which.")] input: AccountValuationSetInput,
    ) -> async_graphql::Result<AccountValuationSetPayload> {
        let AccountValuationSetInput {
            account_id,
            valuation_account_id,
            idempotency_key,
        } = input;
        let set = async {
            let id = AccountId::parse("accountId", &account_id)?;
            let beside = valuation_account_id.map(|id| AccountId::parse("valuationAccountId", &id));
            let key = idempotency_key.as_deref();
            let accounts = ctx.domain().accounts();
            accounts
                .set_valuation(ctx.viewer(), id, beside.transpose()?, key)
                .await
        };
        let (row, user_errors) = settle(ctx, set.await)?;
        Ok(AccountValuationSetPayload {
            account_valuation: row.map(AccountValuation::new),
            user_errors,
        })
    }
}
