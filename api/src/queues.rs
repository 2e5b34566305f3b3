//! Tells subscriptions how the queues of jobs stand.
//!
//! Whoever listens looks once a second; of many who listen at once in this process, one looks for all of them, and when nobody listens nobody
//! does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{Domain, Permission, Result, Viewer, job::QueueStanding};
use futures_util::{Stream, stream};
use platform::presence::{Presence, Sign};
use tokio::{sync::Mutex, time::MissedTickBehavior};

/// How often a subscription looks.
const EVERY: Duration = Duration::from_secs(1);
/// How long what one has seen will do for others.
const FRESH: Duration = Duration::from_millis(900);

/// All queues at one moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// By name.
    pub queues: Vec<QueueStanding>,
    /// The workers that are at work; none when Redis does not answer.
    pub workers: Option<Vec<Sign>>,
}

impl Standing {
    /// Whether anything has changed that people want to hear of. That a worker has given another sign of life is nothing new.
    fn is_like(&self, other: &Self) -> bool {
        fn names(workers: Option<&Vec<Sign>>) -> Option<Vec<&str>> {
            let names = workers?.iter().map(|sign| sign.worker.as_str());
            Some(names.collect())
        }
        self.queues == other.queues && names(self.workers.as_ref()) == names(other.workers.as_ref())
    }
}

/// How queues stand, for all subscriptions of this process. Clones share what was seen last.
#[derive(Clone, Debug)]
pub struct QueueWatch {
    domain: Domain,
    presence: Presence,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// What was seen last, and when.
type Seen = (Instant, Arc<Standing>);

impl QueueWatch {
    /// Nobody has looked yet.
    #[must_use]
    pub fn new(domain: Domain, presence: Presence) -> Self {
        Self {
            domain,
            presence,
            seen: Arc::default(),
        }
    }

    /// How queues stand now, and whenever something has changed.
    ///
    /// # Errors
    /// When the viewer may not see jobs.
    pub fn changes(
        &self,
        viewer: &Viewer,
    ) -> Result<impl Stream<Item = Result<Arc<Standing>>> + use<>> {
        viewer.require(Permission::JobRead)?;
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let listener = (self.clone(), every, None::<Arc<Standing>>);
        Ok(stream::unfold(
            listener,
            |(watch, mut every, told)| async move {
                loop {
                    every.tick().await;
                    match watch.standing().await {
                        Ok(standing)
                            if told.as_ref().is_some_and(|told| told.is_like(&standing)) => {}
                        Ok(standing) => {
                            let told = Some(Arc::clone(&standing));
                            return Some((Ok(standing), (watch, every, told)));
                        }
                        Err(error) => return Some((Err(error), (watch, every, told))),
                    }
                }
            },
        ))
    }

    /// As it was a moment ago, if somebody has looked then. Whoever comes while somebody looks waits for what that one sees.
    async fn standing(&self) -> Result<Arc<Standing>> {
        let mut seen = self.seen.lock().await;
        if let Some((_, standing)) = seen.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(standing));
        }
        let viewer = Viewer::system("queues");
        let standing = Arc::new(Standing {
            queues: self.domain.jobs().queues(&viewer).await?,
            workers: self.presence.list().await.ok(),
        });
        *seen = Some((Instant::now(), Arc::clone(&standing)));
        Ok(standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(waiting: i64, at_millis: i64, worker: &str) -> Standing {
        let queue = QueueStanding {
            queue: "codes".to_owned(),
            waiting,
            running: 0,
            failed: 0,
            dead: 0,
            oldest_at: None,
            succeeded_minute: 0,
            succeeded_hour: 0,
            died_minute: 0,
            died_hour: 0,
            paused_at: None,
            paused_by: None,
            paused_because: None,
        };
        Standing {
            queues: vec![queue],
            workers: Some(vec![Sign {
                worker: worker.to_owned(),
                at_millis,
            }]),
        }
    }

    #[test]
    fn a_sign_of_life_is_nothing_new_and_a_worker_that_goes_is() {
        let before = standing(1, 1, "one");
        assert!(before.is_like(&standing(1, 2, "one")));
        assert!(!before.is_like(&standing(2, 1, "one")));
        assert!(!before.is_like(&standing(1, 1, "two")));
        let unknown = Standing {
            workers: None,
            ..standing(1, 1, "one")
        };
        assert!(!before.is_like(&unknown));
    }
}
