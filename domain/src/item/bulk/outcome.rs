//! What becomes of many rows: which are done, and what is wrong with the others.

use entity::{id::ItemId, item_import::Policy};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Refusal, Result},
    kept::Kept,
};

/// What became of many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// The rows that are done, by their index, and their items.
    pub done: Vec<(usize, ItemId)>,
    /// What is wrong with the others; each path begins with `rows` and the index.
    pub refusals: Vec<Refusal>,
}

/// The same as it is kept for whoever asks again.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptOutcome {
    done: Vec<(usize, ItemId)>,
    refusals: Vec<Kept>,
}

impl From<&BulkOutcome> for KeptOutcome {
    fn from(outcome: &BulkOutcome) -> Self {
        Self {
            done: outcome.done.clone(),
            refusals: outcome.refusals.iter().map(Kept::from).collect(),
        }
    }
}

impl From<KeptOutcome> for BulkOutcome {
    fn from(kept: KeptOutcome) -> Self {
        let refusals = kept.refusals.into_iter();
        Self {
            done: kept.done,
            refusals: refusals.filter_map(Kept::into_refusal).collect(),
        }
    }
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
