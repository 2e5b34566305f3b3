//! The worker as a whole: relay, queues, schedules, cancelling, expiry, costs, weeks and days of stock, seals of the trail and signs of life, until it is
//! told to stop.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use apalis::{layers::WorkerBuilderExt, prelude::*};
use domain::{
    Domain,
    clock::{Clock, SystemClock, new_id},
    job::Queue as QueueName,
};
use platform::{
    config::{Config, ExposeSecret},
    feed::Feed,
    metrics::Metrics,
    presence::Presence,
    redis::Redis,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    backup::Setup,
    cancel::{self, Running},
    context::Context,
    days, expiry,
    metrics::Counting,
    queue::{Queue, RedisBackend, Settings},
    recost,
    relay::Relay,
    runner::{self, Message},
    schedules,
    together::Together,
    trail::{self, Checkpoints},
    weeks,
};

/// What can keep a worker from starting.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// How often a worker gives a sign of life.
const SIGN_EVERY: Duration = Duration::from_secs(5);
/// How much of the time for stopping is kept for giving back what still runs, at most.
const GIVE_BACK: Duration = Duration::from_secs(3);

/// Backups made or proved at the same time: each takes what the machine has.
const OPERATIONS: usize = 1;

/// Everything a worker consists of, ready to run.
pub struct Service {
    context: Context,
    queues: Vec<(QueueName, Queue, Settings)>,
    presence: Presence,
    checkpoints: Option<Checkpoints>,
    shutdown: Duration,
    metrics: Metrics,
    metrics_address: Option<SocketAddr>,
    name: String,
}

/// What the names of this machine's workers begin with.
#[must_use]
pub fn names_here() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let machine: String = machine.trim().chars().filter(plain).collect();
    format!("worker-{machine}-")
}

impl Service {
    /// Puts a worker together. Nothing has to answer yet.
    ///
    /// # Errors
    /// When an address in the configuration cannot be understood, or the blob store's folder cannot be used.
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let counting = Counting::new()?;
        let context = counted(config, &counting)?;
        let redis = Redis::connect(&config.redis)?.counted(counting.commands()?);
        let client = redis::Client::open(config.redis.url.expose_secret())?;
        let queue = |name: QueueName, concurrency| {
            let queue = Queue::new(client.clone(), &config.redis.key_prefix, name.as_str())?;
            Ok::<_, StartError>((
                name,
                queue,
                Settings {
                    concurrency,
                    lease: config.worker.lease,
                    ..Settings::default()
                },
            ))
        };
        let queues = vec![
            queue(QueueName::Bulk, config.worker.bulk_concurrency)?,
            queue(QueueName::Codes, config.worker.code_concurrency)?,
            queue(QueueName::Media, config.worker.media_concurrency)?,
            queue(QueueName::Operations, OPERATIONS)?,
        ];
        let name = format!("{}{}", names_here(), new_id(SystemClock.now()).simple());
        Ok(Self {
            context,
            queues,
            presence: Presence::new(redis),
            checkpoints: Checkpoints::new(&config.worker)?,
            shutdown: config.worker.shutdown,
            metrics: counting.finish(),
            metrics_address: config.metrics.worker_address,
            name,
        })
    }

    /// Works until `stop`, then lets running jobs end. Those that take too long are stopped and given back.
    ///
    /// # Errors
    /// When the address of its metrics is taken, or a part of it ends by itself, which it never should.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self {
            context,
            queues,
            presence,
            checkpoints,
            shutdown,
            metrics,
            metrics_address,
            name,
        } = self;
        let listener = match metrics_address {
            Some(address) => Some(TcpListener::bind(address).await?),
            None => None,
        };
        let relay = Relay::new(context.domain.clone(), by_name(&queues));
        let cut_short = context.cut_short.clone();
        let mut parts = Parts::new();
        parts.spawn(always(relay.run(stop.clone())));
        parts.spawn(always(cancel::run(context.clone(), stop.clone())));
        parts.spawn(always(schedules::run(context.domain.clone(), stop.clone())));
        parts.spawn(always(expiry::run(context.domain.clone(), stop.clone())));
        parts.spawn(always(recost::run(context.domain.clone(), stop.clone())));
        parts.spawn(always(weeks::run(context.domain.clone(), stop.clone())));
        parts.spawn(always(days::run(context.domain.clone(), stop.clone())));
        parts.spawn(always(trail::run(
            context.domain.clone(),
            checkpoints,
            stop.clone(),
        )));
        if let Some(listener) = listener {
            let serving = platform::metrics::serve(listener, metrics, stop.clone());
            parts.spawn(always(serving));
        }
        parts.spawn(always(give_signs(presence, name.clone(), stop.clone())));
        for (queue_name, queue, settings) in queues {
            let backend = queue.backend::<Message>(settings)?;
            let name = format!("{name}-{}", queue_name.as_str());
            parts.spawn(work(
                name,
                backend,
                settings.concurrency,
                context.clone(),
                stop.clone(),
            ));
        }
        tracing::info!(worker = name, "at work");
        let ended = tokio::select! {
            Some(part) = parts.join_next() => verdict(part, &stop),
            () = stop.cancelled() => Ok(()),
        };
        stop.cancel();
        ended.and(wind_down(parts, &cut_short, shutdown).await)
    }
}

