//! Reads of time series: sums are made by the database, in one statement that sees one moment.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Weekday};
use entity::id::{CategoryId, ItemId, LocationId, UnitOfMeasureId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    By, Flow, Interval, SeriesFilter, SeriesOf, TimeSeries, Way,
    rules::{About, Sum, fill, series_max},
};
use crate::{
    error::{Code, Error, Refusal, Result},
    sql::{Sql, uuids},
};

/// Most movements and lines of costs that are not in the days yet and are added to them by whoever reads: they take a fraction of a second.
const LATE_MAX: i64 = 50_000;

#[derive(FromQueryResult)]
struct Row {
    time_zone: String,
    currency: String,
    missing: i64,
    series_count: i64,
    item: Option<ItemId>,
    location: Option<LocationId>,
    category: Option<CategoryId>,
    unit: Option<UnitOfMeasureId>,
    start: Option<NaiveDate>,
    flow: Option<String>,
    movements: Option<i64>,
    quantity: Option<Decimal>,
    weight: Option<Decimal>,
    fine_weight: Option<Decimal>,
    value: Option<Decimal>,
}

pub(super) async fn read(
    db: &impl ConnectionTrait,
    asked: &SeriesOf,
    starts: &[NaiveDate],
    with_costs: bool,
) -> Result<TimeSeries> {
    let most = series_max(starts.len());
    let sql = select(asked, most, with_costs);
    let rows = Row::find_by_statement(sql.build()).all(db).await?;
    let first = rows
        .first()
        .ok_or_else(|| Error::internal("a shop without days"))?;
    if usize::try_from(first.series_count).unwrap_or(usize::MAX) > most {
        return Err(Refusal::new(Code::TooMany, "by").with("max", most).into());
    }
    let (time_zone, currency, missing) = (
        first.time_zone.clone(),
        first.currency.clone(),
        first.missing,
    );
    let mut sums: BTreeMap<About, Vec<Sum>> = BTreeMap::new();
    for (about, sum) in rows.into_iter().filter_map(summed) {
        sums.entry(about).or_default().push(sum);
    }
    Ok(TimeSeries {
        series: fill(sums, starts, asked.until),
        time_zone,
        currency,
        missing,
    })
}

/// None of a row that only says how things stand.
fn summed(row: Row) -> Option<(About, Sum)> {
    let about = About {
        item_id: row.item,
        location_id: row.location,
        category_id: row.category,
        unit_id: row.unit?,
    };
    let way = |flow: &str| Way::ALL.into_iter().find(|way| way.name() == flow);
    let sum = Sum {
        start: row.start,
        way: row.flow.as_deref().and_then(way),
        flow: Flow {
            movements: row.movements?,
            quantity: row.quantity?,
            weight: row.weight?,
            fine_weight: row.fine_weight?,
            value: row.value?,
        },
    };
    Some((about, sum))
}

/// Whole units at whole places have sums of their own; anything else is added up from the days of items.
fn select(asked: &SeriesOf, most: usize, with_costs: bool) -> Sql {
    let mut sql = Sql::new("WITH state AS MATERIALIZED (SELECT * FROM stock_series_state(");
    sql.bind(LATE_MAX).push(")), ");
    let is_of_all = asked.filter.item_ids.is_none() && asked.filter.category_id.is_none();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    if is_of_all && matches!(asked.by, By::All | By::Location) {
        push_sums_of_totals(&mut sql, asked, most, with_costs);
    } else {
        push_sums_of_items(&mut sql, asked, most, with_costs);
    }
    sql.push(
        " SELECT k.time_zone, k.currency, k.missing, (SELECT count(*) FROM series) AS series_count, r.* \
         FROM state k LEFT JOIN sums r ON true",
    );
    sql
}

/// What is not in the days yet. When there is nothing, nobody looks for it.
fn push_late(sql: &mut Sql, with_costs: bool) {
    sql.push("(SELECT * FROM state WHERE upto > number OR cost_upto > cost_number) k CROSS JOIN LATERAL stock_flows(k.number, k.upto, k.cost_number, ")
        .push(if with_costs {
            "k.cost_upto"
        } else {
            "k.cost_number"
        })
        .push(", k.time_zone) f");
}

fn value(with_costs: bool) -> &'static str {
    if with_costs {
        "sum(f.value)"
    } else {
        "0::numeric"
    }
}

/// The first day of the point in which `f.day` is; null in front of all of them.
fn push_start(sql: &mut Sql, asked: &SeriesOf) {
    sql.push("CASE WHEN f.day >= ")
        .bind(asked.from)
        .push(" THEN GREATEST(");
    match asked.interval {
        Interval::Day => sql.push("f.day"),
        Interval::Week => sql
            .push("f.day - (extract(isodow FROM f.day)::integer + ")
            .bind(days_from_monday(asked.week_start))
            .push(") % 7"),
        Interval::Month => sql.push("date_trunc('month', f.day)::date"),
        Interval::Year => sql.push("date_trunc('year', f.day)::date"),
    };
    sql.push(", ").bind(asked.from).push(") END AS start");
}

/// What is added to the number of a weekday, so that the first of the week is a multiple of seven.
fn days_from_monday(first: Weekday) -> i32 {
    7 - i32::try_from(first.number_from_monday()).unwrap_or(1)
}

const AMOUNTS: &str = "sum(f.movements)::bigint AS movements, sum(f.quantity) AS quantity, sum(f.weight) AS weight, sum(f.fine_weight) AS fine_weight, ";

