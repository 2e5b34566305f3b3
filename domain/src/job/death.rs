//! A job's death, or its being taken back, and what it means for what the job was to make: nobody waits for ever for a picture that will not come.

use chrono::{DateTime, Utc};
use entity::{id::JobId, job::Model as Job};
use sea_orm::DatabaseTransaction;
use serde::Deserialize as _;

use super::{Task, query, write};
use crate::{
    error::Result,
    item::{self, ImageState, LockedImage},
    viewer::Viewer,
};

/// Locks the picture that the job was to render, if it was, and if it is in this state. To be called before the job is locked: whoever
/// ends a job well locks in this order too.
pub(super) async fn lock_image_in_tx(
    tx: &DatabaseTransaction,
    id: JobId,
    state: ImageState,
) -> Result<Option<LockedImage>> {
    let job = query::find(tx, id).await?;
    match job.and_then(|job| Task::deserialize(&job.payload).ok()) {
        Some(Task::RenderImage { image_id }) => item::lock_image_in_tx(tx, image_id, state).await,
        // An item without a drawn code can be used all the same.
        Some(
            Task::RenderCode { .. }
            | Task::ExportItems { .. }
            | Task::ExportReport { .. }
            | Task::FetchMetalRates
            | Task::ProbeQueue
            | Task::ImportItems { .. }
            | Task::ImportJournal { .. }
            | Task::DrawCodes { .. }
            | Task::PrintLabels { .. }
            | Task::ReconcileStock { .. }
            | Task::RegenerateImages { .. }
            | Task::VerifyLedger { .. }
            | Task::RunRetention { .. }
            | Task::CreateBackup { .. }
            | Task::VerifyBackup { .. }
            | Task::VerifyTrail { .. },
        )
        | None => Ok(None),
    }
}

/// Gives up the job, and the picture that it was to render.
pub(super) async fn bury_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    image: Option<LockedImage>,
    error: &str,
) -> Result<()> {
    write::die_in_tx(tx, viewer, now, job, error).await?;
    settle_in_tx(tx, viewer, now, image).await
}

/// Takes the job back, and gives up the picture that it was to render.
pub(super) async fn cancel_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: Job,
    image: Option<LockedImage>,
) -> Result<Job> {
    let job = write::cancel_in_tx(tx, viewer, now, job).await?;
    settle_in_tx(tx, viewer, now, image).await?;
    Ok(job)
}

async fn settle_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    image: Option<LockedImage>,
) -> Result<()> {
    match image {
        Some(image) => item::give_up_image_in_tx(tx, viewer, now, image).await,
        None => Ok(()),
    }
}
