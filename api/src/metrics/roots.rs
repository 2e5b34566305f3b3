//! The fields of the schema's roots, as they are in its text.

use std::sync::LazyLock;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

use crate::{graphql::schema::sdl, http::RootFields};

/// Read once: writing the schema down and parsing it takes some hundredths of a second.
static ROOTS: LazyLock<RootFields> = LazyLock::new(|| read(&sdl()));

/// The fields of the schema that is served.
pub(super) fn of_schema() -> RootFields {
    ROOTS.clone()
}

/// A text that is no schema has no fields; that ours has is tested.
fn read(sdl: &str) -> RootFields {
    let mut roots = RootFields::default();
    let Ok(document) = parse_schema(sdl) else {
        return roots;
    };
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let TypeKind::Object(object) = definition.node.kind else {
            continue;
        };
        let names = object.fields.into_iter();
        let names = names.map(|field| field.node.name.node.to_string());
        match definition.node.name.node.as_str() {
            "Query" => roots.query.extend(names),
            "Mutation" => roots.mutation.extend(names),
            "Subscription" => roots.subscription.extend(names),
            _ => {}
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::of_schema;

    #[test]
    fn the_fields_of_the_roots_are_found() {
        let roots = of_schema();
        assert!(roots.query.iter().any(|name| name == "items"));
        assert!(roots.mutation.iter().any(|name| name == "itemCreate"));
        assert!(!roots.subscription.is_empty());
        assert!(roots.query.len() > 50 && roots.mutation.len() > 50);
    }
}
