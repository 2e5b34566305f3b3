//! Requests, by the pattern of their route and the class of their status.

use std::{sync::OnceLock, time::Duration};

use platform::metrics::{
    Builder, Histogram, HistogramVec, IntCounter, IntCounterVec, MetricsError, SHORT,
};
use poem::http::StatusCode;

/// The routes that there are (`router`), and what has none.
const ROUTES: [&str; 11] = [
    "/api/graphql",
    "/api/playground/assets",
    "/api/health",
    "/api/health/detailed",
    "/api/health/readiness",
    "/api/health/liveness",
    "/api/files",
    "/api/metrics",
    "/media",
    "other",
    UNKNOWN,
];
/// What has no route.
const UNKNOWN: &str = "unknown";
/// A route that is named and not listed above: tests add some.
const OTHER: &str = "other";
/// Classes of statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What there is of one route.
#[derive(Default)]
struct Route {
    counts: [OnceLock<IntCounter>; CLASSES.len()],
    duration: OnceLock<Histogram>,
}

pub(in crate::http) struct Requests {
    total: IntCounterVec,
    duration: HistogramVec,
    routes: [Route; ROUTES.len()],
}

impl Requests {
    pub(super) fn new(builder: &Builder) -> Result<Self, MetricsError> {
        Ok(Self {
            total: builder.counters(
                "goldshop_http_requests_total",
                "Requests that were answered, by the pattern of their route and the class of the answer's status.",
                &["route", "status"],
            )?,
            duration: builder.histograms(
                "goldshop_http_request_duration_seconds",
                "How long requests took until their answer began, in seconds.",
                SHORT,
                &["route"],
            )?,
            routes: Default::default(),
        })
    }

    /// A request was answered.
    pub(in crate::http) fn answered(
        &self,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or(UNKNOWN);
        let known = ROUTES.iter().position(|known| *known == route);
        let Some(index) = known.or_else(|| ROUTES.iter().position(|known| *known == OTHER)) else {
            return;
        };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let (Some(kept), Some(&name)) = (self.routes.get(index), ROUTES.get(index)) else {
            return;
        };
        if let (Some(count), Some(&class)) = (kept.counts.get(class), CLASSES.get(class)) {
            count
                .get_or_init(|| self.total.with_label_values(&[name, class]))
                .inc();
        }
        kept.duration
            .get_or_init(|| self.duration.with_label_values(&[name]))
            .observe(took.as_secs_f64());
    }
}
