//! Binds `/api/files` to the files of jobs.

use async_graphql::ID;
use domain::{Domain, job::JobFile};
use entity::id::JobFileId;
use platform::blob::{BlobKey, BlobStore};
use poem::Body;

use crate::{
    auth::Caller,
    graphql::id::GlobalId,
    http::{FileFailure, FileSource, PrivateFile},
};

/// Files of jobs, for those who may see them.
#[derive(Clone)]
pub struct JobFiles {
    domain: Domain,
    blobs: BlobStore,
}

impl JobFiles {
    /// Files that `domain` knows and `blobs` holds.
    #[must_use]
    pub fn new(domain: Domain, blobs: BlobStore) -> Self {
        Self { domain, blobs }
    }

    async fn open(&self, file: JobFile) -> Result<PrivateFile, FileFailure> {
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
}

impl FileSource<Caller> for JobFiles {
    async fn get(&self, caller: &Caller, id: &str) -> Result<Option<PrivateFile>, FileFailure> {
        let Ok(id) = JobFileId::parse("id", &ID(id.to_owned())) else {
            return Ok(None);
        };
        let found = self.domain.jobs().find_file(caller.viewer(), id).await;
        match found.map_err(|error| failed(&error))? {
            Some(file) => self.open(file).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A file that the database knows and nobody can open is no file that is missing.
fn failed(error: &(dyn std::error::Error + 'static)) -> FileFailure {
    tracing::warn!(error, "a file of a job cannot be opened");
    FileFailure
}
