//! GraphQL operations, by their type and the field of the root that they ask for.

use std::{
    collections::HashMap,
    sync::OnceLock,
    time::{Duration, Instant},
};

use async_graphql::{
    Response, Value,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use platform::metrics::{
    Builder, Histogram, HistogramVec, IntCounter, IntCounterVec, MetricsError, SHORT,
};

use super::{HttpMetrics, RootFields};
use crate::http::graphql::limits::{OperationKind, selected};

/// Asks for several fields of the root that are not the same.
const SEVERAL: &str = "several";
/// Asks for a field that there is not, or for none.
const UNKNOWN: &str = "unknown";
/// What every schema has besides.
const INTROSPECTION: [&str; 3] = ["__schema", "__type", "__typename"];
/// Fragments that are followed on the way to the fields of the root, and fields that are looked at.
const STEPS_MAX: usize = 64;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With an answer; a mutation may have said in it why it did nothing.
    Answered,
    /// It is no operation of the schema, or asks for too much.
    Invalid,
    /// Whoever asked may not, or asked for what cannot be.
    Refused,
    /// It took too long, or whoever asked has gone.
    CutOff,
    /// Something that we need is away.
    Unavailable,
    /// Our fault.
    Failed,
}

impl Outcome {
    const ALL: [&'static str; 6] = [
        "answered",
        "invalid",
        "refused",
        "cut_off",
        "unavailable",
        "failed",
    ];

    fn index(self) -> usize {
        match self {
            Self::Answered => 0,
            Self::Invalid => 1,
            Self::Refused => 2,
            Self::CutOff => 3,
            Self::Unavailable => 4,
            Self::Failed => 5,
        }
    }

    /// What this answer says of it. Errors have their codes already (`result`).
    pub(crate) fn of(response: &Response, is_request_error: bool) -> Self {
        if is_request_error {
            return Self::Invalid;
        }
        let codes = response.errors.iter().map(|error| {
            let extensions = error.extensions.as_ref();
            match extensions.and_then(|extensions| extensions.get("code")) {
                Some(Value::String(code)) if code == "INTERNAL" => Self::Failed,
                Some(Value::String(code)) if code == "SERVICE_UNAVAILABLE" => Self::Unavailable,
                _ => Self::Refused,
            }
        });
        codes
            .max_by_key(|outcome| outcome.index())
            .unwrap_or(Self::Answered)
    }
}

/// What there is of one field.
struct Kept {
    kind: &'static str,
    name: String,
    counts: [OnceLock<IntCounter>; Outcome::ALL.len()],
    duration: OnceLock<Histogram>,
}

impl Kept {
    fn new(kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            counts: Default::default(),
            duration: OnceLock::new(),
        }
    }
}

/// Which field of the root an operation asks for: a place among those that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field(usize);

pub(in crate::http) struct Operations {
    total: IntCounterVec,
    duration: HistogramVec,
    kept: Vec<Kept>,
    places: [HashMap<String, usize>; 4],
}

/// The types that operations have; the last one is of those that cannot be told.
const KINDS: [&str; 4] = ["query", "mutation", "subscription", "unknown"];

fn index(kind: OperationKind) -> usize {
    match kind {
        OperationKind::Query => 0,
        OperationKind::Mutation => 1,
        OperationKind::Subscription => 2,
        OperationKind::Unknown => 3,
    }
}

impl Operations {
    pub(super) fn new(builder: &Builder, roots: RootFields) -> Result<Self, MetricsError> {
        let RootFields {
            query,
            mutation,
            subscription,
        } = roots;
        let (mut kept, mut places) = (Vec::new(), <[HashMap<String, usize>; 4]>::default());
        let named = [query, mutation, subscription, Vec::new()];
        for ((kind, names), places) in KINDS.into_iter().zip(named).zip(&mut places) {
            let always = INTROSPECTION.into_iter().chain([SEVERAL, UNKNOWN]);
            for name in names.iter().map(String::as_str).chain(always) {
                places.insert(name.to_owned(), kept.len());
                kept.push(Kept::new(kind, name));
            }
        }
        Ok(Self {
            total: builder.counters(
                "goldshop_graphql_operations_total",
                "Operations, by their type, the field of the root that they ask for, and how they ended; subscriptions when they begin.",
                &["type", "field", "outcome"],
            )?,
            duration: builder.histograms(
                "goldshop_graphql_operation_duration_seconds",
                "How long queries and mutations took to be executed, in seconds.",
                SHORT,
                &["type", "field"],
            )?,
            kept,
            places,
        })
    }

    /// The place of the field that the operation of this name asks for.
    pub(in crate::http) fn field(
        &self,
        document: &ExecutableDocument,
        name: Option<&str>,
        kind: OperationKind,
    ) -> Field {
        let asked = selected(document, name).map_or(Asked::Nothing, |operation| {
            let (mut asked, mut steps) = (Asked::Nothing, STEPS_MAX);
            look(
                document,
                &operation.selection_set.node,
                &mut steps,
                &mut asked,
            );
            asked
        });
        let name = match asked {
            Asked::Nothing => UNKNOWN,
            Asked::One(name) => name,
            Asked::Several => SEVERAL,
        };
        let Some(places) = self.places.get(index(kind)) else {
            return Field(0);
        };
        let place = places.get(name).or_else(|| places.get(UNKNOWN));
        Field(place.copied().unwrap_or_default())
    }

