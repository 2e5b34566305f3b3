//! What clients can do to the chart of accounts as a whole: floors, roles, moves and imports.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    account::{AccountRole as RoleRow, IMPORT_COLUMNS, ImportRow, NewFloor},
};
use entity::id::{AccountFloorId, AccountId, DimensionValueId};
use platform::table;

use super::{Account, AccountSide, balance::AccountFloor};
use crate::graphql::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{load, preload},
    payload::{UserError, settle},
};

/// Longest table of accounts, in bytes.
const TABLE_MAX: usize = 2_000_000;

/// What an account is for, when nobody names another.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::account::Role")]
pub enum AccountRoleKind {
    /// Takes what a closed fiscal year has earned: of equity.
    RetainedEarnings,
    /// Takes what is gained and lost because rates change: of revenue, or of expenses.
    ExchangeDifference,
    /// Stands beside accounts of assets that have none of their own beside them, and takes by how much their values have changed.
    AssetValuation,
    /// The same beside accounts of liabilities.
    LiabilityValuation,
}

/// An account and what it is for.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AccountRole {
    /// What it is for.
    role: AccountRoleKind,
    /// When somebody said so.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    account_id: AccountId,
}

impl AccountRole {
    fn new(row: RoleRow) -> Self {
        let RoleRow {
            role,
            account_id,
            updated_at,
        } = row;
        Self {
            role: role.into(),
            updated_at,
            account_id,
        }
    }
}

#[ComplexObject]
impl AccountRole {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Queries about what accounts are for.
#[derive(Default)]
pub struct AccountRoleQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl AccountRoleQuery {
    /// Which accounts are for what. Needs `books.read`.
    #[graphql(complexity = "cost::rows(1, child_complexity)")]
    async fn account_roles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AccountRole>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().accounts().roles(viewer).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        Ok(rows.into_iter().map(AccountRole::new).collect())
    }
}

/// An account to move.
#[derive(InputObject)]
pub struct AccountMoveInput {
    /// Which account or group.
    id: ID,
    /// Into which group, of the same kind; to the roots without.
    parent_id: Option<ID>,
    /// Refuse when the account's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A chart of accounts as a table.
#[derive(InputObject)]
pub struct AccountImportInput {
    /// A table in CSV with a line of headers, at most 2 MB and 5,000 accounts. Columns: `code`, `parent_code`, `name_en`, `name_fa`, `kind`
    /// (`asset`, `liability`, `equity`, `revenue`, `expense`; of roots), `normal_side` (`debit`, `credit`), `group` (`yes`, `no`), `commodity`,
    /// `subsidiary_kind` (`party`, `bank`, `employee`, `other`). Lines in any order. What is wrong is told with the line, the headers being line 1.
    csv: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What an account may not fall below.
#[derive(InputObject)]
pub struct AccountFloorSetInput {
    /// Which account: no group.
    account_id: ID,
    /// Of which of its subsidiary accounts only.
    subsidiary_id: Option<ID>,
    /// Of which commodity; the account's only one without, or the shop's currency.
    commodity: Option<String>,
    /// On which side it is counted; on the account's usual side without. For a credit limit of customers, on the credit side, and negative.
    side: Option<AccountSide>,
    /// The least that is there, with what is held against it. It may be above what is there now: then it may only rise.
    amount: Decimal,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A floor to take away.
#[derive(InputObject)]
pub struct AccountFloorClearInput {
    /// Which floor.
    id: ID,
    /// Refuse when the floor's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What an account is for from now on.
#[derive(InputObject)]
pub struct AccountRoleSetInput {
    /// What it is for.
    role: AccountRoleKind,
    /// Which account: no group.
    account_id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of moving an account.
#[derive(SimpleObject)]
pub struct AccountMovePayload {
    /// The account; null when it was refused.
    account: Option<Account>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of importing accounts.
#[derive(SimpleObject)]
pub struct AccountImportPayload {
    /// All accounts and groups of the table, by code; null when it was refused.
    accounts: Option<Vec<Account>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of setting a floor.
#[derive(SimpleObject)]
pub struct AccountFloorSetPayload {
    /// The floor; null when it was refused.
    floor: Option<AccountFloor>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of taking a floor away.
#[derive(SimpleObject)]
pub struct AccountFloorClearPayload {
    /// The floor as it was; null when it was refused.
    floor: Option<AccountFloor>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of saying what an account is for.
#[derive(SimpleObject)]
pub struct AccountRoleSetPayload {
    /// The account with what it is for; null when it was refused.
    account_role: Option<AccountRole>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of the chart of accounts as a whole.
#[derive(Default)]
pub struct AccountChartMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl AccountChartMutation {
    /// Moves an account, or a group with all that is in it, into another group of the same kind. What was posted stays. Needs `books.manage`.
    async fn account_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account, and where to.")] input: AccountMoveInput,
    ) -> async_graphql::Result<AccountMovePayload> {
        let AccountMoveInput {
            id,
            parent_id,
            expected_version,
            idempotency_key,
        } = input;
        let moved = async {
            let id = AccountId::parse("id", &id)?;
            let parent = parent_id.map(|id| AccountId::parse("parentId", &id));
            let parent = parent.transpose()?;
            let key = idempotency_key.as_deref();
            let accounts = ctx.domain().accounts();
            accounts
                .move_to(ctx.viewer(), id, parent, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, moved.await)?;
        Ok(AccountMovePayload {
            account: row.map(|row| Account::new(ctx, row)),
            user_errors,
        })
    }

    /// Creates all accounts of a table, or none. Needs `books.manage`.
    async fn account_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The table.")] input: AccountImportInput,
    ) -> async_graphql::Result<AccountImportPayload> {
        let AccountImportInput {
            csv,
            idempotency_key,
        } = input;
        let imported = async {
            let rows = rows(&csv)?;
            let accounts = ctx.domain().accounts();
            accounts
                .import(ctx.viewer(), rows, idempotency_key.as_deref())
                .await
        };
        let (rows, user_errors) = settle(ctx, imported.await)?;
        let accounts = rows.map(|rows| {
            let accounts = rows.into_iter().map(|row| Account::new(ctx, row));
            accounts.collect()
        });
        Ok(AccountImportPayload {
            accounts,
            user_errors,
        })
    }

