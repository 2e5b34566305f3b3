//! The fields of the schema's roots, as they are in its text.

use std::{collections::HashMap, sync::LazyLock};

use async_graphql::{
    Name, Positioned,
    parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    },
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
    let mut roots = None;
    let mut types = HashMap::new();
    for definition in parse_schema(sdl).map_or_else(|_| Vec::new(), |read| read.definitions) {
        match definition {
            TypeSystemDefinition::Schema(definition) => roots = Some(definition.node),
            TypeSystemDefinition::Type(definition) => {
                if let TypeKind::Object(object) = definition.node.kind {
                    types.insert(definition.node.name.node, object.fields);
                }
            }
            TypeSystemDefinition::Directive(_) => {}
        }
    }
    let Some(roots) = roots else {
        return RootFields::default();
    };
    let mut of = |root: Option<Positioned<Name>>| {
        let fields = root.and_then(|root| types.remove(&root.node));
        let fields = fields.into_iter().flatten();
        fields
            .map(|field| field.node.name.node.to_string())
            .collect()
    };
    RootFields {
        query: of(roots.query),
        mutation: of(roots.mutation),
        subscription: of(roots.subscription),
    }
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
