//! How much a document asks for, by its text alone. What it costs depends on the schema and on variables, and is bounded there.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// How many fields the document selects, each of its fragments counted once, and how deep its braces nest.
pub(super) fn of(document: &ExecutableDocument) -> (usize, usize) {
    let operations = document.operations.iter();
    let operations = operations.map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values();
    let fragments = fragments.map(|fragment| &fragment.node.selection_set.node);
    let (mut fields, mut deepest) = (0, 0);
    for set in operations.chain(fragments) {
        add(set, 1, &mut fields, &mut deepest);
    }
    (fields, deepest)
}

/// The depth of this recursion is bounded: no document is parsed whose brackets nest too deep.
fn add(set: &SelectionSet, depth: usize, fields: &mut usize, deepest: &mut usize) {
    if set.items.is_empty() {
        return;
    }
    *deepest = depth.max(*deepest);
    for selection in &set.items {
        let below = match &selection.node {
            Selection::Field(field) => {
                *fields += 1;
                &field.node.selection_set.node
            }
            Selection::InlineFragment(inline) => &inline.node.selection_set.node,
            Selection::FragmentSpread(_) => continue,
        };
        add(below, depth + 1, fields, deepest);
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::of;

    #[test]
    fn fields_and_braces_are_counted() {
        for (text, extent) in [
            ("{ a }", (1, 1)),
            ("{ a { b c } }", (3, 2)),
            (
                "{ a { ...F ... on B { c } } } fragment F on B { d { e { f } } }",
                (5, 3),
            ),
        ] {
            assert_eq!(of(&parse_query(text).unwrap()), extent, "{text}");
        }
    }
}
