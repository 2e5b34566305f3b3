//! Lists in pages, after the Relay specification.

use async_graphql::{
    OutputType, SimpleObject,
    connection::{Connection, ConnectionNameType, Edge, EdgeNameType, EmptyFields},
};
use domain::page::{Page, PageArgs};

/// How many rows a list has.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct TotalCount {
    /// The number.
    pub count: u64,
    /// Whether it is exact: it is up to 10,000, and an estimate beyond.
    pub exact: bool,
}

impl From<domain::page::TotalCount> for TotalCount {
    fn from(domain::page::TotalCount { count, exact }: domain::page::TotalCount) -> Self {
        Self { count, exact }
    }
}

/// A page as clients see it.
pub fn connection<R, N, Fields, CN, EN>(
    page: Page<R>,
    fields: Fields,
    wrap: impl Fn(R) -> N,
) -> Connection<String, N, Fields, EmptyFields, CN, EN>
where
    N: OutputType,
    Fields: async_graphql::ObjectType,
    CN: ConnectionNameType,
    EN: EdgeNameType,
{
    let Page {
        edges,
        has_next,
        has_previous,
    } = page;
    let mut connection = Connection::with_additional_fields(has_previous, has_next, fields);
    connection.edges.extend(
        edges
            .into_iter()
            .map(|(cursor, row)| Edge::new(cursor, wrap(row))),
    );
    connection
}

/// Which page, as clients ask for it.
#[must_use]
pub fn args(
    first: Option<i32>,
    last: Option<i32>,
    after: Option<String>,
    before: Option<String>,
) -> PageArgs {
    PageArgs {
        first,
        last,
        after,
        before,
    }
}
