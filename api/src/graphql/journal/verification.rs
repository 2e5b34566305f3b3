//! Proofs that the books are what their lines make them, as clients see them.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    journal::{Difference, LedgerVerification as Row, differences},
};
use entity::id::LedgerVerificationId;

use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item_import::visible_job,
    job::Job,
    payload::{UserError, settle},
};

/// Something in the books that is not what the lines make it.
#[derive(SimpleObject)]
pub struct LedgerDifference {
    /// What sort of thing: `lines`, `balance`, `line`, `numbers`, `fiscal_year`, `reversal`, `turnover`, `subsidiary`,
    /// `subsidiary_turnover`, `hold`, `closing`, `period`, `stock`, `stock_booked`, `stock_landed_cost` or `revaluation`.
    kind: String,
    /// Of what.
    subject: String,
    /// What it should be.
    expected: Option<String>,
    /// What it is.
    actual: Option<String>,
}

impl LedgerDifference {
    fn new(row: Difference) -> Self {
        let Difference {
            kind,
            subject,
            expected,
            actual,
        } = row;
        Self {
            kind,
            subject,
            expected,
            actual,
        }
    }
}

/// A proof that the books are what their lines make them, or what it has found. A job makes it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LedgerVerification {
    /// Opaque id.
    pub id: ID,
    /// Why it was asked for.
    note: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was begun, which is the moment that the books were seen at, while posting went on; null before it was made.
    as_of: Option<DateTime<Utc>>,
    /// When it was made; null before.
    finished_at: Option<DateTime<Utc>>,
    /// How many things are not what they should be, all of them counted; null before it was made.
    difference_count: Option<i64>,
    #[graphql(skip)]
    row: Row,
}

impl LedgerVerification {
    fn new(row: Row) -> Self {
        Self {
            id: row.id.encode(),
            note: row.note.clone(),
            created_at: row.created_at,
            as_of: row.as_of,
            finished_at: row.finished_at,
            difference_count: row.difference_count,
            row,
        }
    }
}

#[ComplexObject]
impl LedgerVerification {
    /// What is not what it should be, at most the first 1,000; null before it was made.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn differences(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<Vec<LedgerDifference>>> {
        let rows = differences(&self.row).or_graphql(ctx.viewer())?;
        Ok(rows.map(|rows| rows.into_iter().map(LedgerDifference::new).collect()))
    }

    /// The job that makes it; null for whoever may not see it.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.row.job_id).await
    }
}

/// A proof to be made.
#[derive(InputObject)]
pub struct LedgerVerifyInput {
    /// Why it is asked for.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for a proof.
#[derive(SimpleObject)]
pub struct LedgerVerifyPayload {
    /// The proof, which a job makes; null when it was refused.
    ledger_verification: Option<LedgerVerification>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// Asking for proofs of the books.
#[derive(Default)]
pub struct JournalVerificationMutation;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl JournalVerificationMutation {
    /// Has everything in the books added up again, from every line, however many there are, and what comes out differently named. A job
    /// does it. Needs `books.manage`.
    async fn ledger_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is asked for.")] input: LedgerVerifyInput,
    ) -> async_graphql::Result<LedgerVerifyPayload> {
        let LedgerVerifyInput {
            note,
            idempotency_key,
        } = input;
        let (journal, key) = (ctx.domain().journal(), idempotency_key.as_deref());
        let asked = journal
            .ask_verification(ctx.viewer(), note.as_deref(), key)
            .await;
        let (row, user_errors) = settle(ctx, asked)?;
        Ok(LedgerVerifyPayload {
            ledger_verification: row.map(LedgerVerification::new),
            user_errors,
        })
    }
}

/// The proof of the books.
#[derive(Default)]
pub struct JournalVerificationQuery;

#[Object(guard = "Needs(Permission::BooksManage)")]
impl JournalVerificationQuery {
    /// Adds everything in the books up again, from every line, and tells the first 1,000 differences; none when all is well. For small
    /// books: with some hundred thousand entries it takes longer than a request may, and the mutation of this name is to be used. Needs
    /// `books.manage`.
    #[graphql(complexity = "cost::OWN_STATEMENT + child_complexity")]
    async fn ledger_verify(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<LedgerDifference>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().journal().verify(viewer).await;
        let rows = rows.or_graphql(viewer)?.into_iter();
        Ok(rows.map(LedgerDifference::new).collect())
    }

    /// One proof of the books that a job makes; null when there is none such. Needs `books.manage`.
    async fn ledger_verification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<LedgerVerification>> {
        let viewer = ctx.viewer();
        let id = LedgerVerificationId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().journal().find_verification(viewer, id).await;
        Ok(row.or_graphql(viewer)?.map(LedgerVerification::new))
    }
}
