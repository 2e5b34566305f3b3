//! Pages of what hangs below each row of a list, such as the variants of items: all rows ask for the same page of theirs, so that it takes
//! one statement for each page that the document asks for.

use std::{collections::HashMap, hash::Hash};

use async_graphql::{Lookahead, Value};
use domain::page::PageArgs;

/// A page of what hangs below a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageBelow<Id> {
    /// Below which row.
    pub parent: Id,
    /// How many at most.
    pub first: Option<i32>,
    /// Behind which cursor.
    pub after: Option<String>,
}

impl<Id> PageBelow<Id> {
    /// The pages of each of these rows that the field is asked for, under whatever aliases.
    ///
    /// # Errors
    /// When its arguments are none.
    pub fn selected(
        field: &Lookahead<'_>,
        parents: impl Iterator<Item = Id> + Clone,
    ) -> async_graphql::Result<Vec<Self>> {
        let mut keys = Vec::new();
        for field in field.selection_fields() {
            let arguments = field.arguments()?;
            let argument = |name: &str| {
                let mut named = arguments.iter().filter(|(own, _)| own == name);
                named.next().map(|(_, value)| value)
            };
            let first = match argument("first") {
                Some(Value::Number(first)) => {
                    first.as_i64().and_then(|first| i32::try_from(first).ok())
                }
                _ => None,
            };
            let after = match argument("after") {
                Some(Value::String(after)) => Some(after.clone()),
                _ => None,
            };
            keys.extend(parents.clone().map(|parent| Self {
                parent,
                first,
                after: after.clone(),
            }));
        }
        Ok(keys)
    }
}

/// The keys by the page that they ask for.
#[must_use]
pub fn alike<Id>(keys: &[PageBelow<Id>]) -> Vec<(PageArgs, Vec<&PageBelow<Id>>)> {
    let mut alike: HashMap<_, Vec<_>> = HashMap::new();
    for key in keys {
        alike.entry((key.first, &key.after)).or_default().push(key);
    }
    let pages = alike.into_iter().map(|((first, after), keys)| {
        let args = PageArgs {
            first,
            after: after.clone(),
            ..PageArgs::default()
        };
        (args, keys)
    });
    pages.collect()
}
