//! Binds `/api/files` to the files of jobs and to what is attached to entries of the books.

use async_graphql::ID;
use domain::Domain;
use entity::id::{JobFileId, JournalAttachmentId};
use platform::blob::{BlobKey, BlobStore};
use poem::Body;

use crate::{
    auth::Caller,
    graphql::id::GlobalId,
    http::{FileFailure, FileSource, PrivateFile},
};

/// Files of jobs and of the books, for those who may see them.
#[derive(Clone)]
pub struct StoredFiles {
    domain: Domain,
    blobs: BlobStore,
}

impl StoredFiles {
    /// Files that `domain` knows and `blobs` holds.
    #[must_use]
    pub fn new(domain: Domain, blobs: BlobStore) -> Self {
        Self { domain, blobs }
    }

    async fn open(&self, file: Known) -> Result<PrivateFile, FileFailure> {
        let key: BlobKey = file.blob_key.parse().map_err(|error| failed(&error))?;
        let blob = self.blobs.get_stream(&key).await;
        let blob = blob.map_err(|error| failed(&error))?;
        let pieces =
            futures_util::StreamExt::map(blob.stream, |piece| piece.map_err(std::io::Error::other));
        Ok(PrivateFile {
            name: file.name,
            media_type: file.media_type,
            length: blob.length,
            body: Body::from_bytes_stream(pieces),
        })
    }

    /// The file of whatever has this id.
    async fn known(&self, caller: &Caller, id: &ID) -> domain::Result<Option<Known>> {
        if let Ok(id) = JobFileId::parse("id", id) {
            let found = self.domain.jobs().find_file(caller.viewer(), id).await?;
            return Ok(found.map(|file| Known {
                name: file.name,
                media_type: file.media_type,
                blob_key: file.blob_key,
            }));
        }
        if let Ok(id) = JournalAttachmentId::parse("id", id) {
            let journal = self.domain.journal();
            let found = journal.find_attachment(caller.viewer(), id).await?;
            return Ok(found.map(|file| Known {
                name: file.name,
                media_type: file.media_type,
                blob_key: file.blob_key,
            }));
        }
        Ok(None)
    }
}

/// A file that the database knows.
struct Known {
    name: String,
    media_type: String,
    blob_key: String,
}

impl FileSource<Caller> for StoredFiles {
    async fn get(&self, caller: &Caller, id: &str) -> Result<Option<PrivateFile>, FileFailure> {
        let found = self.known(caller, &ID(id.to_owned())).await;
        match found.map_err(|error| failed(&error))? {
            Some(file) => self.open(file).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A file that the database knows and nobody can open is no file that is missing.
fn failed(error: &(dyn std::error::Error + 'static)) -> FileFailure {
    tracing::warn!(error, "a file cannot be opened");
    FileFailure
}
