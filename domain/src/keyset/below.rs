//! What hangs below each of several rows, such as the lines of entries: the same page of each, in one statement.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Value};

use super::{Cursor, Order, one_more};
use crate::{
    error::Result,
    page::{Page, PageArgs, Window},
    sql::Sql,
};

/// What hangs below each of several rows.
pub(crate) struct Below<'a> {
    /// The ids of those rows.
    pub(crate) parents: Value,
    /// How many they are.
    pub(crate) count: usize,
    /// Selects what hangs below `w.parent`, up to the end of its condition.
    pub(crate) rows: &'a str,
    /// In which order.
    pub(crate) order: Order,
}

impl Below<'_> {
    /// The same page of each; only `first` and `after` count.
    pub(crate) async fn pages<R: FromQueryResult + Send + Sync>(
        self,
        db: &impl ConnectionTrait,
        args: &PageArgs,
        cursor: impl Fn(&R) -> Cursor,
    ) -> Result<Vec<Page<R>>> {
        let Self {
            parents,
            count,
            rows,
            order,
        } = self;
        let window = args.window()?;
        let after = args.after.as_deref();
        let after = after
            .map(|text| order.parse_cursor("after", text))
            .transpose()?;
        let mut sql = Sql::new("SELECT w.place, b.* FROM unnest(");
        sql.bind(parents)
            .push("::uuid[]) WITH ORDINALITY AS w (parent, place) CROSS JOIN LATERAL (")
            .push(rows);
        if let Some(after) = &after {
            sql.push(" AND ");
            order.push_beyond(&mut sql, after, false);
        }
        order.push_order_by(&mut sql, false);
        sql.push(" LIMIT ")
            .bind(one_more(&window))
            .push(") b ORDER BY w.place");
        order.push_then_by(&mut sql, "b.");
        let found = Placed::<R>::find_by_statement(sql.build()).all(db).await?;
        let empty = || Page {
            has_previous: after.is_some(),
            ..Page::default()
        };
        Ok(Placed::dealt(found, count, &window, empty, cursor))
    }
}

/// A row, and for which of several pages it was read: from 1, in its column `place`.
pub(crate) struct Placed<R> {
    place: i64,
    row: R,
}

impl<R: FromQueryResult> FromQueryResult for Placed<R> {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            place: row.try_get(prefix, "place")?,
            row: R::from_query_result(row, prefix)?,
        })
    }
}

impl<R> Placed<R> {
    /// So many pages, each with its rows; one row more than a page takes tells that its list goes on.
    pub(crate) fn dealt(
        rows: Vec<Self>,
        count: usize,
        window: &Window,
        empty: impl Fn() -> Page<R>,
        cursor: impl Fn(&R) -> Cursor,
    ) -> Vec<Page<R>> {
        let mut pages: Vec<_> = (0..count).map(|_| empty()).collect();
        for Self { place, row } in rows {
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            let Some(page) = pages.get_mut(place) else {
                continue;
            };
            if page.edges.len() == window.rows() {
                page.has_next = true;
            } else {
                page.edges.push((cursor(&row).encode(), row));
            }
        }
        pages
    }
}
