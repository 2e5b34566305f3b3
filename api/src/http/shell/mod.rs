//! The shell around every endpoint: identity of the request, safety net, and the finishing of every answer.

mod access_log;
mod compression;
mod cors;
mod safety;
mod security;

use std::{sync::Arc, time::Instant};

use poem::{Endpoint, Request, Response, Result};
use tracing::Instrument;

pub(super) use self::safety::panic_text;
use self::{access_log::Line, compression::Coding, cors::Cors, safety::Deadlines};
use super::{context::RequestContext, metrics::HttpMetrics, request_id, settings::HttpSettings};

/// Wraps a route table; see the order in the documentation of [`crate::http`].
pub struct Shell<E> {
    inner: E,
    cors: Cors,
    deadlines: Deadlines,
    trusted_proxy_hops: usize,
    counts: HttpMetrics,
}

impl<E> Shell<E> {
    /// Wraps `inner`. Nothing but the origins, the timeouts and the number of proxies is read from `settings`.
    pub fn new(inner: E, settings: &HttpSettings, counts: HttpMetrics) -> Self {
        Self {
            inner,
            cors: Cors::new(&settings.allowed_origins),
            deadlines: Deadlines::new(settings),
            trusted_proxy_hops: settings.trusted_proxy_hops,
            counts,
        }
    }
}

impl<E: Endpoint> Endpoint for Shell<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let context = Arc::new(RequestContext::new(&request, self.trusted_proxy_hops));
        request.extensions_mut().insert(Arc::clone(&context));
        // At the level of errors, so that the id is on every line that is written at all.
        let span = tracing::error_span!("request", request_id = %context.id());
        Ok(self
            .answer(request, &context, started)
            .instrument(span)
            .await)
    }
}

impl<E: Endpoint> Shell<E> {
    async fn answer(
        &self,
        request: Request,
        context: &Arc<RequestContext>,
        started: Instant,
    ) -> Response {
        let line = Line::new(&request, started);
        let coding = Coding::accepted(request.headers());
        let origin = self.cors.grant(&request);
        let mut response = match self.cors.preflight(&request) {
            Some(response) => response,
            None => safety::call(&self.inner, request, context, &self.deadlines).await,
        };
        origin.apply(&mut response);
        security::apply(&mut response);
        if let Some(id) = request_id::header_value(context.id()) {
            response.headers_mut().insert(request_id::HEADER, id);
        }
        let response = compression::apply(response, coding);
        self.counts
            .requests()
            .answered(context.route(), response.status(), started.elapsed());
        line.write(&response, context);
        response
    }
}
