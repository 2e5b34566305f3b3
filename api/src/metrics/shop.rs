//! The shop as a whole: queues, the outbox and its figures, which each server tells of alike.
//!
//! However often somebody asks, queues are looked at every few seconds, and figures once a minute, at most; what takes long more seldom, so that
//! looking takes about a hundredth of the time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use domain::{
    Domain, Viewer,
    figures::{Business, Outbox},
    job::QueueStanding,
};
use platform::{
    metrics::{Builder, Gauge, GaugeVec, IntGauge, IntGaugeVec, MetricsError},
    presence::Presence,
};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use tokio::sync::Mutex;

/// How long what was seen of queues and the outbox will do.
const QUEUES_FRESH: Duration = Duration::from_secs(5);
/// How long figures will do.
const FIGURES_FRESH: Duration = Duration::from_secs(60);
/// How many times as long as a look has taken nobody looks again.
const REST: u32 = 100;
/// But no more than so many times as long as what was seen will do: what is away has to be noticed.
const REST_MAX: u32 = 10;

/// When it may be looked again, and whether the last look saw anything.
#[derive(Clone, Default)]
struct Rest(Arc<Mutex<Option<(Instant, bool)>>>);

impl Rest {
    /// Looks, unless somebody has lately. A look goes on when nobody waits for it any more, so that one that takes long comes to its end; one
    /// that fails is made again the next time.
    async fn unless_fresh(
        &self,
        fresh: Duration,
        look: impl Future<Output = bool> + Send + 'static,
    ) -> bool {
        let mut last = Arc::clone(&self.0).lock_owned().await;
        let begun = Instant::now();
        if let Some((until, seen)) = *last
            && begun < until
        {
            return seen;
        }
        let looking = tokio::spawn(async move {
            let seen = look.await;
            let rest = begun.elapsed().saturating_mul(REST);
            let rest = rest.clamp(fresh, fresh.saturating_mul(REST_MAX));
            *last = seen.then(|| (begun + rest, seen));
            seen
        });
        looking.await.unwrap_or(false)
    }
}

/// Adds the shop to what is told of.
pub(super) fn register(
    builder: &mut Builder,
    domain: &Domain,
    presence: &Presence,
) -> Result<(), MetricsError> {
    let workers = builder.gauge(
        "goldshop_workers_alive",
        "Workers that have given a sign of life lately.",
    )?;
    let presence = presence.clone();
    builder.look("workers", move || {
        let (presence, workers) = (presence.clone(), workers.clone());
        async move {
            let count = presence.count().await;
            workers.set(count.as_ref().map_or(0, |count| whole(*count)));
            count.is_ok()
        }
    })?;

    let (queues, rest, of) = (Queues::new(builder)?, Rest::default(), domain.clone());
    builder.look("queues", move || {
        let (queues, rest, domain) = (queues.clone(), rest.clone(), of.clone());
        async move {
            let look = async move { queues.look(&domain).await };
            rest.unless_fresh(QUEUES_FRESH, look).await
        }
    })?;

    let (figures, rest, of) = (Figures::new(builder)?, Rest::default(), domain.clone());
    builder.look("figures", move || {
        let (figures, rest, domain) = (figures.clone(), rest.clone(), of.clone());
        async move {
            let look = async move { figures.look(&domain).await };
            rest.unless_fresh(FIGURES_FRESH, look).await
        }
    })
}

