//! Copies of backups in another store. The manifest comes last: without one a copy is not whole.

use std::path::Path;

use platform::blob::{BlobKey, BlobStore};

use super::{BackupError, Manifest, Setup, manifest};

/// Copies a backup, where the settings say so; tells whether they do. A copy that is whole already stays as it is.
///
/// # Errors
/// When the store cannot be reached, or does not take it.
pub(super) async fn put(
    setup: &Setup,
    folder: &Path,
    content: &Manifest,
) -> Result<bool, BackupError> {
    let Some(store) = setup.settings.copies().map_err(BackupError::of("copy"))? else {
        return Ok(false);
    };
    let copied = copy(&store, folder, content).await;
    copied.map_err(|error| {
        BackupError::about(
            format!("{} is complete, but not copied", content.name),
            error,
        )
    })?;
    Ok(true)
}

async fn copy(store: &BlobStore, folder: &Path, content: &Manifest) -> Result<(), BackupError> {
    let last = key(&content.name, manifest::FILE)?;
    if store.exists(&last).await.map_err(BackupError::of("copy"))? {
        return Ok(());
    }
    for part in &content.parts {
        let key = key(&content.name, &part.file)?;
        store
            .put_file(&key, &folder.join(&part.file))
            .await
            .map_err(BackupError::of("copy"))?;
    }
    store
        .put_file(&last, &folder.join(manifest::FILE))
        .await
        .map_err(BackupError::of("copy"))?;
    Ok(())
}

fn key(name: &str, file: &str) -> Result<BlobKey, BackupError> {
    format!("{name}/{file}")
        .parse()
        .map_err(BackupError::of("copy"))
}
