//! Holds of the books: what is going to be posted, as clients see it and what they can do to it.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    journal::{HoldFilter, HoldPosting, JournalHold as Row, JournalHoldLine as LineRow, NewHold},
};
use entity::id::{AccountId, DimensionValueId, JournalEntryId, JournalHoldId, LocationId};

use super::{
    JournalDocument, JournalEntry, dimension_value,
    mutation::{JournalLineInput, new_lines},
    query::JournalDocumentInput,
};
use crate::graphql::{
    account::Account,
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    dimension::DimensionValue,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{HoldLinesOf, load, preload},
    location::Location,
    page::{self, Connection},
    payload::{UserError, settle},
};

/// How far a hold has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::journal::HoldState")]
pub enum JournalHoldState {
    /// It holds something.
    Pending,
    /// It was posted, whole or in part.
    Posted,
    /// Somebody let go of it.
    Voided,
    /// Its time was over.
    Expired,
}

/// What is going to be posted to the books, such as a deposit or a layaway. It counts in what is available, and not yet in what accounts have.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalHold {
    /// Opaque id.
    pub id: ID,
    /// How far it has got. One whose time is over is expired, whether or not anybody has noticed it yet.
    state: JournalHoldState,
    /// What it is about.
    description: Option<String>,
    /// What it is held for; null when nobody said so.
    document: Option<JournalDocument>,
    /// How many lines it has.
    line_count: i32,
    /// When it ends by itself; null when it does not.
    expires_at: Option<DateTime<Utc>>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it ended; null while it is pending.
    ended_at: Option<DateTime<Utc>>,
    /// Who holds it.
    actor_name: String,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    #[graphql(skip)]
    row_id: JournalHoldId,
    #[graphql(skip)]
    entry_id: Option<JournalEntryId>,
}

impl JournalHold {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            state,
            description,
            document_type,
            document_id,
            lines,
            expires_at,
            created_at,
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
            description,
            document: document.map(|(r#type, id)| JournalDocument { r#type, id }),
            line_count: lines,
            expires_at,
            created_at,
            ended_at,
            actor_name,
            version,
            row_id: id,
            entry_id,
        }
    }
}

#[ComplexObject]
impl JournalHold {
    /// Its first 100 lines, in order.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<JournalHoldLine>> {
        let rows = load(ctx, HoldLinesOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(JournalHoldLine::new).collect())
    }

    /// What was posted of it; null when nothing was.
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JournalEntry>> {
        let Some(id) = self.entry_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(JournalEntry::new))
    }
}

/// An amount on one side of an account that is going to be posted.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalHoldLine {
    /// Which line of its hold, from 1.
    line: i32,
    /// Of what the amount is: the code of a currency, or of a metal in grams of fine weight.
    commodity: String,
    /// How much is going to be debited; null when it is credited.
    debit: Option<Decimal>,
    /// How much is going to be credited; null when it is debited.
    credit: Option<Decimal>,
    /// Of how many, in whatever unit the account counts; null when nobody said so.
    quantity: Option<Decimal>,
    /// What it is about.
    description: Option<String>,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    location_id: Option<LocationId>,
    #[graphql(skip)]
    named: [Option<DimensionValueId>; 3],
}

impl JournalHoldLine {
    fn new(row: LineRow) -> Self {
        let LineRow {
            hold_id: _,
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
        let amount = Decimal::shown(amount);
        Self {
            line,
            commodity,
            debit: is_debit.then_some(amount),
            credit: (!is_debit).then_some(amount),
            quantity: quantity.map(Decimal::shown),
            description,
            account_id,
            location_id,
            named: [subsidiary_id, cost_center_id, project_id],
        }
    }
}

#[ComplexObject]
impl JournalHoldLine {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// For which subsidiary account of the account; null where it has none.
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

/// Which holds. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct JournalHoldWhere {
    /// In one of these states. An empty list matches nothing.
    states: Option<Vec<JournalHoldState>>,
    /// Held for this.
    document: Option<JournalDocumentInput>,
    /// With a line of this account.
    account_id: Option<ID>,
    /// With a line for this subsidiary account.
    subsidiary_id: Option<ID>,
}

impl JournalHoldWhere {
    fn parse(self) -> Result<HoldFilter, Refusal> {
        let Self {
            states,
            document,
            account_id,
            subsidiary_id,
        } = self;
        let account = account_id.map(|id| AccountId::parse("where.accountId", &id));
        let value = subsidiary_id.map(|id| DimensionValueId::parse("where.subsidiaryId", &id));
        Ok(HoldFilter {
            states: states.map(|states| states.into_iter().map(Into::into).collect()),
            document: document.map(Into::into),
            account_id: account.transpose()?,
            subsidiary_id: value.transpose()?,
        })
    }
}

/// Queries about holds.
#[derive(Default)]
pub struct JournalHoldQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl JournalHoldQuery {
    /// One hold; null when there is none such. Needs `books.read`.
    async fn journal_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<JournalHold>> {
        let viewer = ctx.viewer();
        let id = JournalHoldId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().journal().holds_by_ids(viewer, &[id]).await;
        Ok(rows.or_graphql(viewer)?.pop().map(JournalHold::new))
    }