fn viewer() -> Viewer {
    Viewer::system("metrics")
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How long ago it was, in whole seconds; 0 when there is nothing.
fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i64 {
    since.map_or(0, |since| (now - since).num_seconds().max(0))
}

/// Queues and the outbox.
#[derive(Clone)]
struct Queues {
    jobs: IntGaugeVec,
    oldest: IntGaugeVec,
    paused: IntGaugeVec,
    waiting: IntGaugeVec,
    lag: IntGaugeVec,
    position: IntGauge,
}

impl Queues {
    fn new(builder: &Builder) -> Result<Self, MetricsError> {
        Ok(Self {
            jobs: builder.gauges(
                "goldshop_queue_jobs",
                "Jobs that have not ended well, by their queue and state.",
                &["queue", "state"],
            )?,
            oldest: builder.gauges(
                "goldshop_queue_oldest_age_seconds",
                "For how long the job has been waiting that waits longest; 0 when none does.",
                &["queue"],
            )?,
            paused: builder.gauges(
                "goldshop_queue_paused",
                "Whether somebody has stopped the queue.",
                &["queue"],
            )?,
            waiting: builder.gauges(
                "goldshop_outbox_waiting",
                "What waits to be handed on: jobs to Redis, events for their position. No more than 10000 are counted.",
                &["kind"],
            )?,
            lag: builder.gauges(
                "goldshop_outbox_lag_seconds",
                "For how long the oldest of these has been waiting; 0 when nothing waits.",
                &["kind"],
            )?,
            position: builder.gauge(
                "goldshop_event_position",
                "The position of the newest event.",
            )?,
        })
    }

    async fn look(&self, domain: &Domain) -> bool {
        let viewer = viewer();
        let (jobs, figures) = (domain.jobs(), domain.figures());
        let (queues, outbox) = tokio::join!(jobs.queues(&viewer), figures.outbox(&viewer));
        match (queues, outbox) {
            (Ok(queues), Ok(outbox)) => {
                let now = domain.now();
                for queue in &queues {
                    self.see(queue, now);
                }
                self.see_outbox(&outbox, now);
                true
            }
            _ => false,
        }
    }

    fn see(&self, standing: &QueueStanding, now: DateTime<Utc>) {
        let queue = standing.queue.as_str();
        for (state, jobs) in [
            ("waiting", standing.waiting),
            ("running", standing.running),
            ("failed", standing.failed),
            ("dead", standing.dead),
        ] {
            self.jobs.with_label_values(&[queue, state]).set(jobs);
        }
        let oldest = self.oldest.with_label_values(&[queue]);
        oldest.set(age(standing.oldest_at, now));
        let paused = self.paused.with_label_values(&[queue]);
        paused.set(standing.paused_at.is_some().into());
    }

    fn see_outbox(&self, outbox: &Outbox, now: DateTime<Utc>) {
        for (kind, waiting, oldest) in [
            ("jobs", outbox.jobs_waiting, outbox.job_oldest_at),
            ("events", outbox.events_waiting, outbox.event_oldest_at),
        ] {
            self.waiting.with_label_values(&[kind]).set(waiting);
            self.lag.with_label_values(&[kind]).set(age(oldest, now));
        }
        self.position.set(outbox.event_position);
    }
}

/// The figures of the shop.
#[derive(Clone)]
struct Figures {
    stock_value: GaugeVec,
    to_recost: IntGauge,
    low_stock: IntGauge,
    reservations: IntGauge,
    journal_entries: IntGauge,
    stock_entry: IntGauge,
    took: Gauge,
}

impl Figures {
    fn new(builder: &Builder) -> Result<Self, MetricsError> {
        Ok(Self {
            stock_value: builder.fractions(
                "goldshop_stock_value",
                "What all stock has cost, in this currency.",
                &["currency"],
            )?,
            to_recost: builder.gauge(
                "goldshop_stock_items_to_recost",
                "Items whose cost is to be computed anew.",
            )?,
            low_stock: builder.gauge(
                "goldshop_stock_low_items",
                "Items of which no more is available than their reorder point. No more than 10000 are counted.",
            )?,
            reservations: builder.gauge(
                "goldshop_stock_reservations_expiring",
                "Reservations that hold something and will run out.",
            )?,
            journal_entries: builder.gauge(
                "goldshop_journal_entries",
                "Entries of the books, in all fiscal years.",
            )?,
            stock_entry: builder.gauge(
                "goldshop_stock_entry_number",
                "The number of the newest entry of stock.",
            )?,
            took: builder.fraction(
                "goldshop_figures_duration_seconds",
                "How long it took to read the figures of the shop the last time, in seconds.",
            )?,
        })
    }

    async fn look(&self, domain: &Domain) -> bool {
        let begun = Instant::now();
        let Ok(business) = domain.figures().business(&viewer()).await else {
            return false;
        };
        self.see(&business);
        self.took.set(begun.elapsed().as_secs_f64());
        true
    }

    fn see(&self, business: &Business) {
        let Business {
            currency,
            stock_value,
            to_recost,
            low_stock,
            reservations,
            journal_entries,
            stock_entry,
        } = business;
        // The shop has one currency at a time.
        self.stock_value.reset();
        if let (Some(currency), Some(value)) = (currency, shown(*stock_value)) {
            self.stock_value.with_label_values(&[currency]).set(value);
        }
        self.to_recost.set(*to_recost);
        self.low_stock.set(*low_stock);
        self.reservations.set(*reservations);
        self.journal_entries.set(*journal_entries);
        self.stock_entry.set(*stock_entry);
    }
}

/// Prometheus knows no numbers but these. Nothing is computed with it: it is shown.
fn shown(value: Decimal) -> Option<f64> {
    value.to_f64()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn nobody_looks_again_at_once_unless_the_look_has_failed() {
        let (rest, looks) = (Rest::default(), Arc::new(AtomicUsize::new(0)));
        let look = |seen: bool| {
            let looks = Arc::clone(&looks);
            async move {
                looks.fetch_add(1, Ordering::SeqCst);
                seen
            }
        };
        let fresh = Duration::from_secs(600);
        assert!(!rest.unless_fresh(fresh, look(false)).await);
        assert!(rest.unless_fresh(fresh, look(true)).await);
        for _ in 0..50 {
            assert!(rest.unless_fresh(fresh, look(false)).await);
        }
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn an_age_is_never_less_than_nothing() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let later = now + chrono::TimeDelta::seconds(7);
        assert_eq!(age(None, now), 0);
        assert_eq!(age(Some(now), later), 7);
        assert_eq!(age(Some(later), now), 0);
    }
}
