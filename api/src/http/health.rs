//! The health pages: is the process alive, can it serve, and which of the things it needs answer.
//!
//! Each probe has one second; all run at the same time. Nothing but a status and a duration leaves the program.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use domain::replica::Standing;
use poem::{
    Endpoint, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{answer, error::HttpError, reason::Reason};

const SERVICE: &str = "goldshop-backend";
const PROBE_TIME: Duration = Duration::from_secs(1);

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It answers.
    Healthy,
    /// It does not.
    Unhealthy,
}

/// Asks the things that goldshop needs whether they answer. A probe may take as long as it likes: it is cut
/// after a second.
pub trait HealthProbes: Clone + Send + Sync + 'static {
    /// PostgreSQL. Without it nothing can be served.
    fn database(&self) -> impl Future<Output = Probe> + Send;
    /// What PostgreSQL has had of the migrations that this program was built with. Without all of them requests would fail that are
    /// no fault of theirs; more of them, those of the next release, do no harm.
    fn migrations(&self) -> impl Future<Output = Probe> + Send;
    /// Redis. Without it nobody can be signed in, and jobs and events wait.
    fn redis(&self) -> impl Future<Output = Probe> + Send;
    /// The blob store. Without it images are missing.
    fn storage(&self) -> impl Future<Output = Probe> + Send;
    /// The machine. Short of memory, it may end any program at any time.
    fn system(&self) -> impl Future<Output = Probe> + Send;
    /// At least one worker that gave a sign of life lately. Without one, jobs wait.
    fn worker(&self) -> impl Future<Output = Probe> + Send;
    /// How the replicas stand that queries may be read from. Without them everything is read from the primary.
    fn replicas(&self) -> Vec<Standing> {
        Vec::new()
    }
}

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HealthKind {
    /// `healthy`, when everything that every request needs answers.
    Overall,
    /// The same with one entry per component.
    Detailed,
    /// `ready`, when requests may be sent here; `not ready` while shutting down.
    Readiness,
    /// `alive`, when the process can answer at all.
    Liveness,
}

pub(crate) struct Health<P> {
    kind: HealthKind,
    probes: P,
    shutdown: CancellationToken,
    started: Instant,
}

impl<P> Health<P> {
    pub(crate) fn new(kind: HealthKind, probes: P, shutdown: CancellationToken) -> Self {
        Self {
            kind,
            probes,
            shutdown,
            started: Instant::now(),
        }
    }
}

impl<P: HealthProbes> Endpoint for Health<P> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = HttpError::new(Reason::MethodNotAllowed);
            return Err(refusal.allowing("GET, HEAD").into());
        }
        Ok(match self.kind {
            HealthKind::Liveness => page(true, "alive", "dead", None),
            HealthKind::Readiness => page(
                self.essentials().await && !self.is_stopping(),
                "ready",
                "not ready",
                None,
            ),
            HealthKind::Overall => page(self.essentials().await, "healthy", "unhealthy", None),
            HealthKind::Detailed => self.detailed().await,
        })
    }
}

impl<P: HealthProbes> Health<P> {
    fn is_stopping(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// Whether what every request needs answers.
    async fn essentials(&self) -> bool {
        let (database, migrations, redis) = tokio::join!(
            timed(self.probes.database()),
            timed(self.probes.migrations()),
            timed(self.probes.redis()),
        );
        [database, migrations, redis]
            .iter()
            .all(Finding::is_healthy)
    }

    async fn detailed(&self) -> Response {
        let (database, migrations, redis, system, storage, worker) = tokio::join!(
            timed(self.probes.database()),
            timed(self.probes.migrations()),
            timed(self.probes.redis()),
            timed(self.probes.system()),
            timed(self.probes.storage()),
            timed(self.probes.worker()),
        );
        let healthy = database.is_healthy() && migrations.is_healthy() && redis.is_healthy();
        let mut system = system.to_json();
        system["uptimeSeconds"] = json!(self.started.elapsed().as_secs());
        let mut components = json!({
            "database": database.to_json(),
            "migrations": migrations.to_json(),
            "redis": redis.to_json(),
            "system": system,
            "worker": worker.to_json(),
            "storage": storage.to_json(),
        });
        let replicas = self.probes.replicas();
        if !replicas.is_empty() {
            components["replicas"] = replicas.into_iter().map(of_replica).collect();
        }
        page(healthy, "healthy", "unhealthy", Some(components))
    }
}

/// Replicas are told apart by their order in the settings: their addresses are nobody's business.
fn of_replica(standing: Standing) -> Value {
    let lag = standing
        .lag()
        .map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX));
    json!({ "status": standing.as_str(), "lagMs": lag })
}

/// A probe's finding and how long it took.
struct Finding {
    probe: Probe,
    took: Duration,
}

impl Finding {
    fn is_healthy(&self) -> bool {
        self.probe == Probe::Healthy
    }

    fn to_json(&self) -> Value {
        let status = if self.is_healthy() {
            "healthy"
        } else {
            "unhealthy"
        };
        json!({ "status": status, "latencyMs": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX) })
    }
}

async fn timed(probe: impl Future<Output = Probe>) -> Finding {
    let started = Instant::now();
    let probe = tokio::time::timeout(PROBE_TIME, probe)
        .await
        .unwrap_or(Probe::Unhealthy);
    Finding {
        probe,
        took: started.elapsed(),
    }
}

fn page(good: bool, yes: &str, no: &str, components: Option<Value>) -> Response {
    let mut body = json!({ "service": SERVICE, "status": if good { yes } else { no } });
    if let Some(components) = components {
        body["components"] = components;
    }
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut response = answer::bytes(status, answer::JSON, body.to_string());
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
