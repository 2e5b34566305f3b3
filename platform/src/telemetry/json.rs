//! Writes an event as one flat JSON object: the fields of the spans around it (the request id, the job id) stand
//! beside its own, so that every collector can find them without knowing about spans.

use std::{
    error::Error,
    fmt::{self, Debug},
    iter,
};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Keys that only the formatter itself writes; a field of the same name gets an underscore at its end.
const RESERVED: [&str; 4] = ["timestamp", "level", "target", "service"];

/// The format of JSON lines.
pub(super) struct JsonLine {
    /// The program that logs.
    pub(super) service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(span_fields(ctx));
        event.record(&mut fields);
        let line: Map<_, _> = self.head(event)?.into_iter().chain(fields.0).collect();
        let line = serde_json::to_string(&line).map_err(|_impossible| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

impl JsonLine {
    fn head(&self, event: &Event<'_>) -> Result<Map<String, Value>, fmt::Error> {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        let head = [
            ("timestamp", timestamp.as_str()),
            ("level", metadata.level().as_str()),
            ("target", metadata.target()),
            ("service", self.service),
        ];
        Ok(head
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect())
    }
}

/// The fields of all spans around the event; an inner span wins over an outer one.
fn span_fields<S, N>(ctx: &FmtContext<'_, S, N>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut fields = Map::new();
    for span in ctx
        .event_scope()
        .into_iter()
        .flat_map(|scope| scope.from_root())
    {
        if let Some(formatted) = span.extensions().get::<FormattedFields<N>>() {
            let parsed: Map<String, Value> = serde_json::from_str(formatted).unwrap_or_default();
            fields.extend(
                parsed
                    .into_iter()
                    .map(|(key, value)| (free_key(&key), value)),
            );
        }
    }
    fields
}

fn free_key(key: &str) -> String {
    let key = key.strip_prefix("r#").unwrap_or(key);
    if RESERVED.contains(&key) {
        format!("{key}_")
    } else {
        key.to_owned()
    }
}

/// Collects the fields of an event.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(free_key(field.name()), value.into());
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    /// An error alone seldom tells enough: what caused it follows.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let chain = iter::successors(Some(value), |&error| error.source());
        let texts: Vec<_> = chain.map(ToString::to_string).collect();
        self.put(field, texts.join(": "));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}
