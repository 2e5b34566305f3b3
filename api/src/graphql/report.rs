//! Reports of the books, as clients see them.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    report::{Column, LinesOf, Row, Scope, TrialCell, TrialRow},
};
use entity::id::{AccountId, DimensionValueId, LocationId};

use super::{
    account::{Account, AccountKind},
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    journal::{
        JournalLine,
        query::{nodes, prefetch_lines},
    },
    loader::{load, preload},
    page::{self, Connection},
};

/// A part of a statement.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::report::Section")]
pub enum ReportSection {
    /// What the business has.
    Assets,
    /// What it owes.
    Liabilities,
    /// What belongs to its owners.
    Equity,
    /// What it earned.
    Revenue,
    /// What that cost.
    Expenses,
    /// All of it.
    Whole,
}

/// What a line of a statement is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::report::Line")]
pub enum ReportLine {
    /// A group of accounts, with all that is in it.
    Group,
    /// An account.
    Account,
    /// What was earned in fiscal years before that of the day, and has not been closed.
    EarlierResult,
    /// What was earned in the fiscal year of the day.
    CurrentResult,
    /// All of a section together; of the whole: what is left.
    Total,
    /// What there was before.
    Opening,
    /// What has changed.
    Change,
    /// What there was afterwards.
    Closing,
}

/// A column of a report: some days in a row.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct ReportColumnInput {
    /// From this day on; from the first entry on without.
    from: Option<Date>,
    /// Up to the end of this day.
    until: Date,
}

impl From<ReportColumnInput> for Column {
    fn from(ReportColumnInput { from, until }: ReportColumnInput) -> Self {
        Self {
            from: from.map(|day| day.0),
            until: until.0,
        }
    }
}

pub(in crate::graphql) fn columns(columns: Vec<ReportColumnInput>) -> Vec<Column> {
    columns.into_iter().map(Into::into).collect()
}

/// Where, and as known when.
pub(in crate::graphql) fn scope(
    location_id: Option<ID>,
    dimension_value_id: Option<ID>,
    known_at: Option<DateTime<Utc>>,
) -> Result<Scope, Refusal> {
    let location = location_id.map(|id| LocationId::parse("locationId", &id));
    let value = dimension_value_id.map(|id| DimensionValueId::parse("dimensionValueId", &id));
    Ok(Scope {
        location_id: location.transpose()?,
        dimension_value_id: value.transpose()?,
        known_at,
    })
}

/// A line of a statement, in one commodity.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ReportRow {
    /// In which part of the statement.
    section: ReportSection,
    /// What it is.
    line: ReportLine,
    /// Of which account or group; null when it is added up otherwise. The lines behind a figure are those of `journalLines` with this account,
    /// this commodity, and the days of the column.
    account_id: Option<ID>,
    /// How deep the account lies in the chart; 0 for roots.
    depth: i32,
    /// Of what: a commodity's code.
    commodity: String,
    /// How much, column by column. Assets and expenses are debited without credited; liabilities, equity and revenue the other way round. In
    /// a cash flow what comes in is positive; in a metal balance all is debited without credited.
    amounts: Vec<Decimal>,
    #[graphql(skip)]
    row_id: Option<AccountId>,
}

impl ReportRow {
    fn new(row: Row) -> Self {
        let Row {
            section,
            line,
            account_id,
            depth,
            commodity,
            amounts,
        } = row;
        Self {
            section: section.into(),
            line: line.into(),
            account_id: account_id.map(GlobalId::encode),
            depth: i32::try_from(depth).unwrap_or(i32::MAX),
            commodity,
            amounts: amounts.into_iter().map(Decimal::shown).collect(),
            row_id: account_id,
        }
    }
}

#[ComplexObject]
impl ReportRow {
    /// Which account or group; null when it is added up otherwise.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let Some(id) = self.row_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Account::new(ctx, row)))
    }
}

