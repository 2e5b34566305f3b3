//! Jobs: work done in the background.
//!
//! The row in PostgreSQL is the truth of a job, written by the transaction that causes it; Redis only carries its id to a worker. So the
//! table is its own outbox: the relay hands over what has no `relayed_at`, and [`Jobs::reclaim`] hands over again what Redis may have
//! lost. A worker that was taken for dead cannot end a job any more: each attempt has a number, and only the latest one counts.

mod attempt;
mod death;
mod file;
mod filter;
mod handover;
mod progress;
mod query;
mod retry;
mod rules;
mod visible;
mod write;

use std::time::Duration;

use entity::id::{
    BackupId, ItemExportId, ItemId, ItemImageId, ItemImportId, JobId, JournalImportId,
    LabelSheetId, ReportExportId, StockReconciliationId, TrailVerificationId,
};
use serde::{Deserialize, Serialize};

pub use attempt::Started;
pub use entity::{
    job::{Model as Job, State},
    job_file::Model as JobFile,
};
pub use file::NewJobFile;
pub(crate) use file::add_files_in_tx;
pub use filter::JobFilter;
pub use handover::Relayed;
pub(crate) use progress::hold_attempt_in_tx;
use visible::Visible;
pub(crate) use write::{enqueue_in_tx, enqueue_one_in_tx, succeed_in_tx};

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
    /// Draw the item's QR code.
    #[serde(rename = "item.render_code")]
    RenderCode {
        /// The item.
        item_id: ItemId,
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
    /// Prove that nothing was changed behind the trail's back.
    #[serde(rename = "trail.verify")]
    VerifyTrail {
        /// The proof.
        verification_id: TrailVerificationId,
    },
}

/// What carries jobs of one nature, with limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Files of any number of rows: minutes, mostly the database's.
    Bulk,
    /// Small things: milliseconds.
    Codes,
    /// Pictures and files to print: seconds of processor time and much memory.
    Media,
    /// Backups, one after the other: as long as the shop is large, and no import is to wait for them.
    Operations,
}

impl Queue {
    /// Every queue there is.
    pub const ALL: &[Self] = &[Self::Bulk, Self::Codes, Self::Media, Self::Operations];

    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Codes => "codes",
            Self::Media => "media",
            Self::Operations => "operations",
        }
    }
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
            Self::ExportItems { .. } => "item.export",
            Self::ImportItems { .. } => "item.import",
            Self::ExportReport { .. } => "report.export",
            Self::ImportJournal { .. } => "journal.import",
            Self::PrintLabels { .. } => "label.print",
            Self::ReconcileStock { .. } => "stock.reconcile",
            Self::VerifyTrail { .. } => "trail.verify",
        }
    }

    /// What carries it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            Self::CreateBackup { .. } | Self::VerifyBackup { .. } => Queue::Operations,
            Self::RenderImage { .. } | Self::PrintLabels { .. } => Queue::Media,
            Self::RenderCode { .. } => Queue::Codes,
            Self::ExportItems { .. }
            | Self::ExportReport { .. }
            | Self::ImportItems { .. }
            | Self::ImportJournal { .. }
            | Self::ReconcileStock { .. }
            | Self::VerifyTrail { .. } => Queue::Bulk,
        }
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        match self {
            Self::CreateBackup { .. } | Self::VerifyBackup { .. } => Duration::from_secs(6 * 3600),
            Self::RenderImage { .. } => Duration::from_secs(120),
            Self::RenderCode { .. } => Duration::from_secs(20),
            Self::PrintLabels { .. } => Duration::from_secs(300),
            Self::ReconcileStock { .. } => Duration::from_secs(900),
            // An import that takes longer goes on with the next attempt, and so does a proof of the trail.
            Self::ExportItems { .. }
            | Self::ExportReport { .. }
            | Self::ImportItems { .. }
            | Self::ImportJournal { .. }
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
