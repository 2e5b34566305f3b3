//! Connections to PostgreSQL and Redis, as they stand when somebody asks. Neither is asked for it.

use domain::{Domain, observe::PoolStanding};
use platform::{
    metrics::{Builder, CounterVec, IntCounterVec, IntGaugeVec, MetricsError, Opts},
    redis::Redis,
};

#[derive(Clone)]
struct Meters {
    max: IntGaugeVec,
    connections: IntGaugeVec,
    redis: IntGaugeVec,
    acquired: IntCounterVec,
    waited: CounterVec,
}

/// Adds the pools to what is told of.
pub(super) fn register(
    builder: &mut Builder,
    domain: &Domain,
    redis: &Redis,
) -> Result<(), MetricsError> {
    let waited = Opts::new(
        "goldshop_sql_acquire_seconds_total",
        "How long all who had to wait for a connection to PostgreSQL have waited, in seconds; of reads alone.",
    );
    let waited = CounterVec::new(waited, &["pool"])?;
    builder.register(&waited)?;
    let meters = Meters {
        max: builder.gauges(
            "goldshop_sql_connections_max",
            "Connections to PostgreSQL that a pool may have.",
            &["pool"],
        )?,
        connections: builder.gauges(
            "goldshop_sql_connections",
            "Connections to PostgreSQL that a pool has, by whether they are in use.",
            &["pool", "state"],
        )?,
        redis: builder.gauges(
            "goldshop_redis_connections",
            "Connections to Redis, by whether they are in use.",
            &["state"],
        )?,
        acquired: builder.counters(
            "goldshop_sql_acquires_total",
            "Connections to PostgreSQL that were asked for: there at once (direct), after a wait (waited), or not in time (timed_out); of reads alone.",
            &["pool", "outcome"],
        )?,
        waited,
    };
    let (domain, redis) = (domain.clone(), redis.clone());
    builder.look("pools", move || {
        for pool in domain.pools() {
            meters.see(&pool);
        }
        let standing = redis.standing();
        let used = standing.open.saturating_sub(standing.idle);
        meters
            .redis
            .with_label_values(&["idle"])
            .set(standing.idle.into());
        meters.redis.with_label_values(&["used"]).set(used.into());
        async { true }
    })
}

impl Meters {
    fn see(&self, standing: &PoolStanding) {
        let PoolStanding {
            pool,
            max,
            open,
            idle,
            waits,
        } = *standing;
        let pool = pool.as_str();
        self.max.with_label_values(&[pool]).set(max.into());
        let used = open.saturating_sub(idle);
        for (state, connections) in [("idle", idle), ("used", used)] {
            let gauge = self.connections.with_label_values(&[pool, state]);
            gauge.set(connections.into());
        }
        let Some(waits) = waits else { return };
        for (outcome, count) in [
            ("direct", waits.direct),
            ("waited", waits.waited),
            ("timed_out", waits.timed_out),
        ] {
            // The pool counts by itself; one look at a time sets what it has counted.
            let counter = self.acquired.with_label_values(&[pool, outcome]);
            counter.reset();
            counter.inc_by(count);
        }
        let waited = self.waited.with_label_values(&[pool]);
        waited.reset();
        waited.inc_by(waits.time.as_secs_f64());
    }
}
