//! Builds responses whose length is known. The length decides later whether compressing them is worth it.

use poem::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};

/// The content type of plain JSON answers.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// A response with all of its body.
pub(crate) fn bytes(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Vec<u8>>,
) -> Response {
    let body = body.into();
    let length = body.len();
    with_length(
        status,
        HeaderValue::from_static(content_type),
        length,
        Body::from_vec(body),
    )
}

/// A response whose body is part of the program.
pub(crate) fn embedded(content_type: &'static str, body: &'static [u8]) -> Response {
    with_length(
        StatusCode::OK,
        HeaderValue::from_static(content_type),
        body.len(),
        Body::from(body),
    )
}

fn with_length(
    status: StatusCode,
    content_type: HeaderValue,
    length: usize,
    body: Body,
) -> Response {
    let mut response = Response::default();
    response.set_status(status);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response.set_body(body);
    response
}
