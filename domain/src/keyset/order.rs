//! The order of a list, and places in it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    error::{Code, Refusal},
    sql::Sql,
};

/// A column that a list can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As SQL; must not be null in any row.
    pub sql: &'static str,
    /// SQL type that a cursor's text is cast to.
    pub cast: &'static str,
}

/// One term of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// By which column.
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

/// An order over all rows: the last term is the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(Vec<Term>);

/// Longest cursor taken, in bytes: several values of the longest columns fit.
const CURSOR_MAX: usize = 4096;

impl Order {
    /// By `terms`, ties broken by `id` in the direction of the last of them.
    #[must_use]
    pub fn new(mut terms: Vec<Term>, id: Column) -> Self {
        let descending = terms.last().is_some_and(|term| term.descending);
        terms.push(Term {
            column: id,
            descending,
        });
        Self(terms)
    }

    /// By `id` alone, largest first: ids carry the time of creation, so the newest row comes first.
    #[must_use]
    pub fn newest_first(id: Column) -> Self {
        Self(vec![Term {
            column: id,
            descending: true,
        }])
    }

    /// Appends an `ORDER BY`, the other way round when `reverse`.
    pub(crate) fn push_order_by(&self, sql: &mut Sql, reverse: bool) {
        for (i, term) in self.0.iter().enumerate() {
            sql.push(comma(i, " ORDER BY ")).push(term.column.sql);
            sql.push(direction(*term, reverse));
        }
    }

    /// The same of columns that are known by their aliases.
    pub(super) fn push_order_by_alias(&self, sql: &mut Sql, reverse: bool) {
        for (i, term) in self.0.iter().enumerate() {
            sql.push(comma(i, " ORDER BY ")).push(&alias(i));
            sql.push(direction(*term, reverse));
        }
    }

    /// Appends the columns of rows with this prefix to an `ORDER BY`.
    pub(super) fn push_then_by(&self, sql: &mut Sql, prefix: &str) {
        for term in &self.0 {
            sql.push(", ").push(prefix).push(term.column.sql);
            sql.push(direction(*term, false));
        }
    }

    /// Appends the columns, each after a comma and with an alias.
    pub(super) fn push_aliased(&self, sql: &mut Sql) {
        for (i, term) in self.0.iter().enumerate() {
            sql.push(", ").push(term.column.sql);
            sql.push(" AS ").push(&alias(i));
        }
    }

    /// Appends the aliases of the columns, each after a comma and `prefix`.
    pub(super) fn push_aliases(&self, sql: &mut Sql, prefix: &str) {
        for i in 0..self.0.len() {
            sql.push(", ").push(prefix).push(&alias(i));
        }
    }

    /// Appends, after a `WHERE`, that a row is the one with the id under its alias.
    pub(super) fn push_is_of_alias(&self, sql: &mut Sql, prefix: &str) {
        if let Some(id) = self.0.last() {
            sql.push(" WHERE ").push(id.column.sql);
            sql.push(" = ").push(prefix).push(&alias(self.0.len() - 1));
        }
    }

    /// Appends the condition that a row lies behind the cursor (in front of it when `reverse`).
    ///
    /// Terms of one direction compare as rows, which an index can answer by one descent.
    pub(crate) fn push_beyond(&self, sql: &mut Sql, cursor: &Cursor, reverse: bool) {
        if self
            .0
            .iter()
            .all(|term| term.descending == self.0[0].descending)
        {
            self.push_row_comparison(sql, cursor, self.0[0].descending != reverse);
        } else {
            self.push_lexicographic(sql, cursor, reverse);
        }
    }

    fn push_row_comparison(&self, sql: &mut Sql, cursor: &Cursor, less: bool) {
        let columns: Vec<_> = self.0.iter().map(|term| term.column.sql).collect();
        sql.push("(")
            .push(&columns.join(", "))
            .push(if less { ") < (" } else { ") > (" });
        for (i, (term, value)) in self.0.iter().zip(&cursor.0).enumerate() {
            sql.push(if i == 0 { "" } else { ", " });
            push_value(sql, term.column, value);
        }
        sql.push(")");
    }

