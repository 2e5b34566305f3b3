//! How long PostgreSQL and Redis take, as every program counts it.

use std::time::Duration;

use domain::observe::{Observer, Pool};

use super::{Builder, MetricsError, SHORT};
use crate::redis::Meter;

/// Whom the domain tells of its statements.
///
/// # Errors
/// When it was added before: a fault of the program.
pub fn statements(builder: &Builder) -> Result<Observer, MetricsError> {
    let durations = builder.histograms(
        "goldshop_sql_statement_duration_seconds",
        "How long PostgreSQL took for statements, the way there and back included, in seconds.",
        SHORT,
        &["pool"],
    )?;
    let failures = builder.counters(
        "goldshop_sql_statements_failed_total",
        "Statements that failed, broken constraints included.",
        &["pool"],
    )?;
    let of = |pool: Pool| {
        let labels = [pool.as_str()];
        Ok::<_, MetricsError>((
            durations.get_metric_with_label_values(&labels)?,
            failures.get_metric_with_label_values(&labels)?,
        ))
    };
    let (reads, replicas, writes) = (of(Pool::Reads)?, of(Pool::Replicas)?, of(Pool::Writes)?);
    Ok(Observer::new(move |pool, took: Duration, failed| {
        let (duration, failures) = match pool {
            Pool::Reads => &reads,
            Pool::Replicas => &replicas,
            Pool::Writes => &writes,
        };
        duration.observe(took.as_secs_f64());
        if failed {
            failures.inc();
        }
    }))
}

/// Where commands to Redis are counted; those of the queue of jobs have connections of their own, and are not.
///
/// # Errors
/// When it was added before: a fault of the program.
pub fn commands(builder: &Builder) -> Result<Meter, MetricsError> {
    Ok(Meter {
        duration: builder.histogram(
            "goldshop_redis_command_duration_seconds",
            "How long commands and scripts took in Redis, waiting for a connection included, in seconds; without those of the queue of jobs.",
            SHORT,
        )?,
        failed: builder.counter(
            "goldshop_redis_commands_failed_total",
            "Commands and scripts that Redis did not carry out; without those of the queue of jobs.",
        )?,
    })
}
