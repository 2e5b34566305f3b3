//! The safety net: a panic, a missed deadline and every error become an answer with a code and the request id.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::http::{
    answer, context::RequestContext, error::HttpError, reason::Reason, settings::HttpSettings,
};

/// How long requests may take.
pub(super) struct Deadlines {
    usual: Duration,
    uploads: Duration,
}

impl Deadlines {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        Self {
            usual: settings.request_timeout,
            uploads: settings.upload_timeout,
        }
    }

    fn of(&self, request: &Request) -> Duration {
        let multipart = request
            .content_type()
            .is_some_and(|content_type| content_type.starts_with("multipart/"));
        if multipart { self.uploads } else { self.usual }
    }
}

/// Calls the endpoint and always comes back with an answer. A request that misses its deadline is dropped,
/// which rolls back its transaction. The deadline ends when the response begins, so event streams and
/// WebSockets may live longer.
pub(super) async fn call<E: Endpoint>(
    endpoint: &E,
    request: Request,
    context: &RequestContext,
    deadlines: &Deadlines,
) -> Response {
    let deadline = deadlines.of(&request);
    let work = AssertUnwindSafe(endpoint.call(request)).catch_unwind();
    let error: HttpError = match tokio::time::timeout(deadline, work).await {
        Ok(Ok(Ok(output))) => return output.into_response(),
        Ok(Ok(Err(error))) => refusal(error),
        Ok(Err(panic)) => {
            tracing::error!(
                panic = panic_text(panic.as_ref()),
                "a request handler panicked"
            );
            Reason::Internal.into()
        }
        Err(_elapsed) => Reason::TimedOut.into(),
    };
    error.into_response(answer::JSON, context)
}

fn refusal(error: poem::Error) -> HttpError {
    error.downcast::<HttpError>().unwrap_or_else(|error| {
        if error.status().is_server_error() {
            tracing::error!(%error, "a request failed");
        }
        HttpError::from_status(error.status())
    })
}

/// What a panic said, when it said it as text.
pub(in crate::http) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let fixed = panic.downcast_ref::<&'static str>().copied();
    fixed
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
