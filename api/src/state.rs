//! The programs' parts put together: what the schema and the HTTP layer are given.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use domain::{
    Domain,
    clock::{Clock, SystemClock},
};
use platform::{
    blob::BlobStore, config::Config, metrics::Metrics, own_writes::OwnWrites, presence::Presence,
    redis::Redis,
};
use poem::{Endpoint, Response};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::Auth,
    events::EventHub,
    files::StoredFiles,
    freshness::Fresh,
    graphql::{
        context::Addresses,
        schema::{self, Schema},
    },
    http::{self, DocumentLimits, HttpMetrics, HttpParts, HttpSettings, UploadLimits},
    media::BlobMedia,
    metrics::Counting,
    probes::Probes,
    queues::QueueWatch,
    upload::FileLimit,
};

/// What can keep the server from starting.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Everything the server consists of. Cheap to clone.
#[derive(Clone)]
pub struct State {
    domain: Domain,
    redis: Redis,
    blobs: BlobStore,
    auth: Auth,
    events: EventHub,
    counts: HttpMetrics,
    metrics: Metrics,
    config: Arc<Config>,
}

impl State {
    /// Puts the server together. Nothing has to answer yet.
    ///
    /// # Errors
    /// When an address in the configuration cannot be understood, or the blob store's folder cannot be used.
    pub fn new(config: Config) -> Result<Self, StartError> {
        Self::with_clock(config, Arc::new(SystemClock))
    }

    /// The same with another clock, for tests.
    ///
    /// # Errors
    /// As [`State::new`].
    pub fn with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let counting = Counting::new()?;
        let domain = Domain::connect_observed(
            platform::database::settings_with_replicas(&config.database, "goldshop-api"),
            clock,
            &counting.statements()?,
        )?;
        let redis = Redis::connect(&config.redis)?.counted(counting.commands()?);
        let auth = Auth::new(
            domain.clone(),
            redis.clone(),
            &config.auth,
            config.environment,
            counting.credentials()?,
        );
        let blobs = config.blob.open()?;
        let events = EventHub::new(domain.clone());
        let counts = counting.http()?;
        let metrics = counting.finish(&domain, &redis)?;
        Ok(Self {
            domain,
            redis,
            blobs,
            auth,
            events,
            counts,
            metrics,
            config: Arc::new(config),
        })
    }

    /// Goldshop's rules.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Where subscriptions get their events; somebody must run it.
    #[must_use]
    pub fn events(&self) -> &EventHub {
        &self.events
    }

    /// What the server counts.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where it is told of beside `/api/metrics`, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.config.metrics.api_address
    }

    fn schema(&self) -> Schema {
        let limits = &self.config.graphql;
        let public_url = self.config.http.public_url.as_str().trim_end_matches('/');
        let addresses = Addresses {
            media: format!("{public_url}/media/"),
            files: format!("{public_url}/api/files/"),
        };
        let builder = schema::builder()
            .limit_depth(limits.max_depth)
            .limit_complexity(limits.max_complexity)
            .limit_directives(limits.max_directives)
            .data(self.domain.clone())
            .data(self.blobs.clone())
            .data(self.events.clone())
            .data(QueueWatch::new(
                self.domain.clone(),
                Presence::new(self.redis.clone()),
            ))
            .data(Presence::new(self.redis.clone()))
            .data(self.auth.clone())
            .data(self.config.image.limits())
            .data(FileLimit(self.config.import.max_bytes))
            .data(addresses);
        if self.config.http.introspection {
            builder.finish()
        } else {
            builder.disable_introspection().finish()
        }
    }

    /// All of it behind HTTP.
    pub fn endpoint(
        &self,
        shutdown: CancellationToken,
        streams: TaskTracker,
    ) -> impl Endpoint<Output = Response> + 'static + use<> {
        http::routes(HttpParts {
            executor: Fresh::new(
                self.schema(),
                self.domain.clone(),
                OwnWrites::new(self.redis.clone()),
            ),
            authenticate: self.auth.clone(),
            media: BlobMedia::new(self.blobs.clone()),
            files: StoredFiles::new(self.domain.clone(), self.blobs.clone()),
            probes: Probes::new(
                self.domain.clone(),
                self.redis.clone(),
                self.blobs.clone(),
                Presence::new(self.redis.clone()),
            ),
            counts: self.counts.clone(),
            metrics: self.metrics.clone(),
            settings: self.http_settings(),
            shutdown,
            streams,
        })
    }

    fn http_settings(&self) -> HttpSettings {
        let (http, graphql) = (&self.config.http, &self.config.graphql);
        HttpSettings {
            allowed_origins: http
                .cors_origins
                .iter()
                .cloned()
                .chain([http.public_url.origin().ascii_serialization()])
                .collect(),
            trusted_proxy_hops: http.trusted_proxy_hops,
            request_timeout: http.request_timeout,
            upload_timeout: http.request_timeout.max(Duration::from_secs(120)),
            max_body_bytes: http.body_limit_bytes,
            uploads: UploadLimits {
                max_bytes: http.upload_limit_bytes as u64,
                ..UploadLimits::default()
            },
            documents: DocumentLimits {
                aliases: graphql.max_aliases,
                directives: graphql.max_directives,
                tokens: graphql.max_tokens,
                ..DocumentLimits::default()
            },
            metrics: self.config.metrics.networks.clone(),
            playground: http.playground,
            ..HttpSettings::default()
        }
    }
}
