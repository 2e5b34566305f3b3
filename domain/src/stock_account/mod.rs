//! Which accounts stock is booked to. From when that is said first, whatever changes the value of stock is posted in the same transaction, and
//! the accounts of stock have what stock is worth ([ADR 24](../docs/adr/0024-stock-posts-to-the-books.md)).

mod write;

pub(crate) use write::refused_at_commit;

use chrono::NaiveDate;
use entity::id::{AccountId, CategoryId, LocationId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait as _, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{
    Domain,
    error::{Code, Error, Refusal, Result},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// Most accounts that can be said at once.
const ACCOUNTS_MAX: usize = 1_000;

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockRole {
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

impl StockRole {
    const ALL: [Self; 8] = [
        Self::Inventory,
        Self::GoodsReceived,
        Self::LandedCost,
        Self::CostOfGoodsSold,
        Self::StockFound,
        Self::StockLost,
        Self::Production,
        Self::Opening,
    ];

    /// The stable text in the table.
    fn code(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::GoodsReceived => "goods_received",
            Self::LandedCost => "landed_cost",
            Self::CostOfGoodsSold => "cost_of_goods_sold",
            Self::StockFound => "stock_found",
            Self::StockLost => "stock_lost",
            Self::Production => "production",
            Self::Opening => "opening",
        }
    }

    fn of(code: &str) -> Result<Self> {
        let role = Self::ALL.into_iter().find(|role| role.code() == code);
        role.ok_or_else(|| Error::internal("an unknown role of an account of stock"))
    }
}

/// An account and what it is for: the one for the deepest location counts, then the one for the deepest category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StockAccount {
    /// What it is for.
    pub role: StockRole,
    /// Only of items in this category or below it.
    pub category_id: Option<CategoryId>,
    /// Only at this location or below it.
    pub location_id: Option<LocationId>,
    /// Which account.
    pub account_id: AccountId,
}

/// How stock is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockBooking {
    /// Since which day; what is written down for an earlier one is posted on this.
    pub since: NaiveDate,
    /// Counts changes.
    pub version: i64,
    /// Which accounts are for what.
    pub accounts: Vec<StockAccount>,
}

/// An account of stock: what it has, and what what is booked to it is worth. Always the same.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct InventoryAccount {
    /// Which account.
    pub account_id: AccountId,
    /// What its lines add up to, in the shop's currency.
    pub balance: Decimal,
    /// What stock of it is worth, as it is costed and where it lies.
    pub value: Decimal,
    /// The shop's currency.
    pub currency: String,
}

/// How stock is booked: its use case and queries.
#[derive(Clone, Copy, Debug)]
pub struct StockAccounts<'a> {
    pub(crate) domain: &'a Domain,
}

#[derive(FromQueryResult)]
struct Row {
    role: String,
    category_id: Option<CategoryId>,
    location_id: Option<LocationId>,
    account_id: AccountId,
}

impl StockAccounts<'_> {
    /// How stock is booked; none while it is not.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn get(&self, viewer: &Viewer) -> Result<Option<StockBooking>> {
        viewer.require(Permission::BooksRead)?;
        write::read(&self.domain.reads).await
    }

    /// The accounts of stock beside what stock is worth: the proof that they are the same. Reads all their lines.
    ///
    /// # Errors
    /// When the viewer may not see the books or costs.
    pub async fn inventory(&self, viewer: &Viewer) -> Result<Vec<InventoryAccount>> {
        viewer.require(Permission::BooksRead)?;
        viewer.require(Permission::CostRead)?;
        let sql = "SELECT b.account_id, b.balance, b.value, s.currency
                   FROM stock_books() b JOIN account a ON a.id = b.account_id CROSS JOIN shop s ORDER BY a.code";
        let rows = InventoryAccount::find_by_statement(statement(sql, []));
        Ok(rows.all(&self.domain.reads).await?)
    }

    /// The last day that can be booked: that of the last fiscal year of those that follow on today's without a gap. Whatever moves in stock
    /// afterwards is refused, so the next year has to be begun before. None when no fiscal year has today.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn until(&self, viewer: &Viewer) -> Result<Option<NaiveDate>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "WITH RECURSIVE year AS (
                       SELECT y.ends_on FROM fiscal_year y, shop s
                       WHERE ($1 AT TIME ZONE s.time_zone)::date BETWEEN y.starts_on AND y.ends_on
                       UNION ALL
                       SELECT next.ends_on FROM year JOIN fiscal_year next ON next.starts_on = year.ends_on + 1)
                   SELECT max(ends_on) AS until FROM year";
        let asked = statement(sql, [self.domain.now().into()]);
        let row = self.domain.reads.query_one_raw(asked).await?;
        let row = row.ok_or_else(|| Error::internal("no answer"))?;
        Ok(row.try_get("", "until")?)
    }

    /// Says which accounts are for what, all at once. The first time stock begins to be booked: what its accounts had becomes what stock is
    /// worth, by an entry against the account for openings. Later, what lies in another account than before is moved.
    ///
    /// # Errors
    /// When one of the roles has no account for everything, but that of landed cost, which may have none, an account cannot be used, no open period has today, or somebody changed it since
    /// `expected_version`.
    pub async fn set(
        &self,
        viewer: &Viewer,
        accounts: Vec<StockAccount>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockBooking> {
        viewer.require(Permission::BooksManage)?;
        check(&accounts)?;
        write::set(self.domain, viewer, accounts, expected_version, key).await
    }
}

fn check(accounts: &[StockAccount]) -> Result<(), Refusal> {
    if accounts.len() > ACCOUNTS_MAX {
        let refusal = Refusal::new(Code::TooMany, "accounts");
        return Err(refusal.with("max", ACCOUNTS_MAX));
    }
    let mut seen = std::collections::HashSet::new();
    for (index, account) in accounts.iter().enumerate() {
        if !seen.insert((account.role, account.category_id, account.location_id)) {
            let refusal = Refusal::new(Code::AlreadyTaken, &format!("accounts.{index}.role"));
            return Err(refusal.with("value", account.role.code()));
        }
    }
    Ok(())
}
