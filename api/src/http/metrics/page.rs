//! `/api/metrics`: what the program counts, for those who are trusted with it.

use platform::metrics::{CONTENT_TYPE, Metrics, Trusted};
use poem::{
    Endpoint, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
};

use crate::http::{answer, context::RequestContext, error::HttpError, reason::Reason};

pub(crate) struct MetricsPage {
    metrics: Metrics,
    trusted: Trusted,
}

impl MetricsPage {
    pub(crate) fn new(metrics: Metrics, trusted: Trusted) -> Self {
        Self { metrics, trusted }
    }
}

impl Endpoint for MetricsPage {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !self.trusted.admits(RequestContext::of(&request).client()) {
            return Err(HttpError::new(Reason::NotFromHere).into());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = HttpError::new(Reason::MethodNotAllowed);
            return Err(refusal.allowing("GET, HEAD").into());
        }
        let text = self.metrics.text().await.map_err(|error| {
            tracing::error!(%error, "metrics cannot be told of");
            HttpError::new(Reason::Internal)
        })?;
        let mut response = answer::bytes(StatusCode::OK, CONTENT_TYPE, text);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}
