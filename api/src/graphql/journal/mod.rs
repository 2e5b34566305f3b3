//! The journal of the books: entries, lines, balances and ledgers as clients see them.

pub mod attachment;
pub mod draft;
pub mod hold;
pub mod mutation;
pub mod query;
pub mod revaluation;
pub mod verification;
pub mod watch;

use async_graphql::{ComplexObject, Context, Enum, ID, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    journal::{
        JournalEntry as Row, JournalLine as LineRow, LedgerLine,
        SubsidiaryBalanceRow as SubsidiaryRow,
    },
    report::TrialRow,
};
use entity::id::{AccountId, DimensionValueId, FiscalYearId, JournalEntryId, LocationId};

pub use attachment::JournalAttachmentMutation;
pub use draft::{JournalDraftMutation, JournalDraftQuery};
pub use hold::{JournalHoldMutation, JournalHoldQuery};
pub use mutation::JournalMutation;
pub use query::JournalQuery;
pub use revaluation::{RevaluationMutation, RevaluationQuery};
pub use verification::{JournalVerificationMutation, JournalVerificationQuery};

use self::{attachment::JournalAttachment, revaluation::JournalRevaluationLine};
use super::{
    account::Account,
    cost,
    date::Date,
    decimal::Decimal,
    dimension::DimensionValue,
    guard::Needs,
    id::GlobalId,
    loader::{AttachmentsOf, JournalLinesOf, JournalReversalOf, RevaluationLinesOf, load},
    location::Location,
    page::{self, Connection},
    period::FiscalYear,
};

/// What sort of entry of the books it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::journal::Kind")]
pub enum JournalEntryKind {
    /// What happened.
    General,
    /// Undoes another entry.
    Reversal,
    /// What there was when the books began.
    Opening,
    /// Ends a fiscal year.
    Closing,
    /// Follows from what happened in stock.
    Stock,
    /// Brings what accounts are carried at to what they are worth.
    Revaluation,
}

/// What an entry was posted for.
#[derive(SimpleObject)]
pub struct JournalDocument {
    /// Its type, such as `invoice`.
    r#type: String,
    /// Its id or number.
    id: String,
}

/// Lines that were posted to the books at once, balanced in each commodity. Entries never change; a mistake is undone by reversing one.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalEntry {
    /// Opaque id.
    pub id: ID,
    /// From 1 on in each fiscal year, without gaps.
    number: i64,
    /// When it happened.
    date: Date,
    /// What sort of entry it is.
    kind: JournalEntryKind,
    /// What it is about.
    description: Option<String>,
    /// What it was posted for; null when nobody said so.
    document: Option<JournalDocument>,
    /// How many lines it has.
    line_count: i32,
    /// When goldshop heard of it.
    recorded_at: DateTime<Utc>,
    /// Who posted it.
    actor_name: String,
    #[graphql(skip)]
    row_id: JournalEntryId,
    #[graphql(skip)]
    fiscal_year_id: FiscalYearId,
    #[graphql(skip)]
    reverses_id: Option<JournalEntryId>,
}

impl JournalEntry {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            fiscal_year_id,
            number,
            date,
            kind,
            description,
            document_type,
            document_id,
            reverses_id,
            lines,
            recorded_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
        } = row;
        let document = document_type.zip(document_id);
        Self {
            id: id.encode(),
            number,
            date: Date(date),
            kind: kind.into(),
            description,
            document: document.map(|(r#type, id)| JournalDocument { r#type, id }),
            line_count: lines,
            recorded_at,
            actor_name,
            row_id: id,
            fiscal_year_id,
            reverses_id,
        }
    }
}

#[ComplexObject]
impl JournalEntry {
    /// In which fiscal year.
    async fn fiscal_year(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<FiscalYear>> {
        let row = load(ctx, self.fiscal_year_id).await?;
        Ok(row.map(FiscalYear::new))
    }

    /// Its lines, in order.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<JournalLine>> {
        let key = JournalLinesOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(page, EmptyFields, JournalLine::new))
    }

    /// The entry that it undoes; null when it undoes none.
    async fn reverses(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.reverses_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Self::new))
    }

    /// Files that belong to it, those of its draft included, in the order in which they came.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn attachments(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<JournalAttachment>> {
        let rows = load(ctx, AttachmentsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        let files = rows.map(|(_, row)| JournalAttachment::new(ctx, row));
        Ok(files.collect())
    }

    /// What a revaluation has come to, by account and commodity; empty of any other entry.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn revaluation(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<JournalRevaluationLine>> {
        if self.kind != JournalEntryKind::Revaluation {
            return Ok(Vec::new());
        }
        let rows = load(ctx, RevaluationLinesOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(JournalRevaluationLine::new).collect())
    }

    /// The entry that undid it; null as long as none has.
    async fn reversed_by(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let row = load(ctx, JournalReversalOf(self.row_id)).await?.flatten();
        Ok(row.map(Self::new))
    }
}

