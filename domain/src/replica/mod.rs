//! Streaming replicas that queries may be read from, and which of them has seen what somebody must not miss.
//!
//! A task asks each replica ten times a second how far it has got, so that no query has to. What a replica has replayed by then it has replayed
//! for good: a query that must not miss a write goes to a replica only when the replica was past it when it was asked last.

mod history;
mod position;
mod watch;
mod way;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch as channel;

use self::history::History;
pub(crate) use self::way::Way;
pub use self::{
    history::LAG_MAX,
    position::{NotAPosition, Position},
};
use crate::{
    db::{Settings, connect_options, direct_options},
    error::Result,
    observe::{self, Observer},
    reads::Pool,
};

/// How long a query waits for a connection to a replica until it goes to the primary.
const PATIENCE: Duration = Duration::from_millis(500);

/// How a replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known yet.
    Unknown,
    /// Queries are read from it. So old is the oldest write that it lacks.
    InUse(Duration),
    /// It lacks a write that is older than allowed; none when it is older than anybody has watched.
    Behind(Option<Duration>),
    /// It does not answer.
    Lost,
    /// The server there is none: it takes writes.
    Writable,
    /// It is the replica of something else.
    Foreign,
}

impl Standing {
    /// As it is called in the log and on the health page.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::InUse(_) => "in use",
            Self::Behind(_) => "behind",
            Self::Lost => "lost",
            Self::Writable => "not a replica",
            Self::Foreign => "of another system",
        }
    }

    /// How old the oldest write is that it lacks, where that is known.
    #[must_use]
    pub fn lag(self) -> Option<Duration> {
        match self {
            Self::InUse(lag) => Some(lag),
            Self::Behind(lag) => lag,
            Self::Unknown | Self::Lost | Self::Writable | Self::Foreign => None,
        }
    }
}

/// How a replica stands, and how far it has got.
#[derive(Clone, Copy, Debug)]
struct State {
    standing: Standing,
    replayed: Position,
}

impl State {
    fn may_be_read_after(&self, position: Position) -> bool {
        matches!(self.standing, Standing::InUse(_)) && self.replayed >= position
    }
}

/// A replica.
pub(crate) struct Replica {
    number: usize,
    pool: Pool,
    state: channel::Sender<State>,
}

impl Replica {
    /// Its place in the settings, from 1 on.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What comes of the work; nothing when the replica is found to answer nobody meanwhile.
    pub(crate) async fn unless_lost<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.lost() => None,
        }
    }

    async fn lost(&self) {
        let mut state = self.state.subscribe();
        // The sender is ours, so it is there.
        let _ = state
            .wait_for(|state| state.standing == Standing::Lost)
            .await;
    }

    fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Notes how it stands, and says so when that has changed.
    fn stands(&self, state: State) {
        let before = self.state.send_replace(state).standing;
        let (now, replica) = (state.standing, self.number);
        if before.as_str() == now.as_str() {
            return;
        }
        let lag_ms = now.lag().map(|lag| lag.as_millis());
        match now {
            Standing::InUse(_) => tracing::info!(replica, lag_ms, "a replica is read from"),
            _ => tracing::warn!(
                replica,
                lag_ms,
                standing = now.as_str(),
                "a replica is not read from"
            ),
        }
    }
}

/// The primary, as far as its replicas are concerned.
#[derive(Default)]
struct Primary {
    /// Which system it is; none until it has answered.
    system: Option<String>,
    history: History,
}

/// All replicas of this process's settings. Watched until the last clone of the domain is gone.
pub(crate) struct Replicas {
    all: Vec<Replica>,
    primary: Mutex<Primary>,
    lag_max: Duration,
    turn: AtomicUsize,
}

impl Replicas {
    /// Begins to watch the replicas in the settings; none when there are none. Needs a Tokio runtime.
    pub(crate) fn watched(settings: &Settings, observer: &Observer) -> Result<Option<Arc<Self>>> {
        if settings.read_urls.is_empty() {
            return Ok(None);
        }
        let all = settings.read_urls.iter().zip(1..);
        let all = all.map(|(url, number)| -> Result<Replica> {
            let (state, _) = channel::channel(State {
                standing: Standing::Unknown,
                replayed: Position::default(),
            });
            Ok(Replica {
                number,
                pool: Pool::new(settings, url, PATIENCE)?.told(observe::Pool::Replicas, observer),
                state,
            })
        });
        let replicas = Arc::new(Self {
            all: all.collect::<Result<_>>()?,
            primary: Mutex::default(),
            lag_max: settings.replica_lag_max,
            turn: AtomicUsize::new(0),
        });
        let addresses = settings.read_urls.iter();
        let addresses = addresses.map(|url| connect_options(settings, url));
        watch::start(
            &replicas,
            direct_options(settings)?,
            addresses.collect::<Result<_>>()?,
        );
        Ok(Some(replicas))
    }

    /// How each of them stands, in the order of the settings.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let states = self.all.iter().map(Replica::state);
        states.map(|state| state.standing).collect()
    }

    /// One of those that have got as far as this: each in its turn.
    fn choose(&self, after: Position) -> Option<usize> {
        let count = self.all.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..count)
            .map(|step| turn.wrapping_add(step) % count)
            .find(|&index| self.all[index].state().may_be_read_after(after))
    }

    fn primary(&self) -> MutexGuard<'_, Primary> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn saw_primary(&self, sample: watch::Sample, now: Instant) {
        let mut primary = self.primary();
        primary.system = Some(sample.system);
        primary.history.record(sample.position, now);
    }

    fn saw_replica(&self, replica: &Replica, sample: &watch::Sample, now: Instant) {
        let standing = self.judged(sample, now);
        replica.stands(State {
            standing,
            replayed: sample.position,
        });
    }

    fn judged(&self, sample: &watch::Sample, now: Instant) -> Standing {
        let primary = self.primary();
        match &primary.system {
            _ if !sample.is_replica => Standing::Writable,
            None => Standing::Unknown,
            Some(system) if *system != sample.system => Standing::Foreign,
            Some(_) => match primary.history.lag(sample.position, now) {
                Some(lag) if lag <= self.lag_max => Standing::InUse(lag),
                lag => Standing::Behind(lag),
            },
        }
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replicas").field(&self.standings()).finish()
    }
}
