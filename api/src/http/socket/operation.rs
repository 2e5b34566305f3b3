//! One operation of a WebSocket as a stream of what becomes of it.

use std::{panic::AssertUnwindSafe, time::Duration};

use async_graphql::{Executor, Request, Response};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::http::{
    error::HttpError,
    metrics::{Open, Outcome, Running},
    reason::Reason,
    shell::panic_text,
};

/// What becomes of an operation.
pub(super) enum Event {
    /// A result, and what is counted when it is known how it ended.
    Next(Box<Response>, Option<Running>),
    /// It was stopped before its end.
    Failed(HttpError),
    /// All results were sent.
    Done,
}

/// The events of one operation, `Done` or `Failed` being the last.
pub(super) type Events = BoxStream<'static, Event>;

/// A subscription: any number of results.
///
/// It counts as `open` as long as its events are there.
pub(super) fn subscription<E: Executor>(executor: &E, request: Request, open: Open) -> Events {
    let results = AssertUnwindSafe(executor.execute_stream(request, None)).catch_unwind();
    let events = results.map(move |result| {
        let _open = &open;
        match result {
            Ok(response) => Event::Next(Box::new(response), None),
            Err(panic) => crashed(panic.as_ref()),
        }
    });
    events.chain(stream::iter([Event::Done])).boxed()
}

/// A query or mutation: one result, within the time that requests have. `place` is given back when it is there.
pub(super) fn single<E: Executor>(
    executor: E,
    request: Request,
    deadline: Duration,
    place: OwnedSemaphorePermit,
    running: Running,
) -> Events {
    let result = async move {
        let _place = place;
        let work = AssertUnwindSafe(executor.execute(request)).catch_unwind();
        match tokio::time::timeout(deadline, work).await {
            Ok(Ok(response)) => Event::Next(Box::new(response), Some(running)),
            Ok(Err(panic)) => {
                running.ended(Outcome::Failed);
                crashed(panic.as_ref())
            }
            Err(_elapsed) => Event::Failed(Reason::TimedOut.into()),
        }
    };
    stream::once(result)
        .chain(stream::iter([Event::Done]))
        .boxed()
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> Event {
    tracing::error!(
        panic = panic_text(panic),
        "an operation on a WebSocket panicked"
    );
    Event::Failed(Reason::Internal.into())
}
