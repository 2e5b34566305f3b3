//! What puts leave behind in a folder when their process is killed: a file `<key>#<number>` beside the blob that it was to become. No key reaches
//! it, and the store does not list it. In a bucket a lifecycle rule expires such uploads.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tokio::task::spawn_blocking;

use super::{BlobError, BlobKey, BlobStore};

/// The parts of the store that we put something into. What is beside them is not ours.
const OURS: [&str; 7] = [
    "attachment",
    "code",
    "health",
    "import",
    "job",
    "original",
    "rendition",
];
/// Folders inside folders: a key has at most eight segments, and the last one is a file.
const DEEPEST: usize = 7;
/// How many are told at once.
const MOST: usize = 10_000;

/// A staging file that was not written to for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
}

impl BlobStore {
    /// Staging files that nobody has written to since `until`, at most ten thousand; none in a bucket.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when the folder cannot be read.
    pub async fn leftovers(&self, until: SystemTime) -> Result<Vec<Leftover>, BlobError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(Vec::new());
        };
        blocking(move || {
            let mut found = Vec::new();
            for room in OURS {
                look(&folder.join(room), room, DEEPEST, until, &mut found)?;
            }
            Ok(found)
        })
        .await
    }

    /// Removes these, but for those that somebody writes to by now: their names are used again. One that is gone counts as removed.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`] when one cannot be removed.
    pub async fn remove_leftovers(
        &self,
        leftovers: Vec<Leftover>,
        until: SystemTime,
    ) -> Result<(), BlobError> {
        blocking(move || {
            for Leftover { path, .. } in leftovers {
                let still = there(fs::symlink_metadata(&path))?;
                if still.is_some_and(|about| is_old(&about, until)) {
                    there(fs::remove_file(&path))?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Adds what is left behind in a folder, and in those inside it. Links are not followed.
fn look(
    folder: &Path,
    key: &str,
    deeper: usize,
    until: SystemTime,
    found: &mut Vec<Leftover>,
) -> io::Result<()> {
    for entry in there(fs::read_dir(folder))?.into_iter().flatten() {
        if found.len() >= MOST {
            return Ok(());
        }
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let key = format!("{key}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && deeper > 0 {
            look(&entry.path(), &key, deeper - 1, until, found)?;
        } else if kind.is_file() && is_staging(&key) {
            found.extend(old(&entry, until)?);
        }
    }
    Ok(())
}

/// Whether this is a key, `#` and a number.
fn is_staging(name: &str) -> bool {
    name.split_once('#').is_some_and(|(key, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && key.parse::<BlobKey>().is_ok()
    })
}

fn old(entry: &DirEntry, until: SystemTime) -> io::Result<Option<Leftover>> {
    let about = there(entry.metadata())?;
    let about = about.filter(|about| is_old(about, until));
    Ok(about.map(|about| Leftover {
        path: entry.path(),
        bytes: about.len(),
    }))
}

/// Whether nobody has written to it since; what cannot tell is left alone.
fn is_old(about: &fs::Metadata, until: SystemTime) -> bool {
    about.modified().is_ok_and(|written| written <= until)
}

/// None when it is not there, or not any more.
fn there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = spawn_blocking(work).await.map_err(io::Error::other);
    done.flatten()
        .map_err(|error| BlobError::Unavailable(Box::new(error)))
}
