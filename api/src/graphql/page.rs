//! Lists in pages, after the Relay specification.

use std::borrow::Cow;

use async_graphql::{
    Object, ObjectType, OutputType, SimpleObject, TypeName,
    connection::{Edge, EmptyFields, PageInfo},
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

/// One page of a list: its rows, and what the list can tell besides.
pub struct Connection<N: OutputType, F: ObjectType = EmptyFields> {
    edges: Vec<Edge<String, N, EmptyFields>>,
    has_previous: bool,
    has_next: bool,
    list: F,
}

impl<N: OutputType, F: ObjectType> TypeName for Connection<N, F> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

/// One page of a list, after the Relay specification.
#[Object(name_type)]
impl<N: OutputType, F: ObjectType> Connection<N, F> {
    /// Which part of the list this is.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// The rows, each with its cursor.
    async fn edges(&self) -> &[Edge<String, N, EmptyFields>] {
        &self.edges
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    #[graphql(flatten)]
    async fn list(&self) -> &F {
        &self.list
    }
}

/// A page as clients see it.
pub fn connection<R, N: OutputType, F: ObjectType>(
    page: Page<R>,
    list: F,
    wrap: impl Fn(R) -> N,
) -> Connection<N, F> {
    let Page {
        edges,
        has_next,
        has_previous,
    } = page;
    let edges = edges
        .into_iter()
        .map(|(cursor, row)| Edge::new(cursor, wrap(row)))
        .collect();
    Connection {
        edges,
        has_previous,
        has_next,
        list,
    }
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
