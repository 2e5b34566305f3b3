//! An address that tells of nothing but metrics, for a Prometheus on a network of its own. Who may reach it is the network's to say.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Metrics;

/// Those who may ask at the same time; more are hung up on.
const CLIENTS_MAX: usize = 16;
/// How long one of them may take, from the first byte to the last.
const CLIENT_MAX: Duration = Duration::from_secs(30);
/// How long until it is tried again when the machine has no socket to give.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers `GET /metrics` and `GET /api/metrics` until `stop`, one request a connection.
pub async fn serve(listener: TcpListener, metrics: Metrics, stop: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "metrics are told of");
    }
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _client)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let _place = place;
            // Whoever takes longer has had what there was to have.
            let _ = timeout(CLIENT_MAX, converse(stream, metrics)).await;
        });
    }
}

async fn converse(stream: TcpStream, metrics: Metrics) {
    let service = service_fn(move |request: Request<Incoming>| {
        let metrics = metrics.clone();
        async move { Ok::<_, Infallible>(answer(&request, &metrics).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = conversation.await {
        tracing::debug!(%error, "somebody who asked for metrics went away");
    }
}

async fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    if !matches!(request.uri().path(), "/metrics" | "/api/metrics") {
        return plain(StatusCode::NOT_FOUND);
    }
    if *request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    match metrics.text().await {
        Ok(text) => {
            let mut response = Response::new(Full::from(text));
            let content_type = HeaderValue::from_static(super::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            response
        }
        Err(error) => {
            tracing::error!(%error, "metrics cannot be told of");
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
