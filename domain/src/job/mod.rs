//! Jobs: work done in the background.
//!
//! The row in PostgreSQL is the truth of a job, written by the transaction that causes it; Redis only carries its id to a worker. So the
//! table is its own outbox: the relay hands over what has no `relayed_at`, and [`Jobs::reclaim`] hands over again what Redis may have
//! lost. A worker that was taken for dead cannot end a job any more: each attempt has a number, and only the latest one counts.
//!
//! The row also has what operators steer jobs by ([`Jobs::cancel`], [`Jobs::pause`], [`Jobs::retry`], [`Jobs::redrive`]): whoever begins an
//! attempt looks at it in the very statement that begins it.

mod attempt;
mod by_hand;
mod cancel;
mod death;
mod file;
mod filter;
mod handover;
mod new;
mod pause;
mod progress;
mod query;
mod queue;
mod redrive;
mod retry;
mod rules;
mod together;
mod visible;
mod write;

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::id::{
    BackupId, CodeBatchId, ItemExportId, ItemId, ItemImageId, ItemImportId, JobId, JournalImportId,
    LabelSheetId, LedgerVerificationId, ReportExportId, RetentionRunId, StockReconciliationId,
    TrailVerificationId,
};
use serde::{Deserialize, Serialize};

pub use attempt::{Failed, Started};
pub use by_hand::NewErrand;
pub use entity::{
    job::{Model as Job, State},
    job_file::Model as JobFile,
};
pub use file::NewJobFile;
pub(crate) use file::add_files_in_tx;
pub use filter::JobFilter;
pub use handover::Relayed;
pub use new::Enqueued;
pub(crate) use new::{enqueue_in_tx, enqueue_new_in_tx, enqueue_one_in_tx};
pub(crate) use progress::hold_attempt_in_tx;
pub use queue::{Queue, QueueStanding};
pub use redrive::Redriven;
pub use together::{Beginning, Ending};
pub(crate) use visible::Visible;
pub(crate) use write::{succeed_in_tx, succeed_with_in_tx};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    page::{Page, PageArgs},
    permission::Permission,
    viewer::Viewer,
    wake::Wakeups,
};

/// What is to be done, and to what: ids, never copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Task {
    /// Make a backup.
    #[serde(rename = "backup.create")]
    CreateBackup {
        /// The backup.
        backup_id: BackupId,
    },
    /// Prove that a backup can be restored.
    #[serde(rename = "backup.verify")]
    VerifyBackup {
        /// The backup.
        backup_id: BackupId,
    },
    /// Make the renditions of an uploaded picture.
    #[serde(rename = "item.render_image")]
    RenderImage {
        /// The picture.
        image_id: ItemImageId,
    },
    /// Write items into a file.
    #[serde(rename = "item.export")]
    ExportItems {
        /// The export.
        export_id: ItemExportId,
    },
    /// Import items from a file.
    #[serde(rename = "item.import")]
    ImportItems {
        /// The import.
        import_id: ItemImportId,
    },
    /// Write a report into a file.
    #[serde(rename = "report.export")]
    ExportReport {
        /// The export.
        export_id: ReportExportId,
    },
    /// Post the entries of a file.
    #[serde(rename = "journal.import")]
    ImportJournal {
        /// The import.
        import_id: JournalImportId,
    },
    /// Fetch rates of metals.
    #[serde(rename = "metal_rate.fetch")]
    FetchMetalRates,
    /// Do nothing: that it is done tells that whoever hands jobs over and does them is at work.
    #[serde(rename = "queue.probe")]
    ProbeQueue,
    /// Draw the item's QR code.
    #[serde(rename = "item.render_code")]
    RenderCode {
        /// The item.
        item_id: ItemId,
    },
    /// Make the renditions of all pictures anew.
    #[serde(rename = "item.regenerate_images")]
    RegenerateImages {
        /// That were not made since then.
        before: DateTime<Utc>,
    },
    /// Draw codes, as pictures or as a file to print.
    #[serde(rename = "code.draw")]
    DrawCodes {
        /// The batch.
        batch_id: CodeBatchId,
    },
    /// Draw labels, as a file to print.
    #[serde(rename = "label.print")]
    PrintLabels {
        /// The sheet.
        sheet_id: LabelSheetId,
    },
    /// Prove that levels are the sums of movements.
    #[serde(rename = "stock.reconcile")]
    ReconcileStock {
        /// The proof.
        reconciliation_id: StockReconciliationId,
    },
    /// Clear up what is old.
    #[serde(rename = "retention.run")]
    RunRetention {
        /// The run.
        run_id: RetentionRunId,
    },
    /// Prove that the books are what their lines make them.
    #[serde(rename = "ledger.verify")]
    VerifyLedger {
        /// The proof.
        verification_id: LedgerVerificationId,
    },
    /// Prove that nothing was changed behind the trail's back.
    #[serde(rename = "trail.verify")]
    VerifyTrail {
        /// The proof.
        verification_id: TrailVerificationId,
    },
}

