//! Binds `/media` to the blob store.

use platform::blob::{Blob, BlobError, BlobKey, BlobStore};
use poem::{Body, http::HeaderValue};

use crate::http::{Media, MediaFailure, MediaSource};

/// Files of the blob store.
#[derive(Clone)]
pub struct BlobMedia(BlobStore);

impl BlobMedia {
    /// Files of this store.
    #[must_use]
    pub fn new(blobs: BlobStore) -> Self {
        Self(blobs)
    }
}

impl MediaSource for BlobMedia {
    async fn get(&self, key: &str) -> Result<Option<Media>, MediaFailure> {
        let Ok(key) = key.parse::<BlobKey>() else {
            return Ok(None);
        };
        match self.0.get_stream(&key).await {
            Ok(Blob {
                length,
                content_type,
                stream,
            }) => {
                let body = Body::from_bytes_stream(futures_util::StreamExt::map(stream, |piece| {
                    piece.map_err(std::io::Error::other)
                }));
                Ok(Some(Media {
                    content_type: HeaderValue::from_static(content_type),
                    length,
                    body,
                }))
            }
            Err(BlobError::NotFound { .. }) => Ok(None),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the blob store does not answer"
                );
                Err(MediaFailure)
            }
        }
    }
}
