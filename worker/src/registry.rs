//! Which handler does which job.

use domain::job::Task;

use crate::{
    context::Context,
    failure::Failure,
    jobs::{
        Attempt, create_backup, draw_codes, export_items, export_report, fetch_metal_rates,
        import_items, import_journal, print_labels, probe_queue, reconcile_stock,
        regenerate_images, render_code, render_image, run_retention, verify_backup, verify_ledger,
        verify_trail,
    },
};

/// Does what the task says.
///
/// # Errors
/// What the handler says.
pub async fn run(context: &Context, attempt: &Attempt, task: Task) -> Result<(), Failure> {
    match task {
        // Few of these run at once, and each holds much on its way.
        Task::CreateBackup { backup_id } => {
            Box::pin(create_backup::run(context, attempt, backup_id)).await
        }
        Task::VerifyBackup { backup_id } => {
            Box::pin(verify_backup::run(context, attempt, backup_id)).await
        }
        Task::ExportItems { export_id } => {
            Box::pin(export_items::run(context, attempt, export_id)).await
        }
        Task::ImportItems { import_id } => {
            Box::pin(import_items::run(context, attempt, import_id)).await
        }
        Task::ExportReport { export_id } => {
            Box::pin(export_report::run(context, attempt, export_id)).await
        }
        Task::FetchMetalRates => fetch_metal_rates::run(context, attempt).await,
        Task::ImportJournal { import_id } => {
            Box::pin(import_journal::run(context, attempt, import_id)).await
        }
        Task::DrawCodes { batch_id } => Box::pin(draw_codes::run(context, attempt, batch_id)).await,
        Task::PrintLabels { sheet_id } => {
            Box::pin(print_labels::run(context, attempt, sheet_id)).await
        }
        Task::ProbeQueue => probe_queue::run(context, attempt).await,
        Task::ReconcileStock { reconciliation_id } => {
            reconcile_stock::run(context, attempt, reconciliation_id).await
        }
        Task::RegenerateImages { before } => {
            Box::pin(regenerate_images::run(context, attempt, before)).await
        }
        Task::RenderCode { item_id } => render_code::run(context, attempt, item_id).await,
        Task::RenderImage { image_id } => render_image::run(context, attempt, image_id).await,
        Task::VerifyLedger { verification_id } => {
            verify_ledger::run(context, attempt, verification_id).await
        }
        Task::RunRetention { run_id } => run_retention::run(context, attempt, run_id).await,
        Task::VerifyTrail { verification_id } => {
            Box::pin(verify_trail::run(context, attempt, verification_id)).await
        }
    }
}
