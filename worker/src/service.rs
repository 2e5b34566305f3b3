//! The worker as a whole: relay, queues and signs of life, until it is told to stop.

use std::{collections::HashMap, sync::Arc, time::Duration};

use apalis::{layers::WorkerBuilderExt, prelude::*};
use domain::{
    Domain,
    clock::{Clock, SystemClock, new_id},
    job::Queue as QueueName,
};
use platform::{
    config::{Config, ExposeSecret},
    presence::Presence,
    redis::Redis,
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    queue::{Queue, RedisBackend, Settings},
    relay::Relay,
    runner::{self, Message},
};

/// What can keep a worker from starting.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// How often a worker gives a sign of life.
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// Everything a worker consists of, ready to run.
pub struct Service {
    context: Context,
    queues: Vec<(QueueName, Queue, Settings)>,
    presence: Presence,
    shutdown: Duration,
    name: String,
}

impl Service {
    /// Puts a worker together. Nothing has to answer yet.
    ///
    /// # Errors
    /// When an address in the configuration cannot be understood, or the blob store's folder cannot be used.
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let context = context(config)?;
        let redis = Redis::connect(&config.redis)?;
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
            queue(QueueName::Codes, config.worker.code_concurrency)?,
            queue(QueueName::Media, config.worker.media_concurrency)?,
        ];
        let name = format!("worker-{}", new_id(SystemClock.now()).simple());
        Ok(Self {
            context,
            queues,
            presence: Presence::new(redis),
            shutdown: config.worker.shutdown,
            name,
        })
    }

    /// Works until `stop`, then lets running jobs end.
    ///
    /// # Errors
    /// When a worker of a queue ends by itself, which it never should.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self {
            context,
            queues,
            presence,
            shutdown,
            name,
        } = self;
        let by_name = queues
            .iter()
            .map(|(name, queue, _)| (name.as_str(), queue.clone()))
            .collect::<HashMap<_, _>>();
        let relay = tokio::spawn(Relay::new(context.domain.clone(), by_name).run(stop.clone()));
        let signs = tokio::spawn(give_signs(presence, name.clone(), stop.clone()));
        let mut workers = tokio::task::JoinSet::new();
        for (queue_name, queue, settings) in queues {
            let backend = queue.backend::<Message>(settings)?;
            let name = format!("{name}-{}", queue_name.as_str());
            workers.spawn(work(
                name,
                backend,
                settings.concurrency,
                context.clone(),
                stop.clone(),
            ));
        }
        tracing::info!(worker = name, "at work");
        let ended = drain(workers, &stop, shutdown).await;
        stop.cancel();
        let _ = tokio::join!(relay, signs);
        ended
    }
}

/// What jobs work with, from the configuration.
///
/// # Errors
/// When an address cannot be understood, or the blob store's folder cannot be used.
pub fn context(config: &Config) -> Result<Context, StartError> {
    Ok(Context {
        domain: Domain::connect(
            platform::database::settings(&config.database, "goldshop-worker"),
            Arc::new(SystemClock),
        )?,
        blobs: config.blob.open()?,
        limits: config.image.limits(),
        public_url: config.http.public_url.as_str().trim_end_matches('/').into(),
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

/// Waits for all workers; once told to stop, no longer than `at_most`: what is still running then is taken over by others.
async fn drain(
    mut workers: tokio::task::JoinSet<Result<(), StartError>>,
    stop: &CancellationToken,
    at_most: Duration,
) -> Result<(), StartError> {
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(at_most).await;
    };
    tokio::pin!(patience);
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                None => return Ok(()),
                Some(ended) => {
                    ended??;
                    if !stop.is_cancelled() {
                        return Err("a queue's worker has ended by itself".into());
                    }
                }
            },
            () = &mut patience => {
                tracing::warn!("some jobs are still running; other workers will take them over");
                return Ok(());
            }
        }
    }
}

async fn give_signs(presence: Presence, name: String, stop: CancellationToken) {
    let mut every = tokio::time::interval(SIGN_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = every.tick() => if let Err(error) = presence.announce(&name, SystemClock.now()).await {
                tracing::debug!(%error, "cannot give a sign of life");
            },
        }
    }
    if let Err(error) = presence.leave(&name).await {
        tracing::debug!(%error, "cannot take the sign of life back");
    }
}
