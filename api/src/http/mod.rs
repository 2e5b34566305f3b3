//! The HTTP face of goldshop: everything between a TCP connection and a GraphQL executor.
//!
//! Nothing here knows the business. The executor, the authentication, the media store and the health probes come in
//! through [`HttpParts`]; [`routes`] makes an endpoint of them that can be served at once.
//!
//! # What happens to a request, in this order
//!
//! 1. `shell`: a request id is taken or made, the client's address found, a tracing span opened.
//! 2. `shell`: a CORS preflight is answered; every other request goes on.
//! 3. `shell`: panics become 500, a deadline 504, any error a JSON body with a stable code.
//! 4. `capacity`: GraphQL and media requests above the cap get 503 and `Retry-After`; health checks are never
//!    refused.
//! 5. The endpoint. For GraphQL: media type, origin, credential, body, document limits, execution.
//! 6. `shell`, on the way back: CORS headers, security headers, compression, `X-Request-Id`, the access log line.

mod answer;
mod auth;
mod body;
mod capacity;
mod client_address;
mod context;
mod error;
mod files;
mod graphql;
mod health;
mod media;
mod media_type;
mod metrics;
mod named;
mod origin;
mod playground;
mod reason;
mod request_id;
mod settings;
mod shell;
mod socket;

#[cfg(test)]
mod tests;

use async_graphql::Executor;
use platform::metrics::Metrics;
use poem::{Endpoint, Response, Route};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    auth::{AuthFailure, Authenticate, Credentials, UploadRefusal},
    context::RequestContext,
    error::HttpError,
    files::{FileFailure, FileSource, PrivateFile},
    graphql::limits::DocumentLimits,
    health::{HealthProbes, Probe},
    media::{Media, MediaFailure, MediaSource},
    metrics::{HttpMetrics, RootFields},
    named::Named,
    reason::Reason,
    settings::{HttpSettings, SocketLimits, UploadLimits},
    shell::Shell,
};

pub(crate) use self::graphql::limits::OperationKind;
use self::{
    capacity::{Capacity, Limited},
    files::FileEndpoint,
    graphql::GraphQlEndpoint,
    health::{Health, HealthKind},
    media::MediaEndpoint,
    metrics::MetricsPage,
    playground::AssetEndpoint,
};

/// What the HTTP layer needs from the rest of the program.
pub struct HttpParts<E, A, M, F, P> {
    /// Runs GraphQL operations; an `async_graphql::Schema` is one.
    pub executor: E,
    /// Turns a credential into an identity and an identity into request data.
    pub authenticate: A,
    /// Where `/media` finds its files.
    pub media: M,
    /// Where `/api/files` finds its files, and for whom.
    pub files: F,
    /// How the health pages find out what works.
    pub probes: P,
    /// Where requests and operations are counted.
    pub counts: HttpMetrics,
    /// What `/api/metrics` tells of.
    pub metrics: Metrics,
    /// Limits, origins and timeouts.
    pub settings: HttpSettings,
    /// Cancelled when the program is asked to stop: subscriptions end, WebSockets close with 1001.
    pub shutdown: CancellationToken,
    /// Counts open WebSockets and event streams, so that the program can wait for them after `shutdown`.
    pub streams: TaskTracker,
}

/// All routes inside the shell, ready to be served.
pub fn routes<E, A, M, F, P>(
    parts: HttpParts<E, A, M, F, P>,
) -> impl Endpoint<Output = Response> + 'static
where
    E: Executor,
    A: Authenticate,
    M: MediaSource,
    F: FileSource<A::Identity>,
    P: HealthProbes,
{
    let (settings, counts) = (parts.settings.clone(), parts.counts.clone());
    Shell::new(router(parts), &settings, counts)
}

/// The bare route table. Add further routes to it and wrap it in a [`Shell`]; use [`Named`] so that they have a
/// name in the log.
pub fn router<E, A, M, F, P>(parts: HttpParts<E, A, M, F, P>) -> Route
where
    E: Executor,
    A: Authenticate,
    M: MediaSource,
    F: FileSource<A::Identity>,
    P: HealthProbes,
{
    let capacity = Capacity::new(parts.settings.max_in_flight);
    let media = Limited::new(MediaEndpoint::new(parts.media), capacity.clone());
    let files = FileEndpoint::new(
        parts.files,
        parts.authenticate.clone(),
        &parts.settings.allowed_origins,
    );
    let files = Limited::new(files, capacity.clone());
    let health = |kind| Health::new(kind, parts.probes.clone(), parts.shutdown.clone());
    let (overall, detailed) = (health(HealthKind::Overall), health(HealthKind::Detailed));
    let (readiness, liveness) = (health(HealthKind::Readiness), health(HealthKind::Liveness));
    let metrics = MetricsPage::new(parts.metrics, parts.settings.metrics.clone());
    let graphql = GraphQlEndpoint::new(
        parts.executor,
        parts.authenticate,
        parts.settings,
        parts.counts,
        capacity.clone(),
        parts.shutdown,
        parts.streams,
    );
    Route::new()
        .at(
            "/api/graphql",
            Named::new("/api/graphql", Limited::new(graphql, capacity)),
        )
        .at(
            "/api/playground/assets/*path",
            Named::new("/api/playground/assets", AssetEndpoint),
        )
        .at("/api/health", Named::new("/api/health", overall))
        .at(
            "/api/health/detailed",
            Named::new("/api/health/detailed", detailed),
        )
        .at(
            "/api/health/readiness",
            Named::new("/api/health/readiness", readiness),
        )
        .at(
            "/api/health/liveness",
            Named::new("/api/health/liveness", liveness),
        )
        .at("/api/metrics", Named::new("/api/metrics", metrics))
        .at("/api/files/*id", Named::new("/api/files", files))
        .at("/media/*key", Named::new("/media", media))
}
