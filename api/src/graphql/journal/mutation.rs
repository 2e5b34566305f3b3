//! What clients can do to the journal: post, and undo what was posted.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission, Refusal,
    journal::{Kind, NewEntry, NewLine},
};
use entity::id::{AccountId, DimensionValueId, JournalEntryId, LocationId};

use super::{JournalEntry, query::JournalDocumentInput};
use crate::graphql::{
    context::ContextExt,
    date::Date,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// An amount on one side of an account, to be posted: either `debit` or `credit`.
#[derive(InputObject)]
pub struct JournalLineInput {
    /// Which account: no group.
    account_id: ID,
    /// Of what the amount is: the code of a currency, or of a metal in grams of fine weight. The shop's currency without.
    commodity: Option<String>,
    /// How much is debited: above 0, and no finer than the commodity.
    debit: Option<Decimal>,
    /// How much is credited: above 0, and no finer than the commodity.
    credit: Option<Decimal>,
    /// Of how many, in whatever unit the account counts: not 0, with at most 6 decimal places.
    quantity: Option<Decimal>,
    /// For which location.
    location_id: Option<ID>,
    /// For which subsidiary account, of the kind that the account demands; none where it demands none.
    subsidiary_id: Option<ID>,
    /// For which cost centre.
    cost_center_id: Option<ID>,
    /// For which project.
    project_id: Option<ID>,
    /// What it is about: at most 500 characters.
    description: Option<String>,
}

/// What sort of entry people post.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JournalPostKind {
    /// What happened.
    #[default]
    General,
    /// What there was when the books began.
    Opening,
}

impl From<JournalPostKind> for Kind {
    fn from(kind: JournalPostKind) -> Self {
        match kind {
            JournalPostKind::General => Self::General,
            JournalPostKind::Opening => Self::Opening,
        }
    }
}

/// An entry to be posted.
#[derive(InputObject)]
pub struct JournalPostInput {
    /// When it happened: a day of an open period.
    date: Date,
    /// What sort of entry it is.
    #[graphql(default)]
    kind: JournalPostKind,
    /// What it is about: at most 2,000 characters.
    description: Option<String>,
    /// What it is posted for.
    document: Option<JournalDocumentInput>,
    /// From 2 to 10,000 lines, balanced in each commodity.
    lines: Vec<JournalLineInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One of many entries to be posted.
#[derive(InputObject)]
pub struct JournalEntryInput {
    /// When it happened: a day of an open period.
    date: Date,
    /// What sort of entry it is.
    #[graphql(default)]
    kind: JournalPostKind,
    /// What it is about: at most 2,000 characters.
    description: Option<String>,
    /// What it is posted for.
    document: Option<JournalDocumentInput>,
    /// From 2 to 10,000 lines, balanced in each commodity.
    lines: Vec<JournalLineInput>,
}

/// Entries to be posted, all or none.
#[derive(InputObject)]
pub struct JournalPostBulkInput {
    /// At most 1,000, with at most 50,000 lines altogether. They are numbered in this order.
    entries: Vec<JournalEntryInput>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// An entry to undo.
#[derive(InputObject)]
pub struct JournalReverseInput {
    /// Which entry: none that undoes another, or was undone.
    id: ID,
    /// When it is undone: not before the entry. Today without, or the entry's day when that is later.
    date: Option<Date>,
    /// Why: at most 2,000 characters.
    description: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of posting an entry.
#[derive(SimpleObject)]
pub struct JournalPostPayload {
    /// The entry; null when it was refused.
    entry: Option<JournalEntry>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of posting entries.
#[derive(SimpleObject)]
pub struct JournalPostBulkPayload {
    /// The entries, in their order; null when one was refused.
    entries: Option<Vec<JournalEntry>>,
    /// Why they were refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of undoing an entry.
#[derive(SimpleObject)]
pub struct JournalReversePayload {
    /// The entry that undoes the other; null when it was refused.
    entry: Option<JournalEntry>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of the journal.
#[derive(Default)]
pub struct JournalMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl JournalMutation {
    /// Posts an entry to the books. Needs `books.post`.
    async fn journal_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] input: JournalPostInput,
    ) -> async_graphql::Result<JournalPostPayload> {
        let JournalPostInput {
            date,
            kind,
            description,
            document,
            lines,
            idempotency_key,
        } = input;
        let entry = JournalEntryInput {
            date,
            kind,
            description,
            document,
            lines,
        };
        let posted = async {
            let entry = new_entry("", entry)?;
            let journal = ctx.domain().journal();
            journal
                .post(ctx.viewer(), entry, idempotency_key.as_deref())
                .await
        };
        let (row, user_errors) = settle(ctx, posted.await)?;
        Ok(JournalPostPayload {
            entry: row.map(JournalEntry::new),
            user_errors,
        })
    }

    /// Posts many entries to the books, all or none. Needs `books.post`.
    async fn journal_post_bulk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entries.")] input: JournalPostBulkInput,
    ) -> async_graphql::Result<JournalPostBulkPayload> {
        let JournalPostBulkInput {
            entries,
            idempotency_key,
        } = input;
        let posted = async {
            let entries = entries.into_iter().enumerate();
            let entries = entries.map(|(row, entry)| new_entry(&format!("entries.{row}."), entry));
            let entries = entries.collect::<Result<_, Refusal>>()?;
            let journal = ctx.domain().journal();
            journal
                .post_bulk(ctx.viewer(), entries, idempotency_key.as_deref())
                .await
        };
        let (rows, user_errors) = settle(ctx, posted.await)?;
        Ok(JournalPostBulkPayload {
            entries: rows.map(|rows| rows.into_iter().map(JournalEntry::new).collect()),
            user_errors,
        })
    }

    /// Undoes an entry by its exact mirror. Needs `books.post`.
    async fn journal_reverse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry.")] input: JournalReverseInput,
    ) -> async_graphql::Result<JournalReversePayload> {
        let JournalReverseInput {
            id,
            date,
            description,
            idempotency_key,
        } = input;
        let reversed = async {
            let id = JournalEntryId::parse("id", &id)?;
            let date = date.map(|day| day.0);
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .reverse(ctx.viewer(), id, date, description.as_deref(), key)
                .await
        };
        let (row, user_errors) = settle(ctx, reversed.await)?;
        Ok(JournalReversePayload {
            entry: row.map(JournalEntry::new),
            user_errors,
        })
    }
}

fn new_entry(prefix: &str, entry: JournalEntryInput) -> Result<NewEntry, Refusal> {
    let JournalEntryInput {
        date,
        kind,
        description,
        document,
        lines,
    } = entry;
    Ok(NewEntry {
        date: date.0,
        kind: kind.into(),
        description,
        document: document.map(Into::into),
        lines: new_lines(prefix, lines)?,
    })
}

/// The lines of an entry, or of a hold.
pub(super) fn new_lines(
    prefix: &str,
    lines: Vec<JournalLineInput>,
) -> Result<Vec<NewLine>, Refusal> {
    let lines = lines.into_iter().enumerate();
    let lines = lines.map(|(row, line)| new_line(&format!("{prefix}lines.{row}"), line));
    lines.collect()
}

fn new_line(path: &str, line: JournalLineInput) -> Result<NewLine, Refusal> {
    let JournalLineInput {
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
    let location = location_id.map(|id| LocationId::parse(&format!("{path}.locationId"), &id));
    Ok(NewLine {
        account_id: AccountId::parse(&format!("{path}.accountId"), &account_id)?,
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
