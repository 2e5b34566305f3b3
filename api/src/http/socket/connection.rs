//! One WebSocket from its first message to its close.
//!
//! Everything happens in one task: it reads a message, or takes one event of one operation and sends it. While
//! a client does not read, nothing is taken from its operations, so nothing piles up here; after a while it is
//! cut.

use std::{io, panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{Executor, Request};
use futures_util::{FutureExt, StreamExt};
use poem::{http::HeaderMap, web::websocket::Message};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_stream::StreamMap;

use super::{
    message::{Ending, FromClient, FromServer, Plain},
    operation::{self, Event, Events},
    wire::Wire,
};
use crate::http::{
    auth::{AuthFailure, Authenticate, Credentials},
    context::RequestContext,
    error::HttpError,
    graphql::{Service, documents::Admitted, limits::OperationKind, result::Finished},
    metrics::Outcome,
    reason::Reason,
    shell::panic_text,
};

/// One connection's state.
pub(super) struct Connection<E, A: Authenticate> {
    service: Arc<Service<E, A>>,
    headers: HeaderMap,
    context: Arc<RequestContext>,
    identity: Option<A::Identity>,
    operations: StreamMap<String, Events>,
    heard_since_beat: bool,
}

impl<E: Executor, A: Authenticate> Connection<E, A> {
    /// A connection that has not said anything yet. `headers` are those of the handshake.
    pub(super) fn new(
        service: Arc<Service<E, A>>,
        headers: HeaderMap,
        context: Arc<RequestContext>,
    ) -> Self {
        let operations = StreamMap::new();
        Self {
            service,
            headers,
            context,
            identity: None,
            operations,
            heard_since_beat: false,
        }
    }

    /// Serves the client until one side ends it.
    pub(super) async fn serve(mut self, mut wire: Wire) {
        let work = AssertUnwindSafe(self.run(&mut wire)).catch_unwind();
        let ending = work.await.unwrap_or_else(|panic| {
            tracing::error!(panic = panic_text(panic.as_ref()), "a WebSocket panicked");
            Ending::INTERNAL
        });
        tracing::debug!(?ending, "a WebSocket ends");
        if let Ending::Close(code, reason) = ending {
            wire.say_farewell(code, &reason).await;
        }
    }

    async fn run(&mut self, wire: &mut Wire) -> Ending {
        let service = Arc::clone(&self.service);
        let limits = &service.settings.sockets;
        let init_deadline = Instant::now() + limits.init_timeout;
        let mut beats = interval_at(Instant::now() + limits.heartbeat, limits.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                () = service.shutdown.cancelled() => Err(Ending::GOING_AWAY),
                () = sleep_until(init_deadline), if self.identity.is_none() => Err(Ending::INIT_TIMEOUT),
                _ = beats.tick() => self.beat(wire).await,
                message = wire.next() => self.receive(wire, message).await,
                Some((id, event)) = self.operations.next() => self.deliver(wire, &id, event).await,
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    /// Pings the client and asks whether its credential still holds. A client that said nothing since the last
    /// ping is gone.
    async fn beat(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        if !std::mem::take(&mut self.heard_since_beat) {
            return Err(Ending::Gone);
        }
        if let Some(identity) = &self.identity
            && let Err(AuthFailure::Unauthenticated(_)) =
                self.service.authenticate.still_valid(identity).await
        {
            return Err(Ending::FORBIDDEN);
        }
        wire.ping().await
    }

    async fn receive(
        &mut self,
        wire: &mut Wire,
        message: Option<io::Result<Message>>,
    ) -> Result<(), Ending> {
        self.heard_since_beat = true;
        match message {
            Some(Ok(Message::Text(text))) => {
                let message = serde_json::from_str(&text).or(Err(Ending::INVALID_MESSAGE))?;
                self.obey(wire, message).await
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => Err(Ending::INVALID_MESSAGE),
            Some(Ok(Message::Close(_))) | None => Err(Ending::Gone),
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    async fn obey(&mut self, wire: &mut Wire, message: FromClient) -> Result<(), Ending> {
        match message {
            FromClient::ConnectionInit { payload } => {
                self.init(wire, payload.unwrap_or_default()).await
            }
            FromClient::Subscribe { id, payload } => self.subscribe(wire, id, *payload).await,
            FromClient::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
            FromClient::Ping { payload } => wire.say(&FromServer::Pong { payload }).await,
            FromClient::Pong {} => Ok(()),
        }
    }

    async fn init(&mut self, wire: &mut Wire, payload: Value) -> Result<(), Ending> {
        if self.identity.is_some() {
            return Err(Ending::TOO_MANY_INITS);
        }
        let credentials =
            Credentials::new(&self.headers).with_authorization(authorization(&payload));
        let identity = self
            .service
            .authenticate
            .authenticate(credentials, &self.context)
            .await;
        self.identity = Some(identity.map_err(|failure| match failure {
            AuthFailure::Unauthenticated(_) => Ending::FORBIDDEN,
            AuthFailure::Unavailable => Ending::UNAVAILABLE,
        })?);
        wire.say(&Plain::ConnectionAck).await
    }

    /// Begins an operation for whoever the client is by now: a session that was ended, or a role that was taken away, since the last beat
    /// must not do anything any more.
    async fn subscribe(
        &mut self,
        wire: &mut Wire,
        id: String,
        request: Request,
    ) -> Result<(), Ending> {
        let Some(identity) = &self.identity else {
            return Err(Ending::UNAUTHORIZED);
        };
        if self.operations.contains_key(&id) {
            return Err(Ending::duplicate(&id));
        }
        let started = match self.service.authenticate.still_valid(identity).await {
            Ok(()) => self.start(identity, request),
            Err(AuthFailure::Unavailable) => Err(Reason::Unavailable.into()),
            Err(AuthFailure::Unauthenticated(_)) => return Err(Ending::FORBIDDEN),
        };
        match started {
            Ok(events) => {
                self.operations.insert(id, events);
                Ok(())
            }
            Err(error) => refuse(wire, &id, &error, &self.context).await,
        }
    }

    /// Begins an operation, if there is room for it and its document keeps the limits.
    fn start(&self, identity: &A::Identity, mut request: Request) -> Result<Events, HttpError> {
        let service = &self.service;
        let most = service.settings.sockets.max_operations;
        if self.operations.len() >= most {
            return Err(HttpError::new(Reason::TooManyOperations).with("max", most));
        }
        let Admitted { kind, field } = service.documents.admit(&mut request)?;
        let request = service
            .authenticate
            .prepare(request.data(kind), identity, &self.context);
        if kind == OperationKind::Subscription {
            let operations = service.counts.operations();
            operations.ended(field, Outcome::Answered, None);
            let open = service.counts.subscription();
            return Ok(operation::subscription(&service.executor, request, open));
        }
        let place = service.capacity.enter().ok_or(Reason::TooManyRequests)?;
        Ok(operation::single(
            service.executor.clone(),
            request,
            service.settings.request_timeout,
            place,
            service.counts.begin(field),
        ))
    }

    async fn deliver(&mut self, wire: &mut Wire, id: &str, event: Event) -> Result<(), Ending> {
        let finished = match event {
            Event::Next(response, running) => {
                let finished = Finished::new(*response, &self.context);
                if let Some(running) = running {
                    running.ended(finished.outcome());
                }
                finished
            }
            Event::Done => {
                self.operations.remove(id);
                return wire.say(&Plain::Complete { id }).await;
            }
            Event::Failed(error) => {
                self.operations.remove(id);
                return refuse(wire, id, &error, &self.context).await;
            }
        };
        if !finished.is_request_error() {
            return wire
                .say(&FromServer::Next {
                    id,
                    payload: &finished,
                })
                .await;
        }
        self.operations.remove(id);
        wire.say(&FromServer::Error {
            id,
            payload: finished.errors(),
        })
        .await
    }
}

async fn refuse(
    wire: &mut Wire,
    id: &str,
    error: &HttpError,
    context: &RequestContext,
) -> Result<(), Ending> {
    let payload = [error.to_graphql(context)];
    wire.say(&FromServer::Error { id, payload }).await
}

/// The `authorization` member of the first message, whatever its case.
fn authorization(payload: &Value) -> Option<&str> {
    let members = payload.as_object()?.iter();
    members
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .find_map(|(_, value)| value.as_str())
}

/// A message over the limit deserves an answer; any other failure to read means that the connection is dead.
fn broken(error: &io::Error) -> Ending {
    let too_big = error.to_string().starts_with("Space limit exceeded");
    if too_big {
        Ending::MESSAGE_TOO_BIG
    } else {
        Ending::Gone
    }
}
