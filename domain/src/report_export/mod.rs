//! Exports of reports into files: asked for here, done by a worker.

pub(crate) mod names;
mod plain;
mod source;
mod table;
mod valuation;

use chrono::NaiveDate;
use entity::id::{AccountId, JobId, ReportExportId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use entity::report_export::{Format, Model as ReportExport};
pub use source::{Piece, Source};

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, NewJobFile, Task},
    permission::Permission,
    report::{self, AgedOf, Column, Owing, Scope},
    sql::statement,
    viewer::Viewer,
};

/// Which report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// What each account had before each column, what went to each side, and what it had afterwards.
    TrialBalance {
        /// Its columns.
        columns: Vec<Column>,
    },
    /// What the business had, owed, and was worth to its owners.
    BalanceSheet {
        /// At the end of these days.
        days: Vec<NaiveDate>,
    },
    /// What was earned, and what it cost.
    ProfitAndLoss {
        /// Its columns.
        columns: Vec<Column>,
    },
    /// Where cash came from and where it went.
    CashFlow {
        /// The accounts that are cash, with all below them.
        cash: Vec<AccountId>,
        /// Its columns.
        columns: Vec<Column>,
    },
    /// Grams of fine weight of each metal.
    MetalBalance {
        /// At the end of these days.
        days: Vec<NaiveDate>,
    },
    /// What subsidiary accounts owe, or are owed, by age.
    AgedBalances {
        /// Who owes whom.
        owing: Owing,
        /// In this account, or in all accounts of this group; without, in all that demand a party.
        account_id: Option<AccountId>,
        /// At the end of this day.
        as_of: NaiveDate,
        /// Limits between ages in days, growing.
        limits: Vec<u16>,
    },
    /// What stock was worth, item by item.
    InventoryValuation {
        /// At the end of this day, in the shop's time zone.
        as_of: NaiveDate,
    },
    /// Lines by account, each with what the account had after it.
    GeneralLedger {
        /// Of this account, or of all below this group; of all without.
        account_id: Option<AccountId>,
        /// Of these days.
        column: Column,
    },
    /// Entries in their order.
    Journal {
        /// Of these days.
        column: Column,
    },
}

impl Report {
    fn check(&self, scope: &Scope) -> Result<(), Refusal> {
        let fits = match self {
            Self::CashFlow { .. } | Self::AgedBalances { .. } => !scope.is_of_lines(),
            Self::InventoryValuation { .. } => *scope == Scope::default(),
            _ => true,
        };
        if !fits {
            let path = match scope.known_at {
                Some(_) if !scope.is_of_lines() => "asKnownAt",
                _ if scope.location_id.is_some() => "locationId",
                _ => "dimensionValueId",
            };
            return Err(Refusal::new(Code::Exclusive, path).with("other", "report"));
        }
        let up_to = |days: &[NaiveDate]| -> Vec<Column> {
            let columns = days.iter().map(|day| Column {
                from: None,
                until: *day,
            });
            columns.collect()
        };
        match self {
            Self::TrialBalance { columns } | Self::ProfitAndLoss { columns } => {
                report::check(columns)
            }
            Self::CashFlow { cash, columns } => {
                if cash.is_empty() {
                    return Err(Refusal::new(Code::Required, "cashAccountIds"));
                }
                report::check(columns)
            }
            Self::BalanceSheet { days } | Self::MetalBalance { days } => {
                report::check(&up_to(days))
            }
            Self::InventoryValuation { as_of } => report::check(&up_to(&[*as_of])),
            Self::AgedBalances { as_of, .. } => {
                report::check(&up_to(&[*as_of]))?;
                self.aged(Scope::default()).map_or(Ok(()), |of| of.check())
            }
            Self::GeneralLedger { column, .. } | Self::Journal { column } => {
                report::check(&[*column])
            }
        }
    }
}

impl Report {
    /// What is aged, when that is what is asked for.
    fn aged(&self, scope: Scope) -> Option<AgedOf> {
        let Self::AgedBalances {
            owing,
            account_id,
            as_of,
            limits,
        } = self
        else {
            return None;
        };
        Some(AgedOf {
            owing: *owing,
            account_id: *account_id,
            as_of: *as_of,
            limits: limits.clone(),
            scope,
        })
    }
}

/// An export to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewReportExport {
    /// Which report.
    #[serde(flatten)]
    pub report: Report,
    /// What it is about, besides.
    pub scope: Scope,
    /// How the file is written.
    pub format: Format,
}

/// Exports of reports.
#[derive(Clone, Copy, Debug)]
pub struct ReportExports<'a> {
    pub(crate) domain: &'a Domain,
}

impl ReportExports<'_> {
    /// Asks for an export, with names in this language.
    ///
    /// # Errors
    /// When the viewer may not see the books, or costs where they are in it; when the columns are wrong, the scope does not fit, or something
    /// else than the journal is to be written as one.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewReportExport,
        key: Option<&str>,
    ) -> Result<ReportExport> {
        viewer.require(Permission::BooksRead)?;
        new.report.check(&new.scope)?;
        if matches!(new.report, Report::InventoryValuation { .. }) {
            viewer.require(Permission::CostRead)?;
        }
        if new.format != Format::Csv && !matches!(new.report, Report::Journal { .. }) {
            return Err(Refusal::new(Code::Exclusive, "format")
                .with("other", "report")
                .into());
        }
        new.scope.check(&self.domain.reads).await?;
        report::known::settle(self.domain, "asKnownAt", new.scope.known_at).await?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "report_export.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let id = ReportExportId(new_id(now));
        let task = Task::ExportReport { export_id: id };
        let job_id = job::enqueue_one_in_tx(&tx, viewer, now, task).await?;
        let export = entity::report_export::ActiveModel {
            id: Set(id),
            job_id: Set(job_id),
            format: Set(new.format),
            request: Set(serde_json::to_value(&new)?),
            locale: Set(viewer.locale.as_str().to_owned()),
            row_count: Set(None),
            created_at: Set(now),
        };
        let export = export.insert(&tx).await?;
        // Who has taken the books along.
        let change = Change::of_new(
            "report_export.create",
            "report_export",
            export.id.0,
            &export,
        );
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &export).await?;
        self.domain.commit(tx).await?;
        Ok(export)
    }

    /// The export with this id.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn find(&self, viewer: &Viewer, id: ReportExportId) -> Result<Option<ReportExport>> {
        viewer.require(Permission::BooksRead)?;
        Ok(entity::report_export::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?)
    }

    /// Begins to read an export, all as it is at this moment; none when there is no such export any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn open(&self, viewer: &Viewer, id: ReportExportId) -> Result<Option<Source>> {
        viewer.require_system()?;
        let db = &self.domain.db;
        let export = entity::report_export::Entity::find_by_id(id)
            .one(db)
            .await?;
        match export {
            Some(export) => Source::open(self.domain, export).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the export well, together with its job, whose file this is.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: ReportExportId,
        row_count: i64,
        file: NewJobFile,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let sql = "UPDATE report_export SET row_count = $2 WHERE id = $1";
        tx.execute_raw(statement(sql, [id.into(), row_count.into()]))
            .await?;
        let result = json!({ "rows": row_count });
        job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        job::add_files_in_tx(&tx, now, job.0, &[file]).await?;
        self.domain.commit(tx).await
    }
}