    /// Holds in pages, the newest first. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn journal_holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            JournalHoldWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<JournalHold>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().journal().holds(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.edges.iter().map(|(_, row)| HoldLinesOf(row.id))).await?;
        preload(ctx, rows.edges.iter().filter_map(|(_, row)| row.entry_id)).await?;
        Ok(page::connection(rows, EmptyFields, JournalHold::new))
    }
}

/// What is going to be posted.
#[derive(InputObject)]
pub struct JournalHoldInput {
    /// What it is about: at most 2,000 characters.
    description: Option<String>,
    /// What it is held for.
    document: Option<JournalDocumentInput>,
    /// When it ends by itself: at most ten years ahead. Never without.
    expires_at: Option<DateTime<Utc>>,
    /// From 2 to 10,000 lines, balanced in each commodity.
    lines: Vec<JournalLineInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// How much of a line of a hold is posted.
#[derive(InputObject)]
pub struct JournalHoldPostLineInput {
    /// Which line of the hold, from 1.
    line: i32,
    /// How much of it: above 0, and no more than is held.
    amount: Decimal,
}

/// A hold to be posted.
#[derive(InputObject)]
pub struct JournalHoldPostInput {
    /// Which hold: one that is pending.
    id: ID,
    /// When it happened: a day of an open period.
    date: Date,
    /// What it is about: at most 2,000 characters. What the hold is about without.
    description: Option<String>,
    /// Only these lines, with these amounts: the rest is let go. All of all lines without.
    lines: Option<Vec<JournalHoldPostLineInput>>,
    /// Refuse when the hold's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A hold to let go of.
#[derive(InputObject)]
pub struct JournalHoldVoidInput {
    /// Which hold: one that is pending.
    id: ID,
    /// Refuse when the hold's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of holding something.
#[derive(SimpleObject)]
pub struct JournalHoldPayload {
    /// The hold; null when it was refused.
    hold: Option<JournalHold>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of posting a hold.
#[derive(SimpleObject)]
pub struct JournalHoldPostPayload {
    /// The hold; null when it was refused.
    hold: Option<JournalHold>,
    /// What was posted of it; null when it was refused.
    entry: Option<JournalEntry>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of letting go of a hold.
#[derive(SimpleObject)]
pub struct JournalHoldVoidPayload {
    /// The hold; null when it was refused.
    hold: Option<JournalHold>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of holds.
#[derive(Default)]
pub struct JournalHoldMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl JournalHoldMutation {
    /// Holds what is going to be posted, so that nobody takes it away meanwhile. Needs `books.post`.
    async fn journal_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is held.")] input: JournalHoldInput,
    ) -> async_graphql::Result<JournalHoldPayload> {
        let JournalHoldInput {
            description,
            document,
            expires_at,
            lines,
            idempotency_key,
        } = input;
        let held = async {
            let new = NewHold {
                description,
                document: document.map(Into::into),
                expires_at,
                lines: new_lines("", lines)?,
            };
            let journal = ctx.domain().journal();
            journal
                .hold(ctx.viewer(), new, idempotency_key.as_deref())
                .await
        };
        let (row, user_errors) = settle(ctx, held.await)?;
        Ok(JournalHoldPayload {
            hold: row.map(JournalHold::new),
            user_errors,
        })
    }

    /// Posts a hold, or a part of it. The rest is let go. Needs `books.post`.
    async fn journal_hold_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold, and how much of it.")] input: JournalHoldPostInput,
    ) -> async_graphql::Result<JournalHoldPostPayload> {
        let JournalHoldPostInput {
            id,
            date,
            description,
            lines,
            expected_version,
            idempotency_key,
        } = input;
        let posted = async {
            let id = JournalHoldId::parse("id", &id)?;
            let amounts = lines.map(|lines| {
                let amounts = lines.into_iter().map(|line| (line.line, line.amount.0));
                amounts.collect()
            });
            let posting = HoldPosting {
                date: date.0,
                description,
                amounts,
            };
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .post_hold(ctx.viewer(), id, posting, expected_version, key)
                .await
        };
        let (posted, user_errors) = settle(ctx, posted.await)?;
        let (hold, entry) = posted.map(|posted| (posted.hold, posted.entry)).unzip();
        Ok(JournalHoldPostPayload {
            hold: hold.map(JournalHold::new),
            entry: entry.map(JournalEntry::new),
            user_errors,
        })
    }

    /// Lets go of a hold: nothing is posted. Needs `books.post`.
    async fn journal_hold_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold.")] input: JournalHoldVoidInput,
    ) -> async_graphql::Result<JournalHoldVoidPayload> {
        let JournalHoldVoidInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let voided = async {
            let id = JournalHoldId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .void_hold(ctx.viewer(), id, expected_version, key)
                .await
        };
        let (row, user_errors) = settle(ctx, voided.await)?;
        Ok(JournalHoldVoidPayload {
            hold: row.map(JournalHold::new),
            user_errors,
        })
    }
}
