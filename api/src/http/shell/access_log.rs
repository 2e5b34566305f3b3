//! One line per request: what was asked, how it ended and how long it took. Never a header, a cookie, a query
//! string or a body.

use std::time::Instant;

use poem::{Request, Response, http::Method};

use crate::http::context::RequestContext;

/// The beginning of a line, kept while the request is worked on.
pub(super) struct Line {
    method: Method,
    started: Instant,
}

impl Line {
    pub(super) fn new(request: &Request, started: Instant) -> Self {
        Self {
            method: request.method().clone(),
            started,
        }
    }

    /// Writes the line. Health checks come every few seconds and are only worth a line when they fail.
    pub(super) fn write(self, response: &Response, context: &RequestContext) {
        let route = context.route().unwrap_or("unknown");
        if route.starts_with("/api/health") && response.status().is_success() {
            return;
        }
        tracing::info!(
            target: "api::access",
            method = self.method.as_str(),
            route,
            status = response.status().as_u16(),
            duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            operation = context.operation(),
            client = context.client().map(tracing::field::display),
            "request",
        );
    }
}
