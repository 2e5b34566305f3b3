//! What lay where at a moment of the past: what lies there now without what has moved since.
//!
//! Of an item that moves often the database keeps what moved at each place week by week (`week.rs`): whole weeks are added up, and the
//! movements of one week.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    LevelFilter,
    query::{StockLevel, level_cursor, level_order, push_items, push_locations},
};
use crate::{
    error::Result,
    keyset::Cursor,
    page::{Page, PageArgs, Window},
    sql::Sql,
};

/// What comes behind all movements of a moment: numbers are less.
const BEHIND_ALL: i64 = i64::MAX;

/// What is left of the list on either side.
struct Bounds {
    after: Option<Cursor>,
    before: Option<Cursor>,
}

/// A page of the levels that were not empty then, in one statement: it sees one moment of the present. What was held then is not known.
pub(super) async fn levels_at(
    db: &impl ConnectionTrait,
    filter: &LevelFilter,
    args: &PageArgs,
    at: DateTime<Utc>,
) -> Result<Page<StockLevel>> {
    let window = args.window()?;
    let bounds = bounds(args)?;
    let sql = select(filter, &window, &bounds, at);
    let mut levels = StockLevel::find_by_statement(sql.build()).all(db).await?;
    let goes_on = levels.len() > window.rows();
    levels.truncate(window.rows());
    if window.backward {
        levels.reverse();
    }
    let edges = levels
        .into_iter()
        .map(|level| (level_cursor(&level).encode(), level));
    Ok(Page {
        edges: edges.collect(),
        has_next: bounds.before.is_some() || goes_on && !window.backward,
        has_previous: bounds.after.is_some() || goes_on && window.backward,
    })
}

fn bounds(args: &PageArgs) -> Result<Bounds> {
    let order = level_order();
    let parse = |path, text: &Option<String>| {
        text.as_deref()
            .map(|text| order.parse_cursor(path, text))
            .transpose()
    };
    Ok(Bounds {
        after: parse("after", &args.after)?,
        before: parse("before", &args.before)?,
    })
}

/// Item by item in the order of the list, each read once for all of its places, as far as the page goes. `OFFSET 0` keeps PostgreSQL from
/// asking once for each place.
fn select(filter: &LevelFilter, window: &Window, bounds: &Bounds, at: DateTime<Utc>) -> Sql {
    let mut sql = Sql::new("SELECT i.item_id, l.* FROM (");
    push_items_in_order(&mut sql, filter, window, bounds);
    sql.push(
        ") i CROSS JOIN LATERAL (SELECT s.location_id, s.on_hand - COALESCE(c.quantity, 0) AS on_hand, 0::numeric AS reserved, \
         s.weight - COALESCE(c.weight, 0) AS weight, s.fine_weight - COALESCE(c.fine_weight, 0) AS fine_weight, s.changed_at \
         FROM stock_level s LEFT JOIN (SELECT c.place, sum(c.quantity) AS quantity, sum(c.weight) AS weight, sum(c.fine_weight) AS fine_weight \
         FROM stock_changes_since(i.item_id, ",
    )
    .bind(at)
    .push(", ")
    .bind(BEHIND_ALL)
    .push(") c GROUP BY c.place) c ON c.place = s.location_id WHERE s.item_id = i.item_id");
    push_locations(&mut sql, filter);
    sql.push(" AND s.on_hand <> COALESCE(c.quantity, 0) OFFSET 0) l WHERE true");
    let order = level_order();
    for (cursor, in_front) in [(&bounds.after, false), (&bounds.before, true)] {
        if let Some(cursor) = cursor {
            sql.push(" AND ");
            order.push_beyond(&mut sql, cursor, in_front);
        }
    }
    order.push_order_by(&mut sql, window.backward);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    sql
}

/// The items of the list, none of those that lie outside the bounds.
fn push_items_in_order(sql: &mut Sql, filter: &LevelFilter, window: &Window, bounds: &Bounds) {
    sql.push("SELECT DISTINCT s.item_id FROM stock_level s WHERE true");
    push_items(sql, filter);
    push_locations(sql, filter);
    for (cursor, comparison) in [
        (&bounds.after, " AND s.item_id >= "),
        (&bounds.before, " AND s.item_id <= "),
    ] {
        if let Some(item) = cursor.as_ref().and_then(|cursor| cursor.0.first()) {
            sql.push(comparison).bind(item.as_str()).push("::uuid");
        }
    }
    sql.push(" ORDER BY s.item_id");
    if window.backward {
        sql.push(" DESC");
    }
}
