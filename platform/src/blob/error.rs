//! What can go wrong between us and the store, told apart by what the caller should do about it.

use std::io;

use super::BlobKey;

/// Why an operation on the blob store failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Nothing is stored under the key. Trying again will not help.
    #[error("no blob is stored under {0}")]
    NotFound(BlobKey),
    /// The blob is larger than the reader was willing to take. Trying again will not help.
    #[error("the blob {key} is larger than {limit} bytes")]
    TooLarge {
        /// The blob that was asked for.
        key: BlobKey,
        /// The most the caller would take, in bytes.
        limit: u64,
    },
    /// The local file to be stored could not be read.
    #[error("the file to store cannot be read: {0}")]
    Source(#[source] io::Error),
    /// The store cannot be set up as configured: an endpoint that is no URL, a folder that cannot
    /// be created, no root certificates on this machine.
    #[error("the blob store cannot be set up: {0}")]
    Settings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store did not do what it was asked, for instance because it cannot be reached, refuses
    /// our credentials, or its disk is full. Trying again later may help.
    #[error("the blob store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BlobError {
    /// Translates the store's own error about `key`.
    pub(super) fn about(key: &BlobKey, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound(key.clone()),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
