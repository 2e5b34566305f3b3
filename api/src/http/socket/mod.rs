//! GraphQL over WebSocket with the `graphql-transport-ws` protocol, written out here because the engine's own
//! loop closes with the wrong codes, never pings and keeps every message of a client that does not read.

mod connection;
mod message;
mod operation;
mod wire;

use std::sync::Arc;

use async_graphql::Executor;
use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response,
    http::{HeaderMap, header},
    web::websocket::{WebSocket, WebSocketConfig, WebSocketStream},
};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use self::{connection::Connection, wire::Wire};
use super::{
    auth::Authenticate, context::RequestContext, error::HttpError, graphql::Service, reason::Reason,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// Whether the client wants to leave HTTP for a WebSocket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    let wanted = request
        .headers()
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok());
    wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case("websocket"))
}

/// Opens the WebSocket. Pages of foreign origins may not: a WebSocket carries cookies without asking first.
///
/// # Errors
/// 403 for a foreign origin, 400 for another protocol or a bad handshake, 503 when too many connections are open.
pub(super) async fn upgrade<E: Executor, A: Authenticate>(
    service: Arc<Service<E, A>>,
    request: Request,
    context: Arc<RequestContext>,
) -> Result<Response, HttpError> {
    if !service.origins.admits(&request) {
        return Err(Reason::OriginNotAllowed.into());
    }
    if !offers_protocol(&request) {
        return Err(Reason::WebSocketProtocol.into());
    }
    let place = service
        .connections
        .enter()
        .ok_or(Reason::TooManyConnections)?;
    let handshake = WebSocket::from_request(&request, &mut RequestBody::default())
        .await
        .map_err(|error| {
            tracing::debug!(%error, "a WebSocket handshake failed");
            Reason::WebSocketHandshake
        })?;
    let limit = service.settings.sockets.max_message_bytes;
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    let headers = request.headers().clone();
    let upgraded = handshake.protocols([PROTOCOL]).config(config);
    Ok(upgraded
        .on_upgrade(move |socket| serve(service, headers, context, socket, place))
        .into_response())
}

fn offers_protocol(request: &Request) -> bool {
    let offers = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter();
    offers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| offer.trim() == PROTOCOL)
}

async fn serve<E: Executor, A: Authenticate>(
    service: Arc<Service<E, A>>,
    headers: HeaderMap,
    context: Arc<RequestContext>,
    socket: WebSocketStream,
    _place: OwnedSemaphorePermit,
) {
    let streams = service.streams.clone();
    let _open = service.counts.websocket();
    let span = tracing::error_span!("websocket", request_id = %context.id());
    let wire = Wire::new(socket, service.settings.sockets.send_timeout);
    let connection = Connection::new(service, headers, context);
    streams
        .track_future(connection.serve(wire))
        .instrument(span)
        .await;
}
