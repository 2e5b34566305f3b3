//! A queue with a prefix of its own, workers whose handler does what the task says, and a log of what ran.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use apalis::prelude::{
    AbortError, BoxDynError, Data, RetryAfterError, WorkerBuilder, WorkerBuilderExt, WorkerError,
};
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use tests::redis::RedisSpace;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;
use worker::queue::{Backoff, NewTask, Queue, RedisBackend, Run, Settings, Stats};

/// How long a test waits for something that should happen soon, on a machine that may be busy. Less than the 30 s by which apalis-redis
/// was late, so that no test can overlook it.
pub(super) const SOON: Duration = Duration::from_secs(25);

/// What a handler is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Act {
    Succeed,
    Fail,
    Panic,
    Abort,
    RetryAfter {
        ms: u64,
    },
    Sleep {
        ms: u64,
    },
    /// Waits for a permit of [`Log::gate`].
    Wait,
    /// Fails until this attempt, then succeeds.
    SucceedAt {
        attempt: u32,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) act: Act,
}

/// One start of a handler.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) run: Run,
    pub(super) at: Instant,
}

/// What the handlers of a test have in common.
pub(super) struct Log {
    seen: Mutex<Vec<Seen>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    finished: AtomicUsize,
    pub(super) gate: Semaphore,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            running: AtomicUsize::default(),
            most_running: AtomicUsize::default(),
            finished: AtomicUsize::default(),
            gate: Semaphore::new(0),
        }
    }
}

impl Log {
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.name).collect()
    }

    pub(super) fn attempts(&self) -> Vec<u32> {
        self.seen().iter().map(|seen| seen.run.attempt).collect()
    }

    pub(super) fn starts(&self) -> usize {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    pub(super) fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }

    pub(super) fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }

    fn note(&self, job: &Job, run: Run) {
        let seen = Seen {
            name: job.name.clone(),
            run,
            at: Instant::now(),
        };
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }
}

/// Counts a handler as running for as long as it lives, however it ends.
struct Running(Arc<Log>);

