//! Where files live: a store of immutable blobs under short keys, in a local folder or in an
//! S3-compatible bucket. Files travel through it in chunks, so memory stays flat whatever their size.
//!
//! A put becomes visible as a whole or not at all. A process that dies half-way leaves nothing that
//! a key can reach: in a folder a staging file named `<key>#<number>`, in a bucket an unfinished
//! multipart upload, which a lifecycle rule of the bucket should expire. [`BlobStore::leftovers`] finds the former.

mod error;
mod fingerprint;
mod fresh;
mod key;
mod s3;
mod staging;
mod store;
#[cfg(test)]
mod tests;
mod write;

pub use error::BlobError;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use fresh::{fresh, fresh_one};
pub use key::{BlobKey, InvalidKey};
pub use s3::S3Settings;
pub use staging::Leftover;
pub use store::{Blob, BlobStore, BlobStream, Listed};
pub use write::BlobWriter;
