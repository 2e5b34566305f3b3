//! GraphQL over server-sent events, in the mode with one connection per operation: `next` events, then `complete`.
//!
//! A query or mutation is over before its stream begins, within the place and the time that every request has. A
//! task of its own runs a subscription and hands events to the response. When the client does not read them for
//! too long, or its credential no longer holds, or the program stops, the task ends and the stream with it.

use std::{io, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_graphql::{Executor, Response as GraphQlResponse};
use futures_util::{FutureExt, Stream, StreamExt};
use poem::{
    Body, Response,
    http::{HeaderName, HeaderValue, header},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::MissedTickBehavior,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::bytes::Bytes;
use tracing::Instrument;

use super::{Service, request::Ready, result::Finished};
use crate::http::{
    auth::{AuthFailure, Authenticate},
    context::RequestContext,
    error::HttpError,
    metrics::{Open, Outcome},
    reason::Reason,
};

/// Events that may wait for the client before the operation itself is held up.
const BUFFER: usize = 16;
/// The content type of an event stream.
pub(super) const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The events of a query or mutation, from its result in JSON.
pub(super) fn whole(json: &[u8]) -> Vec<u8> {
    [b"event: next\ndata: ", json, b"\n\n", &COMPLETE].concat()
}

/// Answers a subscription with an event stream.
///
/// # Errors
/// 503, when too many connections are open.
pub(super) fn open<E: Executor, A: Authenticate>(
    service: Arc<Service<E, A>>,
    ready: Ready<A::Identity>,
    context: Arc<RequestContext>,
) -> Result<Response, HttpError> {
    let place = service.connections.enter().ok_or(Reason::TooManyStreams)?;
    let (events, body) = mpsc::channel(BUFFER);
    let operations = service.counts.operations();
    operations.ended(ready.field, Outcome::Answered, None);
    let results = service.executor.execute_stream(ready.request, None);
    let pump = Pump {
        events,
        context,
        identity: ready.identity,
        _open: [service.counts.event_stream(), service.counts.subscription()],
        service,
        _place: place,
    };
    let streams = pump.service.streams.clone();
    streams.spawn(pump.guarded(results).in_current_span());
    let body = Body::from_bytes_stream(ReceiverStream::new(body).map(Ok::<_, io::Error>));
    let mut response = Response::builder().content_type(CONTENT_TYPE).body(body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

struct Pump<E, A: Authenticate> {
    events: mpsc::Sender<Bytes>,
    context: Arc<RequestContext>,
    identity: A::Identity,
    service: Arc<Service<E, A>>,
    _place: OwnedSemaphorePermit,
    _open: [Open; 2],
}

/// The stream is over: everything was said, or nobody listens any more.
struct Over;

impl<E: Executor, A: Authenticate> Pump<E, A> {
    async fn guarded(self, results: impl Stream<Item = GraphQlResponse> + Send + Unpin) {
        if let Err(panic) = AssertUnwindSafe(self.run(results)).catch_unwind().await {
            tracing::error!(
                panic = crate::http::shell::panic_text(panic.as_ref()),
                "an event stream panicked"
            );
        }
    }

    async fn run(&self, mut results: impl Stream<Item = GraphQlResponse> + Send + Unpin) {
        let heartbeat = self.service.settings.sockets.heartbeat;
        let mut beats =
            tokio::time::interval_at(tokio::time::Instant::now() + heartbeat, heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                () = self.service.shutdown.cancelled() => Err(Over),
                _ = beats.tick() => self.beat().await,
                result = results.next() => self.deliver(result).await,
            };
            if let Err(Over) = step {
                return;
            }
        }
    }

    async fn beat(&self) -> Result<(), Over> {
        match self.service.authenticate.still_valid(&self.identity).await {
            Err(AuthFailure::Unauthenticated(_)) => Err(Over),
            Ok(()) | Err(AuthFailure::Unavailable) => self.send(COMMENT).await,
        }
    }

    async fn deliver(&self, result: Option<GraphQlResponse>) -> Result<(), Over> {
        let Some(result) = result else {
            let _ = self.send(COMPLETE).await;
            return Err(Over);
        };
        let finished = Finished::new(result, &self.context);
        match serde_json::to_string(&finished) {
            Ok(json) => {
                self.send(Bytes::from(format!("event: next\ndata: {json}\n\n")))
                    .await
            }
            Err(error) => {
                tracing::error!(%error, "a GraphQL result cannot be serialised");
                Err(Over)
            }
        }
    }

    async fn send(&self, event: Bytes) -> Result<(), Over> {
        let patience: Duration = self.service.settings.sockets.send_timeout;
        self.events
            .send_timeout(event, patience)
            .await
            .or(Err(Over))
    }
}
