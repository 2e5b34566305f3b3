//! Fiscal years and periods: the objects, their queries, and what clients can do to them.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    period::{FiscalYear as YearRow, NewFiscalYear, NewPeriod, Period as Row},
};
use entity::id::{AccountId, FiscalYearId, PeriodId};

use super::{
    context::ContextExt,
    cost,
    date::Date,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    journal::JournalEntry,
    loader::{PeriodsOf, load, preload},
    payload::{UserError, settle},
};

/// A year of the books: its entries are numbered from 1 on.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct FiscalYear {
    /// Opaque id.
    pub id: ID,
    /// What it is called, such as 1405: unique.
    name: String,
    /// Its first day.
    starts_on: Date,
    /// Its last day.
    ends_on: Date,
    /// When it was created.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: FiscalYearId,
}

impl FiscalYear {
    /// As clients see it.
    #[must_use]
    pub fn new(row: YearRow) -> Self {
        let YearRow {
            id,
            name,
            starts_on,
            ends_on,
            created_at,
        } = row;
        Self {
            id: id.encode(),
            name,
            starts_on: Date(starts_on),
            ends_on: Date(ends_on),
            created_at,
            row_id: id,
        }
    }
}

#[ComplexObject]
impl FiscalYear {
    /// Its parts, in order; at most 60.
    #[graphql(complexity = "cost::rows(12, child_complexity)")]
    async fn periods(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Period>> {
        let rows = load(ctx, PeriodsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(Period::new).collect())
    }
}

/// A part of a fiscal year that is open or closed.
#[derive(SimpleObject)]
pub struct Period {
    /// Opaque id.
    pub id: ID,
    /// What it is called, such as a month.
    name: String,
    /// Its first day.
    starts_on: Date,
    /// Its last day.
    ends_on: Date,
    /// Since when nothing is posted into it any more, nor moved in stock; null while it is open.
    closed_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl Period {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            fiscal_year_id: _,
            name,
            starts_on,
            ends_on,
            closed_at,
            version,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            name,
            starts_on: Date(starts_on),
            ends_on: Date(ends_on),
            closed_at,
            version,
            updated_at,
        }
    }
}

/// Queries about fiscal years.
#[derive(Default)]
pub struct PeriodQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl PeriodQuery {
    /// All fiscal years, the newest first. Needs `books.read`.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn fiscal_years(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FiscalYear>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().periods().years(viewer).await;
        let rows = rows.or_graphql(viewer)?;
        if ctx.look_ahead().field("periods").exists() {
            preload(ctx, rows.iter().map(|row| PeriodsOf(row.id))).await?;
        }
        Ok(rows.into_iter().map(FiscalYear::new).collect())
    }
}

/// A period to be: up to the next, or to the end of its fiscal year.
#[derive(InputObject)]
pub struct PeriodInput {
    /// What it is called: at most 100 characters.
    name: String,
    /// Its first day: of the first the first of the fiscal year.
    starts_on: Date,
}

/// A fiscal year to be. Days are given, so that it may be one of any calendar.
#[derive(InputObject)]
pub struct FiscalYearCreateInput {
    /// What it is called: unique, at most 100 characters.
    name: String,
    /// Its first day.
    starts_on: Date,
    /// Its last day: at most 800 days from the first on.
    ends_on: Date,
    /// Its parts in order, at most 60; it is one without.
    #[graphql(default)]
    periods: Vec<PeriodInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of beginning a fiscal year.
#[derive(SimpleObject)]
pub struct FiscalYearCreatePayload {
    /// The fiscal year; null when it was refused.
    fiscal_year: Option<FiscalYear>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of fiscal years.
#[derive(Default)]
pub struct FiscalYearMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl FiscalYearMutation {
    /// Begins a fiscal year, with all its periods open. Needs `books.manage`.
    async fn fiscal_year_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The fiscal year to be.")] input: FiscalYearCreateInput,
    ) -> async_graphql::Result<FiscalYearCreatePayload> {
        let FiscalYearCreateInput {
            name,
            starts_on,
            ends_on,
            periods,
            idempotency_key,
        } = input;
        let periods = periods.into_iter().map(|period| {
            let PeriodInput { name, starts_on } = period;
            NewPeriod {
                name,
                starts_on: starts_on.0,
            }
        });
        let new = NewFiscalYear {
            name,
            starts_on: starts_on.0,
            ends_on: ends_on.0,
            periods: periods.collect(),
        };
        let key = idempotency_key.as_deref();
        let created = ctx.domain().periods();
        let created = created.create_year(ctx.viewer(), new, key).await;
        let (row, user_errors) = settle(ctx, created)?;
        Ok(FiscalYearCreatePayload {
            fiscal_year: row.map(FiscalYear::new),
            user_errors,
        })
    }
}

/// A fiscal year to close as a whole.
#[derive(InputObject)]
pub struct FiscalYearCloseInput {
    /// Which fiscal year: one that is over, and none in front of it open.
    id: ID,
    /// The account of equity that takes what the year has earned; the one that `accountRoleSet` has named without.
    retained_earnings_account_id: Option<ID>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A fiscal year to open again.
#[derive(InputObject)]
pub struct FiscalYearReopenInput {
    /// Which fiscal year: the last that was closed.
    id: ID,
    /// Why: at most 500 characters. It is kept with what undoes the closing entries.
    reason: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of closing a fiscal year.
#[derive(SimpleObject)]
pub struct FiscalYearClosePayload {
    /// The fiscal year; null when it was refused.
    fiscal_year: Option<FiscalYear>,
    /// Its closing entries: none when there was nothing to close, more than one only of very many accounts; null when it was refused.
    entries: Option<Vec<JournalEntry>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of opening a fiscal year again.
#[derive(SimpleObject)]
pub struct FiscalYearReopenPayload {
    /// The fiscal year; null when it was refused.
    fiscal_year: Option<FiscalYear>,
    /// What undoes its closing entries; null when it was refused.
    entries: Option<Vec<JournalEntry>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations that close fiscal years.
#[derive(Default)]
pub struct FiscalYearClosingMutation;

#[Object(guard = "Needs(Permission::PeriodClose)")]
impl FiscalYearClosingMutation {
    /// Closes a fiscal year: what revenue and expenses have goes to retained earnings, and all its periods close. Needs `period.close`.
    async fn fiscal_year_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which fiscal year, and where to.")] input: FiscalYearCloseInput,
    ) -> async_graphql::Result<FiscalYearClosePayload> {
        let FiscalYearCloseInput {
            id,
            retained_earnings_account_id,
            idempotency_key,
        } = input;
        let closed = async {
            let id = FiscalYearId::parse("id", &id)?;
            let account = retained_earnings_account_id
                .map(|id| AccountId::parse("retainedEarningsAccountId", &id));
            let account = account.transpose()?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal.close_year(ctx.viewer(), id, account, key).await
        };
        let (closed, user_errors) = settle(ctx, closed.await)?;
        let (year, entries) = closed.map(|closed| (closed.year, closed.entries)).unzip();
        Ok(FiscalYearClosePayload {
            fiscal_year: year.map(FiscalYear::new),
            entries: entries.map(|rows| rows.into_iter().map(JournalEntry::new).collect()),
            user_errors,
        })
    }

