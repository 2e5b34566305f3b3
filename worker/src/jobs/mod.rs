//! What each job does: one file a job.

pub mod create_backup;
pub mod draw_codes;
pub mod export_items;
pub mod export_report;
pub mod fetch_metal_rates;
pub mod import_items;
pub mod import_journal;
pub mod print_labels;
pub mod probe_queue;
pub mod reconcile_stock;
pub mod regenerate_images;
pub mod render_code;
pub mod render_image;
pub mod run_retention;
pub mod verify_backup;
pub mod verify_ledger;
pub mod verify_trail;

use domain::Viewer;
use entity::id::JobId;

/// The attempt that a handler is part of.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Which job.
    pub job: JobId,
    /// Which attempt at it, from 1: whoever comes with an older one is too late.
    pub number: i32,
    /// On whose behalf.
    pub viewer: Viewer,
}