/// An amount on one side of an account.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalLine {
    /// Which line of its entry, from 1.
    line: i32,
    /// Of what the amount is: the code of a currency, or of a metal in grams of fine weight.
    commodity: String,
    /// How much was debited; null when it was credited.
    debit: Option<Decimal>,
    /// How much was credited; null when it was debited.
    credit: Option<Decimal>,
    /// What it was worth in the shop's currency, by the rate of its day as it was known when it was posted; null for the shop's currency itself, and
    /// when nobody knew.
    base_amount: Option<Decimal>,
    /// Of how many, in whatever unit the account counts; null when nobody said so.
    quantity: Option<Decimal>,
    /// What it is about.
    description: Option<String>,
    /// The entry's date.
    date: Date,
    /// The entry's number.
    entry_number: i64,
    #[graphql(skip)]
    entry_id: JournalEntryId,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    location_id: Option<LocationId>,
    #[graphql(skip)]
    dimensions: Dimensions,
}

impl JournalLine {
    /// As clients see it.
    #[must_use]
    pub fn new(row: LineRow) -> Self {
        let LineRow {
            entry_id,
            line,
            account_id,
            commodity,
            is_debit,
            amount,
            base_amount,
            quantity,
            location_id,
            description,
            date,
            number,
            subsidiary_id,
            cost_center_id,
            project_id,
        } = row;
        let amount = Decimal::shown(amount);
        Self {
            line,
            commodity,
            debit: is_debit.then_some(amount),
            credit: (!is_debit).then_some(amount),
            base_amount: base_amount.map(Decimal::shown),
            quantity: quantity.map(Decimal::shown),
            description,
            date: Date(date),
            entry_number: number,
            entry_id,
            account_id,
            location_id,
            dimensions: Dimensions {
                subsidiary_id,
                cost_center_id,
                project_id,
            },
        }
    }
}

#[ComplexObject]
impl JournalLine {
    /// The entry that it is a line of.
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JournalEntry>> {
        Ok(load(ctx, self.entry_id).await?.map(JournalEntry::new))
    }

    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// For which subsidiary account of the account; null where it has none.
    async fn subsidiary(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        dimension_value(ctx, self.dimensions.subsidiary_id).await
    }

    /// For which cost centre; null when nobody said so.
    async fn cost_center(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<DimensionValue>> {
        dimension_value(ctx, self.dimensions.cost_center_id).await
    }

    /// For which project; null when nobody said so.
    async fn project(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        dimension_value(ctx, self.dimensions.project_id).await
    }

    /// For which location; null when nobody said so. Needs `stock.read`.
    #[graphql(guard = "Needs(Permission::StockRead)")]
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let Some(id) = self.location_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// What a line is about besides its account.
#[derive(Clone, Copy)]
struct Dimensions {
    subsidiary_id: Option<DimensionValueId>,
    cost_center_id: Option<DimensionValueId>,
    project_id: Option<DimensionValueId>,
}

/// The value of a dimension, if one is named.
///
/// # Errors
/// The domain's error, translated.
pub async fn dimension_value(
    ctx: &Context<'_>,
    id: Option<DimensionValueId>,
) -> async_graphql::Result<Option<DimensionValue>> {
    let Some(id) = id else { return Ok(None) };
    let row = load(ctx, id).await?;
    Ok(row.map(|row| DimensionValue::new(ctx, row)))
}

/// What an account had of a commodity at the end of a day.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct TrialBalanceRow {
    /// Of what: a commodity's code.
    commodity: String,
    /// How much was debited altogether.
    debit: Decimal,
    /// How much was credited altogether.
    credit: Decimal,
    /// What it had: debited without credited, so negative on the credit side.
    balance: Decimal,
    #[graphql(skip)]
    account_id: AccountId,
}

impl TrialBalanceRow {
    /// Of a report with one column, from the first entry on.
    fn new(row: TrialRow) -> Self {
        let TrialRow {
            account_id,
            code: _,
            commodity,
            cells,
        } = row;
        let cell = cells.first().copied().unwrap_or_default();
        Self {
            commodity,
            debit: Decimal::shown(cell.turnover.debit),
            credit: Decimal::shown(cell.turnover.credit),
            balance: Decimal::shown(cell.closing()),
            account_id,
        }
    }
}

#[ComplexObject]
impl TrialBalanceRow {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// What a subsidiary account had of a commodity at the end of a day, in one of the accounts that demand it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SubsidiaryBalanceRow {
    /// Of what: a commodity's code.
    commodity: String,
    /// How much was debited altogether.
    debit: Decimal,
    /// How much was credited altogether.
    credit: Decimal,
    /// What it had: debited without credited, so negative on the credit side.
    balance: Decimal,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    subsidiary_id: DimensionValueId,
}

impl SubsidiaryBalanceRow {
    fn new(row: SubsidiaryRow) -> Self {
        Self {
            balance: Decimal::shown(row.balance()),
            commodity: row.commodity,
            debit: Decimal::shown(row.debit),
            credit: Decimal::shown(row.credit),
            account_id: row.account_id,
            subsidiary_id: row.subsidiary_id,
        }
    }
}

#[ComplexObject]
impl SubsidiaryBalanceRow {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// Which of its subsidiary accounts.
    async fn subsidiary(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        dimension_value(ctx, Some(self.subsidiary_id)).await
    }
}

/// A line of an account's ledger.
#[derive(SimpleObject)]
pub struct GeneralLedgerLine {
    /// The line.
    line: JournalLine,
    /// What the account had after it: debited without credited, so negative on the credit side.
    balance: Decimal,
}

impl GeneralLedgerLine {
    fn new(row: LedgerLine) -> Self {
        let LedgerLine { line, balance } = row;
        Self {
            line: JournalLine::new(line),
            balance: Decimal::shown(balance),
        }
    }
}
