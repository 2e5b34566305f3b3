//! Serves renditions and codes from the blob store. Their keys never change meaning, so every cache may keep
//! them for ever.

use std::future::Future;

use poem::{
    Body, Endpoint, Request, Response, Result,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

use super::{error::HttpError, reason::Reason};

const PUBLIC_PREFIXES: [&str; 2] = ["rendition/", "code/"];
const LONGEST_KEY: usize = 256;
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// One stored file, opened for reading.
pub struct Media {
    /// The type that was decided when the file was written.
    pub content_type: HeaderValue,
    /// Length in bytes.
    pub length: u64,
    /// The content. Dropped unread for `HEAD` and for clients that have it already.
    pub body: Body,
}

/// The store could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the media store does not answer")]
pub struct MediaFailure;

/// Where `/media` finds its files.
pub trait MediaSource: Clone + Send + Sync + 'static {
    /// The file under this key, `None` when there is none. Only keys of public areas, without `..`, are ever
    /// asked for.
    ///
    /// # Errors
    /// [`MediaFailure`], when the store does not answer.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Media>, MediaFailure>> + Send;
}

pub(crate) struct MediaEndpoint<M>(M);

impl<M> MediaEndpoint<M> {
    pub(crate) fn new(source: M) -> Self {
        Self(source)
    }
}

impl<M: MediaSource> Endpoint for MediaEndpoint<M> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = HttpError::new(Reason::MethodNotAllowed);
            return Err(refusal.allowing("GET, HEAD").into());
        }
        let nothing = || HttpError::new(Reason::NothingHere);
        let key = public_key(request.uri().path()).ok_or_else(nothing)?;
        let media = match self.0.get(key).await {
            Ok(media) => media.ok_or_else(nothing)?,
            Err(MediaFailure) => return Err(HttpError::new(Reason::Unavailable).into()),
        };
        Ok(respond(&request, key, media))
    }
}

/// The key in the path, when it lies in a public area and is made of harmless segments.
fn public_key(path: &str) -> Option<&str> {
    let key = path.strip_prefix("/media/")?;
    let public = PUBLIC_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
    let harmless = key.split('/').all(is_harmless);
    (public && harmless && key.len() <= LONGEST_KEY).then_some(key)
}

fn is_harmless(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(allowed)
}

/// What is stored under a key never changes, so the key is the tag.
fn respond(request: &Request, key: &str, media: Media) -> Response {
    let tag = format!("\"{key}\"");
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    // A drawing may be opened as a page of its own; it must not run anything there.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if knows(request.headers(), &tag) {
        response.set_status(StatusCode::NOT_MODIFIED);
        return response;
    }
    headers.insert(header::CONTENT_TYPE, media.content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(media.length));
    if request.method() == Method::GET {
        response.set_body(media.body);
    }
    response
}

/// Whether `If-None-Match` names this tag, weak or strong.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_areas_have_keys() {
        assert_eq!(
            public_key("/media/rendition/ab/cd-large.webp"),
            Some("rendition/ab/cd-large.webp")
        );
        assert_eq!(public_key("/media/code/x.svg"), Some("code/x.svg"));
        for path in [
            "/media/original/ab.jpg",
            "/media/rendition",
            "/media/rendition/",
            "/media/rendition/../original/ab.jpg",
            "/media/rendition/%2e%2e/original/ab.jpg",
            "/media/rendition//ab.jpg",
            "/media/rendition/.hidden",
            "/media/rendition/a\\b",
        ] {
            assert_eq!(public_key(path), None, "{path}");
        }
        assert_eq!(
            public_key(&format!("/media/code/{}", "x".repeat(300))),
            None
        );
    }
}
