//! Proofs that nothing was changed behind the trail's back, as clients see them.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    trail::{
        COVERAGE, Cover, Finding as FindingRow, Retirement, TrailVerification as Row, Verdict,
        Verification, Wrong, progress,
    },
};
use entity::id::TrailVerificationId;

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

/// What was found.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Verdict", name = "AuditVerdict")]
pub enum AuditVerdict {
    /// Not everything was looked at yet.
    Unfinished,
    /// Everything is as it should be.
    Whole,
    /// What was looked at is as it should be, but some tables are not covered.
    Uncovered,
    /// Something is not as it should be.
    Broken,
}

/// What is wrong with a row.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Wrong", name = "AuditFault")]
pub enum AuditFault {
    /// It is not what it was.
    Changed,
    /// It is gone.
    Deleted,
    /// It was never written by goldshop.
    Inserted,
    /// It has the place of another row, which has its place.
    Swapped,
    /// It is gone with all rows behind it.
    Truncated,
    /// A seal is gone, or not what it was.
    SealBroken,
    /// A seal is not the one that was written down outside of the database.
    CheckpointMismatch,
}

/// How a table is covered.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Cover", name = "AuditCover")]
pub enum AuditCover {
    /// Its rows are only added, and sealed as they are.
    Sealed,
    /// Each change of its rows is kept and sealed, and its rows are as the last change left them.
    Kept,
    /// It follows from rows that are sealed or kept, which something else proves.
    Derived,
    /// It says nothing about the business.
    Excluded,
}

/// The first row that is not as it should be.
#[derive(SimpleObject)]
pub struct AuditFinding {
    /// What is wrong.
    fault: AuditFault,
    /// In which table.
    table: String,
    /// Its key; of a row that is gone its number. Lines follow behind a `/`.
    key: String,
    /// The seal that says so; null when it is the last change of the row that does.
    seal: Option<i64>,
}

/// A table that should be covered and is not.
#[derive(SimpleObject)]
pub struct AuditMissing {
    /// The table.
    table: String,
    /// What is wrong with it, such as `no_trigger` or `unknown_table`.
    what: String,
}

/// What becomes of a table.
#[derive(SimpleObject)]
pub struct AuditTable {
    /// The table.
    table: String,
    /// How it is covered.
    cover: AuditCover,
    /// What proves it, or why nothing has to.
    by: String,
}

/// What a proof has found.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AuditReport {
    /// What was found altogether.
    verdict: AuditVerdict,
    /// How many sealed rows are as they were.
    rows: i64,
    /// How many sealed rows were retired, by a policy of retention or by the owner of the database: they are not missing. See `retirements`.
    retired: i64,
    /// How many of these were retired by a policy of retention.
    retired_by_policy: i64,
    /// How many rows are as their last change left them.
    present: i64,
    /// How many rows are not sealed yet.
    unsealed: i64,
    /// The last seal that was looked at; 0 for none.
    seal: i64,
    /// When that one was made.
    sealed_at: Option<DateTime<Utc>>,
    /// How many seals were compared with checkpoints.
    checkpoints: i64,
    /// The first row that is not as it should be; null when there is none.
    finding: Option<AuditFinding>,
    /// Tables that should be covered and are not.
    missing: Vec<AuditMissing>,
    /// Where to go on: the next query's `after`. Null when there is nothing more to look at.
    next: Option<String>,
}

impl AuditReport {
    fn new(state: Verification) -> domain::Result<Self> {
        let next = (!state.is_done()).then(|| state.cursor()).transpose()?;
        Ok(Self {
            verdict: state.verdict().into(),
            rows: state.rows,
            retired: state.retired,
            retired_by_policy: state.retired_by_policy,
            present: state.present,
            unsealed: state.unsealed,
            seal: state.seals,
            sealed_at: state.sealed_at,
            checkpoints: state.checkpoints,
            finding: state.finding.map(finding),
            missing: state
                .missing
                .into_iter()
                .map(|missing| AuditMissing {
                    table: missing.table,
                    what: missing.what,
                })
                .collect(),
            next,
        })
    }
}

fn finding(row: FindingRow) -> AuditFinding {
    let FindingRow {
        wrong,
        table,
        key,
        seal,
    } = row;
    AuditFinding {
        fault: wrong.into(),
        table,
        key,
        seal,
    }
}

