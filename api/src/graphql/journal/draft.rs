//! Drafts of entries, as clients see them and what they can do to them.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject,
    connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    journal::{
        DraftChange, DraftFilter, JournalDraft as Row, JournalDraftLine as LineRow, NewDraft,
        NewDraftLine,
    },
};
use entity::id::{AccountId, DimensionValueId, JournalDraftId, JournalEntryId, LocationId};

use super::{
    JournalDocument, JournalEntry, JournalEntryKind, attachment::JournalAttachment,
    dimension_value, mutation::JournalPostKind, query::JournalDocumentInput,
};
use crate::graphql::{
    account::Account,
    category::mutation::patch,
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    dimension::DimensionValue,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{DraftAttachmentsOf, JournalDraftLinesOf, load, load_all, preload},
    location::Location,
    page::{self, Connection},
    payload::{UserError, settle},
};

/// How far a draft has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::journal::DraftState")]
pub enum JournalDraftState {
    /// It is being worked on.
    Open,
    /// It has become an entry.
    Posted,
    /// Somebody threw it away.
    Discarded,
}

/// An entry of the books that is being prepared. It counts nowhere, and may lack anything.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalDraft {
    /// Opaque id.
    pub id: ID,
    /// How far it has got.
    state: JournalDraftState,
    /// When it happened; null as long as nobody said so.
    date: Option<Date>,
    /// What sort of entry it becomes.
    kind: JournalEntryKind,
    /// What it is about.
    description: Option<String>,
    /// What it is for; null when nobody said so.
    document: Option<JournalDocument>,
    /// How many lines it has.
    line_count: i32,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// When somebody changed it last.
    updated_at: DateTime<Utc>,
    /// When it was posted or thrown away; null while it is open.
    ended_at: Option<DateTime<Utc>>,
    /// Who began it.
    actor_name: String,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    #[graphql(skip)]
    row_id: JournalDraftId,
    #[graphql(skip)]
    entry_id: Option<JournalEntryId>,
}

impl JournalDraft {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            state,
            date,
            kind,
            description,
            document_type,
            document_id,
            lines,
            created_at,
            updated_at,
            ended_at,
            entry_id,
            actor_kind: _,
            actor_id: _,
            actor_name,
            version,
        } = row;
        let document = document_type.zip(document_id);
        Self {
            id: id.encode(),
            state: state.into(),
            date: date.map(Date),
            kind: kind.into(),
            description,
            document: document.map(|(r#type, id)| JournalDocument { r#type, id }),
            line_count: lines,
            created_at,
            updated_at,
            ended_at,
            actor_name,
            version,
            row_id: id,
            entry_id,
        }
    }
}

#[ComplexObject]
impl JournalDraft {
    /// Its lines, in order.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<JournalDraftLine>> {
        let key = JournalDraftLinesOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(page, EmptyFields, JournalDraftLine::new))
    }

    /// Files that belong to it, in the order in which they came.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn attachments(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<JournalAttachment>> {
        let rows = load(ctx, DraftAttachmentsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        let files = rows.map(|row| JournalAttachment::new(ctx, row));
        Ok(files.collect())
    }

    /// What it was posted as; null when it was not.
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JournalEntry>> {
        let Some(id) = self.entry_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(JournalEntry::new))
    }
}

/// What is known of a line of an entry that is being prepared.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalDraftLine {
    /// Which line of its draft, from 1.
    line: i32,
    /// Of what the amount is: the code of a currency, or of a metal in grams of fine weight; null for the shop's currency.
    commodity: Option<String>,
    /// How much is going to be debited; null when it is credited, or nobody said so.
    debit: Option<Decimal>,
    /// How much is going to be credited; null when it is debited, or nobody said so.
    credit: Option<Decimal>,
    /// Of how many, in whatever unit the account counts; null when nobody said so.
    quantity: Option<Decimal>,
    /// What it is about.
    description: Option<String>,
    #[graphql(skip)]
    account_id: Option<AccountId>,
    #[graphql(skip)]
    location_id: Option<LocationId>,
    #[graphql(skip)]
    named: [Option<DimensionValueId>; 3],
}