/// What an account had in a column of a trial balance.
#[derive(SimpleObject)]
pub struct TrialBalanceCell {
    /// What it had before: debited without credited.
    opening: Decimal,
    /// How much was debited in these days.
    debit: Decimal,
    /// How much was credited in these days.
    credit: Decimal,
    /// What it had afterwards: debited without credited.
    closing: Decimal,
}

impl TrialBalanceCell {
    fn new(cell: TrialCell) -> Self {
        Self {
            opening: Decimal::shown(cell.opening),
            debit: Decimal::shown(cell.turnover.debit),
            credit: Decimal::shown(cell.turnover.credit),
            closing: Decimal::shown(cell.closing()),
        }
    }
}

/// An account of a trial balance with columns.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct TrialBalanceReportRow {
    /// Of what: a commodity's code.
    commodity: String,
    /// Column by column.
    cells: Vec<TrialBalanceCell>,
    #[graphql(skip)]
    account_id: AccountId,
}

impl TrialBalanceReportRow {
    fn new(row: TrialRow) -> Self {
        let TrialRow {
            account_id,
            code: _,
            commodity,
            cells,
        } = row;
        Self {
            commodity,
            cells: cells.into_iter().map(TrialBalanceCell::new).collect(),
            account_id,
        }
    }
}

#[ComplexObject]
impl TrialBalanceReportRow {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Which lines. All that is given must hold.
#[derive(InputObject)]
pub struct JournalLineWhere {
    /// Of this account, or of all below this group.
    account_id: Option<ID>,
    /// Of accounts of one of these kinds. An empty list matches nothing.
    kinds: Option<Vec<AccountKind>>,
    /// Of this commodity.
    commodity: Option<String>,
    /// From this day on.
    from: Option<Date>,
    /// Up to the end of this day.
    until: Date,
    /// Only lines for this location, or one below it.
    location_id: Option<ID>,
    /// Only lines for this subsidiary account, cost centre or project.
    dimension_value_id: Option<ID>,
    /// As the books were known at this moment.
    as_known_at: Option<DateTime<Utc>>,
    /// Without entries that end fiscal years, as in a profit and loss account.
    #[graphql(default)]
    except_closing: bool,
}

impl JournalLineWhere {
    fn parse(self) -> Result<LinesOf, Refusal> {
        let account = self
            .account_id
            .map(|id| AccountId::parse("where.accountId", &id));
        Ok(LinesOf {
            account_id: account.transpose()?,
            kinds: self
                .kinds
                .map(|kinds| kinds.into_iter().map(Into::into).collect()),
            commodity: self.commodity,
            column: Column {
                from: self.from.map(|day| day.0),
                until: self.until.0,
            },
            scope: scope(self.location_id, self.dimension_value_id, self.as_known_at)?,
            except_closing: self.except_closing,
        })
    }
}

/// Reports of the books.
#[derive(Default)]
pub struct ReportQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl ReportQuery {
    /// What each account had before each column, what went to each side of it, and what it had afterwards, by account and commodity. Needs
    /// `books.read`.
    #[graphql(complexity = "cost::tree(Some(4_000), child_complexity)")]
    async fn trial_balance_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From 1 to 12 columns.")] columns: Vec<ReportColumnInput>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
    ) -> async_graphql::Result<Vec<TrialBalanceReportRow>> {
        let viewer = ctx.viewer();
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let scope = scope.or_graphql(viewer)?;
        let columns = self::columns(columns);
        let reports = ctx.domain().reports();
        let rows = reports.trial_balance(viewer, &columns, &scope).await;
        let rows = rows.or_graphql(viewer)?;
        if ctx.look_ahead().field("account").exists() {
            preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        }
        Ok(rows.into_iter().map(TrialBalanceReportRow::new).collect())
    }

