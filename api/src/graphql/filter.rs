//! Conditions that the filters of several lists are made of.

use async_graphql::InputObject;
use domain::filter::TextFilter;

/// A condition on a text. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StringFilter {
    /// Equal.
    eq: Option<String>,
    /// Equal to one of these. An empty list matches nothing.
    r#in: Option<Vec<String>>,
    /// Anywhere inside, whatever the case.
    contains: Option<String>,
    /// At the beginning.
    starts_with: Option<String>,
    /// Missing, or not.
    is_null: Option<bool>,
}

impl From<StringFilter> for TextFilter {
    fn from(
        StringFilter {
            eq,
            r#in,
            contains,
            starts_with,
            is_null,
        }: StringFilter,
    ) -> Self {
        Self {
            eq,
            any_of: r#in,
            contains,
            starts_with,
            is_null,
        }
    }
}