    /// The place of what cannot be told.
    pub(in crate::http) fn unknown(&self) -> Field {
        let places = self.places.get(index(OperationKind::Unknown));
        let place = places.and_then(|places| places.get(UNKNOWN));
        Field(place.copied().unwrap_or_default())
    }

    /// An operation has ended, or a subscription has begun.
    pub(in crate::http) fn ended(&self, field: Field, outcome: Outcome, took: Option<Duration>) {
        let Some(kept) = self.kept.get(field.0) else {
            return;
        };
        let index = outcome.index();
        if let (Some(count), Some(&outcome)) = (kept.counts.get(index), Outcome::ALL.get(index)) {
            count
                .get_or_init(|| {
                    self.total
                        .with_label_values(&[kept.kind, kept.name.as_str(), outcome])
                })
                .inc();
        }
        if let Some(took) = took {
            kept.duration
                .get_or_init(|| {
                    self.duration
                        .with_label_values(&[kept.kind, kept.name.as_str()])
                })
                .observe(took.as_secs_f64());
        }
    }
}

/// An operation that is being executed. Dropped before its end it was cut off, or has panicked.
pub(crate) struct Running {
    counts: HttpMetrics,
    field: Field,
    begun: Instant,
    is_over: bool,
}

impl Running {
    pub(super) fn new(counts: HttpMetrics, field: Field) -> Self {
        Self {
            counts,
            field,
            begun: Instant::now(),
            is_over: false,
        }
    }

    /// It has come to its end.
    pub(in crate::http) fn ended(mut self, outcome: Outcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Outcome) {
        self.is_over = true;
        self.counts
            .operations()
            .ended(self.field, outcome, Some(self.begun.elapsed()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.tell(if std::thread::panicking() {
            Outcome::Failed
        } else {
            Outcome::CutOff
        });
    }
}

/// The fields of the root that were met so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'a> {
    Nothing,
    One(&'a str),
    Several,
}

/// Follows fragments, which may spread themselves: no document has been validated here. What has more fields than can be looked at has several.
fn look<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    steps: &mut usize,
    asked: &mut Asked<'a>,
) {
    for selection in &set.items {
        let Some(left) = steps.checked_sub(1) else {
            *asked = Asked::Several;
            return;
        };
        *steps = left;
        match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                *asked = match *asked {
                    Asked::Nothing => Asked::One(name),
                    Asked::One(known) if known == name => Asked::One(name),
                    Asked::One(_) | Asked::Several => Asked::Several,
                };
            }
            Selection::InlineFragment(inline) => {
                look(document, &inline.node.selection_set.node, steps, asked);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = document.fragments.get(name) {
                    look(document, &fragment.node.selection_set.node, steps, asked);
                }
            }
        }
        if *asked == Asked::Several {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn operations(builder: &Builder) -> Operations {
        let roots = RootFields {
            query: vec!["item".to_owned(), "items".to_owned()],
            mutation: vec!["itemCreate".to_owned()],
            subscription: Vec::new(),
        };
        Operations::new(builder, roots).unwrap()
    }

    #[test]
    fn operations_are_told_apart_by_fields_of_the_schema_alone() {
        let builder = Builder::new("test").unwrap();
        let operations = operations(&builder);
        for (text, kind, name) in [
            ("{ item { id } }", OperationKind::Query, "item"),
            (
                "{ a: item { id } b: item { id } }",
                OperationKind::Query,
                "item",
            ),
            (
                "{ item { id } items { id } }",
                OperationKind::Query,
                SEVERAL,
            ),
            (
                "{ ...F } fragment F on Query { items { id } }",
                OperationKind::Query,
                "items",
            ),
            (
                "{ ...F } fragment F on Query { ...F }",
                OperationKind::Query,
                SEVERAL,
            ),
            ("{ hostile_1 }", OperationKind::Query, UNKNOWN),
            (
                "{ __schema { types { name } } }",
                OperationKind::Query,
                "__schema",
            ),
            (
                "mutation { itemCreate { id } }",
                OperationKind::Mutation,
                "itemCreate",
            ),
            ("mutation { item { id } }", OperationKind::Mutation, UNKNOWN),
        ] {
            let document = parse_query(text).unwrap();
            let field = operations.field(&document, None, kind);
            let kept = &operations.kept[field.0];
            assert_eq!(
                (kept.kind, kept.name.as_str()),
                (KINDS[index(kind)], name),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_field_has_a_series_once_it_was_asked_for() {
        let builder = Builder::new("test").unwrap();
        let operations = operations(&builder);
        let document = parse_query("{ items { id } }").unwrap();
        let field = operations.field(&document, None, OperationKind::Query);
        for _ in 0..2 {
            operations.ended(field, Outcome::Answered, Some(Duration::from_millis(3)));
        }
        let text = builder.finish().text().await.unwrap();
        let series = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
        assert!(text.contains(
            "goldshop_graphql_operations_total{field=\"items\",outcome=\"answered\",type=\"query\"} 2\n"
        ));
        assert_eq!(series("goldshop_graphql_operations_total{"), 1);
        assert_eq!(
            series("goldshop_graphql_operation_duration_seconds_count{"),
            1
        );
    }
}
