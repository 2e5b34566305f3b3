//! Which backups there are, and which of them are not what their manifests say, as far as that is seen without reading them.

use super::{BackupError, Manifest, Setup, part::length_differs};

/// A backup, or what there is of one.
#[derive(Clone, Debug)]
pub struct Found {
    /// What its folder is called.
    pub name: String,
    /// What it says of itself, where that can be read.
    pub manifest: Option<Manifest>,
    /// What is wrong with it: nothing, as far as lengths tell.
    pub fault: Option<String>,
}

/// Those in the folder of backups, oldest first.
///
/// # Errors
/// When it cannot be read.
pub fn here(setup: &Setup) -> Result<Vec<Found>, BackupError> {
    let folders = setup.folders();
    let found = |name: String| {
        let folder = folders.root().join(&name);
        let length = |file: &str| Some(folder.join(file).metadata().ok()?.len());
        match Manifest::read(&folder) {
            Ok(manifest) => Found {
                fault: fault(&manifest, length),
                manifest: Some(manifest),
                name,
            },
            Err(error) => Found {
                name,
                manifest: None,
                fault: Some(error.to_string()),
            },
        }
    };
    Ok(folders.complete()?.into_iter().map(found).collect())
}

/// The first file that is missing, or of another length.
pub(super) fn fault(manifest: &Manifest, length: impl Fn(&str) -> Option<u64>) -> Option<String> {
    let mut parts = manifest.parts.iter();
    parts.find_map(|part| length_differs(part, length(&part.file)))
}
