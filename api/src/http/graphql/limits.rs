//! Bounds one GraphQL document before it is executed: its size, its aliases and how many mutations it strings
//! together. (Depth, complexity and directives in relation to the schema are bounded by the schema's own
//! options.)

use async_graphql::{
    ServerError,
    parser::{
        parse_query,
        types::{
            DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
            SelectionSet,
        },
    },
};

use super::{
    super::{error::HttpError, reason::Reason},
    tokens,
};

/// Bounds of one GraphQL document.
#[derive(Clone, Debug)]
pub struct DocumentLimits {
    /// Tokens of the whole document.
    pub tokens: usize,
    /// Nested brackets of any kind.
    pub nesting: usize,
    /// Aliased fields in the whole document.
    pub aliases: usize,
    /// Directives in the whole document.
    pub directives: usize,
    /// Operations and fragments in the document.
    pub definitions: usize,
    /// Mutations that one request runs.
    pub mutations: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            tokens: 10_000,
            nesting: 60,
            aliases: 200,
            directives: 100,
            definitions: 200,
            mutations: 20,
        }
    }
}

/// What the operation that will run is. Every request that is executed carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Query,
    Mutation,
    Subscription,
    /// The document does not say which operation to run; executing it gives the right error.
    Unknown,
}

/// Parses a document that keeps the limits.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED` or `TOO_LARGE`, both about the document.
pub(super) fn parse(text: &str, limits: &DocumentLimits) -> Result<ExecutableDocument, HttpError> {
    let shape = tokens::measure(text);
    within(Reason::TooManyTokens, shape.tokens, limits.tokens)?;
    within(Reason::TooManyLevels, shape.nesting, limits.nesting)?;
    let document = parse_query(text).map_err(|error| unparsable(&error.into()))?;
    let counts = Counts::of(&document);
    within(Reason::TooManyAliases, counts.aliases, limits.aliases)?;
    within(
        Reason::TooManyDirectives,
        counts.directives,
        limits.directives,
    )?;
    within(
        Reason::TooManyDefinitions,
        counts.definitions,
        limits.definitions,
    )?;
    Ok(document)
}

fn unparsable(error: &ServerError) -> HttpError {
    let place = error
        .locations
        .first()
        .map(|at| format!(" (line {}, column {})", at.line, at.column));
    let message = format!("{}{}", error.message.trim(), place.unwrap_or_default());
    HttpError::new(Reason::DocumentUnparsable).with("error", message)
}

/// What the operation of this name is; `name` may be missing when there is only one.
///
/// # Errors
/// `TOO_LARGE` when it strings too many mutations together.
pub(super) fn kind(
    document: &ExecutableDocument,
    name: Option<&str>,
    limits: &DocumentLimits,
) -> Result<OperationKind, HttpError> {
    match selected(document, name) {
        Some(operation) => check_operation(document, operation, limits),
        None => Ok(OperationKind::Unknown),
    }
}

fn check_operation(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    limits: &DocumentLimits,
) -> Result<OperationKind, HttpError> {
    match operation.ty {
        OperationType::Query => Ok(OperationKind::Query),
        OperationType::Subscription => Ok(OperationKind::Subscription),
        OperationType::Mutation => {
            let mut room = limits.mutations;
            match take_root_fields(document, &operation.selection_set.node, &mut room) {
                Some(()) => Ok(OperationKind::Mutation),
                None => Err(too_many(Reason::TooManyMutations, limits.mutations)),
            }
        }
    }
}

fn within(reason: Reason, found: usize, limit: usize) -> Result<(), HttpError> {
    if found > limit {
        Err(too_many(reason, limit))
    } else {
        Ok(())
    }
}

fn too_many(reason: Reason, limit: usize) -> HttpError {
    HttpError::new(reason).with("max", limit)
}

/// The operation that the request means, `None` when it names none of several or one that is not there.
pub(in crate::http) fn selected<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => only,
        (DocumentOperations::Single(_), Some(_)) => return None,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name)?,
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values().next()?,
        (DocumentOperations::Multiple(_), None) => return None,
    };
    Some(&operation.node)
}

