//! Takes uploads in. Of a picture the content is looked at, and it is stored under the hash of that; a file to be worked on gets a
//! key of its own.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
};

use domain::{Code, Domain, Error, Refusal, Result, item::NewImage};
use platform::{
    blob::{BlobError, BlobKey, BlobStore, Fingerprint, fresh_one},
    document::{DocumentError, recognise},
    image::{InspectError, Inspected, Limits, Rejection, inspect_open},
};
use uuid::Uuid;

/// How often a file is stored again that was retired before a row could refer to it, at most.
const AGAIN: u8 = 4;

/// Counts how often a file was stored.
#[derive(Debug, Default)]
pub struct Storing(u8);

impl Storing {
    /// Whether the file has to be stored again, under another name, because it was retired before a row could refer to it.
    pub fn again(&mut self, error: &Error) -> bool {
        self.0 += 1;
        self.0 <= AGAIN && error.is_retired_file()
    }
}

/// Stores the picture in `file` and says what it is. Two uploads of the same content share one blob.
///
/// # Errors
/// When it is no picture that we take, or the blob store does not answer.
pub async fn store(
    limits: &Limits,
    domain: &Domain,
    blobs: &BlobStore,
    file: &File,
) -> Result<NewImage> {
    let file = file.try_clone().map_err(Error::internal)?;
    let inspected = inspect("file", *limits, file.try_clone().map_err(Error::internal)?).await?;
    let fingerprint = Fingerprint::of_open(file.try_clone().map_err(Error::internal)?)
        .await
        .map_err(Error::internal)?;
    let key = fresh_one(domain, BlobKey::original(&fingerprint)).await?;
    blobs
        .put_open(&key, tokio::fs::File::from_std(file))
        .await
        .map_err(unavailable)?;
    let Inspected {
        format,
        width,
        height,
        bytes,
    } = inspected;
    Ok(NewImage {
        original_key: key.as_str().to_owned(),
        media_type: format.content_type().to_owned(),
        width,
        height,
        byte_size: bytes,
    })
}

/// Largest file that is taken to be worked on, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct FileLimit(pub u64);

/// A file that was taken in.
#[derive(Debug)]
pub struct StoredFile {
    /// Where it is. Nobody else has this key.
    pub key: BlobKey,
    /// Length in bytes.
    pub bytes: i64,
    /// Hash of its content.
    pub hash: String,
}

/// Stores a file that is to be worked on, whatever it holds, under a key with this id.
///
/// # Errors
/// When it is too large, or the blob store does not answer.
pub async fn store_file(
    limit: u64,
    blobs: &BlobStore,
    id: Uuid,
    file: &File,
) -> Result<StoredFile> {
    let file = file.try_clone().map_err(Error::internal)?;
    if file.metadata().map_err(Error::internal)?.len() > limit {
        return Err(Refusal::new(Code::TooLarge, "file")
            .with("max", limit)
            .into());
    }
    let hash = Fingerprint::of_open(file.try_clone().map_err(Error::internal)?)
        .await
        .map_err(Error::internal)?;
    let key = BlobKey::import(id);
    let bytes = blobs
        .put_open(&key, tokio::fs::File::from_std(file))
        .await
        .map_err(unavailable)?;
    Ok(StoredFile {
        key,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        hash: hash.to_string(),
    })
}

/// Reads a small picture that is kept where it is used, for the input field at `path`.
///
/// # Errors
/// When it is no picture that we take, or is beyond `limits`.
pub async fn read_picture(path: &str, limits: Limits, mut file: File) -> Result<Vec<u8>> {
    let looked_at = file.try_clone().map_err(Error::internal)?;
    let length = inspect(path, limits, looked_at).await?.bytes;
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    });
    let read = reading.await.map_err(Error::internal)?;
    read.map_err(Error::internal)
}

/// Largest file that is attached to something, in bytes.
const ATTACHMENT_MAX: u64 = 10 * 1024 * 1024;

/// A file that was attached to something.
#[derive(Debug)]
pub struct StoredAttachment {
    /// Where it is. Other files with the same content are there, too.
    pub key: BlobKey,
    /// Length in bytes.
    pub bytes: i64,
    /// Hash of its content.
    pub hash: String,
    /// What was found in its content.
    pub media_type: &'static str,
}

/// Stores a file with this name that is attached to something, under the hash of its content.
///
/// # Errors
/// When it is too large or nothing that we take, or the blob store does not answer.
pub async fn store_attachment(
    limits: &Limits,
    domain: &Domain,
    blobs: &BlobStore,
    name: &str,
    file: &File,
) -> Result<StoredAttachment> {
    let file = file.try_clone().map_err(Error::internal)?;
    let limits = Limits {
        max_bytes: ATTACHMENT_MAX,
        ..*limits
    };
    if file.metadata().map_err(Error::internal)?.len() > ATTACHMENT_MAX {
        let refusal = Refusal::new(Code::TooLarge, "file");
        return Err(refusal.with("max", ATTACHMENT_MAX).into());
    }
    let (looked_at, name) = (file.try_clone().map_err(Error::internal)?, name.to_owned());
    let found = tokio::task::spawn_blocking(move || recognise(looked_at, &name, &limits)).await;
    let document = found
        .map_err(Error::internal)?
        .map_err(|error| match error {
            DocumentError::Rejected(rejection) => refusal("file", &rejection).into(),
            DocumentError::File(error) => Error::internal(error),
        })?;
    let hash = Fingerprint::of_open(file.try_clone().map_err(Error::internal)?)
        .await
        .map_err(Error::internal)?;
    let key = fresh_one(domain, BlobKey::attachment(&hash)).await?;
    let bytes = blobs
        .put_open(&key, tokio::fs::File::from_std(file))
        .await
        .map_err(unavailable)?;
    Ok(StoredAttachment {
        key,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        hash: hash.to_string(),
        media_type: document.content_type(),
    })
}

async fn inspect(path: &str, limits: Limits, file: File) -> Result<Inspected> {
    let inspected = tokio::task::spawn_blocking(move || inspect_open(file, &limits))
        .await
        .map_err(Error::internal)?;
    inspected.map_err(|error| match error {
        InspectError::Rejected(rejection) => refusal(path, &rejection).into(),
        InspectError::File(error) => Error::internal(error),
    })
}

/// Why a picture is not taken, in the domain's words.
fn refusal(path: &str, rejection: &Rejection) -> Refusal {
    match rejection {
        Rejection::TooLarge { limit } => Refusal::new(Code::TooLarge, path).with("max", limit),
        Rejection::UnsupportedType => Refusal::new(Code::UnsupportedType, path),
        Rejection::Heic => Refusal::new(Code::HeicPicture, path),
        Rejection::Avif => Refusal::new(Code::AvifPicture, path),
        Rejection::DimensionsTooLarge {
            width,
            height,
            max_side,
            max_pixels,
        } => Refusal::new(Code::DimensionsTooLarge, path)
            .with("width", width)
            .with("height", height)
            .with("max", format!("{max_side} × {max_side}, {max_pixels}")),
        Rejection::Unreadable => Refusal::new(Code::Unreadable, path),
    }
}

fn unavailable(error: BlobError) -> Error {
    Error::Unavailable(error.into())
}
