//! Reports of the books: trial balances, balance sheets, profit and loss accounts, cash flow, what there is of metals, and the lines behind
//! each figure ([ADR 23](../docs/adr/0023-reports-of-the-books.md)).
//!
//! All columns of a report come from one statement, so they are of one moment and tie to each other.

pub(crate) mod ageing;
mod cash;
pub(crate) mod figures;
pub(crate) mod known;
mod lines;
mod scope;
mod span;
mod statement;
pub(crate) mod tree;
mod trial;

use chrono::NaiveDate;
use entity::{id::AccountId, journal_line::Model as JournalLine};
use serde::{Deserialize, Serialize};

pub use ageing::{Aged, AgedOf, AgedTotal, Owing};
pub(crate) use cash::flow as cash_flow_of;
pub use figures::Sides;
pub use lines::LinesOf;
pub use scope::Scope;
pub(crate) use statement::{
    balance_sheet as balance_sheet_of, metal_balance as metal_balance_of,
    profit_and_loss as profit_and_loss_of,
};
pub use tree::{Line, Row, Section};
pub(crate) use trial::balance as trial_of;
pub use trial::{TrialCell, TrialRow};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    journal::parse_date,
    page::{Page, PageArgs},
    permission::Permission,
    viewer::Viewer,
};

/// Most columns of a report.
pub const COLUMNS_MAX: usize = 12;

/// A column of a report: some days in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// From this day on; from the first entry on without.
    pub from: Option<NaiveDate>,
    /// Up to the end of this day.
    pub until: NaiveDate,
}

/// Reports of the books.
#[derive(Clone, Copy, Debug)]
pub struct Reports<'a> {
    pub(crate) domain: &'a Domain,
}

impl Reports<'_> {
    /// What each account had before each column, what went to each side, and what it had afterwards.
    ///
    /// # Errors
    /// When the viewer may not see the books, a column is wrong, there is no such location, or the moment has not come yet.
    pub async fn trial_balance(
        &self,
        viewer: &Viewer,
        columns: &[Column],
        scope: &Scope,
    ) -> Result<Vec<TrialRow>> {
        self.begin(viewer, columns, scope).await?;
        trial::balance(&self.domain.reads, columns, scope).await
    }

    /// What the business had at the end of each day, what it owed, and what belonged to its owners.
    ///
    /// # Errors
    /// As for a trial balance.
    pub async fn balance_sheet(
        &self,
        viewer: &Viewer,
        days: &[NaiveDate],
        scope: &Scope,
    ) -> Result<Vec<Row>> {
        self.begin(viewer, &up_to(days), scope).await?;
        statement::balance_sheet(&self.domain.reads, days, scope).await
    }

    /// What was earned in each column, and what it cost.
    ///
    /// # Errors
    /// As for a trial balance.
    pub async fn profit_and_loss(
        &self,
        viewer: &Viewer,
        columns: &[Column],
        scope: &Scope,
    ) -> Result<Vec<Row>> {
        self.begin(viewer, columns, scope).await?;
        statement::profit_and_loss(&self.domain.reads, columns, scope).await
    }

    /// Where cash came from and where it went in each column. Cash is what lies on these accounts, or below them.
    ///
    /// # Errors
    /// As for a trial balance; and when no account is cash, or a location is given: entries balance, their lines for a location need not.
    pub async fn cash_flow(
        &self,
        viewer: &Viewer,
        cash: &[AccountId],
        columns: &[Column],
        scope: &Scope,
    ) -> Result<Vec<Row>> {
        self.begin(viewer, columns, scope).await?;
        if scope.is_of_lines() {
            let refusal = Refusal::new(Code::Exclusive, "locationId");
            return Err(refusal.with("other", "cashAccountIds").into());
        }
        cash::flow(&self.domain.reads, cash, columns, scope).await
    }

    /// Grams of fine weight of each metal at the end of each day.
    ///
    /// # Errors
    /// As for a trial balance.
    pub async fn metal_balance(
        &self,
        viewer: &Viewer,
        days: &[NaiveDate],
        scope: &Scope,
    ) -> Result<Vec<Row>> {
        self.begin(viewer, &up_to(days), scope).await?;
        statement::metal_balance(&self.domain.reads, days, scope).await
    }

    /// A page of what subsidiary accounts owe, or are owed, by age. Pages go forward.
    ///
    /// # Errors
    /// As for a trial balance; and when limits do not grow, or a location is given: what is kept added up does not say where.
    pub async fn aged(&self, viewer: &Viewer, of: &AgedOf, args: &PageArgs) -> Result<Page<Aged>> {
        self.begin_aged(viewer, of).await?;
        ageing::page(&self.domain.reads, of, args).await
    }

    /// The same added up, by account and commodity.
    ///
    /// # Errors
    /// As for its pages.
    pub async fn aged_totals(&self, viewer: &Viewer, of: &AgedOf) -> Result<Vec<AgedTotal>> {
        self.begin_aged(viewer, of).await?;
        ageing::totals(&self.domain.reads, of).await
    }

    async fn begin_aged(&self, viewer: &Viewer, of: &AgedOf) -> Result<()> {
        self.begin(viewer, &up_to(&[of.as_of]), &of.scope).await?;
        Ok(of.check()?)
    }

    /// A page of the lines behind a figure, the earliest day first. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the arguments are wrong.
    pub async fn lines(
        &self,
        viewer: &Viewer,
        of: &LinesOf,
        args: &PageArgs,
    ) -> Result<Page<JournalLine>> {
        self.begin(viewer, &[of.column], &of.scope).await?;
        lines::page(&self.domain.reads, of, args).await
    }

    async fn begin(&self, viewer: &Viewer, columns: &[Column], scope: &Scope) -> Result<()> {
        viewer.require(Permission::BooksRead)?;
        check(columns)?;
        scope.check(&self.domain.reads).await?;
        known::settle(self.domain, "asKnownAt", scope.known_at).await
    }
}

fn up_to(days: &[NaiveDate]) -> Vec<Column> {
    let columns = days.iter().map(|day| Column {
        from: None,
        until: *day,
    });
    columns.collect()
}

/// Some columns, not too many, of days that people mean, each from a day to a later one.
pub(crate) fn check(columns: &[Column]) -> Result<(), Refusal> {
    if columns.is_empty() {
        return Err(Refusal::new(Code::Required, "columns"));
    }
    if columns.len() > COLUMNS_MAX {
        return Err(Refusal::new(Code::TooMany, "columns").with("max", COLUMNS_MAX));
    }
    for (place, Column { from, until }) in columns.iter().enumerate() {
        parse_date(&format!("columns.{place}.until"), *until)?;
        let Some(from) = from else { continue };
        let path = format!("columns.{place}.from");
        parse_date(&path, *from)?;
        if from > until {
            let refusal = Refusal::new(Code::TimeOutOfRange, &path);
            return Err(refusal.with("min", "1000-01-01").with("max", until));
        }
    }
    Ok(())
}