/// Takes one unit of room for every field at the top level, and for every fragment on the way to one: a
/// fragment that spreads itself runs out of room too. `None` when the room does not suffice.
fn take_root_fields(
    document: &ExecutableDocument,
    set: &SelectionSet,
    room: &mut usize,
) -> Option<()> {
    for selection in &set.items {
        *room = room.checked_sub(1)?;
        match &selection.node {
            Selection::Field(_) => {}
            Selection::InlineFragment(inline) => {
                take_root_fields(document, &inline.node.selection_set.node, room)?;
            }
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node);
                if let Some(fragment) = fragment {
                    take_root_fields(document, &fragment.node.selection_set.node, room)?;
                }
            }
        }
    }
    Some(())
}

#[derive(Default)]
struct Counts {
    aliases: usize,
    directives: usize,
    definitions: usize,
}

impl Counts {
    fn of(document: &ExecutableDocument) -> Self {
        let mut counts = Self::default();
        for (_, operation) in document.operations.iter() {
            counts.definitions += 1;
            counts.directives += operation.node.directives.len();
            counts.add(&operation.node.selection_set.node);
        }
        for fragment in document.fragments.values() {
            counts.definitions += 1;
            counts.directives += fragment.node.directives.len();
            counts.add(&fragment.node.selection_set.node);
        }
        counts
    }

    /// The depth of this recursion is bounded: the brackets were counted first.
    fn add(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            self.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.add(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.add(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> DocumentLimits {
        DocumentLimits {
            tokens: 100,
            nesting: 5,
            aliases: 2,
            directives: 2,
            definitions: 3,
            mutations: 3,
        }
    }

    fn check(query: &str, name: Option<&str>) -> Result<OperationKind, HttpError> {
        kind(&parse(query, &limits())?, name, &limits())
    }

    fn outcome(query: &str, name: Option<&str>) -> Result<OperationKind, Reason> {
        check(query, name).map_err(|error| error.reason())
    }

    #[test]
    fn the_selected_operation_is_named() {
        let both = "query A { a } mutation B { b } subscription C { c }";
        assert_eq!(outcome("{ a }", None), Ok(OperationKind::Query));
        assert_eq!(outcome("query A { a }", None), Ok(OperationKind::Query));
        assert_eq!(outcome(both, Some("B")), Ok(OperationKind::Mutation));
        assert_eq!(outcome(both, Some("C")), Ok(OperationKind::Subscription));
        assert_eq!(outcome(both, None), Ok(OperationKind::Unknown));
        assert_eq!(outcome(both, Some("D")), Ok(OperationKind::Unknown));
    }

    #[test]
    fn a_syntax_error_has_a_code_and_a_place() {
        let error = check("{ a", None).unwrap_err();
        assert_eq!(error.reason(), Reason::DocumentUnparsable);
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn each_limit_is_kept_and_named() {
        let fragments =
            "{ ...A } fragment A on T { a } fragment B on T { b } fragment C on T { c }";
        for (query, reason) in [
            (
                format!("{{ {} }}", "a ".repeat(99)).as_str(),
                Reason::TooManyTokens,
            ),
            ("{a{a{a{a{a{a}}}}}}", Reason::TooManyLevels),
            ("{ a: x b: x c: x }", Reason::TooManyAliases),
            ("{ a @x @y @z }", Reason::TooManyDirectives),
            (fragments, Reason::TooManyDefinitions),
            ("mutation { a b c d }", Reason::TooManyMutations),
        ] {
            assert_eq!(outcome(query, None), Err(reason), "{query}");
        }
    }

    #[test]
    fn limits_may_be_reached() {
        assert!(outcome(&format!("{{ {} }}", "a ".repeat(98)), None).is_ok());
        assert!(outcome("{a{a{a{a{a}}}}}", None).is_ok());
        assert!(outcome("mutation { a b c }", None).is_ok());
    }

    #[test]
    fn mutations_in_fragments_count_and_cycles_end() {
        for query in [
            "mutation { ...A ...A } fragment A on M { a b }",
            "mutation { ...A } fragment A on M { ...A }",
            "mutation { ... { a b c } }",
        ] {
            assert_eq!(
                outcome(query, None),
                Err(Reason::TooManyMutations),
                "{query}"
            );
        }
    }

    #[test]
    fn hostile_nesting_never_reaches_the_parser() {
        for open in ["{a", "[", "{a(x:["] {
            let refused = outcome(&open.repeat(100_000), None);
            assert_eq!(refused, Err(Reason::TooManyTokens), "{open}");
        }
    }
}
