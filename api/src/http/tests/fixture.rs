//! A schema, an authentication and a media store that are small but behave like real ones.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Context, ErrorExtensions, Object, Request, Result, Schema, Subscription, Upload,
};
use futures_util::{Stream, StreamExt, stream};
use platform::metrics::Builder;
use poem::{Body, Endpoint, Response, http::HeaderValue, test::TestClient};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::http::*;

/// Who the test schema thinks is calling.
#[derive(Clone)]
pub(super) struct Caller(pub(super) Option<String>);

pub(super) struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn who(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Caller>()
            .0
            .clone()
            .unwrap_or_else(|| "nobody".to_owned())
    }

    async fn twice(&self, #[graphql(validator(maximum = 100))] number: i32) -> i32 {
        number * 2
    }

    async fn text(&self, length: usize) -> String {
        "x".repeat(length)
    }

    async fn secret_failure(&self) -> Result<i32> {
        Err("password is hunter2".into())
    }

    async fn known_failure(&self) -> Result<i32> {
        Err(async_graphql::Error::new("not yours")
            .extend_with(|_, values| values.set("code", "FORBIDDEN")))
    }

    async fn crash(&self, #[graphql(default = true)] really: bool) -> i32 {
        assert!(!really, "crash on request");
        0
    }

    /// Never answers.
    async fn hang(&self) -> i32 {
        std::future::pending().await
    }

    async fn deeper(&self) -> Query {
        Query
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    async fn touch(&self, ctx: &Context<'_>) -> usize {
        ctx.data_unchecked::<Arc<AtomicUsize>>()
            .fetch_add(1, Ordering::SeqCst)
            + 1
    }

    async fn login(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header("set-cookie", "session=alice; HttpOnly");
        ctx.append_http_header("set-cookie", "theme=dark");
        true
    }

    /// The name and length of each file, and whether it is in memory or in a file.
    async fn upload(&self, ctx: &Context<'_>, files: Vec<Upload>) -> Result<Vec<String>> {
        let describe = |file: &Upload| {
            let value = file.value(ctx)?;
            Ok(format!(
                "{} {}",
                value.filename,
                value.content.metadata()?.len()
            ))
        };
        files.iter().map(describe).collect()
    }
}

pub(super) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> + use<> {
        stream::iter(1..=to)
    }

    async fn silence(&self) -> impl Stream<Item = i32> + use<> {
        stream::pending()
    }

    async fn flood(&self, ctx: &Context<'_>) -> impl Stream<Item = String> + use<> {
        let taken = Arc::clone(ctx.data_unchecked::<Arc<AtomicUsize>>());
        stream::repeat_with(move || {
            taken.fetch_add(1, Ordering::SeqCst);
            "x".repeat(100_000)
        })
    }

    async fn crash_later(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter([1]).chain(stream::once(async { panic!("crash in a stream") }))
    }
}

pub(super) type TestSchema = Schema<Query, Mutation, Subscriptions>;

/// Bearer tokens and `session` cookies that hold; taking one out is a logout.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    pub(super) known: Arc<Mutex<HashSet<String>>>,
    /// Whether the store that knows them does not answer any more.
    pub(super) are_lost: Arc<AtomicBool>,
}

impl Tokens {
    fn holds(&self, token: &str) -> bool {
        self.known.lock().unwrap().contains(token)
    }
}

impl Authenticate for Tokens {
    type Identity = Caller;

    async fn authenticate(
        &self,
        credentials: Credentials<'_>,
        _: &Arc<RequestContext>,
    ) -> Result<Caller, AuthFailure> {
        let dead_cookie = HeaderValue::from_static("session=; Max-Age=0");
        match (credentials.bearer(), credentials.cookie("session")) {
            (Some("store-is-down"), _) => Err(AuthFailure::Unavailable),
            (Some(token), _) if self.holds(token) => Ok(Caller(Some(token.to_owned()))),
            (Some(_), _) => Err(AuthFailure::Unauthenticated(None)),
            (None, Some(token)) if self.holds(token) => Ok(Caller(Some(token.to_owned()))),
            (None, Some(_)) => Err(AuthFailure::Unauthenticated(Some(dead_cookie))),
            (None, None) => Ok(Caller(None)),
        }
    }

    async fn still_valid(&self, caller: &Caller) -> Result<(), AuthFailure> {
        match &caller.0 {
            Some(_) if self.are_lost.load(Ordering::SeqCst) => Err(AuthFailure::Unavailable),
            Some(token) if !self.holds(token) => Err(AuthFailure::Unauthenticated(None)),
            _ => Ok(()),
        }
    }

    fn may_upload(&self, caller: &Caller) -> Result<(), UploadRefusal> {
        let known = caller.0.as_ref().map(drop);
        known.ok_or(UploadRefusal::Unauthenticated)
    }

    fn prepare(&self, request: Request, caller: &Caller, _: &Arc<RequestContext>) -> Request {
        request.data(caller.clone())
    }
}

/// Probes whose answers a test can change.
#[derive(Clone, Default)]
pub(super) struct Probes {
    pub(super) migrations_pending: bool,
    pub(super) redis_hangs: bool,
    pub(super) worker_missing: bool,
    pub(super) memory_short: bool,
}

