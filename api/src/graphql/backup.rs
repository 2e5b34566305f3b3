//! Backups: asked for here, made and proved by a worker.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    backup::{Backup as Row, Check, NewBackup, Part, Report, parts, report},
};
use entity::id::BackupId;

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item_import::visible_job,
    job::Job,
    page::{self, Connection},
    payload::{UserError, settle},
};

/// What has become of a backup.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::backup::State", name = "BackupState")]
pub enum BackupState {
    /// It waits for a worker, or is being made.
    Running,
    /// It is there, all of it.
    Complete,
    /// There is nothing: something went wrong on the way.
    Failed,
}

/// A file of a backup.
#[derive(SimpleObject)]
pub struct BackupPart {
    /// What it is: `database`, `sql`, `redis`, `uploads`, `uploads-list` or `configuration`.
    part: String,
    /// What it is called, in the backup's folder.
    file: String,
    /// How many bytes there are of it.
    bytes: i64,
    /// The SHA-256 of it, in hexadecimal digits.
    sha256: String,
}

/// Something that a proof looked at.
#[derive(SimpleObject)]
pub struct BackupCheck {
    /// What: `manifest`, `files`, `sql`, `redis`, `uploads`, `restore`, `rows`, `ledger`, `stock`, `series`, `costs` or `trail`.
    name: String,
    /// Whether it is as it should be.
    is_sound: bool,
    /// What was found, in English.
    detail: String,
}

/// What a proof of a backup has found.
#[derive(SimpleObject)]
pub struct BackupReport {
    /// Whether everything is as it should be.
    is_sound: bool,
    /// How long it took to get the database back, in milliseconds; null when it was not got back.
    restored_in: Option<i64>,
    /// Everything that was looked at. What comes behind something that failed could not be.
    checks: Vec<BackupCheck>,
}

impl BackupReport {
    fn new(report: Report) -> Self {
        let is_sound = report.is_sound();
        let Report {
            checks,
            restored_in,
        } = report;
        let check = |Check {
                         name,
                         is_sound,
                         detail,
                     }| BackupCheck {
            name,
            is_sound,
            detail,
        };
        Self {
            is_sound,
            restored_in: restored_in.map(number),
            checks: checks.into_iter().map(check).collect(),
        }
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A backup of everything: the database, Redis, files and settings.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Backup {
    /// Opaque id.
    pub id: ID,
    /// What has become of it.
    state: BackupState,
    /// Whether files that an earlier backup has are left out.
    is_incremental: bool,
    /// Why it was asked for.
    note: Option<String>,
    /// What its folder is called, where the worker keeps backups; null before it is complete.
    name: Option<String>,
    /// How many bytes there are of it; null before it is complete.
    bytes: Option<i64>,
    /// Whether it was copied to another store.
    is_copied: bool,
    /// What went wrong, in English; null when nothing did.
    error: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was complete, or had failed; null before.
    finished_at: Option<DateTime<Utc>>,
    /// When it was removed, because newer ones are enough; null as long as it is there.
    removed_at: Option<DateTime<Utc>>,
    /// When it was last proved that it can be restored; null when that was never tried.
    verified_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row: Row,
}

impl Backup {
    fn new(row: Row) -> Self {
        Self {
            id: row.id.encode(),
            state: row.state.into(),
            is_incremental: row.is_incremental,
            note: row.note.clone(),
            name: row.name.clone(),
            bytes: row.byte_size,
            is_copied: row.is_copied,
            error: row.error.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            removed_at: row.removed_at,
            verified_at: row.verified_at,
            row,
        }
    }
}

#[ComplexObject]
impl Backup {
    /// Its files; empty before it is complete.
    async fn parts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<BackupPart>> {
        let parts = parts(&self.row).or_graphql(ctx.viewer())?;
        let part = |Part {
                        part,
                        file,
                        bytes,
                        sha256,
                    }| BackupPart {
            part,
            file,
            bytes: number(bytes),
            sha256,
        };
        Ok(parts.into_iter().map(part).collect())
    }

    /// What the last proof has found; null when there was none.
    async fn verification(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<BackupReport>> {
        let report = report(&self.row).or_graphql(ctx.viewer())?;
        Ok(report.map(BackupReport::new))
    }

    /// The job that makes it, with its progress; null for whoever may not see it, and of one that was made from the command line.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        match self.row.job_id {
            Some(id) => visible_job(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The job that proves it, or has; null for whoever may not see it, and when nobody has asked.
    async fn verification_job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        match self.row.verification_job_id {
            Some(id) => visible_job(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// A backup to be made.
#[derive(InputObject)]
pub struct BackupCreateInput {
    /// Leave out files that the last backup has: less to write, but that one is needed to restore this one.
    #[graphql(default)]
    incremental: bool,
    /// Why it is asked for.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for a backup.
#[derive(SimpleObject)]
pub struct BackupCreatePayload {
    /// The backup, which a job makes; null when it was refused.
    backup: Option<Backup>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// A backup to be proved.
#[derive(InputObject)]
pub struct BackupVerifyInput {
    /// Which one.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for a proof.
#[derive(SimpleObject)]
pub struct BackupVerifyPayload {
    /// The backup, which a job proves; null when that was refused.
    backup: Option<Backup>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// Asking for backups.
#[derive(Default)]
pub struct BackupMutation;

#[Object(guard = "Needs(Permission::BackupManage)")]
impl BackupMutation {
    /// Has a backup of everything made: the database and Redis, files and settings, all as they are at one moment. A job does it, one at a time.
    /// Needs `backup.manage`.
    async fn backup_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is made.")] input: BackupCreateInput,
    ) -> async_graphql::Result<BackupCreatePayload> {
        let BackupCreateInput {
            incremental,
            note,
            idempotency_key,
        } = input;
        let new = NewBackup {
            is_incremental: incremental,
            note,
        };
        let (backups, key) = (ctx.domain().backups(), idempotency_key.as_deref());
        let asked = backups.create(ctx.viewer(), new, key).await;
        let (row, user_errors) = settle(ctx, asked)?;
        Ok(BackupCreatePayload {
            backup: row.map(Backup::new),
            user_errors,
        })
    }

    /// Has it proved that a backup can be restored and is what was there: it is restored beside the shop, compared and looked through, and dropped again.
    /// A job does it. Needs `backup.manage`.
    async fn backup_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: BackupVerifyInput,
    ) -> async_graphql::Result<BackupVerifyPayload> {
        let BackupVerifyInput {
            id,
            idempotency_key,
        } = input;
        let asked = async {
            let id = BackupId::parse("id", &id)?;
            let (backups, key) = (ctx.domain().backups(), idempotency_key.as_deref());
            backups.verify(ctx.viewer(), id, key).await
        };
        let (row, user_errors) = settle(ctx, asked.await)?;
        Ok(BackupVerifyPayload {
            backup: row.map(Backup::new),
            user_errors,
        })
    }
}

/// Reading about backups.
#[derive(Default)]
pub struct BackupQuery;

#[Object(guard = "Needs(Permission::BackupRead)")]
impl BackupQuery {
    /// One backup; null when there is none such. Needs `backup.read`.
    async fn backup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<Backup>> {
        let viewer = ctx.viewer();
        let id = BackupId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().backups().find(viewer, id).await;
        Ok(row.or_graphql(viewer)?.map(Backup::new))
    }

    /// All backups, in pages, newest first. Needs `backup.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn backups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Backup>> {
        let viewer = ctx.viewer();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().backups().page(viewer, &args).await;
        Ok(page::connection(
            rows.or_graphql(viewer)?,
            EmptyFields,
            Backup::new,
        ))
    }
}
