//! PostgreSQL's `ltree`: the path from the root of a tree to a row.

use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// A path of dot-separated labels, root first, the row's own label last.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType,
)]
#[serde(transparent)]
pub struct Ltree(pub String);

impl Ltree {
    /// How many ancestors the row has: 0 for a root.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.matches('.').count()
    }

    /// Whether `self` is `other` or lies somewhere below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&other.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Ltree;

    #[test]
    fn a_path_lies_within_itself_and_its_ancestors_only() {
        let path = |text: &str| Ltree(text.into());
        assert!(path("1.20.3").is_within(&path("1.20")));
        assert!(path("1.20").is_within(&path("1.20")));
        assert!(!path("1.20").is_within(&path("1.2")));
        assert!(!path("1").is_within(&path("1.20")));
        assert_eq!(path("1.20.3").depth(), 2);
    }
}
