//! Hands files out to those they are meant for. They are private: nothing on the way may keep them, and a browser saves them instead
//! of showing them.

use std::future::Future;

use poem::{
    Body, Endpoint, Request, Response, Result,
    http::{HeaderValue, Method, header},
};

use super::{
    auth::{Authenticate, Credentials},
    context::RequestContext,
    error::HttpError,
    origin::Origins,
    reason::Reason,
};

const LONGEST_ID: usize = 100;

/// What browsers only ever save. Anything else is told to them as bytes that mean nothing.
const HARMLESS: [&str; 11] = [
    "application/json",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/x-ndjson",
    "application/zip",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/csv; charset=utf-8",
    "text/plain",
];

/// A file for one caller, opened for reading.
pub struct PrivateFile {
    /// What people save it as, in any script.
    pub name: String,
    /// What its maker says it is.
    pub media_type: String,
    /// Length in bytes.
    pub length: u64,
    /// The content. Dropped unread for `HEAD`.
    pub body: Body,
}

/// The store could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the store of files does not answer")]
pub struct FileFailure;

/// Where `/api/files` finds its files, and for whom.
pub trait FileSource<I>: Clone + Send + Sync + 'static {
    /// The file with this id; `None` when there is none, or none for this caller.
    ///
    /// # Errors
    /// [`FileFailure`], when the store does not answer.
    fn get(
        &self,
        caller: &I,
        id: &str,
    ) -> impl Future<Output = Result<Option<PrivateFile>, FileFailure>> + Send;
}

pub(crate) struct FileEndpoint<F, A> {
    source: F,
    authenticate: A,
    origins: Origins,
}

impl<F, A> FileEndpoint<F, A> {
    pub(crate) fn new(source: F, authenticate: A, allowed_origins: &[String]) -> Self {
        Self {
            source,
            authenticate,
            origins: Origins::new(allowed_origins),
        }
    }
}

impl<F: FileSource<A::Identity>, A: Authenticate> Endpoint for FileEndpoint<F, A> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let context = RequestContext::of(&request);
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = HttpError::new(Reason::MethodNotAllowed);
            return Err(refusal.allowing("GET, HEAD").into());
        }
        if request.headers().contains_key(header::COOKIE) && !self.origins.admits(&request) {
            return Err(HttpError::new(Reason::OriginNotAllowed).into());
        }
        let credentials = Credentials::new(request.headers());
        let caller = self.authenticate.authenticate(credentials, &context).await;
        let caller = caller.map_err(HttpError::from)?;
        let nothing = || HttpError::new(Reason::NothingHere);
        let id = id(request.uri().path()).ok_or_else(nothing)?;
        match self.source.get(&caller, id).await {
            Ok(file) => Ok(respond(request.method(), file.ok_or_else(nothing)?)),
            Err(FileFailure) => Err(HttpError::new(Reason::Unavailable).into()),
        }
    }
}

/// The id in the path, when it may be one.
fn id(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/api/files/")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (id.bytes().all(allowed) && (1..=LONGEST_ID).contains(&id.len())).then_some(id)
}

fn respond(method: &Method, file: PrivateFile) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(&file.media_type)),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.length));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&file.name));
    if *method == Method::GET {
        response.set_body(file.body);
    }
    response
}

fn content_type(media_type: &str) -> &'static str {
    let known = HARMLESS.iter().find(|harmless| **harmless == media_type);
    known.copied().unwrap_or("application/octet-stream")
}

/// After RFC 6266: the name in any script for those who understand it, and what is left of it in ASCII for the others.
fn disposition(name: &str) -> HeaderValue {
    let ascii: String = name.chars().map(plain).collect();
    let encoded: String = name.chars().map(harmless).map(encoded).collect();
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Not a path, and nothing that ends a line.
fn harmless(char: char) -> char {
    if char.is_control() || matches!(char, '/' | '\\') {
        '_'
    } else {
        char
    }
}

fn plain(char: char) -> char {
    match harmless(char) {
        char if char.is_ascii() && !matches!(char, '"' | '%' | ';') => char,
        _ => '_',
    }
}

/// As RFC 8187 wants it.
fn encoded(char: char) -> String {
    if char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | '~') {
        return char.to_string();
    }
    let mut bytes = [0; 4];
    let bytes = char.encode_utf8(&mut bytes).bytes();
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        for name in [
            "a\r\nset-cookie: b=c",
            "\"; x=\"",
            "../../etc/passwd",
            "۱\0",
        ] {
            let header = disposition(name);
            let text = header.to_str().unwrap();
            assert_eq!(text.matches('"').count(), 2, "{text}");
            assert!(!text.contains('\n') && !text.contains('/'), "{text}");
        }
    }

    #[test]
    fn only_ids_are_looked_for() {
        assert_eq!(id("/api/files/Sm9i-_9"), Some("Sm9i-_9"));
        for path in [
            "/api/files/",
            "/api/files/a/b",
            "/api/files/..",
            "/api/files/%41",
        ] {
            assert_eq!(id(path), None, "{path}");
        }
        assert_eq!(id(&format!("/api/files/{}", "x".repeat(101))), None);
    }
}