    /// Opens a fiscal year again that was closed as a whole: undoes its closing entries, and opens its last period. Needs `period.close`.
    async fn fiscal_year_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which fiscal year, and why.")] input: FiscalYearReopenInput,
    ) -> async_graphql::Result<FiscalYearReopenPayload> {
        let FiscalYearReopenInput {
            id,
            reason,
            idempotency_key,
        } = input;
        let opened = async {
            let id = FiscalYearId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal.reopen_year(ctx.viewer(), id, &reason, key).await
        };
        let (opened, user_errors) = settle(ctx, opened.await)?;
        let (year, entries) = opened.map(|opened| (opened.year, opened.entries)).unzip();
        Ok(FiscalYearReopenPayload {
            fiscal_year: year.map(FiscalYear::new),
            entries: entries.map(|rows| rows.into_iter().map(JournalEntry::new).collect()),
            user_errors,
        })
    }
}

/// A period to close.
#[derive(InputObject)]
pub struct PeriodCloseInput {
    /// Which period: the first that is open, when it is over.
    id: ID,
    /// Refuse when the period's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A period to open again.
#[derive(InputObject)]
pub struct PeriodReopenInput {
    /// Which period: the last that is closed.
    id: ID,
    /// Why: at most 500 characters. The trail keeps it.
    reason: String,
    /// Refuse when the period's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of closing a period.
#[derive(SimpleObject)]
pub struct PeriodClosePayload {
    /// The period; null when it was refused.
    period: Option<Period>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of opening a period again.
#[derive(SimpleObject)]
pub struct PeriodReopenPayload {
    /// The period; null when it was refused.
    period: Option<Period>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of periods.
#[derive(Default)]
pub struct PeriodMutation;

#[Object(guard = "Needs(Permission::PeriodClose)")]
impl PeriodMutation {
    /// Closes a period: nothing is posted into it any more, nor moved in stock. Needs `period.close`.
    async fn period_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which period.")] input: PeriodCloseInput,
    ) -> async_graphql::Result<PeriodClosePayload> {
        let PeriodCloseInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let closed = async {
            let id = PeriodId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let periods = ctx.domain().periods();
            periods.close(ctx.viewer(), id, expected_version, key).await
        };
        let (row, user_errors) = settle(ctx, closed.await)?;
        Ok(PeriodClosePayload {
            period: row.map(Period::new),
            user_errors,
        })
    }

    /// Opens a period again, for a reason. Needs `period.close`.
    async fn period_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which period, and why.")] input: PeriodReopenInput,
    ) -> async_graphql::Result<PeriodReopenPayload> {
        let PeriodReopenInput {
            id,
            reason,
            expected_version,
            idempotency_key,
        } = input;
        let opened = async {
            let id = PeriodId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let periods = ctx.domain().periods();
            periods
                .reopen(ctx.viewer(), id, &reason, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, opened.await)?;
        Ok(PeriodReopenPayload {
            period: row.map(Period::new),
            user_errors,
        })
    }
}
