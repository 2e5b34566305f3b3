//! What the program takes of the machine, under the names that Prometheus' own libraries use for it.

use std::time::Duration;

use domain::clock::{Clock as _, SystemClock};
use procfs::process::Process;

use super::{Builder, Counter, IntGauge, MetricsError, Opts};

/// What is set when somebody looks.
#[derive(Clone)]
struct Meters {
    cpu: Counter,
    resident: IntGauge,
    files: IntGauge,
    threads: IntGauge,
}

/// Adds the process to what is told of.
pub(super) fn register(builder: &mut Builder) -> Result<(), MetricsError> {
    let cpu = Counter::with_opts(Opts::new(
        "process_cpu_seconds_total",
        "Processor time that the program has used, in seconds.",
    ))?;
    builder.register(&cpu)?;
    let started = builder.gauge(
        "process_start_time_seconds",
        "When the program began, in seconds since 1970.",
    )?;
    started.set(SystemClock.now().timestamp());
    let meters = Meters {
        cpu,
        resident: builder.gauge(
            "process_resident_memory_bytes",
            "Memory that the program has in the machine, in bytes.",
        )?,
        files: builder.gauge("process_open_fds", "Files and sockets that are open.")?,
        threads: builder.gauge("process_threads", "Threads of the program.")?,
    };
    builder.look("process", move || {
        let meters = meters.clone();
        async move { meters.look().is_some() }
    })
}

impl Meters {
    fn look(&self) -> Option<()> {
        let process = Process::myself().ok()?;
        let stat = process.stat().ok()?;
        let ticks = stat.utime.saturating_add(stat.stime);
        let millis = ticks
            .saturating_mul(1000)
            .checked_div(procfs::ticks_per_second())?;
        self.cpu.reset();
        self.cpu.inc_by(Duration::from_millis(millis).as_secs_f64());
        let resident = stat.rss.saturating_mul(procfs::page_size());
        self.resident.set(i64::try_from(resident).ok()?);
        self.files
            .set(i64::try_from(process.fd_count().ok()?).ok()?);
        self.threads.set(stat.num_threads);
        Some(())
    }
}
