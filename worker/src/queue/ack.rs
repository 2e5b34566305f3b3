//! The layer around the handler that turns what became of an attempt into an acknowledgement.

use std::any::Any;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use apalis::layers::catch_panic::PanicError;
use apalis::prelude::{AbortError, BoxDynError, RetryAfterError, Task};
use futures_util::FutureExt;
use tokio::sync::mpsc::UnboundedSender;
use tower::{Layer, Service};

use super::Backoff;
use super::message::{Ack, Lease, Outcome};

/// Longest error text kept in a task's record, in bytes.
const MAX_REASON: usize = 500;

/// Wraps a worker's service so that every attempt is acknowledged; the backend puts it in place.
#[derive(Clone, Debug)]
pub struct AckLayer {
    /// Unbounded, yet never holds more messages than the worker holds leases: a lease is acknowledged once.
    acks: UnboundedSender<Ack>,
    backoff: Backoff,
}

impl AckLayer {
    pub(super) fn new(acks: UnboundedSender<Ack>, backoff: Backoff) -> Self {
        Self { acks, backoff }
    }
}

impl<S> Layer<S> for AckLayer {
    type Service = AckService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AckService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service made by [`AckLayer`].
#[derive(Clone, Debug)]
pub struct AckService<S> {
    inner: S,
    layer: AckLayer,
}

impl<S, T> Service<Task<T>> for AckService<S>
where
    S: Service<Task<T>>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Into<BoxDynError>,
{
    type Response = S::Response;
    type Error = BoxDynError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxDynError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<T>) -> Self::Future {
        let lease = task.data().get::<Lease>().cloned();
        let attempt = catch_unwind(AssertUnwindSafe(|| self.inner.call(task)));
        let AckLayer { acks, backoff } = self.layer.clone();
        Box::pin(async move {
            let lease = lease.ok_or("the task has no lease: it does not come from this queue")?;
            let result = match attempt {
                Ok(attempt) => supervise(&lease, attempt).await,
                Err(panic) => Err(panic_error(panic.as_ref())),
            };
            let outcome = judge(&lease, &backoff, result.as_ref().err());
            // The runner is gone only when the worker was dropped; the lease then lapses by itself.
            let _ = acks.send(Ack { lease, outcome });
            result
        })
    }
}

/// Runs an attempt to its end, or to the loss of its lease: from then on its outcome would be refused,
/// and another worker may be running the task already.
async fn supervise<R, E: Into<BoxDynError>>(
    lease: &Lease,
    attempt: impl Future<Output = Result<R, E>>,
) -> Result<R, BoxDynError> {
    tokio::select! {
        biased;
        () = lease.lost.cancelled() => Err("the lease was lost while the task ran".into()),
        result = AssertUnwindSafe(attempt).catch_unwind() => match result {
            Ok(result) => result.map_err(Into::into),
            Err(panic) => Err(panic_error(panic.as_ref())),
        },
    }
}

/// Decides what an attempt's result means for the task.
fn judge(lease: &Lease, backoff: &Backoff, error: Option<&BoxDynError>) -> Outcome {
    let Some(error) = error else {
        return Outcome::Done;
    };
    let reason = shortened(error.to_string());
    if is_abort(error) {
        return Outcome::Aborted { reason };
    }
    let delay = match error.downcast_ref::<RetryAfterError>() {
        Some(wish) => wish.get_duration(),
        None => backoff.delay(&lease.run),
    };
    Outcome::Failed { delay, reason }
}

/// apalis wraps a caught panic into an abort; to us it is a failure like any other and worth another attempt.
fn is_abort(error: &BoxDynError) -> bool {
    error
        .downcast_ref::<AbortError>()
        .is_some_and(|abort| !abort.source().is_some_and(|cause| cause.is::<PanicError>()))
}

fn panic_error(panic: &(dyn Any + Send)) -> BoxDynError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Box::new(PanicError(text.unwrap_or_else(|| "no message".to_owned())))
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_REASON));
    text
}