impl JournalDraftLine {
    fn new(row: LineRow) -> Self {
        let LineRow {
            draft_id: _,
            line,
            account_id,
            commodity,
            is_debit,
            amount,
            quantity,
            location_id,
            subsidiary_id,
            cost_center_id,
            project_id,
            description,
        } = row;
        let on = |side| amount.filter(|_| is_debit == Some(side));
        Self {
            line,
            commodity,
            debit: on(true).map(Decimal::shown),
            credit: on(false).map(Decimal::shown),
            quantity: quantity.map(Decimal::shown),
            description,
            account_id,
            location_id,
            named: [subsidiary_id, cost_center_id, project_id],
        }
    }
}

#[ComplexObject]
impl JournalDraftLine {
    /// Which account; null as long as nobody said so.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let Some(id) = self.account_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// For which subsidiary account of the account; null when nobody said so.
    async fn subsidiary(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        let [subsidiary, _, _] = self.named;
        dimension_value(ctx, subsidiary).await
    }

    /// For which cost centre; null when nobody said so.
    async fn cost_center(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<DimensionValue>> {
        let [_, cost_center, _] = self.named;
        dimension_value(ctx, cost_center).await
    }

    /// For which project; null when nobody said so.
    async fn project(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        let [_, _, project] = self.named;
        dimension_value(ctx, project).await
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

/// Which drafts. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct JournalDraftWhere {
    /// In one of these states. An empty list matches nothing.
    states: Option<Vec<JournalDraftState>>,
    /// For this.
    document: Option<JournalDocumentInput>,
    /// With a line of this account.
    account_id: Option<ID>,
}

impl JournalDraftWhere {
    fn parse(self) -> Result<DraftFilter, Refusal> {
        let Self {
            states,
            document,
            account_id,
        } = self;
        let account = account_id.map(|id| AccountId::parse("where.accountId", &id));
        Ok(DraftFilter {
            states: states.map(|states| states.into_iter().map(Into::into).collect()),
            document: document.map(Into::into),
            account_id: account.transpose()?,
        })
    }
}

/// Queries about drafts.
#[derive(Default)]
pub struct JournalDraftQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl JournalDraftQuery {
    /// One draft; null when there is none such. Needs `books.read`.
    async fn journal_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<JournalDraft>> {
        let viewer = ctx.viewer();
        let id = JournalDraftId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().journal().drafts_by_ids(viewer, &[id]).await;
        Ok(rows.or_graphql(viewer)?.pop().map(JournalDraft::new))
    }

    /// Drafts in pages, the newest first. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn journal_drafts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            JournalDraftWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<JournalDraft>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().journal().drafts(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        let selected = ctx.look_ahead();
        for node in [
            selected.field("edges").field("node"),
            selected.field("nodes"),
        ] {
            let ids = rows.edges.iter().map(|(_, row)| row.id);
            let keys = JournalDraftLinesOf::selected(&node.field("lines"), ids)?;
            let pages = load_all(ctx, keys).await?;
            let lines = pages.values().flat_map(|page| &page.edges);
            preload(ctx, lines.filter_map(|(_, line)| line.account_id)).await?;
        }
        preload(ctx, rows.edges.iter().filter_map(|(_, row)| row.entry_id)).await?;
        Ok(page::connection(rows, EmptyFields, JournalDraft::new))
    }
}

/// What is known of a line: at most one of `debit` and `credit`.
#[derive(InputObject)]
pub struct JournalDraftLineInput {
    /// Which account: one that there is.
    account_id: Option<ID>,
    /// Of what the amount is: the code of a currency, or of a metal in grams of fine weight. The shop's currency without.
    commodity: Option<String>,
    /// How much is debited: above 0.
    debit: Option<Decimal>,
    /// How much is credited: above 0.
    credit: Option<Decimal>,
    /// Of how many, in whatever unit the account counts: not 0, with at most 6 decimal places.
    quantity: Option<Decimal>,
    /// For which location.
    location_id: Option<ID>,
    /// For which subsidiary account.
    subsidiary_id: Option<ID>,
    /// For which cost centre.
    cost_center_id: Option<ID>,
    /// For which project.
    project_id: Option<ID>,
    /// What it is about: at most 500 characters.
    description: Option<String>,
}

/// A draft to be begun. What is not known yet is left out.
#[derive(InputObject)]
pub struct JournalDraftCreateInput {
    /// When it happened.
    date: Option<Date>,
    /// What sort of entry it becomes.
    #[graphql(default)]
    kind: JournalPostKind,
    /// What it is about: at most 2,000 characters.
    description: Option<String>,
    /// What it is for.
    document: Option<JournalDocumentInput>,
    /// At most 10,000 lines.
    #[graphql(default)]
    lines: Vec<JournalDraftLineInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What becomes different of a draft. What is not given stays as it is.
#[derive(InputObject)]
pub struct JournalDraftUpdateInput {
    /// Which draft: one that is open.
    id: ID,
    /// When it happened.
    date: MaybeUndefined<Date>,
    /// What sort of entry it becomes.
    kind: Option<JournalPostKind>,
    /// What it is about: at most 2,000 characters.
    description: MaybeUndefined<String>,
    /// What it is for.
    document: MaybeUndefined<JournalDocumentInput>,
    /// All its lines, in place of those it had: at most 10,000.
    lines: Option<Vec<JournalDraftLineInput>>,
    /// Refuse when the draft's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A draft to throw away.
#[derive(InputObject)]
pub struct JournalDraftDiscardInput {
    /// Which draft: one that is open.
    id: ID,
    /// Refuse when the draft's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A draft to be posted.
#[derive(InputObject)]
pub struct JournalDraftPostInput {
    /// Which draft: one that is open, and lacks nothing.
    id: ID,
    /// Refuse when the draft's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of beginning a draft.
#[derive(SimpleObject)]
pub struct JournalDraftCreatePayload {
    /// The draft; null when it was refused.
    draft: Option<JournalDraft>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of changing a draft.
#[derive(SimpleObject)]
pub struct JournalDraftUpdatePayload {
    /// The draft; null when it was refused.
    draft: Option<JournalDraft>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of throwing a draft away.
#[derive(SimpleObject)]
pub struct JournalDraftDiscardPayload {
    /// The draft; null when it was refused.
    draft: Option<JournalDraft>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of posting a draft.
#[derive(SimpleObject)]
pub struct JournalDraftPostPayload {
    /// The draft; null when it was refused.
    draft: Option<JournalDraft>,
    /// What it has become; null when it was refused.
    entry: Option<JournalEntry>,
    /// Why it was refused, at the draft's lines; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of drafts.
#[derive(Default)]
pub struct JournalDraftMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl JournalDraftMutation {
    /// Begins a draft of an entry. Needs `books.post`.
    async fn journal_draft_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is known of it.")] input: JournalDraftCreateInput,
    ) -> async_graphql::Result<JournalDraftCreatePayload> {
        let (row, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(JournalDraftCreatePayload {
            draft: row.map(JournalDraft::new),
            user_errors,
        })
    }

    /// Changes a draft. Needs `books.post`.
    async fn journal_draft_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What becomes different.")] input: JournalDraftUpdateInput,
    ) -> async_graphql::Result<JournalDraftUpdatePayload> {
        let (row, user_errors) = settle(ctx, update(ctx, input).await)?;
        Ok(JournalDraftUpdatePayload {
            draft: row.map(JournalDraft::new),
            user_errors,
        })
    }

