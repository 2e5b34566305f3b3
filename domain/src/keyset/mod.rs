//! Keyset pagination: a page begins where the last one ended, however far into the list that is.
//!
//! A list is ordered by some columns and, for a total order, by the row's id. A cursor holds the values of those columns in the row
//! it points to; the next page is what compares greater. No `OFFSET`, so the thousandth page costs as much as the first.

mod along;
mod below;
mod order;

use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};

pub use order::{Column, Cursor, Order, Term};

use crate::{
    error::Result,
    page::{Page, PageArgs, Window},
    sql::Sql,
};
pub(crate) use along::{Along, Sieve};
pub(crate) use below::{Below, Placed};

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
    /// How the rows are come by.
    pub(crate) reading: Reading<'a>,
}

/// How a page's rows are come by. Left to itself PostgreSQL expects rows that pass a filter to be spread evenly over the order. Where they
/// are not, it reads a whole table in that order for the few that pass.
#[derive(Clone, Copy)]
pub(crate) enum Reading<'a> {
    /// As PostgreSQL sees fit.
    Any,
    /// All rows that pass the filter first, whatever the order; then they are sorted. For filters that few rows pass.
    Gathered(Gathered<'a>),
    /// Along the order, the filter asked of each row, but of no more than some: a page may come out short.
    Along(Along<'a>),
}

/// Rows under the alias `i` that are read before anything is joined to them.
#[derive(Clone, Copy)]
pub(crate) struct Gathered<'a> {
    /// Appends what to select; the columns of the order must be among it, and be named alike.
    pub(crate) columns: &'a (dyn Fn(&mut Sql) + Sync),
    /// From where: with the alias `i`.
    pub(crate) from: &'a str,
    /// What is joined to the rows of the page.
    pub(crate) joined: &'a str,
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
        Ok(self.read(db, args).await?.0)
    }

    /// A page, if the list goes on behind it in the direction it was read: then no row of it was missed.
    pub(crate) async fn full_page(
        &self,
        db: &impl ConnectionTrait,
        args: &PageArgs,
    ) -> Result<Option<Page<R>>> {
        let (page, goes_on) = self.read(db, args).await?;
        Ok(Some(page).filter(|_| goes_on))
    }

    async fn read(&self, db: &impl ConnectionTrait, args: &PageArgs) -> Result<(Page<R>, bool)> {
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
        let goes_on = rows.len() > window.rows();
        Ok((self.cut(rows, &window, outside), goes_on))
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

    fn select(&self, bounds: &Bounds, window: &Window) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(self.columns).push(", ");
        self.push_outside(&mut sql, bounds);
        sql.push(" FROM ");
        match self.reading {
            Reading::Any => {
                sql.push(self.from).push(" WHERE ");
                (self.filter)(&mut sql);
                self.push_within(&mut sql, bounds);
                self.push_limit(&mut sql, window);
            }
            Reading::Gathered(gathered) => {
                sql.push("(SELECT * FROM ");
                self.push_gathered(&mut sql, gathered);
                sql.push(" WHERE true");
                self.push_within(&mut sql, bounds);
                self.push_limit(&mut sql, window);
                sql.push(") i ").push(gathered.joined);
                self.order.push_order_by(&mut sql, window.backward);
            }
            Reading::Along(along) => {
                sql.push("(SELECT * FROM ");
                self.push_along(&mut sql, bounds, window, along);
                sql.push(" WHERE ");
                (self.filter)(&mut sql);
                self.order.push_order_by_alias(&mut sql, window.backward);
                sql.push(" LIMIT ").bind(one_more(window));
                sql.push(") i ").push(along.gathered.joined);
                self.order.push_order_by_alias(&mut sql, window.backward);
            }
        }
        sql
    }

    /// `OFFSET 0` keeps PostgreSQL from looking at the order when it decides how to find these rows.
    fn push_gathered(&self, sql: &mut Sql, gathered: Gathered<'_>) {
        sql.push("(SELECT ");
        (gathered.columns)(sql);
        sql.push(" FROM ").push(gathered.from).push(" WHERE ");
        (self.filter)(sql);
        sql.push(" OFFSET 0) i");
    }

    fn push_within(&self, sql: &mut Sql, bounds: &Bounds) {
        for (cursor, in_front) in [(&bounds.after, false), (&bounds.before, true)] {
            if let Some(cursor) = cursor {
                sql.push(" AND ");
                self.order.push_beyond(sql, cursor, in_front);
            }
        }
    }

    fn push_limit(&self, sql: &mut Sql, window: &Window) {
        self.order.push_order_by(sql, window.backward);
        sql.push(" LIMIT ").bind(one_more(window));
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
        sql.push(") OR (SELECT true FROM ");
        match self.reading {
            Reading::Any => {
                sql.push(self.from).push(" WHERE ");
                (self.filter)(sql);
            }
            Reading::Gathered(gathered) | Reading::Along(Along { gathered, .. }) => {
                self.push_gathered(sql, gathered);
                sql.push(" WHERE true");
            }
        }
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
        let goes_on = rows.len() > window.rows();
        rows.truncate(window.rows());
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

/// One row more than asked for tells whether the list goes on.
fn one_more(window: &Window) -> i64 {
    i64::from(window.size) + 1
}

fn outside(row: &QueryResult) -> Result<Outside> {
    Ok(Outside {
        in_front: row.try_get("", "outside_in_front")?,
        behind: row.try_get("", "outside_behind")?,
    })
}
