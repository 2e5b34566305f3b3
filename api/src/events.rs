//! Tells every subscription of this process what happens.
//!
//! One task reads new events from the database, woken by it, and hands them to all subscriptions at once. A subscription that cannot
//! keep up, or that asks for what is past, reads the database itself: no buffer grows with a slow client, and nobody misses anything.

use std::{sync::Arc, time::Duration};

use domain::{Code, Domain, Refusal, Result, event::Event};
use futures_util::{Stream, stream};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Events that a subscription may be behind before it has to read them itself.
const BEHIND_MAX: usize = 1024;
/// Events read at once.
const BATCH: u64 = 500;
/// How long until we look without having been woken.
const LOOK: Duration = Duration::from_secs(2);

/// Where subscriptions get their events.
#[derive(Clone, Debug)]
pub struct EventHub {
    domain: Domain,
    live: broadcast::Sender<Arc<Event>>,
}

impl EventHub {
    /// A hub without a source: [`EventHub::run`] is its source.
    #[must_use]
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            live: broadcast::channel(BEHIND_MAX).0,
        }
    }

    /// Reads events until `stop`. A database that is away is asked again.
    pub async fn run(self, stop: CancellationToken) {
        let mut wakeups = self.domain.events().wakeups();
        let mut position = None;
        while !stop.is_cancelled() {
            if let Err(error) = self.pump(&mut position).await {
                tracing::warn!(error = %error, "cannot read events");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wakeups.next(LOOK) => {}
            }
        }
    }

    /// Hands on what has happened since `position`.
    async fn pump(&self, position: &mut Option<i64>) -> Result<()> {
        let mut last = match *position {
            Some(last) => last,
            None => self.domain.events().newest().await?,
        };
        *position = Some(last);
        loop {
            let events = self.domain.events().after(last, BATCH).await?;
            let Some(newest) = events.last().and_then(|event| event.position) else {
                return Ok(());
            };
            for event in events {
                // Nobody listening is no error.
                let _ = self.live.send(Arc::new(event));
            }
            last = newest;
            *position = Some(last);
        }
    }

    /// Events behind `after`, or from now on.
    ///
    /// # Errors
    /// [`Code::NotFound`] when events so far back are no longer kept, [`Code::OutOfRange`] when there has not been such a position.
    pub async fn subscribe(
        &self,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<Event>> + use<>> {
        let live = self.live.subscribe();
        let newest = self.domain.events().newest().await?;
        let position = after.unwrap_or(newest);
        if position > newest || position < 0 {
            return Err(Refusal::new(Code::OutOfRange, "after").into());
        }
        if position < self.domain.events().oldest().await? {
            return Err(Refusal::new(Code::NotFound, "after").into());
        }
        let follower = Follower {
            domain: self.domain.clone(),
            live,
            position,
            waiting: Vec::new().into_iter(),
            is_behind: true,
        };
        Ok(stream::unfold(follower, |mut follower| async move {
            let next = follower.next().await.transpose()?;
            Some((next, follower))
        }))
    }
}

/// One subscription on its way through the events.
struct Follower {
    domain: Domain,
    live: broadcast::Receiver<Arc<Event>>,
    position: i64,
    waiting: std::vec::IntoIter<Event>,
    is_behind: bool,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.waiting.next() {
                self.position = event.position.unwrap_or(self.position);
                return Ok(Some(event));
            }
            if self.is_behind {
                self.catch_up().await?;
                continue;
            }
            match self.live.recv().await {
                Ok(event) if event.position > Some(self.position) => {
                    self.position = event.position.unwrap_or(self.position);
                    return Ok(Some(Event::clone(&event)));
                }
                Ok(_seen_before) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => self.is_behind = true,
                Err(broadcast::error::RecvError::Closed) => return Ok(None),
            }
        }
    }

    /// Reads on from the database; live again when there is nothing more.
    async fn catch_up(&mut self) -> Result<()> {
        let events = self.domain.events().after(self.position, BATCH).await?;
        self.is_behind = !events.is_empty();
        self.waiting = events.into_iter();
        Ok(())
    }
}