#[ComplexObject]
impl AuditReport {
    /// What becomes of each table: covered by the trail, proved by something else, or left out, and why.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn coverage(&self) -> Vec<AuditTable> {
        let table = |covered: &domain::trail::Covered| AuditTable {
            table: covered.table.to_owned(),
            cover: covered.cover.into(),
            by: covered.by.to_owned(),
        };
        COVERAGE.iter().map(table).collect()
    }

    /// What was retired: months that were dropped as a whole, the newest first, and at most the last thousand.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn retirements(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AuditRetirement>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().trail().retirements(viewer).await;
        let rows = rows.or_graphql(viewer)?.into_iter();
        Ok(rows.map(AuditRetirement::new).collect())
    }
}

/// A month of the trail that was dropped. Its seals stay, so what is left can be proved.
#[derive(SimpleObject)]
pub struct AuditRetirement {
    /// Of which table.
    table: String,
    /// How many rows it had.
    rows: i64,
    /// When the first of them was written.
    since: DateTime<Utc>,
    /// When the last of them was written.
    until: DateTime<Utc>,
    /// For how many days the policy kept it; null where the owner of the database dropped it.
    kept_days: Option<i32>,
    /// Who dropped it.
    by: String,
    /// Why.
    reason: String,
    /// When.
    at: DateTime<Utc>,
}

impl AuditRetirement {
    fn new(row: Retirement) -> Self {
        let Retirement {
            table,
            rows,
            since,
            until,
            kept_days,
            by,
            reason,
            at,
        } = row;
        Self {
            table,
            rows,
            since,
            until,
            kept_days,
            by,
            reason,
            at,
        }
    }
}

/// A proof that nothing was changed behind the trail's back, or what it has found. A job makes it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct TrailVerification {
    /// Opaque id.
    pub id: ID,
    /// Why it was asked for.
    note: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was made; null before.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row: Row,
}

impl TrailVerification {
    fn new(row: Row) -> Self {
        Self {
            id: row.id.encode(),
            note: row.note.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            row,
        }
    }
}

#[ComplexObject]
impl TrailVerification {
    /// What it has found up to now. `next` is where the job goes on.
    async fn report(&self, ctx: &Context<'_>) -> async_graphql::Result<AuditReport> {
        let viewer = ctx.viewer();
        let report = progress(&self.row).and_then(AuditReport::new);
        report.or_graphql(viewer)
    }

    /// The job that makes it; null for whoever may not see it.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.row.job_id).await
    }
}

/// A proof to be made.
#[derive(InputObject)]
pub struct AuditVerifyInput {
    /// Why it is asked for.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for a proof.
#[derive(SimpleObject)]
pub struct AuditVerifyPayload {
    /// The proof, which a job makes; null when it was refused.
    verification: Option<TrailVerification>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// Asking for proofs.
#[derive(Default)]
pub struct TrailVerificationMutation;

#[Object(guard = "Needs(Permission::AuditRead)")]
impl TrailVerificationMutation {
    /// Has it proved that nothing was changed behind the trail's back, in all of it, and the first row named that was; compared with
    /// checkpoints, where the worker has any. A job does it. Needs `audit.read`.
    async fn audit_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is asked for.")] input: AuditVerifyInput,
    ) -> async_graphql::Result<AuditVerifyPayload> {
        let AuditVerifyInput {
            note,
            idempotency_key,
        } = input;
        let (trail, key) = (ctx.domain().trail(), idempotency_key.as_deref());
        let asked = trail.ask(ctx.viewer(), note.as_deref(), key).await;
        let (row, user_errors) = settle(ctx, asked)?;
        Ok(AuditVerifyPayload {
            verification: row.map(TrailVerification::new),
            user_errors,
        })
    }
}

/// Reading proofs.
#[derive(Default)]
pub struct TrailVerificationQuery;

#[Object(guard = "Needs(Permission::AuditRead)")]
impl TrailVerificationQuery {
    /// Proves that nothing was changed behind the trail's back, as far as that goes at once: some hundred thousand rows. What `next` says goes on
    /// from there. Needs `audit.read`.
    #[graphql(complexity = "cost::OWN_STATEMENT * 2 + child_complexity")]
    async fn audit_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to go on: `next` of an earlier answer.")] after: Option<String>,
    ) -> async_graphql::Result<AuditReport> {
        let viewer = ctx.viewer();
        let state = ctx.domain().trail().verify(viewer, after.as_deref()).await;
        state.and_then(AuditReport::new).or_graphql(viewer)
    }

    /// One proof that a job makes; null when there is none such. Needs `audit.read`.
    async fn audit_verification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<TrailVerification>> {
        let viewer = ctx.viewer();
        let id = TrailVerificationId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().trail().find_verification(viewer, id).await;
        Ok(row.or_graphql(viewer)?.map(TrailVerification::new))
    }
}
