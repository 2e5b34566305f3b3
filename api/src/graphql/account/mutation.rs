//! What clients can do to the chart of accounts.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    account::{AccountChange, NewAccount, Template},
};
use entity::id::AccountId;

use super::{Account, AccountKind, AccountSide};
use crate::graphql::{
    category::patch,
    context::ContextExt,
    dimension::DimensionKind,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
    translation::{self, Translation},
};

/// An account to be.
#[derive(InputObject)]
pub struct AccountCreateInput {
    /// In which group; a root without.
    parent_id: Option<ID>,
    /// What it is about. Of a root; what lies in a group is about the same.
    kind: Option<AccountKind>,
    /// What bookkeepers call it: letters, digits, `-`, `_`, `.`, `/`, `+` and `#`, at most 64. Becomes upper case; unique.
    code: String,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// Whether it holds accounts, and is not posted to itself. Cannot change later.
    #[graphql(default)]
    is_group: bool,
    /// On which side it usually grows; on that of its kind without.
    normal_side: Option<AccountSide>,
    /// Code of the only commodity that is posted to it; any without. Not of groups.
    commodity: Option<String>,
    /// Of which kind the subsidiary accounts are that each line of it has to name: no cost centre, no project. Lines name none without.
    /// Not of groups.
    subsidiary_kind: Option<DimensionKind>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What is to be different about an account. What is not given stays; null clears.
#[derive(InputObject)]
pub struct AccountUpdateInput {
    /// Which account.
    id: ID,
    /// What bookkeepers call it.
    code: Option<String>,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// On which side it usually grows. Only as long as nothing was posted to it.
    normal_side: Option<AccountSide>,
    /// Code of the only commodity that is posted to it. Only as long as nothing was posted to it.
    commodity: MaybeUndefined<String>,
    /// Of which kind the subsidiary accounts are that each line of it has to name. Only as long as nothing was posted to it.
    subsidiary_kind: MaybeUndefined<DimensionKind>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
    /// Refuse when the account's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One account, as the client knows it.
#[derive(InputObject)]
pub struct AccountArchiveInput {
    /// Which account.
    id: ID,
    /// Refuse when the account's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A chart of accounts to begin with.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Template")]
pub enum AccountTemplate {
    /// Of a shop that buys and sells.
    GeneralRetail,
    /// Of a jeweller: metal, ojrat and sood are apart, and metal is kept by weight beside money.
    Jeweller,
}

/// A chart to create.
#[derive(InputObject)]
pub struct AccountTemplateApplyInput {
    /// Which one.
    template: AccountTemplate,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! account_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The account; null when it was refused.
            account: Option<Account>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: Outcome) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { account: row.map(|row| Account::new(ctx, row)), user_errors })
            }
        }
    )+};
}

account_payloads! {
    /// What became of creating an account.
    AccountCreatePayload,
    /// What became of changing an account.
    AccountUpdatePayload,
    /// What became of archiving an account.
    AccountArchivePayload,
    /// What became of taking an account into use again.
    AccountRestorePayload,
}

/// What became of creating a chart.
#[derive(SimpleObject)]
pub struct AccountTemplateApplyPayload {
    /// All its accounts and groups, by code; null when it was refused.
    accounts: Option<Vec<Account>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of accounts.
#[derive(Default)]
pub struct AccountMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl AccountMutation {
    /// Creates an account, or a group of accounts. Needs `books.manage`.
    async fn account_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to be.")] input: AccountCreateInput,
    ) -> async_graphql::Result<AccountCreatePayload> {
        AccountCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes what an account is called, and, as long as nothing was posted to it, what is posted to it. Needs `books.manage`.
    async fn account_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account, and what is to be different.")] input: AccountUpdateInput,
    ) -> async_graphql::Result<AccountUpdatePayload> {
        AccountUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Archives an account, or a group with all that is in it: nothing is posted to it any more. Needs `books.manage`.
    async fn account_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account.")] input: AccountArchiveInput,
    ) -> async_graphql::Result<AccountArchivePayload> {
        let AccountArchiveInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let archived = async {
            let id = AccountId::parse("id", &id)?;
            let accounts = ctx.domain().accounts();
            let key = idempotency_key.as_deref();
            accounts
                .archive(ctx.viewer(), id, expected_version, key)
                .await
        };
        AccountArchivePayload::of(ctx, archived.await)
    }

    /// Takes an account into use again, with what was archived together with it. Needs `books.manage`.
    async fn account_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account.")] input: AccountArchiveInput,
    ) -> async_graphql::Result<AccountRestorePayload> {
        let AccountArchiveInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let restored = async {
            let id = AccountId::parse("id", &id)?;
            let accounts = ctx.domain().accounts();
            let key = idempotency_key.as_deref();
            accounts
                .restore(ctx.viewer(), id, expected_version, key)
                .await
        };
        AccountRestorePayload::of(ctx, restored.await)
    }

    /// Creates a whole chart of accounts at once, beside what there is. Needs `books.manage`.
    async fn account_template_apply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which chart.")] input: AccountTemplateApplyInput,
    ) -> async_graphql::Result<AccountTemplateApplyPayload> {
        let AccountTemplateApplyInput {
            template,
            idempotency_key,
        } = input;
        let accounts = ctx.domain().accounts();
        let key = idempotency_key.as_deref();
        let applied = accounts
            .apply_template(ctx.viewer(), template.into(), key)
            .await;
        let (rows, user_errors) = settle(ctx, applied)?;
        let accounts = rows.map(|rows| {
            let accounts = rows.into_iter().map(|row| Account::new(ctx, row));
            accounts.collect()
        });
        Ok(AccountTemplateApplyPayload {
            accounts,
            user_errors,
        })
    }
}

type Outcome = domain::Result<domain::account::Account>;

async fn create(ctx: &Context<'_>, input: AccountCreateInput) -> Outcome {
    let AccountCreateInput {
        parent_id,
        kind,
        code,
        name,
        is_group,
        normal_side,
        commodity,
        subsidiary_kind,
        external_reference,
        idempotency_key,
    } = input;
    let parent = parent_id.map(|id| AccountId::parse("parentId", &id));
    let new = NewAccount {
        parent_id: parent.transpose()?,
        kind: kind.map(Into::into),
        code,
        name: translation::input("name", name)?,
        is_group,
        normal_side: normal_side.map(Into::into),
        commodity,
        external_reference,
        subsidiary_kind: subsidiary_kind.map(Into::into),
    };
    let accounts = ctx.domain().accounts();
    accounts
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: AccountUpdateInput) -> Outcome {
    let AccountUpdateInput {
        id,
        code,
        name,
        normal_side,
        commodity,
        subsidiary_kind,
        external_reference,
        expected_version,
        idempotency_key,
    } = input;
    let id = AccountId::parse("id", &id)?;
    let name = name.map(|name| translation::input("name", name));
    let change = AccountChange {
        code,
        name: name.transpose()?,
        normal_side: normal_side.map(Into::into),
        commodity: patch(commodity),
        external_reference: patch(external_reference),
        subsidiary_kind: patch(subsidiary_kind.map_value(Into::into)),
    };
    let key = idempotency_key.as_deref();
    let accounts = ctx.domain().accounts();
    accounts
        .update(ctx.viewer(), id, change, expected_version, key)
        .await
}