    /// Sets what an account, or one of its subsidiary accounts, may not fall below, such as a cash drawer below nothing or a customer beyond a
    /// credit limit. Needs `books.manage`.
    async fn account_floor_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what, and how much.")] input: AccountFloorSetInput,
    ) -> async_graphql::Result<AccountFloorSetPayload> {
        let AccountFloorSetInput {
            account_id,
            subsidiary_id,
            commodity,
            side,
            amount,
            idempotency_key,
        } = input;
        let set = async {
            let value = subsidiary_id.map(|id| DimensionValueId::parse("subsidiaryId", &id));
            let new = NewFloor {
                account_id: AccountId::parse("accountId", &account_id)?,
                subsidiary_id: value.transpose()?,
                commodity,
                side: side.map(Into::into),
                amount: amount.0,
            };
            let accounts = ctx.domain().accounts();
            accounts
                .set_floor(ctx.viewer(), new, idempotency_key.as_deref())
                .await
        };
        let (row, user_errors) = settle(ctx, set.await)?;
        Ok(AccountFloorSetPayload {
            floor: row.map(AccountFloor::new),
            user_errors,
        })
    }

    /// Takes away what an account may not fall below. Needs `books.manage`.
    async fn account_floor_clear(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which floor.")] input: AccountFloorClearInput,
    ) -> async_graphql::Result<AccountFloorClearPayload> {
        let AccountFloorClearInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let cleared = async {
            let id = AccountFloorId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let accounts = ctx.domain().accounts();
            accounts
                .clear_floor(ctx.viewer(), id, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, cleared.await)?;
        Ok(AccountFloorClearPayload {
            floor: row.map(AccountFloor::new),
            user_errors,
        })
    }

    /// Says which account is for what, when nobody names another. Needs `books.manage`.
    async fn account_role_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account, and what it is for.")] input: AccountRoleSetInput,
    ) -> async_graphql::Result<AccountRoleSetPayload> {
        let AccountRoleSetInput {
            role,
            account_id,
            idempotency_key,
        } = input;
        let set = async {
            let id = AccountId::parse("accountId", &account_id)?;
            let key = idempotency_key.as_deref();
            let accounts = ctx.domain().accounts();
            accounts.set_role(ctx.viewer(), role.into(), id, key).await
        };
        let (row, user_errors) = settle(ctx, set.await)?;
        Ok(AccountRoleSetPayload {
            account_role: row.map(AccountRole::new),
            user_errors,
        })
    }
}

/// The rows of a table; lines without anything in them do not count.
fn rows(csv: &str) -> Result<Vec<ImportRow>, Refusal> {
    if csv.len() > TABLE_MAX {
        return Err(Refusal::new(Code::TooLarge, "csv").with("max", TABLE_MAX));
    }
    let mut read = Vec::new();
    let mut reader = table::Reader::new(csv.as_bytes(), Some(table::Format::Csv), false);
    reader.feed(csv.as_bytes(), &mut read);
    reader.finish(&mut read);
    let mut lines = (1..).zip(read);
    let (_, headers) = lines
        .next()
        .ok_or_else(|| Refusal::new(Code::Required, "csv"))?;
    let headers = cells(1, headers)?;
    let headers = headers.iter().map(|name| {
        let name = name.trim().to_ascii_lowercase();
        if IMPORT_COLUMNS.contains(&name.as_str()) {
            return Ok(name);
        }
        Err(Refusal::new(Code::UnknownColumn, "csv").with("value", name))
    });
    let headers = headers.collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    for (line, row) in lines {
        let cells = cells(line, row)?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        rows.push(of(line, &headers, cells));
    }
    Ok(rows)
}

fn cells(line: usize, row: table::Row) -> Result<Vec<String>, Refusal> {
    match row {
        table::Row::Cells(cells) => Ok(cells),
        _ => Err(Refusal::new(Code::Unreadable, &format!("lines.{line}"))),
    }
}

fn of(line: usize, headers: &[String], cells: Vec<String>) -> ImportRow {
    let mut row = ImportRow {
        line,
        ..ImportRow::default()
    };
    for (header, cell) in headers.iter().zip(cells) {
        let field = match header.as_str() {
            "code" => &mut row.code,
            "parent_code" => &mut row.parent_code,
            "name_en" => &mut row.name_en,
            "name_fa" => &mut row.name_fa,
            "kind" => &mut row.kind,
            "normal_side" => &mut row.normal_side,
            "group" => &mut row.group,
            "commodity" => &mut row.commodity,
            _ => &mut row.subsidiary_kind,
        };
        *field = cell;
    }
    row
}
