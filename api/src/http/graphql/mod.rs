//! The GraphQL endpoint. One address speaks GraphQL over HTTP, WebSocket and server-sent events, and shows
//! browsers the playground.

pub(super) mod documents;
mod event_stream;
pub(super) mod limits;
mod multipart;
mod params;
mod request;
pub(super) mod result;
mod tokens;

use std::sync::Arc;

use async_graphql::Executor;
use poem::{
    Endpoint, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    documents::Documents,
    limits::OperationKind,
    request::{Ready, Receiver},
    result::Finished,
};
use super::{
    answer,
    auth::Authenticate,
    capacity::Capacity,
    context::RequestContext,
    error::HttpError,
    media_type::{Representation, negotiate},
    metrics::HttpMetrics,
    origin::Origins,
    playground,
    reason::Reason,
    settings::HttpSettings,
    socket,
};

/// Everything that answers GraphQL needs, shared by all its transports.
pub(super) struct Service<E, A> {
    pub(super) executor: E,
    pub(super) authenticate: A,
    pub(super) settings: HttpSettings,
    pub(super) documents: Documents,
    pub(super) counts: HttpMetrics,
    pub(super) origins: Origins,
    /// Places for queries and mutations that come over WebSockets; HTTP requests took theirs on the way in.
    pub(super) capacity: Capacity,
    /// Places for WebSockets and event streams.
    pub(super) connections: Capacity,
    pub(super) shutdown: CancellationToken,
    pub(super) streams: TaskTracker,
}

pub(super) struct GraphQlEndpoint<E, A> {
    service: Arc<Service<E, A>>,
    receiver: Receiver,
}

impl<E: Executor, A: Authenticate> GraphQlEndpoint<E, A> {
    pub(super) fn new(
        executor: E,
        authenticate: A,
        settings: HttpSettings,
        counts: HttpMetrics,
        capacity: Capacity,
        shutdown: CancellationToken,
        streams: TaskTracker,
    ) -> Self {
        let receiver = Receiver::new(&settings);
        let origins = Origins::new(&settings.allowed_origins);
        let connections = Capacity::new(settings.sockets.max_connections);
        let service = Service {
            executor,
            authenticate,
            documents: Documents::new(settings.documents.clone(), counts.clone()),
            counts,
            settings,
            origins,
            capacity,
            connections,
            shutdown,
            streams,
        };
        Self {
            service: Arc::new(service),
            receiver,
        }
    }

    /// The representation the client wants. Only GET can get the page.
    fn representation(&self, request: &Request) -> Option<Representation> {
        use Representation::{EventStream, GraphQlResponse, Html, Json};
        let with_page = self.service.settings.playground && *request.method() == Method::GET;
        let offered: &[_] = if with_page {
            &[GraphQlResponse, Json, EventStream, Html]
        } else {
            &[GraphQlResponse, Json, EventStream]
        };
        negotiate(request.headers(), offered)
    }

    async fn answer(
        &self,
        request: Request,
        representation: Representation,
        context: &Arc<RequestContext>,
    ) -> Result<Response, HttpError> {
        if !matches!(*request.method(), Method::GET | Method::POST) {
            return Err(HttpError::new(Reason::MethodNotAllowed).allowing("GET, POST"));
        }
        if representation == Representation::Html {
            return Ok(playground::page());
        }
        let ready = self
            .receiver
            .receive(&self.service, request, context)
            .await?;
        match (ready.kind, representation) {
            (OperationKind::Subscription, Representation::EventStream) => {
                event_stream::open(Arc::clone(&self.service), ready, Arc::clone(context))
            }
            (OperationKind::Subscription, _) => Err(Reason::SubscriptionWithoutStream.into()),
            _ => self.execute(ready, representation, context).await,
        }
    }

    async fn execute(
        &self,
        ready: Ready<A::Identity>,
        representation: Representation,
        context: &RequestContext,
    ) -> Result<Response, HttpError> {
        let running = self.service.counts.begin(ready.field);
        let response = self.service.executor.execute(ready.request).await;
        let finished = Finished::new(response, context);
        running.ended(finished.outcome());
        respond(finished, representation)
    }
}

impl<E: Executor, A: Authenticate> Endpoint for GraphQlEndpoint<E, A> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let context = RequestContext::of(&request);
        if socket::is_upgrade(&request) {
            return Ok(socket::upgrade(Arc::clone(&self.service), request, context).await?);
        }
        let Some(representation) = self.representation(&request) else {
            return Err(HttpError::new(Reason::NotAcceptable).into());
        };
        let answer = self.answer(request, representation, &context).await;
        let mut response = answer.unwrap_or_else(|error| refuse(error, representation, &context));
        response
            .headers_mut()
            .append(header::VARY, HeaderValue::from_name(header::ACCEPT));
        Ok(response)
    }
}

fn refuse(error: HttpError, representation: Representation, context: &RequestContext) -> Response {
    let is_plain = representation == Representation::Json;
    let error = if is_plain {
        error.for_plain_json()
    } else {
        error
    };
    error.into_response(representation.content_type(), context)
}

/// The answer to an executed (or refused) operation. With `application/json` the status says only that an
/// answer came.
fn respond(mut finished: Finished, representation: Representation) -> Result<Response, HttpError> {
    let says_refused =
        finished.is_request_error() && representation == Representation::GraphQlResponse;
    let status = if says_refused {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let headers = finished.take_headers();
    let body = serde_json::to_vec(&finished).map_err(|error| {
        tracing::error!(%error, "a GraphQL result cannot be serialised");
        Reason::Internal
    })?;
    let mut response = match representation {
        Representation::EventStream => answer::bytes(
            status,
            event_stream::CONTENT_TYPE,
            event_stream::whole(&body),
        ),
        _ => answer::bytes(status, representation.content_type(), body),
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in &headers {
        response.headers_mut().append(name, value.clone());
    }
    Ok(response)
}
