//! Tells every subscription of this process what happens.
//!
//! One task reads new events from the database, woken by it, and hands them to all subscriptions at once. A subscription that cannot
//! keep up, that asks for what is past, or that sees a gap, reads the database itself: no buffer grows with a slow client, and nobody
//! misses anything. While nobody listens events only get their positions, and none is read.

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
/// How long a look may take: a connection whose other end vanished without a word never answers.
const LOOK_MAX: Duration = Duration::from_secs(30);

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
            match tokio::time::timeout(LOOK_MAX, self.pump(&mut position)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "cannot read events"),
                Err(_elapsed) => tracing::warn!("cannot read events: the database does not answer"),
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
        if self.live.receiver_count() == 0 {
            // Whoever comes now reads the database first, and sees the gap when it came a moment ago.
            let newest = self.domain.events().newest().await?;
            *position = Some(newest);
            self.tell(newest, None);
            return Ok(());
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

    /// Reads on from the database; live again when it has read all there was. What was committed since is on its way: we have been
    /// listening for longer than we have been reading, and a gap would be seen.
    async fn catch_up(&mut self) -> Result<Vec<Event>> {
        let events = self.domain.events();
        let Batch {
            events,
            position,
            is_cut,
        } = events
            .wanted(&self.interest, self.position, CATCH_UP)
            .await?;
        self.is_behind = is_cut;
        self.position = position;
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use domain::{clock::SystemClock, db::Settings, event::Kind};

    use super::*;

    /// Somebody who listens to jobs and has got to this position, with a database that is never asked.
    fn follower(position: i64) -> Follower {
        let settings = Settings {
            url: "postgres://nobody@localhost/nothing".to_owned(),
            application_name: "test",
            max_connections: 1,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
            transaction_pooling: false,
            direct_url: None,
            read_urls: Vec::new(),
            replica_lag_max: Duration::ZERO,
        };
        let domain = Domain::connect(settings, Arc::new(SystemClock)).unwrap();
        let interest = Interest::Jobs { job: None };
        let live = broadcast::channel(1).1;
        Follower {
            domain,
            interest,
            live,
            position,
            is_behind: false,
        }
    }

    fn live(behind: i64, position: i64, kind: Kind) -> Live {
        let event = Event {
            number: position,
            position: Some(position),
            kind: kind.as_str().to_owned(),
            aggregate_type: String::new(),
            aggregate_id: uuid::Uuid::nil(),
            aggregate_version: 1,
            payload: serde_json::Value::Null,
            request_id: None,
            created_at: chrono::DateTime::default(),
        };
        Live {
            behind,
            event: Some(Arc::new(event)),
        }
    }

    #[tokio::test]
    async fn events_come_once_and_only_those_that_are_wanted() {
        let mut follower = follower(5);
        assert_eq!(
            follower.follow(&live(4, 5, Kind::JobChanged)),
            None,
            "seen before"
        );
        assert!(follower.follow(&live(5, 6, Kind::JobChanged)).is_some());
        assert_eq!(
            follower.follow(&live(6, 7, Kind::ItemChanged)),
            None,
            "not wanted"
        );
        assert!(
            follower.follow(&live(7, 9, Kind::JobChanged)).is_some(),
            "behind what was not wanted"
        );
        assert_eq!((follower.position, follower.is_behind), (9, false));
    }

    #[tokio::test]
    async fn a_gap_is_read_from_the_database() {
        for gap in [
            live(6, 7, Kind::JobChanged),
            Live {
                behind: 6,
                event: None,
            },
        ] {
            let mut follower = follower(5);
            assert_eq!(follower.follow(&gap), None);
            assert_eq!((follower.position, follower.is_behind), (5, true));
        }
    }

    #[tokio::test]
    async fn a_look_that_finds_nothing_new_changes_nothing() {
        let mut follower = follower(5);
        assert_eq!(
            follower.follow(&Live {
                behind: 5,
                event: None
            }),
            None
        );
        assert_eq!((follower.position, follower.is_behind), (5, false));
    }
}
