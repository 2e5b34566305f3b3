//! What is owed by age, as clients see it.

use async_graphql::{
    ComplexObject, Context, Enum, ID, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    report::{Aged, AgedOf, AgedTotal, Scope},
};
use entity::id::{AccountId, DimensionValueId};

use super::{
    account::Account,
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    dimension::DimensionValue,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    journal::query::nodes,
    loader::{load, preload},
    page::{self, Connection},
};

/// Who owes whom.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::report::Owing")]
pub enum Owing {
    /// What others owe to the business: accounts of assets.
    Receivable,
    /// What the business owes to others: accounts of liabilities.
    Payable,
}

/// How much is of an age.
#[derive(SimpleObject)]
pub struct AgedAmount {
    /// Days since, at least.
    from: i32,
    /// Days since, at most; null of all that is older.
    until: Option<i32>,
    /// How much; negative of what was paid in advance.
    amount: Decimal,
}

fn amounts(limits: &[u16], amounts: Vec<rust_decimal::Decimal>) -> Vec<AgedAmount> {
    let until = limits.iter().copied().map(i32::from);
    let from = std::iter::once(0).chain(until.clone().map(|limit| limit + 1));
    let ages = from.zip(until.map(Some).chain([None]));
    ages.zip(amounts)
        .map(|((from, until), amount)| AgedAmount {
            from,
            until,
            amount: Decimal::shown(amount),
        })
        .collect()
}

/// What a subsidiary account owes, or is owed, in an account and a commodity. What is paid settles what is oldest.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AgedBalance {
    /// Of what: a commodity's code.
    commodity: String,
    /// All of it: what `subsidiaryBalances` tells, positive where it is owed.
    balance: Decimal,
    /// By age, the youngest first.
    amounts: Vec<AgedAmount>,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    subsidiary_id: DimensionValueId,
}

impl AgedBalance {
    fn new(limits: &[u16], row: Aged) -> Self {
        Self {
            balance: Decimal::shown(row.balance()),
            commodity: row.commodity,
            amounts: amounts(limits, row.amounts),
            account_id: row.account_id,
            subsidiary_id: row.subsidiary_id,
        }
    }
}

#[ComplexObject]
impl AgedBalance {
    /// In which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// Who.
    async fn subsidiary(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        let row = load(ctx, self.subsidiary_id).await?;
        Ok(row.map(|row| DimensionValue::new(ctx, row)))
    }
}

/// What all subsidiary accounts of an account owe, or are owed.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AgedBalanceTotal {
    /// Of what: a commodity's code.
    commodity: String,
    /// All of it.
    balance: Decimal,
    /// By age, the youngest first.
    amounts: Vec<AgedAmount>,
    #[graphql(skip)]
    account_id: AccountId,
}

impl AgedBalanceTotal {
    fn new(limits: &[u16], row: AgedTotal) -> Self {
        Self {
            balance: Decimal::shown(row.amounts.iter().sum()),
            commodity: row.commodity,
            amounts: amounts(limits, row.amounts),
            account_id: row.account_id,
        }
    }
}

#[ComplexObject]
impl AgedBalanceTotal {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Limits between ages as they are given: whole days, which the domain looks at further.
pub(in crate::graphql) fn limits(path: &str, days: &[i32]) -> Result<Vec<u16>, Refusal> {
    let limit = |(place, days): (usize, &i32)| {
        u16::try_from(*days).ok().ok_or_else(|| {
            let refusal = Refusal::new(domain::Code::OutOfRange, &format!("{path}.{place}"));
            refusal.with("min", 1).with("max", 3_650)
        })
    };
    days.iter().enumerate().map(limit).collect()
}

fn aged_of(
    owing: Owing,
    as_of: Date,
    account_id: Option<ID>,
    days: &[i32],
    known_at: Option<DateTime<Utc>>,
) -> Result<AgedOf, Refusal> {
    let account = account_id.map(|id| AccountId::parse("accountId", &id));
    Ok(AgedOf {
        owing: owing.into(),
        account_id: account.transpose()?,
        as_of: as_of.0,
        limits: limits("limits", days)?,
        scope: Scope {
            known_at,
            ..Scope::default()
        },
    })
}

/// Queries about what is owed.
#[derive(Default)]
pub struct AgeingQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl AgeingQuery {
    /// What subsidiary accounts owe, or are owed, at the end of a day by age, in pages by account, commodity and code. What is paid settles what
    /// is oldest. Pages go forward. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn aged_balances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who owes whom.")] owing: Owing,
        #[graphql(desc = "The day.")] as_of: Date,
        #[graphql(
            desc = "In this account, or in all accounts of this group; without, in all that demand a party."
        )]
        account_id: Option<ID>,
        #[graphql(
            desc = "Limits between ages in days, growing, at most 11.",
            default_with = "vec![30, 60, 90]"
        )]
        limits: Vec<i32>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<AgedBalance>> {
        let viewer = ctx.viewer();
        let of = aged_of(owing, as_of, account_id, &limits, as_known_at).map_err(Into::into);
        let of = of.or_graphql(viewer)?;
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().reports().aged(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            if selected.field("account").exists() {
                preload(ctx, rows.edges.iter().map(|(_, row)| row.account_id)).await?;
            }
            if selected.field("subsidiary").exists() {
                preload(ctx, rows.edges.iter().map(|(_, row)| row.subsidiary_id)).await?;
            }
        }
        Ok(page::connection(rows, EmptyFields, |row| {
            AgedBalance::new(&of.limits, row)
        }))
    }

    /// The same added up, by account and commodity. Needs `books.read`.
    #[graphql(complexity = "cost::tree(Some(100), child_complexity)")]
    async fn aged_balance_totals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who owes whom.")] owing: Owing,
        #[graphql(desc = "The day.")] as_of: Date,
        #[graphql(
            desc = "In this account, or in all accounts of this group; without, in all that demand a party."
        )]
        account_id: Option<ID>,
        #[graphql(
            desc = "Limits between ages in days, growing, at most 11.",
            default_with = "vec![30, 60, 90]"
        )]
        limits: Vec<i32>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
    ) -> async_graphql::Result<Vec<AgedBalanceTotal>> {
        let viewer = ctx.viewer();
        let of = aged_of(owing, as_of, account_id, &limits, as_known_at).map_err(Into::into);
        let of = of.or_graphql(viewer)?;
        let rows = ctx.domain().reports().aged_totals(viewer, &of).await;
        let rows = rows.or_graphql(viewer)?;
        if ctx.look_ahead().field("account").exists() {
            preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        }
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| AgedBalanceTotal::new(&of.limits, row))
            .collect())
    }
}
