//! Proves that a backup can be restored.

use std::path::Path;

use domain::error::Fault;
use entity::id::BackupId;

use super::Attempt;
use crate::{backup, context::Context, failure::Failure};

/// Makes the proof, from the beginning, and keeps what it finds.
///
/// # Errors
/// When the backup is not sound: nobody looks at jobs that went well. When it cannot be found out, or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, id: BackupId) -> Result<(), Failure> {
    let (backups, viewer) = (context.domain.backups(), &attempt.viewer);
    let job = (attempt.job, attempt.number);
    let found = backups.find(viewer, id).await?;
    let name = found.and_then(|backup| backup.name);
    let name = name.ok_or_else(|| Failure::discard(Fault::from("there is no such backup")))?;
    let folder = context.backups.folders().path(Path::new(&name));
    let report = backup::verify(&context.backups, &folder, viewer).await;
    let report = report.map_err(|error| match error {
        backup::BackupError::Refused(_) => Failure::discard(error),
        _ => Failure::retry(error),
    })?;
    if report.is_sound() {
        return Ok(backups.proved(viewer, Some(job), &name, &report).await?);
    }
    backups.proved(viewer, None, &name, &report).await?;
    let wrong = report.checks.iter().filter(|check| !check.is_sound);
    let wrong: Vec<_> = wrong.map(|check| check.name.as_str()).collect();
    let why = format!("{name} is not sound: {}", wrong.join(", "));
    Err(Failure::discard(Fault::from(why)))
}
