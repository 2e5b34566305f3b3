//! The one shape of every refusal: a status, a stable code and a sentence, as a GraphQL error list even outside
//! GraphQL.

use std::borrow::Cow;

use platform::telemetry::RequestId;
use poem::{
    Response,
    error::ResponseError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::json;

use super::answer;

/// A request that was refused before (or instead of) being executed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct HttpError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    about_document: bool,
}

impl HttpError {
    /// A refusal with a status for HTTP, a stable code for programs and a sentence for people.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
            about_document: false,
        }
    }

    /// The same refusal with one more header in its answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 400: the request does not say what it should.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// A well-formed request whose GraphQL document cannot be executed: 400, but 200 with plain
    /// `application/json`, where the status only tells whether the request itself was understood.
    pub(crate) fn document(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            about_document: true,
            ..Self::new(StatusCode::BAD_REQUEST, code, message)
        }
    }

    /// 404: nothing is there.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "There is nothing at this address.",
        )
    }

    /// 405 with the methods that are allowed.
    pub fn method_not_allowed(allow: &'static str, message: &'static str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            message,
        )
        .with_header(header::ALLOW, HeaderValue::from_static(allow))
    }

    /// 413: more bytes, tokens or files than we take.
    pub fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", message)
    }

    /// 415: a content type or charset we do not read.
    pub fn unsupported_media_type(message: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        )
    }

    /// 403: a browser page that may not do this.
    pub fn forbidden_origin() -> Self {
        let message = "This origin may not use the API with credentials.";
        Self::new(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", message)
    }

    /// 503: too much is going on; trying again shortly is welcome.
    pub fn overloaded(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 503: something we depend on does not answer.
    pub fn unavailable() -> Self {
        let message = "A service this request needs is not available at the moment.";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            message,
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 504: the deadline passed; what was begun has been rolled back.
    pub fn timed_out() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "TIMEOUT",
            "The request took too long and was stopped.",
        )
    }

    /// 500: our fault; the log has the story under the request id.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Something went wrong on our side.",
        )
    }

    /// The refusal that belongs to a bare status, for errors that come from the router.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            status if status.is_client_error() => {
                Self::new(status, "BAD_REQUEST", "The request cannot be handled.")
            }
            _ => Self::internal(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The refusal as a GraphQL error object.
    pub(crate) fn to_graphql(&self, id: &RequestId) -> serde_json::Value {
        json!({ "message": self.message, "extensions": { "code": self.code, "requestId": id.as_str() } })
    }

    /// The same refusal for clients who asked for plain `application/json`.
    pub(crate) fn for_plain_json(self) -> Self {
        let status = if self.about_document {
            StatusCode::OK
        } else {
            self.status
        };
        Self { status, ..self }
    }

    /// The answer, as `content_type`.
    pub(crate) fn into_response(self, content_type: &'static str, id: &RequestId) -> Response {
        let body = json!({ "errors": [self.to_graphql(id)] }).to_string();
        let mut response = answer::bytes(self.status, content_type, body.into_bytes());
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl ResponseError for HttpError {
    fn status(&self) -> StatusCode {
        self.status
    }
}