impl HealthProbes for Probes {
    async fn database(&self) -> Probe {
        Probe::Healthy
    }

    async fn migrations(&self) -> Probe {
        if self.migrations_pending {
            Probe::Unhealthy
        } else {
            Probe::Healthy
        }
    }

    async fn redis(&self) -> Probe {
        if self.redis_hangs {
            std::future::pending().await
        } else {
            Probe::Healthy
        }
    }

    async fn storage(&self) -> Probe {
        Probe::Healthy
    }

    async fn system(&self) -> Probe {
        if self.memory_short {
            Probe::Unhealthy
        } else {
            Probe::Healthy
        }
    }

    async fn worker(&self) -> Probe {
        if self.worker_missing {
            Probe::Unhealthy
        } else {
            Probe::Healthy
        }
    }
}

#[derive(Clone)]
pub(super) struct OneFile;

impl MediaSource for OneFile {
    async fn get(&self, key: &str) -> Result<Option<Media>, MediaFailure> {
        match key {
            "rendition/abc-small.webp" => Ok(Some(Media {
                content_type: HeaderValue::from_static("image/webp"),
                length: 5,
                body: Body::from_bytes_stream(stream::iter([Ok::<_, std::io::Error>("webp!")])),
            })),
            "code/unreachable.svg" => Err(MediaFailure),
            _ => Ok(None),
        }
    }
}

/// Files that only Alice may have.
#[derive(Clone)]
pub(super) struct AlicesFiles;

impl FileSource<Caller> for AlicesFiles {
    async fn get(&self, caller: &Caller, id: &str) -> Result<Option<PrivateFile>, FileFailure> {
        if caller.0.as_deref() != Some("alice") {
            return Ok(None);
        }
        let (name, media_type) = match id {
            "table" => ("قیمت‌ها \"1\"; a/b.csv", "text/csv; charset=utf-8"),
            "page" => ("page.html", "text/html"),
            "unreachable" => return Err(FileFailure),
            _ => return Ok(None),
        };
        Ok(Some(PrivateFile {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            length: 5,
            body: Body::from_bytes_stream(stream::iter([Ok::<_, std::io::Error>("a,b,c")])),
        }))
    }
}

/// Everything a test may want to hold on to.
pub(super) struct App {
    pub(super) tokens: Tokens,
    /// Counts mutations, and items taken from `flood`.
    pub(super) counter: Arc<AtomicUsize>,
    pub(super) shutdown: CancellationToken,
    pub(super) streams: TaskTracker,
    pub(super) probes: Probes,
    pub(super) settings: HttpSettings,
}

impl Default for App {
    fn default() -> Self {
        let tokens = Tokens::default();
        tokens.known.lock().unwrap().insert("alice".to_owned());
        let settings = HttpSettings {
            allowed_origins: vec!["https://shop.example".to_owned()],
            ..HttpSettings::default()
        };
        Self {
            tokens,
            counter: Arc::default(),
            shutdown: CancellationToken::new(),
            streams: TaskTracker::new(),
            probes: Probes::default(),
            settings,
        }
    }
}

impl App {
    pub(super) fn with(change: impl FnOnce(&mut HttpSettings)) -> Self {
        let mut app = Self::default();
        change(&mut app.settings);
        app
    }

    pub(super) fn endpoint(&self) -> impl Endpoint<Output = Response> + 'static {
        let schema: TestSchema = Schema::build(Query, Mutation, Subscriptions)
            .data(Arc::clone(&self.counter))
            .limit_depth(5)
            .limit_complexity(50)
            .finish();
        let builder = Builder::new("test").unwrap();
        routes(HttpParts {
            counts: counted_by(&builder),
            metrics: builder.finish(),
            executor: schema,
            authenticate: self.tokens.clone(),
            media: OneFile,
            files: AlicesFiles,
            probes: self.probes.clone(),
            settings: self.settings.clone(),
            shutdown: self.shutdown.clone(),
            streams: self.streams.clone(),
        })
    }

    pub(super) fn client(&self) -> TestClient<impl Endpoint<Output = Response> + 'static> {
        TestClient::new(self.endpoint())
    }

    pub(super) fn count(&self) -> usize {
        self.counter.load(Ordering::SeqCst)
    }

    pub(super) fn log_out(&self, token: &str) {
        self.tokens.known.lock().unwrap().remove(token);
    }
}

/// Where a test counts that does not look.
pub(in crate::http) fn counts() -> HttpMetrics {
    counted_by(&Builder::new("test").unwrap())
}

fn counted_by(builder: &Builder) -> HttpMetrics {
    let lookups = builder.counters(
        "goldshop_cache_lookups_total",
        "Lookups.",
        &["cache", "outcome"],
    );
    let roots = RootFields {
        query: vec!["hello".to_owned()],
        ..RootFields::default()
    };
    HttpMetrics::new(builder, roots, &lookups.unwrap()).unwrap()
}

/// Waits until something holds, and fails the test when it does not within half a minute.
pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what} did not happen"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
