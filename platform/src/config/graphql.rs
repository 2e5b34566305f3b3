//! Limits on GraphQL requests.

use serde::{Deserialize, Serialize};

use super::value::within;

/// The section `graphql`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Graphql {
    /// Deepest nesting of fields.
    #[serde(deserialize_with = "within::<1, 100, _, _>")]
    pub max_depth: usize,
    /// Highest cost of an operation.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub max_complexity: usize,
    /// Most aliased fields in a request.
    #[serde(deserialize_with = "within::<0, 10_000, _, _>")]
    pub max_aliases: usize,
    /// Most directives in a request, all its fields together.
    #[serde(deserialize_with = "within::<0, 10_000, _, _>")]
    pub max_directives: usize,
    /// Most tokens in a request's document.
    #[serde(deserialize_with = "within::<10, 1_000_000, _, _>")]
    pub max_tokens: usize,
}
