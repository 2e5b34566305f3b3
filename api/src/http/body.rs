//! Reads request bodies with a bound that holds whatever `Content-Length` says or leaves out.

use std::{io, time::Duration};

use futures_util::{Stream, StreamExt};
use poem::{
    Body,
    http::{HeaderMap, header},
};
use tokio_util::bytes::{Bytes, BytesMut};

use super::{error::HttpError, reason::Reason};

/// How much of an oversized body is thrown away so that the client can finish sending and read our answer.
const DRAIN_BYTES: usize = 128 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// The whole body, or 413 when it is longer than `limit` bytes.
///
/// # Errors
/// 413 when the body is too long, 400 when it breaks off.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, HttpError> {
    let mut stream = Box::pin(body.into_bytes_stream());
    let result = match announced(headers) {
        Some(length) if length > limit => Err(oversized(limit)),
        _ => collect(&mut stream, limit).await,
    };
    if result.is_err() {
        drain(headers, stream);
    }
    result
}

/// Throws the rest of a refused body away in the background: a client that is still sending would otherwise
/// meet a closed connection and never see the refusal. Bounded in bytes and time. A client that waits for `100
/// Continue` sends nothing.
pub(crate) fn drain(
    headers: &HeaderMap,
    mut rest: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) {
    if headers.contains_key(header::EXPECT) {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN_TIME, async move {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(chunk)) = rest.next().await {
            let Some(remaining) = left.checked_sub(chunk.len()) else {
                break;
            };
            left = remaining;
        }
    }));
}

/// The length the client announced, if it did.
pub(crate) fn announced(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The refusal of a body of more than `limit` bytes.
pub(crate) fn oversized(limit: usize) -> HttpError {
    HttpError::new(Reason::BodyTooLarge).with("max", limit)
}

async fn collect(
    stream: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
    limit: usize,
) -> Result<Bytes, HttpError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if whole.len() + chunk.len() > limit {
            return Err(oversized(limit));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The refusal of a body that did not arrive whole.
pub(crate) fn broken(error: &dyn std::error::Error) -> HttpError {
    tracing::debug!(%error, "a request body broke off");
    Reason::BodyBrokeOff.into()
}
