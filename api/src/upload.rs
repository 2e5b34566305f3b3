//! Takes an uploaded picture in: looks at its content, then stores it under the hash of that content.

use std::fs::File;

use domain::{Code, Error, Refusal, Result, item::NewImage};
use platform::{
    blob::{BlobError, BlobKey, BlobStore, Fingerprint},
    image::{InspectError, Inspected, Limits, Rejection, inspect_open},
};

/// Stores the picture in `file` and says what it is. Two uploads of the same content share one blob.
///
/// # Errors
/// When it is no picture that we take, or the blob store does not answer.
pub async fn store(limits: &Limits, blobs: &BlobStore, file: File) -> Result<NewImage> {
    let inspected = inspect(*limits, file.try_clone().map_err(Error::internal)?).await?;
    let fingerprint = Fingerprint::of_open(file.try_clone().map_err(Error::internal)?)
        .await
        .map_err(Error::internal)?;
    let key = BlobKey::original(&fingerprint);
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

async fn inspect(limits: Limits, file: File) -> Result<Inspected> {
    let inspected = tokio::task::spawn_blocking(move || inspect_open(file, &limits))
        .await
        .map_err(Error::internal)?;
    inspected.map_err(|error| match error {
        InspectError::Rejected(rejection) => refusal(&rejection).into(),
        InspectError::File(error) => Error::internal(error),
    })
}

/// Why a picture is not taken, in the domain's words.
fn refusal(rejection: &Rejection) -> Refusal {
    match rejection {
        Rejection::TooLarge { limit } => Refusal::new(Code::TooLarge, "file").with("max", limit),
        Rejection::UnsupportedType => Refusal::new(Code::UnsupportedType, "file"),
        Rejection::DimensionsTooLarge {
            width,
            height,
            max_side,
            max_pixels,
        } => Refusal::new(Code::DimensionsTooLarge, "file")
            .with("width", width)
            .with("height", height)
            .with("max", format!("{max_side} × {max_side}, {max_pixels}")),
        Rejection::Unreadable => Refusal::new(Code::Unreadable, "file"),
    }
}

fn unavailable(error: BlobError) -> Error {
    Error::Unavailable(error.into())
}
