//! The header that carries the request id in both directions.

use platform::telemetry::RequestId;
use poem::http::{HeaderMap, HeaderName, HeaderValue};

/// `X-Request-Id`.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's id when it is well formed, else a new one.
pub(crate) fn of(headers: &HeaderMap) -> RequestId {
    RequestId::from_header(headers.get(HEADER).and_then(|value| value.to_str().ok()))
}

/// The id as a header value. `None` never happens: a request id has only harmless characters.
pub(crate) fn header_value(id: &RequestId) -> Option<HeaderValue> {
    HeaderValue::from_str(id.as_str()).ok()
}
