//! Reading along an order.

use sea_orm::FromQueryResult;

use super::{Bounds, Gathered, List};
use crate::{page::Window, sql::Sql};

/// A walk along the order.
#[derive(Clone, Copy)]
pub(crate) struct Along<'a> {
    /// How many rows of the order at most.
    pub(crate) most: u64,
    /// Appends, after an `AND` each, what is known of the columns of the order: the walk begins and ends there.
    pub(crate) stretch: &'a (dyn Fn(&mut Sql) + Sync),
    /// What decides about most rows before they are read.
    pub(crate) sieve: Option<Sieve<'a>>,
    /// What is read of the rows.
    pub(crate) gathered: Gathered<'a>,
}

/// A part of the filter that the order's index can answer, because it has the columns that the part is about: rows are read only of the
/// entries that pass. An entry costs a fortieth of a row, as long as the table was vacuumed after most of its changes.
#[derive(Clone, Copy)]
pub(crate) struct Sieve<'a> {
    /// These columns of `i`.
    pub(crate) columns: &'a str,
    /// Appends the condition, after an `AND` each.
    pub(crate) filter: &'a (dyn Fn(&mut Sql) + Sync),
    /// How many of the rows that pass at most.
    pub(crate) most: u64,
}

impl<R: FromQueryResult> List<'_, R> {
    /// Appends rows `i` with the columns of the order beside them under their aliases. By these PostgreSQL sees that the rows are in order
    /// already, and stops when it has a page.
    pub(super) fn push_along(
        &self,
        sql: &mut Sql,
        bounds: &Bounds,
        window: &Window,
        along: Along<'_>,
    ) {
        sql.push("(SELECT ");
        (along.gathered.columns)(sql);
        let Some(sieve) = along.sieve else {
            self.order.push_aliased(sql);
            sql.push(" FROM ").push(along.gathered.from);
            self.push_stretch(sql, bounds, window, along);
            sql.push(") i");
            return;
        };
        self.order.push_aliases(sql, "e.");
        sql.push(" FROM (SELECT * FROM (SELECT ")
            .push(sieve.columns);
        self.order.push_aliased(sql);
        sql.push(" FROM ").push(along.gathered.from);
        self.push_stretch(sql, bounds, window, along);
        sql.push(") i WHERE true");
        (sieve.filter)(sql);
        self.order.push_order_by_alias(sql, window.backward);
        push_most(sql, sieve.most);
        // Behind the `OFFSET 0` PostgreSQL looks up one row after the other, whatever else it expects of the filter.
        sql.push(") e CROSS JOIN LATERAL (SELECT * FROM ")
            .push(along.gathered.from);
        self.order.push_is_of_alias(sql, "e.");
        sql.push(" OFFSET 0) i) i");
    }

    fn push_stretch(&self, sql: &mut Sql, bounds: &Bounds, window: &Window, along: Along<'_>) {
        sql.push(" WHERE true");
        (along.stretch)(sql);
        self.push_within(sql, bounds);
        self.order.push_order_by(sql, window.backward);
        push_most(sql, along.most);
    }
}

fn push_most(sql: &mut Sql, most: u64) {
    sql.push(" LIMIT ")
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
}
