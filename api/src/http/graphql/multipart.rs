//! Receives the GraphQL multipart request: `operations`, then `map`, then the files, each written to a nameless
//! temporary file while it arrives.

use std::{collections::HashMap, io::SeekFrom, path::Path};

use async_graphql::{Request, UploadValue};
use futures_util::Stream;
use multer::{Constraints, Field, Multipart, SizeLimit};
use poem::{Body, http::HeaderMap};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio_util::bytes::Bytes;

use super::{
    super::{
        body,
        error::HttpError,
        reason::Reason,
        settings::{HttpSettings, UploadLimits},
    },
    params,
};

/// `map` is a few paths; this is more than enough for any number of files we take.
const MAX_MAP_BYTES: u64 = 64 * 1024;
/// Boundaries and headers around the parts.
const OVERHEAD_BYTES: u64 = 64 * 1024;

/// Headers that a page of another site cannot send without asking first. One of them must be there, because a
/// browser sends multipart forms anywhere, with cookies, without asking.
const PREFLIGHT_HEADERS: [&str; 4] = [
    "graphql-preflight",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-requested-with",
];

/// Whether the content type is a multipart form.
pub(super) fn is_multipart(content_type: Option<&str>) -> bool {
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// Checks that the request cannot have been sent by a simple form of another site.
///
/// # Errors
/// 400 with the names of the accepted headers.
pub(super) fn expect_preflight(headers: &HeaderMap) -> Result<(), HttpError> {
    if PREFLIGHT_HEADERS
        .iter()
        .any(|name| headers.contains_key(*name))
    {
        return Ok(());
    }
    Err(HttpError::new(Reason::PreflightMissing).with("headers", PREFLIGHT_HEADERS.join(", ")))
}

/// Receives a whole multipart request.
///
/// # Errors 413, when a part or the whole is too large, 400, when it is not what the multipart specification
/// describes, 503, when the disk fails.
pub(super) async fn receive(
    headers: &HeaderMap,
    content_type: &str,
    body: Body,
    settings: &HttpSettings,
) -> Result<Request, HttpError> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| refusal(&error))?;
    let mut stream = Box::pin(body.into_bytes_stream());
    let result = match body::announced(headers) {
        Some(length) if u64::try_from(length).unwrap_or(u64::MAX) > whole_limit(settings) => {
            Err(too_large())
        }
        _ => receive_parts(&mut stream, boundary, settings).await,
    };
    if result.is_err() {
        body::drain(headers, stream);
    }
    result
}

fn whole_limit(settings: &HttpSettings) -> u64 {
    let operations = u64::try_from(settings.max_body_bytes).unwrap_or(u64::MAX);
    let parts = settings.uploads.max_bytes.saturating_add(operations);
    parts.saturating_add(MAX_MAP_BYTES + OVERHEAD_BYTES)
}

fn constraints(settings: &HttpSettings) -> Constraints {
    let sizes = SizeLimit::new()
        .whole_stream(whole_limit(settings))
        .per_field(settings.uploads.max_bytes)
        .for_field(
            "operations",
            u64::try_from(settings.max_body_bytes).unwrap_or(u64::MAX),
        )
        .for_field("map", MAX_MAP_BYTES);
    Constraints::new().size_limit(sizes)
}

async fn receive_parts(
    stream: &mut (impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin),
    boundary: String,
    settings: &HttpSettings,
) -> Result<Request, HttpError> {
    let mut parts = Multipart::with_constraints(stream, boundary, constraints(settings));
    let mut request = params::from_json(&named_part(&mut parts, "operations").await?)?;
    let mut map = parse_map(&named_part(&mut parts, "map").await?, &settings.uploads)?;
    let mut room = settings.uploads.max_bytes;
    while let Some(part) = parts.next_field().await.map_err(|error| refusal(&error))? {
        let path = part.name().and_then(|name| map.remove(name));
        let path = path.ok_or(Reason::FileUnknown)?;
        let upload = spool(part, &settings.uploads.spool_dir, &mut room).await?;
        attach(&mut request, &path, upload)?;
    }
    match map.into_keys().next() {
        None => Ok(request),
        Some(missing) => Err(HttpError::new(Reason::FileMissing).with("file", missing)),
    }
}

/// The next part, which must have this name.
async fn named_part(parts: &mut Multipart<'_>, name: &'static str) -> Result<Bytes, HttpError> {
    let part = parts.next_field().await.map_err(|error| refusal(&error))?;
    let part = part.filter(|part| part.name() == Some(name));
    let part = part.ok_or(Reason::PartsOutOfOrder)?;
    part.bytes().await.map_err(|error| refusal(&error))
}

/// Reads `map`: for each file the one place in `operations` where it belongs.
fn parse_map(json: &[u8], limits: &UploadLimits) -> Result<HashMap<String, String>, HttpError> {
    let map = serde_json::from_slice::<HashMap<String, [String; 1]>>(json)
        .map_err(|error| HttpError::new(Reason::MapMalformed).with("error", error))?;
    if map.len() > limits.max_files {
        return Err(HttpError::new(Reason::TooManyFiles).with("max", limits.max_files));
    }
    Ok(map.into_iter().map(|(file, [path])| (file, path)).collect())
}

/// Writes a part to a temporary file that has no name and vanishes when the request is over. `room` is how many bytes of files the
/// request may still carry.
async fn spool(
    mut part: Field<'_>,
    directory: &Path,
    room: &mut u64,
) -> Result<UploadValue, HttpError> {
    let filename = part.file_name().unwrap_or("file").to_owned();
    let content_type = part.content_type().map(ToString::to_string);
    let mut file = tokio::fs::File::from_std(temporary_file(directory).await?);
    while let Some(chunk) = part.chunk().await.map_err(|error| refusal(&error))? {
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        *room = room.checked_sub(length).ok_or_else(too_large)?;
        file.write_all(&chunk)
            .await
            .map_err(|error| disk_failed(&error))?;
    }
    file.flush().await.map_err(|error| disk_failed(&error))?;
    file.seek(SeekFrom::Start(0))
        .await
        .map_err(|error| disk_failed(&error))?;
    Ok(UploadValue {
        filename,
        content_type,
        content: file.into_std().await,
    })
}

async fn temporary_file(directory: &Path) -> Result<std::fs::File, HttpError> {
    let directory = directory.to_owned();
    match tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory)).await {
        Ok(file) => file.map_err(|error| disk_failed(&error)),
        Err(error) => Err(disk_failed(&error)),
    }
}

/// Puts a file at its place. The engine ignores paths that lead nowhere; we do not.
fn attach(request: &mut Request, path: &str, upload: UploadValue) -> Result<(), HttpError> {
    let before = request.uploads.len();
    request.set_upload(path, upload);
    if request.uploads.len() == before {
        return Err(HttpError::new(Reason::MapPathUnknown).with("path", path));
    }
    Ok(())
}

fn too_large() -> HttpError {
    Reason::FormTooLarge.into()
}

fn refusal(error: &multer::Error) -> HttpError {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            too_large()
        }
        multer::Error::StreamReadFailed(error) => body::broken(error.as_ref()),
        error => HttpError::new(Reason::FormMalformed).with("error", error),
    }
}

fn disk_failed(error: &dyn std::error::Error) -> HttpError {
    tracing::error!(%error, "a temporary file for an upload cannot be written");
    Reason::Unavailable.into()
}