    /// `a > x OR (a = x AND (b < y OR …))`.
    fn push_lexicographic(&self, sql: &mut Sql, cursor: &Cursor, reverse: bool) {
        for (i, (term, value)) in self.0.iter().zip(&cursor.0).enumerate() {
            let comparison = if term.descending == reverse {
                " > "
            } else {
                " < "
            };
            sql.push("(").push(term.column.sql).push(comparison);
            push_value(sql, term.column, value);
            if i + 1 < self.0.len() {
                sql.push(" OR (").push(term.column.sql).push(" = ");
                push_value(sql, term.column, value);
                sql.push(" AND ");
            }
        }
        sql.push(")");
        sql.push(&"))".repeat(self.0.len() - 1));
    }

    /// Reads a cursor of this order.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse_cursor(&self, path: &str, text: &str) -> Result<Cursor, Refusal> {
        Some(text)
            .filter(|text| text.len() <= CURSOR_MAX)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|json| serde_json::from_slice::<Vec<String>>(&json).ok())
            .filter(|values| values.len() == self.0.len())
            .and_then(|values| self.normalised(values))
            .map(Cursor)
            .ok_or_else(|| Refusal::new(Code::InvalidFormat, path))
    }

    /// Appends the condition that a row is the very one the cursor points to.
    pub(crate) fn push_is_at(&self, sql: &mut Sql, cursor: &Cursor) {
        if let (Some(term), Some(id)) = (self.0.last(), cursor.0.last()) {
            sql.push(term.column.sql).push(" = ");
            push_value(sql, term.column, id);
        }
    }

    /// The values as PostgreSQL is sure to take them: a cursor may be forged.
    fn normalised(&self, values: Vec<String>) -> Option<Vec<String>> {
        let terms = self.0.iter().zip(values);
        terms
            .map(|(term, value)| normalised(term.column, value))
            .collect()
    }
}

fn comma(place: usize, first: &'static str) -> &'static str {
    if place == 0 { first } else { ", " }
}

fn direction(term: Term, reverse: bool) -> &'static str {
    if term.descending == reverse {
        " ASC"
    } else {
        " DESC"
    }
}

/// What the column at this place of an order is called where its expression cannot be written.
fn alias(place: usize) -> String {
    format!("order_{place}")
}

fn normalised(column: Column, value: String) -> Option<String> {
    match column.cast {
        "uuid" => value.parse::<Uuid>().ok().map(|id| id.to_string()),
        "timestamptz" => {
            let time: DateTime<Utc> = value.parse().ok()?;
            (1..=9999).contains(&time.year()).then(|| time.to_rfc3339())
        }
        "int4" => value.parse::<i32>().ok().map(|number| number.to_string()),
        "int8" => value.parse::<i64>().ok().map(|number| number.to_string()),
        "date" if value == "infinity" => Some(value),
        "date" => value
            .parse::<chrono::NaiveDate>()
            .ok()
            .map(|day| day.to_string()),
        "numeric" if value == "Infinity" => Some(value),
        "numeric" => value
            .parse::<Decimal>()
            .ok()
            .map(|number| number.to_string()),
        _ => (!value.contains('\0')).then_some(value),
    }
}

fn push_value(sql: &mut Sql, column: Column, value: &str) {
    sql.push("CAST(")
        .bind(value)
        .push(" AS ")
        .push(column.cast)
        .push(")");
}

/// A place in an ordered list: the values of the order's columns in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<String>);

impl Cursor {
    /// As clients see it.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!(self.0).to_string())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{Column, Cursor, Order, Sql, Term};

    const ID: Column = Column {
        sql: "id",
        cast: "uuid",
    };
    const SKU: Column = Column {
        sql: "sku",
        cast: "text",
    };
    const CREATED: Column = Column {
        sql: "created_at",
        cast: "timestamptz",
    };
    const ROW: &str = "0190aaaa-0000-7000-8000-000000000000";