fn push_sums_of_totals(sql: &mut Sql, asked: &SeriesOf, most: i64, with_costs: bool) {
    let location = if asked.by == By::Location {
        "f.location_id"
    } else {
        "NULL::uuid"
    };
    sql.push("summed AS MATERIALIZED (SELECT NULL::uuid AS item, ")
        .push(location)
        .push(" AS location, NULL::uuid AS category, f.unit_id AS unit, ");
    push_start(sql, asked);
    sql.push(", f.flow, ")
        .push(AMOUNTS)
        .push(value(with_costs))
        .push(" AS value FROM (SELECT f.location_id, f.unit_id, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value \
               FROM stock_flow_total f WHERE (SELECT is_usable FROM state) AND f.day < ")
        .bind(asked.until);
    push_locations(sql, "f", &asked.filter);
    sql.push(" UNION ALL SELECT f.location_id, i.unit_id, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value FROM ");
    push_late(sql, with_costs);
    sql.push(" CROSS JOIN LATERAL (SELECT unit_id FROM item WHERE id = f.item_id OFFSET 0) i WHERE f.day < ")
        .bind(asked.until);
    push_locations(sql, "f", &asked.filter);
    sql.push(") f GROUP BY 1, 2, 3, 4, 5, 6), series AS MATERIALIZED (SELECT DISTINCT item, location, category, unit FROM summed), \
              sums AS (SELECT * FROM summed WHERE (SELECT count(*) FROM series) <= ")
        .bind(most)
        .push(")");
}

fn push_sums_of_items(sql: &mut Sql, asked: &SeriesOf, most: i64, with_costs: bool) {
    push_places(sql, asked);
    sql.push(
        "series AS MATERIALIZED (SELECT DISTINCT item, location, category, unit FROM place LIMIT ",
    )
    .bind(most + 1)
    .push("), may AS MATERIALIZED (SELECT k.is_usable AND (SELECT count(*) FROM series) <= ")
    .bind(most)
    .push(" AS be_read, (SELECT count(*) FROM series) <= ")
    .bind(most)
    .push(" AS be_added FROM state k), sums AS (");
    // Each series there is, with what lay there in front of the first day.
    sql.push(
        "SELECT item, location, category, unit, NULL::date AS start, NULL::text AS flow, 0::bigint AS movements, 0::numeric AS quantity, \
         0::numeric AS weight, 0::numeric AS fine_weight, 0::numeric AS value FROM series \
         UNION ALL SELECT p.item, p.location, p.category, p.unit, NULL, NULL, 0, sum(l.quantity), sum(l.weight), sum(l.fine_weight), 0 \
         FROM place p CROSS JOIN LATERAL (SELECT l.quantity, l.weight, l.fine_weight FROM stock_level_day l \
         WHERE l.item_id = p.item_id AND l.location_id = p.location_id AND l.day < ",
    )
    .bind(asked.from)
    .push(" ORDER BY l.day DESC LIMIT 1) l WHERE (SELECT be_read FROM may) GROUP BY p.item, p.location, p.category, p.unit");
    sql.push(" UNION ALL SELECT f.item, f.location, f.category, f.unit, ");
    push_start(sql, asked);
    sql.push(", f.flow, ")
        .push(AMOUNTS)
        .push(value(with_costs))
        .push(
            " FROM (SELECT p.item, p.location, p.category, p.unit, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value \
             FROM place p JOIN stock_flow_day f ON f.item_id = p.item_id AND f.location_id = p.location_id \
             WHERE (SELECT be_read FROM may) AND f.day >= ",
        )
        .bind(asked.from)
        .push(" AND f.day < ")
        .bind(asked.until)
        .push(" UNION ALL SELECT p.item, p.location, p.category, p.unit, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value FROM ");
    push_late(sql, with_costs);
    sql.push(" JOIN place p ON p.item_id = f.item_id AND p.location_id = f.location_id WHERE (SELECT be_added FROM may) AND f.day < ")
        .bind(asked.until)
        .push(") f GROUP BY 1, 2, 3, 4, 5, 6)");
}

/// The items and places that are asked for, each with the series it belongs to.
fn push_places(sql: &mut Sql, asked: &SeriesOf) {
    let of = |by, column| if asked.by == by { column } else { "NULL::uuid" };
    sql.push("place AS MATERIALIZED (SELECT s.item_id, s.location_id, ")
        .push(of(By::Item, "s.item_id"))
        .push(" AS item, ")
        .push(of(By::Location, "s.location_id"))
        .push(" AS location, ")
        .push(of(By::Category, "i.category_id"))
        .push(" AS category, i.unit_id AS unit FROM stock_level s JOIN item i ON i.id = s.item_id WHERE true");
    if let Some(ids) = &asked.filter.item_ids {
        sql.push(" AND s.item_id = ANY(").bind(uuids(ids)).push(")");
    }
    if let Some(id) = asked.filter.category_id {
        sql.push(" AND i.category_id IN (SELECT c.id FROM category c JOIN category w ON c.path <@ w.path WHERE w.id = ")
            .bind(id)
            .push(")");
    }
    push_locations(sql, "s", &asked.filter);
    sql.push("), ");
}

/// At the locations of the filter only: appends conditions on this table's `location_id`.
fn push_locations(sql: &mut Sql, table: &str, filter: &SeriesFilter) {
    if let Some(ids) = &filter.location_ids {
        sql.push(" AND ")
            .push(table)
            .push(".location_id = ANY(")
            .bind(uuids(ids))
            .push(")");
    }
    if let Some(id) = filter.within {
        sql.push(" AND ")
            .push(table)
            .push(".location_id IN (SELECT l.id FROM location l JOIN location w ON l.path <@ w.path WHERE w.id = ")
            .bind(id)
            .push(")");
    }
}