    /// What the business had at the end of each day, what it owed, and what of it belonged to its owners, as a tree over the chart of
    /// accounts. Assets are liabilities and equity together, in each commodity: what was earned is a line of equity. Needs `books.read`.
    #[graphql(complexity = "cost::tree(Some(4_000), child_complexity)")]
    async fn balance_sheet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From 1 to 12 days, a column each.")] as_of: Vec<Date>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
    ) -> async_graphql::Result<Vec<ReportRow>> {
        let viewer = ctx.viewer();
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let scope = scope.or_graphql(viewer)?;
        let days: Vec<_> = as_of.into_iter().map(|day| day.0).collect();
        let reports = ctx.domain().reports();
        let rows = reports.balance_sheet(viewer, &days, &scope).await;
        shown(ctx, rows.or_graphql(viewer)?).await
    }

    /// What was earned in each column, what that cost, and what is left, as a tree over the chart of accounts. Entries that end fiscal years do
    /// not count. Needs `books.read`.
    #[graphql(complexity = "cost::tree(Some(4_000), child_complexity)")]
    async fn profit_and_loss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From 1 to 12 columns.")] columns: Vec<ReportColumnInput>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
    ) -> async_graphql::Result<Vec<ReportRow>> {
        let viewer = ctx.viewer();
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let scope = scope.or_graphql(viewer)?;
        let columns = self::columns(columns);
        let reports = ctx.domain().reports();
        let rows = reports.profit_and_loss(viewer, &columns, &scope).await;
        shown(ctx, rows.or_graphql(viewer)?).await
    }

    /// Where cash came from in each column and where it went, by the accounts on the other side of its entries: what there was before, what
    /// changed, and what there was afterwards. Needs `books.read`.
    #[graphql(complexity = "cost::tree(Some(4_000), child_complexity)")]
    async fn cash_flow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The accounts that are cash, with all below them.")] cash_account_ids: Vec<
            ID,
        >,
        #[graphql(desc = "From 1 to 12 columns.")] columns: Vec<ReportColumnInput>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
    ) -> async_graphql::Result<Vec<ReportRow>> {
        let viewer = ctx.viewer();
        let cash = AccountId::parse_all("cashAccountIds", &cash_account_ids).map_err(Into::into);
        let cash = cash.or_graphql(viewer)?;
        let columns = self::columns(columns);
        let scope = Scope {
            known_at: as_known_at,
            ..Scope::default()
        };
        let reports = ctx.domain().reports();
        let rows = reports.cash_flow(viewer, &cash, &columns, &scope).await;
        shown(ctx, rows.or_graphql(viewer)?).await
    }

    /// Grams of fine weight of each metal at the end of each day, by account: debited without credited. Needs `books.read`.
    #[graphql(complexity = "cost::tree(Some(4_000), child_complexity)")]
    async fn metal_balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From 1 to 12 days, a column each.")] as_of: Vec<Date>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
    ) -> async_graphql::Result<Vec<ReportRow>> {
        let viewer = ctx.viewer();
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let scope = scope.or_graphql(viewer)?;
        let days: Vec<_> = as_of.into_iter().map(|day| day.0).collect();
        let reports = ctx.domain().reports();
        let rows = reports.metal_balance(viewer, &days, &scope).await;
        shown(ctx, rows.or_graphql(viewer)?).await
    }

    /// Lines of the books in pages, the earliest day first: those behind a figure of a report. Pages go forward. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn journal_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.", name = "where")] filter: JournalLineWhere,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<JournalLine>> {
        let viewer = ctx.viewer();
        let of = filter.parse().map_err(Into::into).or_graphql(viewer)?;
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().reports().lines(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            let lines: Vec<_> = rows.edges.iter().map(|(_, row)| row).collect();
            prefetch_lines(ctx, &selected, &lines).await?;
        }
        Ok(page::connection(rows, EmptyFields, JournalLine::new))
    }
}

async fn shown(ctx: &Context<'_>, rows: Vec<Row>) -> async_graphql::Result<Vec<ReportRow>> {
    if ctx.look_ahead().field("account").exists() {
        preload(ctx, rows.iter().filter_map(|row| row.account_id)).await?;
    }
    Ok(rows.into_iter().map(ReportRow::new).collect())
}

/// What must be given for this report.
pub(in crate::graphql) fn required<T>(path: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::new(Code::Required, path))
}
