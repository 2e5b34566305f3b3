//! The apalis side: hands leased tasks to the worker and shuts down in order.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use apalis::prelude::{Backend, Task, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ack::AckLayer;
use super::message::Ack;
use super::runner::Runner;
use super::{Error, Link, Queue, Settings};

/// Tasks on their way from the runner to the worker. Both may take: the worker to run them, the runner to give them back.
pub(super) type Inbox<T> = Arc<Mutex<mpsc::Receiver<Task<T>>>>;

/// What the backend and its runner have in common.
#[derive(Debug)]
pub(super) struct Shared<T> {
    pub(super) inbox: Inbox<T>,
    /// Set when the worker starts; tells whether it still wants tasks.
    pub(super) worker: OnceLock<WorkerContext>,
    /// Cancelled when all handlers have ended and only acknowledgements are left to deliver.
    pub(super) closing: CancellationToken,
}

/// Feeds an apalis worker from a [`Queue`]; made by [`Queue::backend`].
///
/// Dropping it (or the worker that owns it) without a graceful stop is like a crash: its leases lapse.
pub struct RedisBackend<T> {
    settings: Settings,
    acks: UnboundedSender<Ack>,
    shared: Arc<Shared<T>>,
    runner: Option<Runner<T>>,
    running: Option<JoinHandle<()>>,
}

impl Queue {
    /// Makes a backend for one worker. It has a connection of its own, so that a flood of pushes cannot delay its leases.
    ///
    /// # Errors
    /// [`Error::Redis`] if the client's settings are unusable.
    pub fn backend<T: DeserializeOwned + Send + 'static>(
        &self,
        settings: Settings,
    ) -> Result<RedisBackend<T>, Error> {
        let (acks, unsent) = mpsc::unbounded_channel();
        let (outbox, inbox) = mpsc::channel(settings.concurrency.max(1));
        let shared = Arc::new(Shared {
            inbox: Arc::new(Mutex::new(inbox)),
            worker: OnceLock::new(),
            closing: CancellationToken::new(),
        });
        let queue = Self {
            link: Link::new(self.client.clone())?,
            ..self.clone()
        };
        let runner = Runner::new(queue, settings, Arc::clone(&shared), outbox, unsent);
        Ok(RedisBackend {
            settings,
            acks,
            shared,
            runner: Some(runner),
            running: None,
        })
    }
}

impl<T: DeserializeOwned + Send + 'static> Backend for RedisBackend<T> {
    type Task = Task<T>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        if let Some(runner) = self.runner.take() {
            self.running = Some(tokio::spawn(runner.run()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<T>, Infallible>>> {
        let mut inbox = self
            .shared
            .inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        inbox.poll_recv(cx).map(|task| task.map(Ok))
    }

    fn poll_close(
        &mut self,
        cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        self.shared.closing.cancel();
        let Some(running) = &mut self.running else {
            return Poll::Ready(Ok(()));
        };
        let ended = std::task::ready!(Pin::new(running).poll(cx));
        self.running = None;
        if let Err(error) = ended {
            tracing::error!(%error, "the queue's runner did not end well; unsettled tasks will run again");
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: DeserializeOwned + Send + 'static> BackendConfig for RedisBackend<T> {
    type Args = T;
    type Id = Uuid;
    type Kind = Ephemeral;
    type Config = Settings;
    type Layer = AckLayer;

    fn config(&self) -> &Settings {
        &self.settings
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> AckLayer {
        // A backend serves one worker, so this is the first and only time.
        let _ = self.shared.worker.set(worker.clone());
        AckLayer::new(self.acks.clone(), self.settings.backoff)
    }
}

impl<T> Drop for RedisBackend<T> {
    fn drop(&mut self) {
        // Without its worker the runner would renew leases of tasks that nobody runs.
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

impl<T> fmt::Debug for RedisBackend<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