    /// Throws a draft away: nothing becomes of it. Needs `books.post`.
    async fn journal_draft_discard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft.")] input: JournalDraftDiscardInput,
    ) -> async_graphql::Result<JournalDraftDiscardPayload> {
        let JournalDraftDiscardInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let discarded = async {
            let id = JournalDraftId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .discard_draft(ctx.viewer(), id, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, discarded.await)?;
        Ok(JournalDraftDiscardPayload {
            draft: row.map(JournalDraft::new),
            user_errors,
        })
    }

    /// Posts a draft to the books, as any entry is posted. Needs `books.post`.
    async fn journal_draft_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft.")] input: JournalDraftPostInput,
    ) -> async_graphql::Result<JournalDraftPostPayload> {
        let JournalDraftPostInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let posted = async {
            let id = JournalDraftId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .post_draft(ctx.viewer(), id, expected_version, key)
                .await
        };
        let (posted, user_errors) = settle(ctx, posted.await)?;
        let (draft, entry) = posted.map(|posted| (posted.draft, posted.entry)).unzip();
        Ok(JournalDraftPostPayload {
            draft: draft.map(JournalDraft::new),
            entry: entry.map(JournalEntry::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: JournalDraftCreateInput) -> domain::Result<Row> {
    let JournalDraftCreateInput {
        date,
        kind,
        description,
        document,
        lines,
        idempotency_key,
    } = input;
    let new = NewDraft {
        date: date.map(|day| day.0),
        kind: kind.into(),
        description,
        document: document.map(Into::into),
        lines: new_lines(lines)?,
    };
    let journal = ctx.domain().journal();
    journal
        .create_draft(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: JournalDraftUpdateInput) -> domain::Result<Row> {
    let JournalDraftUpdateInput {
        id,
        date,
        kind,
        description,
        document,
        lines,
        expected_version,
        idempotency_key,
    } = input;
    let id = JournalDraftId::parse("id", &id)?;
    let change = DraftChange {
        date: patch(date.map_value(|day| day.0)),
        kind: kind.map(Into::into),
        description: patch(description),
        document: patch(document.map_value(Into::into)),
        lines: lines.map(new_lines).transpose()?,
    };
    let key = idempotency_key.as_deref();
    let journal = ctx.domain().journal();
    journal
        .update_draft(ctx.viewer(), id, change, expected_version, key)
        .await
}

fn new_lines(lines: Vec<JournalDraftLineInput>) -> Result<Vec<NewDraftLine>, Refusal> {
    let lines = lines.into_iter().enumerate();
    let lines = lines.map(|(row, line)| new_line(&format!("lines.{row}"), line));
    lines.collect()
}

fn new_line(path: &str, line: JournalDraftLineInput) -> Result<NewDraftLine, Refusal> {
    let JournalDraftLineInput {
        account_id,
        commodity,
        debit,
        credit,
        quantity,
        location_id,
        subsidiary_id,
        cost_center_id,
        project_id,
        description,
    } = line;
    let value = |field: &str, id: Option<ID>| {
        id.map(|id| DimensionValueId::parse(&format!("{path}.{field}"), &id))
            .transpose()
    };
    let account = account_id.map(|id| AccountId::parse(&format!("{path}.accountId"), &id));
    let location = location_id.map(|id| LocationId::parse(&format!("{path}.locationId"), &id));
    Ok(NewDraftLine {
        account_id: account.transpose()?,
        commodity,
        debit: debit.map(|Decimal(amount)| amount),
        credit: credit.map(|Decimal(amount)| amount),
        quantity: quantity.map(|Decimal(quantity)| quantity),
        location_id: location.transpose()?,
        subsidiary_id: value("subsidiaryId", subsidiary_id)?,
        cost_center_id: value("costCenterId", cost_center_id)?,
        project_id: value("projectId", project_id)?,
        description,
    })
}