impl Running {
    fn begin(log: &Arc<Log>) -> Self {
        let now = log.running.fetch_add(1, Ordering::SeqCst) + 1;
        log.most_running.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(log))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) async fn handle(job: Job, run: Run, log: Data<Arc<Log>>) -> Result<(), BoxDynError> {
    let _running = Running::begin(&log);
    log.note(&job, run);
    match job.act {
        Act::Succeed => {}
        Act::Fail => return Err("told to fail".into()),
        Act::Panic => panic!("told to panic"),
        Act::Abort => return Err(Box::new(AbortError::new("told to abort"))),
        Act::RetryAfter { ms } => {
            return Err(Box::new(RetryAfterError::new(
                "told to wait",
                Duration::from_millis(ms),
            )));
        }
        Act::Sleep { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        Act::Wait => log.gate.acquire().await?.forget(),
        Act::SucceedAt { attempt } if run.attempt < attempt => return Err("not yet".into()),
        Act::SucceedAt { .. } => {}
    }
    log.finished.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Settings with which a test need not wait long.
pub(super) fn quick() -> Settings {
    Settings {
        concurrency: 4,
        lease: Duration::from_millis(1500),
        backoff: Backoff {
            base: Duration::from_millis(40),
            cap: Duration::from_millis(200),
        },
        ..Settings::default()
    }
}

/// A running worker. Dropping it is a crash.
pub(super) struct Worker {
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), WorkerError>>,
}

impl Worker {
    /// Stops gracefully and fails the test if the worker ended in an error.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.running).await.unwrap().unwrap();
    }

    /// Begins a graceful stop without waiting for it.
    pub(super) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running.is_finished()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A queue with a prefix of its own.
pub(super) struct Rig {
    pub(super) space: RedisSpace,
    pub(super) queue: Queue,
    pub(super) log: Arc<Log>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::in_space(RedisSpace::shared())
    }

    pub(super) fn in_space(space: RedisSpace) -> Self {
        let queue = Queue::new(space.client().clone(), space.prefix(), "jobs").unwrap();
        Self {
            space,
            queue,
            log: Arc::default(),
        }
    }

    /// Starts a worker as the program does.
    pub(super) fn start(&self, name: &str, settings: Settings) -> Worker {
        self.start_with(name, settings, settings.concurrency)
    }

    /// Starts a worker that runs fewer tasks at a time than its backend may hold.
    pub(super) fn start_narrow(&self, held: usize, running: usize) -> Worker {
        let settings = Settings {
            concurrency: held,
            ..quick()
        };
        self.start_with("narrow", settings, running)
    }

    fn start_with(&self, name: &str, settings: Settings, concurrency: usize) -> Worker {
        let backend: RedisBackend<Job> = self.queue.backend(settings).unwrap();
        let worker = WorkerBuilder::new(name)
            .backend(backend)
            .data(Arc::clone(&self.log))
            .enable_tracing()
            .catch_panic()
            .concurrency(concurrency)
            .build(handle);
        let (stop, stopped) = oneshot::channel::<()>();
        let signal = async {
            let _ = stopped.await;
            Ok::<(), WorkerError>(())
        };
        Worker {
            stop: Some(stop),
            running: tokio::spawn(worker.run_until(signal)),
        }
    }

    pub(super) async fn push(&self, tasks: &[NewTask<Job>]) {
        let accepted = self.queue.push(tasks).await.unwrap();
        assert_eq!(accepted, tasks.len() as u64);
    }

    /// Pushes a task as the relay does: again and again until Redis takes it.
    pub(super) async fn push_until_taken(&self, task: NewTask<Job>) {
        let tasks = [task];
        self.until("the task is taken", async |rig| {
            rig.queue.push(&tasks).await.is_ok()
        })
        .await;
    }

    pub(super) async fn stats(&self) -> Stats {
        self.queue.stats().await.unwrap()
    }

    /// Waits until nothing is ready, scheduled or leased.
    pub(super) async fn until_empty(&self) {
        self.until("the queue is empty", async |rig| {
            // Right after an outage the first question may still meet the broken connection.
            rig.queue
                .stats()
                .await
                .is_ok_and(|stats| stats.ready + stats.scheduled + stats.leased == 0)
        })
        .await;
    }

    pub(super) async fn until_started(&self, count: usize) {
        self.until("handlers have started", async |rig| {
            rig.log.starts() >= count
        })
        .await;
    }

    /// Waits for handlers to finish; works without Redis.
    pub(super) async fn until_finished_locally(&self, count: usize) {
        self.until("handlers have finished", async |rig| {
            rig.log.finished() >= count
        })
        .await;
    }

    /// Waits for a condition, and fails the test when it does not come true soon.
    pub(super) async fn until(&self, what: &str, condition: impl AsyncFn(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self).await {
            assert!(
                start.elapsed() < SOON,
                "waited in vain until {what}: {:?}, {} starts",
                self.queue.stats().await,
                self.log.starts()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn connection(&self) -> MultiplexedConnection {
        self.space
            .client()
            .get_multiplexed_async_connection()
            .await
            .unwrap()
    }

    /// The server's clock plus `ahead`.
    pub(super) async fn server_time(&self, ahead: Duration) -> SystemTime {
        let mut connection = self.connection().await;
        let (seconds, micros): (u64, u64) = redis::cmd("TIME")
            .query_async(&mut connection)
            .await
            .unwrap();
        UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros) + ahead
    }
}

/// A task with the usual priority, due now, with three attempts.
pub(super) fn task(name: &str, act: Act) -> NewTask<Job> {
    NewTask {
        id: fresh_id(),
        payload: Job {
            name: name.to_owned(),
            act,
        },
        run_at: None,
        priority: 0,
        max_attempts: 3,
    }
}

pub(super) fn tasks(count: usize, act: &Act) -> Vec<NewTask<Job>> {
    (0..count)
        .map(|n| task(&n.to_string(), act.clone()))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the queue is told ids, it makes none; any unique one will do"
)]
pub(super) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}
