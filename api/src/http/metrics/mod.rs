//! What the HTTP layer counts: requests by route, operations by the field of the root that they ask for, and what is open.
//!
//! Nothing that a client chooses becomes a label: routes are those of the table, fields those of the schema. Each has a place of its own that
//! is found without a lock, and a series only once it has been asked for.

mod extent;
mod operations;
mod page;
mod requests;

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use platform::metrics::{Builder, Histogram, IntCounter, IntCounterVec, IntGauge, MetricsError};

use self::{operations::Operations, requests::Requests};
pub(crate) use self::{
    operations::{Field, Outcome, Running},
    page::MetricsPage,
};

/// Bounds of how many fields a document selects.
const FIELDS: &[f64] = &[1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];
/// Bounds of how deep its braces nest.
const DEPTHS: &[f64] = &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 60.0];

/// The names of the fields of the three roots: all that operations are told apart by.
#[derive(Clone, Debug, Default)]
pub struct RootFields {
    /// Of queries.
    pub query: Vec<String>,
    /// Of mutations.
    pub mutation: Vec<String>,
    /// Of subscriptions.
    pub subscription: Vec<String>,
}

/// What the HTTP layer counts. Clones share it.
#[derive(Clone)]
pub struct HttpMetrics(Arc<Parts>);

struct Parts {
    requests: Requests,
    operations: Operations,
    fields: Histogram,
    depth: Histogram,
    websockets: IntGauge,
    event_streams: IntGauge,
    subscriptions: IntGauge,
    known_documents: IntCounter,
    new_documents: IntCounter,
}

impl HttpMetrics {
    /// Nothing has happened yet. `lookups` counts what caches have, by `cache` and `outcome`.
    ///
    /// # Errors
    /// When a name is taken: a fault of the program.
    pub fn new(
        builder: &Builder,
        roots: RootFields,
        lookups: &IntCounterVec,
    ) -> Result<Self, MetricsError> {
        let lookup = |outcome: &str| lookups.get_metric_with_label_values(&["documents", outcome]);
        Ok(Self(Arc::new(Parts {
            requests: Requests::new(builder)?,
            operations: Operations::new(builder, roots)?,
            fields: builder.histogram(
                "goldshop_graphql_document_fields",
                "Fields that a document selects, each of its fragments counted once; of documents that were parsed.",
                FIELDS,
            )?,
            depth: builder.histogram(
                "goldshop_graphql_document_depth",
                "How deep the braces of a document nest; of documents that were parsed.",
                DEPTHS,
            )?,
            websockets: builder.gauge("goldshop_websockets_open", "WebSockets that are open.")?,
            event_streams: builder.gauge(
                "goldshop_event_streams_open",
                "Event streams that are open, each with one subscription.",
            )?,
            subscriptions: builder.gauge(
                "goldshop_subscriptions_open",
                "Subscriptions that are open, over WebSockets and as event streams.",
            )?,
            known_documents: lookup("hit")?,
            new_documents: lookup("miss")?,
        })))
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    pub(super) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// A document came that is remembered.
    pub(super) fn document_known(&self) {
        self.0.known_documents.inc();
    }

    /// A document was parsed.
    pub(super) fn document_parsed(&self, document: &ExecutableDocument) {
        self.0.new_documents.inc();
        let (fields, depth) = extent::of(document);
        for (histogram, value) in [(&self.0.fields, fields), (&self.0.depth, depth)] {
            histogram.observe(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
        }
    }

    /// An operation that asks for this field begins.
    pub(super) fn begin(&self, field: Field) -> Running {
        Running::new(self.clone(), field)
    }

    /// A WebSocket is open as long as this is there.
    pub(super) fn websocket(&self) -> Open {
        Open::new(&self.0.websockets)
    }

    /// An event stream is open as long as this is there.
    pub(super) fn event_stream(&self) -> Open {
        Open::new(&self.0.event_streams)
    }

    /// A subscription is open as long as this is there.
    pub(super) fn subscription(&self) -> Open {
        Open::new(&self.0.subscriptions)
    }
}

/// Something that is open until this is dropped.
pub(crate) struct Open(IntGauge);

impl Open {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl std::fmt::Debug for HttpMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpMetrics")
    }
}
