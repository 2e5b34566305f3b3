//! A change to a field that may be empty: leave it, clear it, or set it.

use serde::{Deserialize, Serialize};

/// What an update says about one optional field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch<T> {
    /// Nothing: it stays as it is.
    #[default]
    Keep,
    /// It becomes empty.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The field after the change.
    pub fn apply(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Keep => present,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Turns the new value into another; none when there is none for it.
    pub fn and_then<U>(self, parse: impl FnOnce(T) -> Option<U>) -> Option<Patch<U>> {
        match self {
            Self::Keep => Some(Patch::Keep),
            Self::Clear => Some(Patch::Clear),
            Self::Set(value) => parse(value).map(Patch::Set),
        }
    }

    /// Turns the new value into another, which may be refused.
    ///
    /// # Errors
    /// What `parse` refuses.
    pub fn try_map<U, E>(self, parse: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(parse(value)?),
        })
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// Of something new: what is not given stays empty.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}
