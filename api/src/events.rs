//! Tells every subscription of this process what happens.
//!
//! One task reads new events from the database, woken by it, and hands them to all subscriptions at once. A subscription that cannot
//! keep up, that asks for what is past, or that sees a gap, reads the database itself: no buffer grows with a slow client, and nobody
//! misses anything.

use std::{sync::Arc, time::Duration};

use domain::{
    Domain, Result, Viewer,
    event::{Batch, Event, Interest},
};
use futures_util::{Stream, stream};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Events that a subscription may be behind before it has to read them itself.
const BEHIND_MAX: usize = 1024;
/// Events read at once.
const BATCH: u64 = 500;
/// Events handed to one subscription at once; it looks all their rows up together.
const CATCH_UP: u64 = 100;
/// How long until we look without having been woken.
const LOOK: Duration = Duration::from_secs(2);

/// Where subscriptions get their events.
#[derive(Clone, Debug)]
pub struct EventHub {
    domain: Domain,
    live: broadcast::Sender<Live>,
}

/// What all subscriptions are told.
#[derive(Clone, Debug)]
struct Live {
    /// The position in front of the event: who has not got so far has missed something.
    behind: i64,
    /// What has happened; nothing when it was only looked how far things are.
    event: Option<Arc<Event>>,
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
        if position.replace(last).is_none() {
            self.tell(last, None);
        }
        loop {
            let events = self.domain.events().after(last, BATCH).await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                let next = event.position.unwrap_or(last);
                self.tell(last, Some(Arc::new(event)));
                last = next;
                *position = Some(last);
            }
        }
    }

    /// Nobody listening is no error.
    fn tell(&self, behind: i64, event: Option<Arc<Event>>) {
        let _ = self.live.send(Live { behind, event });
    }

    /// The events that are wanted, behind `after` or from now on, in batches that are never empty. A failure to read does not lose
    /// anything: the next batch is read again from the same position.
    ///
    /// # Errors
    /// As [`domain::event::Events::begin`].
    pub async fn subscribe(
        &self,
        viewer: &Viewer,
        interest: Interest,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<Vec<Event>>> + use<>> {
        let live = self.live.subscribe();
        let position = self.domain.events().begin(viewer, &interest, after).await?;
        let follower = Follower {
            domain: self.domain.clone(),
            interest,
            live,
            position,
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
    interest: Interest,
    live: broadcast::Receiver<Live>,
    /// All up to here was handed out, or is not wanted.
    position: i64,
    is_behind: bool,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Vec<Event>>> {
        loop {
            if self.is_behind {
                let events = self.catch_up().await?;
                if events.is_empty() {
                    continue;
                }
                return Ok(Some(events));
            }
            match self.live.recv().await {
                Ok(live) => {
                    if let Some(event) = self.follow(&live) {
                        return Ok(Some(vec![event]));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => self.is_behind = true,
                Err(broadcast::error::RecvError::Closed) => return Ok(None),
            }
        }
    }

    /// The live event, when it is wanted and comes next.
    fn follow(&mut self, live: &Live) -> Option<Event> {
        if live.behind > self.position {
            self.is_behind = true;
            return None;
        }
        let event = live.event.as_deref()?;
        self.position = event
            .position
            .filter(|position| *position > self.position)?;
        self.interest.wants(event).then(|| event.clone())
    }

    /// Reads on from the database; live again when there is nothing more.
    async fn catch_up(&mut self) -> Result<Vec<Event>> {
        let events = self.domain.events();
        let Batch { events, position } = events
            .wanted(&self.interest, self.position, CATCH_UP)
            .await?;
        self.is_behind = position > self.position;
        self.position = position;
        Ok(events)
    }
}
