//! Exports of reports into files.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    report::{Column, Owing},
    report_export::{NewReportExport, Report, ReportExport as Row},
};
use entity::id::{AccountId, JobId, ReportExportId};

use super::{
    ageing::limits,
    context::ContextExt,
    date::Date,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item_import::visible_job,
    job::Job,
    payload::{UserError, settle},
    report::{ReportColumnInput, columns, required, scope},
};

/// How the file of a report is written.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::report_export::Format", name = "ReportFileFormat")]
pub enum ReportFileFormat {
    /// A table with a line of headers.
    Csv,
    /// A journal that hledger reads: of `JOURNAL` only.
    Hledger,
    /// A journal that beancount reads: of `JOURNAL` only.
    Beancount,
}

/// A report of the books.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// What each account had before, what went to each side, and what it had afterwards. Needs `columns`.
    TrialBalance,
    /// What the business had, owed, and was worth to its owners. Needs `asOf`.
    BalanceSheet,
    /// What was earned, and what it cost. Needs `columns`.
    ProfitAndLoss,
    /// Where cash came from and where it went. Needs `columns` and `cashAccountIds`.
    CashFlow,
    /// Grams of fine weight of each metal. Needs `asOf`.
    MetalBalance,
    /// What others owe to the business by age. Needs one day in `asOf`.
    AgedReceivables,
    /// What the business owes to others by age. Needs one day in `asOf`.
    AgedPayables,
    /// What stock was worth, item by item. Needs one day in `asOf`, and `cost.read`.
    InventoryValuation,
    /// Lines by account, each with what the account had after it. Needs one of `columns`.
    GeneralLedger,
    /// Entries in the order of days and numbers. Needs one of `columns`.
    Journal,
}

/// An export of a report into a file.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ReportExport {
    /// Opaque id.
    id: ID,
    /// How the file is written.
    format: ReportFileFormat,
    /// How many rows, or entries, there are in the file; null before it is done.
    rows: Option<i64>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    job_id: JobId,
}

impl ReportExport {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            format,
            request: _,
            locale: _,
            row_count,
            created_at,
        } = row;
        Self {
            id: id.encode(),
            format: format.into(),
            rows: row_count,
            created_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl ReportExport {
    /// The job that does it, with its progress and, at the end, the file; null when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// Which report to write into a file, and how.
#[derive(InputObject)]
pub struct ReportExportCreateInput {
    /// Which report.
    report: ReportKind,
    /// Its columns: from 1 to 12, or one.
    columns: Option<Vec<ReportColumnInput>>,
    /// At the end of which days: from 1 to 12.
    as_of: Option<Vec<Date>>,
    /// The accounts that are cash, with all below them.
    cash_account_ids: Option<Vec<ID>>,
    /// Whose ledger, or what is owed where: of this account, or of all below this group; of all without.
    account_id: Option<ID>,
    /// Limits between ages in days, growing, at most 11.
    #[graphql(default_with = "vec![30, 60, 90]")]
    limits: Vec<i32>,
    /// As the books were known at this moment.
    as_known_at: Option<DateTime<Utc>>,
    /// Only lines for this location, or one below it; of the journal, entries with such lines.
    location_id: Option<ID>,
    /// Only lines for this subsidiary account, cost centre or project; of the journal, entries with such lines.
    dimension_value_id: Option<ID>,
    /// How the file is written.
    #[graphql(default_with = "ReportFileFormat::Csv")]
    format: ReportFileFormat,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

impl ReportExportCreateInput {
    fn parse(self) -> Result<NewReportExport, Refusal> {
        let days = self
            .as_of
            .as_ref()
            .map(|days| days.iter().map(|day| day.0).collect::<Vec<_>>());
        let days = || required("asOf", days.clone());
        let columns = self.columns.clone().map(columns);
        let columns = || required("columns", columns.clone());
        let one = |columns: Vec<Column>| required("columns", columns.into_iter().next());
        let account = || {
            let id = self.account_id.as_ref();
            let id = id.map(|id| AccountId::parse("accountId", id));
            id.transpose()
        };
        let aged = |owing| {
            Ok::<_, Refusal>(Report::AgedBalances {
                owing,
                account_id: account()?,
                as_of: required("asOf", days()?.into_iter().next())?,
                limits: limits("limits", &self.limits)?,
            })
        };
        let report = match self.report {
            ReportKind::TrialBalance => Report::TrialBalance {
                columns: columns()?,
            },
            ReportKind::BalanceSheet => Report::BalanceSheet { days: days()? },
            ReportKind::ProfitAndLoss => Report::ProfitAndLoss {
                columns: columns()?,
            },
            ReportKind::CashFlow => {
                let ids = required("cashAccountIds", self.cash_account_ids.as_ref())?;
                Report::CashFlow {
                    cash: AccountId::parse_all("cashAccountIds", ids)?,
                    columns: columns()?,
                }
            }
            ReportKind::MetalBalance => Report::MetalBalance { days: days()? },
            ReportKind::AgedReceivables => aged(Owing::Receivable)?,
            ReportKind::AgedPayables => aged(Owing::Payable)?,
            ReportKind::InventoryValuation => Report::InventoryValuation {
                as_of: required("asOf", days()?.into_iter().next())?,
            },
            ReportKind::GeneralLedger => Report::GeneralLedger {
                account_id: account()?,
                column: one(columns()?)?,
            },
            ReportKind::Journal => Report::Journal {
                column: one(columns()?)?,
            },
        };
        Ok(NewReportExport {
            report,
            scope: scope(self.location_id, self.dimension_value_id, self.as_known_at)?,
            format: self.format.into(),
        })
    }
}

/// What became of asking for an export.
#[derive(SimpleObject)]
pub struct ReportExportCreatePayload {
    /// The export, which waits for a worker; null when it was refused.
    report_export: Option<ReportExport>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of exports of reports.
#[derive(Default)]
pub struct ReportExportMutation;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl ReportExportMutation {
    /// Writes a report into a file, in the background, all as it is at one moment. Needs `books.read`.
    async fn report_export_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which report, and how.")] mut input: ReportExportCreateInput,
    ) -> async_graphql::Result<ReportExportCreatePayload> {
        let key = input.idempotency_key.take();
        let created = async {
            let new = input.parse()?;
            let exports = ctx.domain().report_exports();
            exports.create(ctx.viewer(), new, key.as_deref()).await
        };
        let (row, user_errors) = settle(ctx, created.await)?;
        Ok(ReportExportCreatePayload {
            report_export: row.map(ReportExport::new),
            user_errors,
        })
    }
}

/// Queries about exports of reports.
#[derive(Default)]
pub struct ReportExportQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl ReportExportQuery {
    /// One export of a report; null when there is none such. Needs `books.read`.
    async fn report_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<ReportExport>> {
        let viewer = ctx.viewer();
        let id = ReportExportId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().report_exports().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(ReportExport::new))
    }
}
