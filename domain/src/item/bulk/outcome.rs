//! What becomes of many rows: which are done, and what is wrong with the others.

use std::collections::BTreeMap;

use entity::{id::ItemId, item_import::Policy};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Refusal, Result};

/// What became of many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkOutcome {
    /// The rows that are done, by their index, and their items.
    pub done: Vec<(usize, ItemId)>,
    /// What is wrong with the others; each path begins with `rows` and the index.
    pub refusals: Vec<Refusal>,
}

/// What is wrong with rows, by their index.
#[derive(Default)]
pub(super) struct Refused(Vec<(usize, Refusal)>);

impl Refused {
    /// Keeps the row's value, or remembers why there is none.
    ///
    /// # Errors
    /// What is no refusal.
    pub(super) fn take<T>(&mut self, row: usize, value: Result<T>) -> Result<Option<T>> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(refusals)) => {
                self.add(row, refusals);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Remembers what is wrong with a row.
    pub(super) fn add(&mut self, row: usize, refusals: impl IntoIterator<Item = Refusal>) {
        self.0
            .extend(refusals.into_iter().map(|refusal| (row, refusal)));
    }

    /// That of it which is about this field.
    pub(super) fn about(mut self, field: &str) -> Self {
        self.0
            .retain(|(_, refusal)| refusal.path.first().is_some_and(|first| first == field));
        self
    }

    /// Calls a field as it is called where the rows come from.
    pub(super) fn rename(&mut self, field: &str, name: &str) {
        let paths = self.0.iter_mut().map(|(_, refusal)| &mut refusal.path);
        for first in paths.filter_map(|path| path.first_mut()) {
            if first == field {
                name.clone_into(first);
            }
        }
    }

    /// This and that.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The rows with which something is wrong, in their order, and what.
    pub(super) fn by_row(self) -> Vec<(usize, Vec<Refusal>)> {
        let mut rows: BTreeMap<usize, Vec<Refusal>> = BTreeMap::new();
        for (row, refusal) in self.0 {
            rows.entry(row).or_default().push(refusal);
        }
        rows.into_iter().collect()
    }

    /// Whether it is so of something that is wrong.
    pub(super) fn any(&self, mut is_so: impl FnMut(usize, &Refusal) -> bool) -> bool {
        self.0.iter().any(|(row, refusal)| is_so(*row, refusal))
    }

    /// All of it in the order of the rows, when the others may be done all the same.
    ///
    /// # Errors
    /// All of it, when they may not.
    pub(super) fn judged(mut self, policy: Policy) -> Result<Vec<Refusal>> {
        self.0.sort_by_key(|(row, _)| *row);
        let refusals: Vec<_> = self
            .0
            .into_iter()
            .map(|(row, refusal)| refusal.in_row(row))
            .collect();
        match policy {
            Policy::RejectAll if !refusals.is_empty() => Err(Error::Refused(refusals)),
            Policy::RejectAll | Policy::RejectFailedRows => Ok(refusals),
        }
    }
}