    /// By time, then SKU, then id.
    fn by_time() -> Order {
        let term = |column| Term {
            column,
            descending: false,
        };
        Order::new(vec![term(CREATED), term(SKU)], ID)
    }

    /// Any moment that a row can have: of the years 1 to 9999, to the microsecond.
    fn moments() -> impl Strategy<Value = DateTime<Utc>> {
        (-62_135_596_800_000_000_i64..=253_402_300_799_999_999)
            .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    proptest! {
        #[test]
        fn a_cursor_of_any_row_comes_back_as_it_was(
            moment in moments(),
            sku in any::<String>().prop_map(|text| text.replace('\0', "")),
            id in any::<u128>().prop_map(Uuid::from_u128),
        ) {
            let cursor = Cursor(vec![moment.to_rfc3339(), sku, id.to_string()]);
            prop_assert_eq!(by_time().parse_cursor("after", &cursor.encode()), Ok(cursor));
        }

        #[test]
        fn a_forged_cursor_is_refused_or_names_one_place(
            moment in prop_oneof![any::<String>(), moments().prop_map(|moment| moment.to_string())],
            sku in any::<String>(),
            id in prop_oneof![any::<String>(), "[0-9A-F]{32}"],
        ) {
            let forged = Cursor(vec![moment, sku, id]).encode();
            if let Ok(place) = by_time().parse_cursor("after", &forged) {
                prop_assert!(place.0.iter().all(|value| !value.contains('\0')));
                prop_assert_eq!(by_time().parse_cursor("after", &place.encode()), Ok(place));
            }
        }

        #[test]
        fn what_is_no_cursor_is_refused(text in any::<String>()) {
            prop_assert!(by_time().parse_cursor("after", &text).is_err());
        }
    }

    fn beyond(order: &Order, reverse: bool) -> String {
        let mut sql = Sql::default();
        order.push_beyond(&mut sql, &Cursor(vec!["A".into(), ROW.into()]), reverse);
        sql.build().sql
    }

    #[test]
    fn one_direction_is_a_row_comparison() {
        let order = Order::new(
            vec![Term {
                column: SKU,
                descending: false,
            }],
            ID,
        );
        assert_eq!(
            beyond(&order, false),
            "(sku, id) > (CAST($1 AS text), CAST($2 AS uuid))"
        );
        assert_eq!(
            beyond(&order, true),
            "(sku, id) < (CAST($1 AS text), CAST($2 AS uuid))"
        );
    }

    #[test]
    fn what_is_older_than_the_cursor_lies_behind_it() {
        let mut sql = Sql::default();
        let order = Order::newest_first(ID);
        order.push_beyond(&mut sql, &Cursor(vec![ROW.into()]), false);
        order.push_order_by(&mut sql, false);
        assert_eq!(
            sql.build().sql,
            "(id) < (CAST($1 AS uuid)) ORDER BY id DESC"
        );
    }

    #[test]
    fn two_directions_are_spelled_out() {
        let order = Order(vec![
            Term {
                column: SKU,
                descending: true,
            },
            Term {
                column: ID,
                descending: false,
            },
        ]);
        assert_eq!(
            beyond(&order, false),
            "(sku < CAST($1 AS text) OR (sku = CAST($2 AS text) AND (id > CAST($3 AS uuid))))"
        );
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_and_nothing_else_is_one() {
        let order = Order::new(
            vec![Term {
                column: SKU,
                descending: false,
            }],
            ID,
        );
        let cursor = Cursor(vec!["GR-1".into(), ROW.into()]);
        assert_eq!(order.parse_cursor("after", &cursor.encode()), Ok(cursor));
        for text in ["", "!", "W10", "WyJhIiwiYiJd", &"A".repeat(5000)] {
            assert!(order.parse_cursor("after", text).is_err(), "{text}");
        }
    }
}
