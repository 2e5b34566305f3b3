//! What clients can ask of the journal.

use async_graphql::{Context, ID, InputObject, Lookahead, Object, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    journal::{
        Document, EntryFilter, JournalEntry as Row, JournalLine as LineRow, LedgerOf,
        SubsidiaryBalancesOf,
    },
    report::{Column, Scope},
};
use entity::id::{AccountId, DimensionValueId, FiscalYearId, JournalEntryId};

use super::{
    GeneralLedgerLine, JournalEntry, JournalEntryKind, SubsidiaryBalanceRow, TrialBalanceRow,
};
use crate::graphql::{
    context::ContextExt,
    cost,
    date::Date,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{JournalLinesOf, JournalReversalOf, load_all, preload},
    page::{self, Connection},
    report::scope,
};

/// What an entry was posted for.
#[derive(InputObject, Clone, Debug)]
pub struct JournalDocumentInput {
    /// Its type, such as `invoice`: at most 50 characters.
    pub r#type: String,
    /// Its id or number: at most 200 characters.
    pub id: String,
}

impl From<JournalDocumentInput> for Document {
    fn from(JournalDocumentInput { r#type, id }: JournalDocumentInput) -> Self {
        Self { kind: r#type, id }
    }
}

/// Which entries. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct JournalEntryWhere {
    /// Of this day or later.
    from: Option<Date>,
    /// Of this day or earlier.
    until: Option<Date>,
    /// In this fiscal year.
    fiscal_year_id: Option<ID>,
    /// With this number.
    number: Option<i64>,
    /// Of one of these kinds. An empty list matches nothing.
    kinds: Option<Vec<JournalEntryKind>>,
    /// Posted for this.
    document: Option<JournalDocumentInput>,
    /// With a line of this account.
    account_id: Option<ID>,
    /// Recorded up to this moment.
    as_known_at: Option<DateTime<Utc>>,
    /// With a line for this subsidiary account, cost centre or project.
    dimension_value_id: Option<ID>,
}

impl JournalEntryWhere {
    fn parse(self) -> Result<EntryFilter, Refusal> {
        let Self {
            from,
            until,
            fiscal_year_id,
            number,
            kinds,
            document,
            account_id,
            as_known_at,
            dimension_value_id,
        } = self;
        let value =
            dimension_value_id.map(|id| DimensionValueId::parse("where.dimensionValueId", &id));
        let year = fiscal_year_id.map(|id| FiscalYearId::parse("where.fiscalYearId", &id));
        let account = account_id.map(|id| AccountId::parse("where.accountId", &id));
        Ok(EntryFilter {
            from: from.map(|day| day.0),
            until: until.map(|day| day.0),
            fiscal_year_id: year.transpose()?,
            number,
            kinds: kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            document: document.map(Into::into),
            account_id: account.transpose()?,
            known_at: as_known_at,
            dimension_value_id: value.transpose()?,
        })
    }
}

/// Queries about the journal.
#[derive(Default)]
pub struct JournalQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl JournalQuery {
    /// One entry of the books; null when there is none such. Needs `books.read`.
    async fn journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<JournalEntry>> {
        let viewer = ctx.viewer();
        let id = JournalEntryId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().journal().find(viewer, id).await;
        let row = row.or_graphql(viewer)?;
        prefetch(ctx, &ctx.look_ahead(), row.iter()).await?;
        Ok(row.map(JournalEntry::new))
    }

    /// Entries of the books in pages, the latest day and the highest number first. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn journal_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            JournalEntryWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<JournalEntry>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().journal().entries(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            prefetch(ctx, &selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, JournalEntry::new))
    }

