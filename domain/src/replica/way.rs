//! Which server one request is read from.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::{Position, Replica, Replicas};

/// The way of one request: one replica as long as it will do, and then the primary for good. So nothing that is read later is older.
pub(crate) struct Way {
    replicas: Arc<Replicas>,
    /// What must not be missed.
    after: Position,
    chosen: OnceLock<Option<usize>>,
    is_left: AtomicBool,
}

impl Way {
    /// To a replica that has got as far as this.
    pub(crate) fn new(replicas: Arc<Replicas>, after: Position) -> Self {
        Self {
            replicas,
            after,
            chosen: OnceLock::new(),
            is_left: AtomicBool::new(false),
        }
    }

    /// From here on to the primary.
    pub(crate) fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }

    /// The replica that is to be read from; none when it is the primary.
    pub(crate) fn replica(&self) -> Option<(&Self, &Replica)> {
        if self.is_left.load(Ordering::Relaxed) {
            return None;
        }
        let chosen = self.chosen.get_or_init(|| self.replicas.choose(self.after));
        let replica = &self.replicas.all[(*chosen)?];
        if replica.state().may_be_read_after(self.after) {
            return Some((self, replica));
        }
        self.leave();
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::watch as channel;

    use super::{
        super::{Primary, Standing, State, watch::Sample},
        *,
    };
    use crate::{db::Settings, reads::Pool};

    const READY: Standing = Standing::InUse(Duration::ZERO);

    fn at(number: u64) -> Position {
        format!("{number:016x}").parse().unwrap()
    }

    fn state(standing: Standing, replayed: u64) -> State {
        State {
            standing,
            replayed: at(replayed),
        }
    }

    /// Replicas that stand like this and that nobody watches or connects to.
    fn replicas(states: &[State]) -> Arc<Replicas> {
        let settings = Settings {
            url: "postgres://nobody@localhost/nothing".to_owned(),
            application_name: "test",
            max_connections: 2,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
            transaction_pooling: false,
            direct_url: None,
            read_urls: Vec::new(),
            replica_lag_max: Duration::from_secs(10),
        };
        let all = states.iter().zip(1..).map(|(state, number)| Replica {
            number,
            pool: Pool::new(&settings, &settings.url, settings.acquire_timeout).unwrap(),
            state: channel::channel(*state).0,
        });
        Arc::new(Replicas {
            all: all.collect(),
            primary: Primary::default().into(),
            lag_max: settings.replica_lag_max,
            turn: 0.into(),
        })
    }

    fn number(way: &Way) -> Option<usize> {
        way.replica().map(|(_, replica)| replica.number())
    }

    #[tokio::test]
    async fn each_in_its_turn_of_those_that_have_got_far_enough() {
        let all = [
            state(READY, 10),
            state(READY, 20),
            state(Standing::Behind(None), 30),
        ];
        let replicas = replicas(&all);
        let numbers = |after| {
            let mut numbers: Vec<_> = (0..6)
                .map(|_| number(&Way::new(Arc::clone(&replicas), at(after))))
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        assert_eq!(numbers(5), [Some(1), Some(2)]);
        assert_eq!(numbers(11), [Some(2)]);
        assert_eq!(numbers(20), [Some(2)]);
        assert_eq!(numbers(21), [None]);
    }

    #[tokio::test]
    async fn whoever_has_come_to_the_primary_stays_there() {
        let replicas = replicas(&[state(READY, 10)]);
        let way = || Way::new(Arc::clone(&replicas), at(10));
        let (kept, lost, left, early) =
            (way(), way(), way(), Way::new(Arc::clone(&replicas), at(11)));
        for way in [&kept, &lost, &left] {
            assert_eq!(number(way), Some(1));
        }
        assert_eq!(number(&early), None);
        left.leave();
        assert_eq!(number(&left), None);
        replicas.all[0].stands(state(Standing::Lost, 0));
        assert_eq!(number(&lost), None);
        replicas.all[0].stands(state(READY, 99));
        for way in [&lost, &left, &early] {
            assert_eq!(number(way), None);
        }
        assert_eq!(number(&kept), Some(1), "it has noticed nothing");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_replica_that_is_lost() {
        let replicas = replicas(&[state(READY, 10)]);
        let replica = &replicas.all[0];
        assert_eq!(replica.unless_lost(std::future::ready(7)).await, Some(7));
        let (hangs, ()) = tokio::join!(replica.unless_lost(std::future::pending::<()>()), async {
            replica.stands(state(Standing::Lost, 0))
        });
        assert_eq!(hangs, None);
    }

    #[tokio::test]
    async fn a_replica_is_judged_by_what_its_primary_has_written() {
        let replicas = replicas(&[]);
        let start = Instant::now();
        let sample = |is_replica, system: &str, position| Sample {
            is_replica,
            system: system.to_owned(),
            position: at(position),
        };
        let now = start + Duration::from_secs(11);
        let judged = |sample: &Sample| replicas.judged(sample, now);
        assert_eq!(judged(&sample(true, "shop", 50)), Standing::Unknown);
        replicas.saw_primary(sample(false, "shop", 40), start);
        replicas.saw_primary(sample(false, "shop", 50), start);
        replicas.saw_primary(sample(false, "shop", 60), now - Duration::from_secs(2));
        assert_eq!(judged(&sample(true, "shop", 60)), READY);
        let lag = Duration::from_secs;
        assert_eq!(judged(&sample(true, "shop", 50)), Standing::InUse(lag(2)));
        let behind = Standing::Behind(Some(lag(11)));
        assert_eq!(judged(&sample(true, "shop", 49)), behind);
        assert_eq!(judged(&sample(true, "shop", 39)), Standing::Behind(None));
        assert_eq!(judged(&sample(true, "other", 60)), Standing::Foreign);
        assert_eq!(judged(&sample(false, "shop", 60)), Standing::Writable);
    }
}