impl Task {
    /// The stable text of what is to be done.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateBackup { .. } => "backup.create",
            Self::VerifyBackup { .. } => "backup.verify",
            Self::RenderImage { .. } => "item.render_image",
            Self::RenderCode { .. } => "item.render_code",
            Self::FetchMetalRates => "metal_rate.fetch",
            Self::ProbeQueue => "queue.probe",
            Self::ExportItems { .. } => "item.export",
            Self::ImportItems { .. } => "item.import",
            Self::ExportReport { .. } => "report.export",
            Self::ImportJournal { .. } => "journal.import",
            Self::RegenerateImages { .. } => "item.regenerate_images",
            Self::DrawCodes { .. } => "code.draw",
            Self::PrintLabels { .. } => "label.print",
            Self::ReconcileStock { .. } => "stock.reconcile",
            Self::VerifyLedger { .. } => "ledger.verify",
            Self::RunRetention { .. } => "retention.run",
            Self::VerifyTrail { .. } => "trail.verify",
        }
    }

    /// What carries it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            Self::CreateBackup { .. } | Self::VerifyBackup { .. } => Queue::Operations,
            Self::RenderImage { .. } | Self::DrawCodes { .. } | Self::PrintLabels { .. } => {
                Queue::Media
            }
            Self::ProbeQueue | Self::RenderCode { .. } => Queue::Codes,
            Self::ExportItems { .. }
            | Self::ExportReport { .. }
            | Self::FetchMetalRates
            | Self::ImportItems { .. }
            | Self::ImportJournal { .. }
            | Self::ReconcileStock { .. }
            | Self::RegenerateImages { .. }
            | Self::VerifyLedger { .. }
            | Self::RunRetention { .. }
            | Self::VerifyTrail { .. } => Queue::Bulk,
        }
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        match self {
            Self::CreateBackup { .. } | Self::VerifyBackup { .. } => Duration::from_secs(6 * 3600),
            Self::RenderImage { .. } => Duration::from_secs(120),
            Self::FetchMetalRates => Duration::from_secs(60),
            Self::ProbeQueue | Self::RenderCode { .. } => Duration::from_secs(20),
            Self::DrawCodes { .. } | Self::PrintLabels { .. } => Duration::from_secs(300),
            Self::ReconcileStock { .. } => Duration::from_secs(900),
            // An import that takes longer goes on with the next attempt, and so do pictures, proofs of the trail and clearing up.
            Self::ExportItems { .. }
            | Self::ExportReport { .. }
            | Self::ImportItems { .. }
            | Self::ImportJournal { .. }
            | Self::RegenerateImages { .. }
            | Self::VerifyLedger { .. }
            | Self::RunRetention { .. }
            | Self::VerifyTrail { .. } => Duration::from_secs(3600),
        }
    }
}

/// Jobs: what workers and operators do with them.
#[derive(Clone, Copy, Debug)]
pub struct Jobs<'a> {
    pub(crate) domain: &'a Domain,
}

impl Jobs<'_> {
    /// Woken whenever jobs are committed.
    #[must_use]
    pub fn wakeups(&self) -> Wakeups {
        Wakeups::new(&self.domain.settings, "goldshop_job")
    }

    /// The job with this id.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or there is no such job.
    pub async fn get(&self, viewer: &Viewer, id: JobId) -> Result<Job> {
        viewer.require(Permission::JobRead)?;
        query::find(&self.domain.reads, id)
            .await?
            .ok_or_else(|| Refusal::new(Code::NotFound, "id").into())
    }

    /// The jobs with these ids, in any order, of those that the viewer may see: all, or the ones that they have logged in and caused.
    /// Others are left out as if they did not exist.
    ///
    /// # Errors
    /// When nobody has said who they are.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[JobId]) -> Result<Vec<Job>> {
        match Visible::to(viewer)? {
            Some(visible) => query::by_ids(&self.domain.reads, ids, visible).await,
            None => Ok(Vec::new()),
        }
    }

    /// The same, of those that pass the filter.
    ///
    /// # Errors
    /// When nobody has said who they are, or the filter is too large.
    pub async fn by_ids_where(
        &self,
        viewer: &Viewer,
        ids: &[JobId],
        filter: &JobFilter,
    ) -> Result<Vec<Job>> {
        filter.check()?;
        match Visible::to(viewer)? {
            Some(visible) => query::by_ids_where(&self.domain.reads, ids, visible, filter).await,
            None => Ok(Vec::new()),
        }
    }

    /// A page of the jobs that pass the filter, newest first.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or an argument is wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &JobFilter,
        args: &PageArgs,
    ) -> Result<Page<Job>> {
        viewer.require(Permission::JobRead)?;
        filter.check()?;
        query::page(&self.domain.reads, filter, args).await
    }
}