/// What runs at the same time.
type Parts = JoinSet<Result<(), StartError>>;

async fn always(part: impl Future<Output = ()>) -> Result<(), StartError> {
    part.await;
    Ok(())
}

fn by_name(queues: &[(QueueName, Queue, Settings)]) -> HashMap<QueueName, Queue> {
    let queues = queues.iter();
    queues
        .map(|(name, queue, _)| (*name, queue.clone()))
        .collect()
}

/// What it means that a part has ended: nothing but `stop` should bring that about.
fn verdict(
    part: Result<Result<(), StartError>, JoinError>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    part??;
    if stop.is_cancelled() {
        Ok(())
    } else {
        Err("a part of the worker has ended by itself".into())
    }
}

/// What jobs work with, from the configuration. Needs a Tokio runtime.
///
/// # Errors
/// When an address cannot be understood, or the blob store's folder cannot be used.
pub fn context(config: &Config) -> Result<Context, StartError> {
    counted(config, &Counting::new()?)
}

fn counted(config: &Config, counting: &Counting) -> Result<Context, StartError> {
    let blobs = config.blob.open()?;
    let domain = Domain::connect_observed(
        platform::database::settings(&config.database, "goldshop-worker"),
        Arc::new(SystemClock),
        &counting.statements,
    )?;
    Ok(Context {
        backups: Arc::new(Setup::new(config, blobs.clone())?),
        together: Together::new(&domain),
        domain,
        blobs,
        limits: config.image.limits(),
        public_url: config.http.public_url.as_str().trim_end_matches('/').into(),
        decoders: Arc::new(Semaphore::new(config.worker.media_concurrency)),
        checkpoints: Checkpoints::new(&config.worker)?.map(Arc::new),
        metal_rates: config
            .worker
            .metal_rate_url
            .as_ref()
            .map(Feed::new)
            .transpose()?,
        file_grace: config.worker.file_grace,
        cut_short: CancellationToken::new(),
        running: Running::default(),
        attempts: counting.attempts.clone(),
    })
}

/// Runs one queue's jobs until `stop`.
async fn work(
    name: String,
    backend: RedisBackend<Message>,
    concurrency: usize,
    context: Context,
    stop: CancellationToken,
) -> Result<(), StartError> {
    // Panics are caught where they can still be told to the database: in the runner.
    let worker = WorkerBuilder::new(name)
        .backend(backend)
        .data(context)
        .concurrency(concurrency)
        .build(runner::handle);
    let stopped = async move {
        stop.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    worker.run_until(stopped).await.map_err(Into::into)
}

/// Waits until all parts have ended, no longer than `at_most`. Shortly before, jobs that still run are stopped and given back.
async fn wind_down(
    mut parts: Parts,
    cut_short: &CancellationToken,
    at_most: Duration,
) -> Result<(), StartError> {
    let last = (at_most / 4).min(GIVE_BACK);
    if let Ok(ended) = timeout(at_most.saturating_sub(last), all(&mut parts)).await {
        return ended;
    }
    cut_short.cancel();
    timeout(last, all(&mut parts)).await.unwrap_or_else(|_| {
        tracing::warn!("stopped without an orderly end; other workers take over");
        Ok(())
    })
}

async fn all(parts: &mut Parts) -> Result<(), StartError> {
    let mut ended = Ok(());
    while let Some(part) = parts.join_next().await {
        ended = ended.and(part.unwrap_or_else(|panic| Err(panic.into())));
    }
    ended
}

async fn give_signs(presence: Presence, name: String, stop: CancellationToken) {
    let mut every = tokio::time::interval(SIGN_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = every.tick() => if let Err(error) = presence.announce(&name).await {
                tracing::debug!(%error, "cannot give a sign of life");
            },
        }
    }
    if let Err(error) = presence.leave(&name).await {
        tracing::debug!(%error, "cannot take the sign of life back");
    }
}
