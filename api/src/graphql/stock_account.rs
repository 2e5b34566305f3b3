//! How stock is booked, as clients see it and say it.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    stock_account::{
        InventoryAccount as InventoryRow, StockAccount as AccountRow, StockBooking as BookingRow,
    },
};
use entity::id::{AccountId, CategoryId, LocationId};

use super::{
    account::Account,
    category::Category,
    context::ContextExt,
    cost,
    date::Date,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{load, preload},
    location::Location,
    money::Money,
    payload::{UserError, settle},
};

/// What an account of stock is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock_account::StockRole")]
pub enum StockAccountRole {
    /// Has what stock is worth: an asset, to which nobody else posts.
    Inventory,
    /// What suppliers brought and have not sent an invoice of.
    GoodsReceived,
    /// Freight, duty and the like that receipts bear. Without an account of its own it is owed like the goods.
    LandedCost,
    /// What was sold has cost.
    CostOfGoodsSold,
    /// What was there and nobody knew.
    StockFound,
    /// What is lost, broken, stolen or over its time.
    StockLost,
    /// What the workshop uses up and makes.
    Production,
    /// What was there when stock or its booking began.
    Opening,
}

/// An account and what of stock it is for. The one for the deepest location counts, then the one for the deepest category.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockAccount {
    /// What it is for.
    role: StockAccountRole,
    #[graphql(skip)]
    category_id: Option<CategoryId>,
    #[graphql(skip)]
    location_id: Option<LocationId>,
    #[graphql(skip)]
    account_id: AccountId,
}

impl StockAccount {
    fn new(row: AccountRow) -> Self {
        let AccountRow {
            role,
            category_id,
            location_id,
            account_id,
        } = row;
        Self {
            role: role.into(),
            category_id,
            location_id,
            account_id,
        }
    }
}

#[ComplexObject]
impl StockAccount {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// Only of items in this category or below it; null for those of all categories.
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        let Some(id) = self.category_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Category::new(ctx, row)))
    }

    /// Only at this location or below it; null for all locations.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let Some(id) = self.location_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Location::new(ctx, row)))
    }
}

/// How stock is booked.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockBooking {
    /// Since which day. What is written down for an earlier one is posted on this.
    since: Date,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// Which accounts are for what.
    accounts: Vec<StockAccount>,
}

impl StockBooking {
    fn new(row: BookingRow) -> Self {
        let BookingRow {
            since,
            version,
            accounts,
        } = row;
        Self {
            since: Date(since),
            version,
            accounts: accounts.into_iter().map(StockAccount::new).collect(),
        }
    }
}

#[ComplexObject]
impl StockBooking {
    /// The last day that can be booked: that of the last fiscal year of those that follow on today's without a gap. Afterwards nothing
    /// moves in stock, `NO_PERIOD` says so: begin the next year before. Null when no fiscal year has today.
    async fn until(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Date>> {
        let viewer = ctx.viewer();
        let until = ctx.domain().stock_accounts().until(viewer).await;
        Ok(until.or_graphql(viewer)?.map(Date))
    }
}

/// An account of stock beside what stock is worth that is booked to it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct InventoryAccount {
    /// What its lines add up to.
    balance: Money,
    /// What stock of it is worth, as it is costed and where it lies.
    value: Money,
    /// Whether both are the same, as they always are.
    is_equal: bool,
    #[graphql(skip)]
    account_id: AccountId,
}

impl InventoryAccount {
    fn new(row: InventoryRow) -> Self {
        let InventoryRow {
            account_id,
            balance,
            value,
            currency,
        } = row;
        Self {
            is_equal: balance == value,
            balance: Money::shown(balance, currency.clone()),
            value: Money::shown(value, currency),
            account_id,
        }
    }
}

#[ComplexObject]
impl InventoryAccount {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Queries about how stock is booked.
#[derive(Default)]
pub struct StockAccountQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl StockAccountQuery {
    /// How stock is booked; null while it is not. Needs `books.read`.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn stock_booking(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<StockBooking>> {
        let viewer = ctx.viewer();
        let booking = ctx.domain().stock_accounts().get(viewer).await;
        let Some(booking) = booking.or_graphql(viewer)? else {
            return Ok(None);
        };
        preload(ctx, booking.accounts.iter().map(|row| row.account_id)).await?;
        preload(
            ctx,
            booking.accounts.iter().filter_map(|row| row.category_id),
        )
        .await?;
        preload(
            ctx,
            booking.accounts.iter().filter_map(|row| row.location_id),
        )
        .await?;
        Ok(Some(StockBooking::new(booking)))
    }

    /// The accounts of stock beside what stock is worth: the proof that they are the same. Reads all their lines. Needs `books.read` and
    /// `cost.read`.
    #[graphql(complexity = "cost::rows(100, child_complexity)")]
    async fn inventory_accounts(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<InventoryAccount>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().stock_accounts().inventory(viewer).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        Ok(rows.into_iter().map(InventoryAccount::new).collect())
    }
}

/// An account and what of stock it is for.
#[derive(InputObject)]
pub struct StockAccountInput {
    /// What it is for.
    role: StockAccountRole,
    /// Which account.
    account_id: ID,
    /// Only of items in this category or below it.
    category_id: Option<ID>,
    /// Only at this location or below it.
    location_id: Option<ID>,
}

impl StockAccountInput {
    fn parse(self, index: usize) -> Result<AccountRow, domain::Refusal> {
        let Self {
            role,
            account_id,
            category_id,
            location_id,
        } = self;
        let path = |field: &str| format!("accounts.{index}.{field}");
        let category_id = category_id.map(|id| CategoryId::parse(&path("categoryId"), &id));
        let location_id = location_id.map(|id| LocationId::parse(&path("locationId"), &id));
        Ok(AccountRow {
            role: role.into(),
            category_id: category_id.transpose()?,
            location_id: location_id.transpose()?,
            account_id: AccountId::parse(&path("accountId"), &account_id)?,
        })
    }
}

/// How stock is to be booked.
#[derive(InputObject)]
pub struct StockAccountsSetInput {
    /// All of them: what is not given is taken away. Each role but `LANDED_COST` needs one without category and location. At
    /// most 1,000.
    accounts: Vec<StockAccountInput>,
    /// Refuse when the version is another; 0 while stock is not booked.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct StockAccountsSetPayload {
    /// How stock is booked; null when it was refused.
    stock_booking: Option<StockBooking>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of how stock is booked.
#[derive(Default)]
pub struct StockAccountMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl StockAccountMutation {
    /// Says which accounts are for what of stock. The first time, stock begins to post to the books: what its accounts had becomes what stock is
    /// worth, by an entry against the account for openings. Later, what belongs to another account than before is moved. Needs
    /// `books.manage`.
    async fn stock_accounts_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which accounts, and what for.")] input: StockAccountsSetInput,
    ) -> async_graphql::Result<StockAccountsSetPayload> {
        let StockAccountsSetInput {
            accounts,
            expected_version,
            idempotency_key,
        } = input;
        let set = async {
            let accounts = accounts.into_iter().enumerate();
            let accounts = accounts.map(|(index, account)| account.parse(index));
            let accounts = accounts.collect::<Result<Vec<_>, _>>()?;
            let key = idempotency_key.as_deref();
            let use_cases = ctx.domain().stock_accounts();
            use_cases
                .set(ctx.viewer(), accounts, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, set.await)?;
        Ok(StockAccountsSetPayload {
            stock_booking: row.map(StockBooking::new),
            user_errors,
        })
    }
}
