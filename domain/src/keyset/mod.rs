//! Keyset pagination: a page begins where the last one ended, however far into the list that is.
//!
//! A list is ordered by some columns and, for a total order, by the row's id. A cursor holds the values of those columns in the row
//! it points to; the next page is what compares greater. No `OFFSET`, so the thousandth page costs as much as the first.

mod order;

use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};

pub use order::{Column, Cursor, Order, Term};

use crate::{
    error::Result,
    page::{Page, PageArgs, Window},
    sql::Sql,
};

/// A list to take pages from.
pub(crate) struct List<'a, R> {
    /// What to select.
    pub(crate) columns: &'a str,
    /// From where, joins included.
    pub(crate) from: &'a str,
    /// In which order.
    pub(crate) order: Order,
    /// Appends the condition that a row belongs to the list.
    pub(crate) filter: &'a (dyn Fn(&mut Sql) + Sync),
    /// The row's place in the order.
    pub(crate) cursor: &'a (dyn Fn(&R) -> Cursor + Sync),
}

/// The two ends of a page that the client has named.
struct Bounds {
    after: Option<Cursor>,
    before: Option<Cursor>,
}

/// Whether the list has rows outside the bounds.
#[derive(Clone, Copy, Default)]
struct Outside {
    in_front: bool,
    behind: bool,
}

impl<R: FromQueryResult> List<'_, R> {
    /// A page, in one statement: two when it is empty and a cursor was given.
    pub(crate) async fn page(&self, db: &impl ConnectionTrait, args: &PageArgs) -> Result<Page<R>> {
        let window = args.window()?;
        let bounds = self.bounds(args)?;
        let found = db
            .query_all_raw(self.select(&bounds, &window).build())
            .await?;
        let outside = match found.first() {
            Some(row) => outside(row)?,
            None => self.outside(db, &bounds).await?,
        };
        let rows = found
            .iter()
            .map(|row| R::from_query_result(row, ""))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.cut(rows, &window, outside))
    }

    fn bounds(&self, args: &PageArgs) -> Result<Bounds> {
        let parse = |path, text: &Option<String>| {
            text.as_deref()
                .map(|text| self.order.parse_cursor(path, text))
                .transpose()
        };
        Ok(Bounds {
            after: parse("after", &args.after)?,
            before: parse("before", &args.before)?,
        })
    }

    /// One row more than asked for tells whether the list goes on.
    fn select(&self, bounds: &Bounds, window: &Window) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(self.columns).push(", ");
        self.push_outside(&mut sql, bounds);
        sql.push(" FROM ").push(self.from).push(" WHERE ");
        (self.filter)(&mut sql);
        for (cursor, in_front) in [(&bounds.after, false), (&bounds.before, true)] {
            if let Some(cursor) = cursor {
                sql.push(" AND ");
                self.order.push_beyond(&mut sql, cursor, in_front);
            }
        }
        self.order.push_order_by(&mut sql, window.backward);
        sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
        sql
    }

    /// Two columns that do not depend on the row: PostgreSQL computes them once.
    fn push_outside(&self, sql: &mut Sql, bounds: &Bounds) {
        self.push_is_any(sql, bounds.after.as_ref(), true);
        sql.push(" AS outside_in_front, ");
        self.push_is_any(sql, bounds.before.as_ref(), false);
        sql.push(" AS outside_behind");
    }

    /// Whether a row is at the cursor or beyond it. The row at the cursor is nearly always still there, and costs one probe of an index;
    /// only when it is gone the other question is asked.
    ///
    /// The row at the cursor is looked for first: it is nearly always there, and then the second probe is not executed. That one takes
    /// the nearest row of the list's order, so that it descends the index and never scans for a row that is not there; `EXISTS` would
    /// ignore the order.
    fn push_is_any(&self, sql: &mut Sql, cursor: Option<&Cursor>, in_front: bool) {
        let Some(cursor) = cursor else {
            sql.push("false");
            return;
        };
        sql.push("(EXISTS (SELECT FROM ")
            .push(self.from)
            .push(" WHERE ");
        (self.filter)(sql);
        sql.push(" AND ");
        self.order.push_is_at(sql, cursor);
        sql.push(") OR (SELECT true FROM ")
            .push(self.from)
            .push(" WHERE ");
        (self.filter)(sql);
        sql.push(" AND ");
        self.order.push_beyond(sql, cursor, in_front);
        self.order.push_order_by(sql, in_front);
        sql.push(" LIMIT 1) IS NOT NULL)");
    }

    /// For an empty page, which has no row to carry the two columns.
    async fn outside(&self, db: &impl ConnectionTrait, bounds: &Bounds) -> Result<Outside> {
        if bounds.after.is_none() && bounds.before.is_none() {
            return Ok(Outside::default());
        }
        let mut sql = Sql::new("SELECT ");
        self.push_outside(&mut sql, bounds);
        db.query_one_raw(sql.build())
            .await?
            .as_ref()
            .map_or_else(|| Ok(Outside::default()), outside)
    }

    fn cut(&self, mut rows: Vec<R>, window: &Window, outside: Outside) -> Page<R> {
        let size = usize::try_from(window.size).unwrap_or(usize::MAX);
        let goes_on = rows.len() > size;
        rows.truncate(size);
        if window.backward {
            rows.reverse();
        }
        Page {
            has_next: outside.behind || goes_on && !window.backward,
            has_previous: outside.in_front || goes_on && window.backward,
            edges: rows
                .into_iter()
                .map(|row| ((self.cursor)(&row).encode(), row))
                .collect(),
        }
    }
}

fn outside(row: &QueryResult) -> Result<Outside> {
    Ok(Outside {
        in_front: row.try_get("", "outside_in_front")?,
        behind: row.try_get("", "outside_behind")?,
    })
}
