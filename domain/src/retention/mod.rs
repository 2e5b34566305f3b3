//! Retention: how long is kept what says nothing about the business any more, and clearing it up.
//!
//! What goes is decided by the database alone: a function of its owner reads the policies and the hold, knows the least that each policy may say, and
//! removes what is older, some at a time ([ADR 30](../docs/adr/0030-retention.md)). Of the trail whole months go, where somebody has said so, and what is
//! left can be proved as before ([ADR 35](../docs/adr/0035-retention-of-the-trail.md)). Entries and movements are never among it.

mod files;
mod query;
mod rules;
mod run;
mod write;

use chrono::{DateTime, Utc};
use entity::id::{JobId, RetentionRunId};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

pub use entity::{
    retention_hold::Model as Hold,
    retention_policy::{Model as Policy, Subject},
    retention_result::Model as Outcome,
    retention_run::Model as Run,
};
pub use files::StoredFile;
pub(crate) use files::name;
pub use rules::minimum_days;
pub use run::Progress;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    page::{Page, PageArgs},
    permission::Permission,
    version,
    viewer::Viewer,
};

/// A change of a policy. What is not given stays.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct PolicyChange {
    /// For how many days.
    pub keep_days: Option<i32>,
    /// Whether it is cleared up at all.
    pub enabled: Option<bool>,
}

/// A run, and what it has done to each subject up to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: Run,
    /// Subject by subject, in their order.
    pub outcomes: Vec<Outcome>,
}

/// Retention: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Retention<'a> {
    pub(crate) domain: &'a Domain,
}

impl Retention<'_> {
    /// All policies, by subject.
    ///
    /// # Errors
    /// When the viewer may not.
    pub async fn policies(&self, viewer: &Viewer) -> Result<Vec<Policy>> {
        viewer.require(Permission::RetentionManage)?;
        query::policies(&self.domain.reads).await
    }

    /// Whether everything is held.
    ///
    /// # Errors
    /// When the viewer may not.
    pub async fn hold(&self, viewer: &Viewer) -> Result<Hold> {
        viewer.require(Permission::RetentionManage)?;
        query::hold(&self.domain.reads).await
    }

    /// Changes how long something is kept.
    ///
    /// # Errors
    /// When the viewer may not, nothing is given, it would be kept for too short or too long, or somebody changed it since `expected_version`.
    pub async fn update_policy(
        &self,
        viewer: &Viewer,
        subject: Subject,
        change: PolicyChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Policy> {
        viewer.require(Permission::RetentionManage)?;
        rules::check_change(subject, change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (subject, change, expected_version);
        let operation = "retention_policy.update";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = query::lock_policy_in_tx(&tx, subject).await?;
        version::check(before.version, expected_version)?;
        let after = write::update_policy_in_tx(&tx, now, before.clone(), change).await?;
        write::record_policy_in_tx(&tx, viewer, now, &before, &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// Has everything held, for a reason, or not any more, without one. Whoever is clearing up stops with what they are at.
    ///
    /// # Errors
    /// When the viewer may not, the reason is too long, or somebody changed it since `expected_version`.
    pub async fn set_hold(
        &self,
        viewer: &Viewer,
        reason: Option<&str>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Hold> {
        viewer.require(Permission::RetentionManage)?;
        let reason = reason.map(rules::parse_reason).transpose()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (&reason, expected_version);
        let operation = "retention_hold.set";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = query::lock_hold_in_tx(&tx).await?;
        version::check(before.version, expected_version)?;
        let after = write::update_hold_in_tx(&tx, now, before.clone(), reason).await?;
        write::record_hold_in_tx(&tx, viewer, now, &before, &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// Asks for what is old to be cleared up, or only to be looked for. A job does it.
    ///
    /// # Errors
    /// When the viewer may not, or everything is held and something would go.
    pub async fn ask(&self, viewer: &Viewer, dry_run: bool, key: Option<&str>) -> Result<Report> {
        viewer.require(Permission::RetentionManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "retention.run", &dry_run, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        if !dry_run && query::hold(&tx).await?.held {
            return Err(Refusal::new(Code::LegalHold, "").into());
        }
        let report = Report {
            run: ask_in_tx(&tx, viewer, now, dry_run).await?,
            outcomes: Vec::new(),
        };
        claim.keep_in_tx(&tx, &report).await?;
        self.domain.commit(tx).await?;
        Ok(report)
    }

    /// The run with this id.
    ///
    /// # Errors
    /// When the viewer may not.
    pub async fn find(&self, viewer: &Viewer, id: RetentionRunId) -> Result<Option<Report>> {
        viewer.require(Permission::RetentionManage)?;
        let Some(run) = query::find(&self.domain.reads, id).await? else {
            return Ok(None);
        };
        let outcomes = query::outcomes(&self.domain.reads, &[id]).await?;
        Ok(Some(Report { run, outcomes }))
    }

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// When the viewer may not, or an argument is wrong.
    pub async fn page(&self, viewer: &Viewer, args: &PageArgs) -> Result<Page<Report>> {
        viewer.require(Permission::RetentionManage)?;
        let Page {
            edges,
            has_next,
            has_previous,
        } = query::page(&self.domain.reads, args).await?;
        let ids: Vec<_> = edges.iter().map(|(_, run)| run.id).collect();
        let outcomes = query::outcomes(&self.domain.reads, &ids).await?;
        let report = |run: Run| {
            let of_run = outcomes.iter().filter(|outcome| outcome.run_id == run.id);
            Report {
                outcomes: of_run.cloned().collect(),
                run,
            }
        };
        let edges = edges.into_iter().map(|(cursor, run)| (cursor, report(run)));
        Ok(Page {
            edges: edges.collect(),
            has_next,
            has_previous,
        })
    }
}

/// Asks for what is old to be cleared up, in a transaction that has reasons of its own. When everything is held by then, it ends at once.
pub(crate) async fn run_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<JobId> {
    let run = ask_in_tx(tx, viewer, now, false).await?;
    run.job_id
        .ok_or_else(|| crate::error::Error::internal("a run that was asked for has no job"))
}

async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    dry_run: bool,
) -> Result<Run> {
    let id = RetentionRunId(crate::clock::new_id(now));
    let task = Task::RunRetention { run_id: id };
    let job = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let run = write::insert_run_in_tx(tx, now, id, Some(job), dry_run).await?;
    write::record_run_in_tx(tx, viewer, now, "retention.run", &run, &[]).await?;
    Ok(run)
}
