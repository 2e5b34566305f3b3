//! Writing a blob piece by piece, by somebody who does not have all of it at once.

use bytes::Bytes;
use object_store::buffered::BufWriter;
use tokio::io::AsyncWriteExt;

use super::{BlobError, BlobKey};

/// A blob being written. It becomes visible when it is finished, as a whole; dropped before that it leaves nothing that a key can
/// reach.
pub struct BlobWriter {
    key: BlobKey,
    writer: BufWriter,
    length: u64,
}

impl BlobWriter {
    pub(super) fn new(key: BlobKey, writer: BufWriter) -> Self {
        Self {
            key,
            writer,
            length: 0,
        }
    }

    /// Appends these bytes.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the store fails.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.length += bytes.len() as u64;
        let put = self.writer.put(bytes).await;
        put.map_err(|error| BlobError::about(&self.key, error))
    }

    /// Makes the blob visible, and returns its length in bytes.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the store fails; nothing new is visible then.
    pub async fn finish(mut self) -> Result<u64, BlobError> {
        let finished = self.writer.shutdown().await;
        finished.map_err(|error| BlobError::Unavailable(Box::new(error)))?;
        Ok(self.length)
    }

    /// Frees what the store holds of it already.
    pub async fn abandon(mut self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(key = %self.key, %error, "an unfinished file could not be cleaned up");
        }
    }
}