    /// What went to each side of each account up to the end of a day, by account and commodity. Debits and credits are equal in each
    /// commodity. Needs `books.read`.
    #[graphql(complexity = "cost::tree(None, child_complexity)")]
    async fn trial_balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day.")] as_of: Date,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
    ) -> async_graphql::Result<Vec<TrialBalanceRow>> {
        let viewer = ctx.viewer();
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let scope = scope.or_graphql(viewer)?;
        let column = Column {
            from: None,
            until: as_of.0,
        };
        let reports = ctx.domain().reports();
        let rows = reports.trial_balance(viewer, &[column], &scope).await;
        let rows = rows.or_graphql(viewer)?;
        if ctx.look_ahead().field("account").exists() {
            preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        }
        Ok(rows.into_iter().map(TrialBalanceRow::new).collect())
    }

    /// The ledger of an account in a commodity, in pages, the earliest day first, each line with what the account had after it. Pages go
    /// forward. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn general_ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which account.")] account_id: ID,
        #[graphql(
            desc = "In which commodity; the account's only one without, or the shop's currency."
        )]
        commodity: Option<String>,
        #[graphql(desc = "From this day on.")] from: Option<Date>,
        #[graphql(desc = "Up to the end of this day.")] until: Option<Date>,
        #[graphql(desc = "As the books were known at this moment.")] as_known_at: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only lines for this location, or one below it.")] location_id: Option<ID>,
        #[graphql(desc = "Only lines for this subsidiary account, cost centre or project.")]
        dimension_value_id: Option<ID>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<GeneralLedgerLine>> {
        let viewer = ctx.viewer();
        let account_id = AccountId::parse("accountId", &account_id).map_err(Into::into);
        let scope = scope(location_id, dimension_value_id, as_known_at).map_err(Into::into);
        let of = LedgerOf {
            scope: scope.or_graphql(viewer)?,
            account_id: account_id.or_graphql(viewer)?,
            subsidiary_id: None,
            commodity,
            from: from.map(|day| day.0),
            until: until.map(|day| day.0),
        };
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().journal().ledger(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            let lines: Vec<_> = rows.edges.iter().map(|(_, row)| &row.line).collect();
            prefetch_lines(ctx, &selected.field("line"), &lines).await?;
        }
        Ok(page::connection(rows, EmptyFields, GeneralLedgerLine::new))
    }

    /// The ledger of one of an account's subsidiary accounts in a commodity, in pages, the earliest day first, each line with what the
    /// subsidiary account had after it. Pages go forward. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn subsidiary_ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which account.")] account_id: ID,
        #[graphql(desc = "Of which of its subsidiary accounts.")] subsidiary_id: ID,
        #[graphql(
            desc = "In which commodity; the account's only one without, or the shop's currency."
        )]
        commodity: Option<String>,
        #[graphql(desc = "From this day on.")] from: Option<Date>,
        #[graphql(desc = "Up to the end of this day.")] until: Option<Date>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<GeneralLedgerLine>> {
        let viewer = ctx.viewer();
        let account_id = AccountId::parse("accountId", &account_id).map_err(Into::into);
        let value = DimensionValueId::parse("subsidiaryId", &subsidiary_id).map_err(Into::into);
        let of = LedgerOf {
            account_id: account_id.or_graphql(viewer)?,
            subsidiary_id: Some(value.or_graphql(viewer)?),
            scope: Scope::default(),
            commodity,
            from: from.map(|day| day.0),
            until: until.map(|day| day.0),
        };
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().journal().ledger(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            let lines: Vec<_> = rows.edges.iter().map(|(_, row)| &row.line).collect();
            prefetch_lines(ctx, &selected.field("line"), &lines).await?;
        }
        Ok(page::connection(rows, EmptyFields, GeneralLedgerLine::new))
    }

    /// What went to each side of each subsidiary account up to the end of a day, in an account or in all accounts of a group, in pages by account,
    /// commodity and code. Pages go forward. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn subsidiary_balances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, or a group of accounts.")] account_id: ID,
        #[graphql(desc = "The day.")] as_of: Date,
        #[graphql(desc = "Of this subsidiary account only.")] subsidiary_id: Option<ID>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<SubsidiaryBalanceRow>> {
        let viewer = ctx.viewer();
        let account = AccountId::parse("accountId", &account_id).map_err(Into::into);
        let value = subsidiary_id.map(|id| DimensionValueId::parse("subsidiaryId", &id));
        let of = SubsidiaryBalancesOf {
            account_id: account.or_graphql(viewer)?,
            as_of: as_of.0,
            subsidiary_id: value.transpose().map_err(Into::into).or_graphql(viewer)?,
        };
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().journal();
        let rows = rows.subsidiary_balances(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            if selected.field("account").exists() {
                preload(ctx, rows.edges.iter().map(|(_, row)| row.account_id)).await?;
            }
            if selected.field("subsidiary").exists() {
                preload(ctx, rows.edges.iter().map(|(_, row)| row.subsidiary_id)).await?;
            }
        }
        Ok(page::connection(
            rows,
            EmptyFields,
            SubsidiaryBalanceRow::new,
        ))
    }
}

/// The two ways to the nodes of a connection.
pub(in crate::graphql) fn nodes<'a>(selected: &Lookahead<'a>) -> [Lookahead<'a>; 2] {
    [
        selected.field("edges").field("node"),
        selected.field("nodes"),
    ]
}

/// Loads what the query selects of these entries besides themselves.
async fn prefetch<'a>(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    if selected.field("fiscalYear").exists() {
        preload(ctx, rows.clone().map(|row| row.fiscal_year_id)).await?;
    }
    if selected.field("reverses").exists() {
        preload(ctx, rows.clone().filter_map(|row| row.reverses_id)).await?;
    }
    if selected.field("reversedBy").exists() {
        preload(ctx, rows.clone().map(|row| JournalReversalOf(row.id))).await?;
    }
    let of_lines = selected.field("lines");
    if of_lines.exists() {
        let keys = JournalLinesOf::selected(&of_lines, rows.map(|row| row.id))?;
        let pages = load_all(ctx, keys).await?;
        let lines: Vec<_> = pages
            .values()
            .flat_map(|page| page.edges.iter().map(|(_, line)| line))
            .collect();
        for selected in nodes(&of_lines) {
            prefetch_lines(ctx, &selected, &lines).await?;
        }
    }
    Ok(())
}

/// Loads what the query selects of these lines besides themselves.
pub(in crate::graphql) async fn prefetch_lines(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    lines: &[&LineRow],
) -> async_graphql::Result<()> {
    if selected.field("account").exists() {
        preload(ctx, lines.iter().map(|line| line.account_id)).await?;
    }
    let named = lines.iter().flat_map(|line| {
        [
            ("subsidiary", line.subsidiary_id),
            ("costCenter", line.cost_center_id),
            ("project", line.project_id),
        ]
    });
    let named = named.filter(|(field, _)| selected.field(field).exists());
    preload(ctx, named.filter_map(|(_, id)| id)).await?;
    if selected.field("entry").exists() {
        preload(ctx, lines.iter().map(|line| line.entry_id)).await?;
    }
    if selected.field("location").exists() && ctx.viewer().require(Permission::StockRead).is_ok() {
        preload(ctx, lines.iter().filter_map(|line| line.location_id)).await?;
    }
    Ok(())
}
