//! The one statement that counts all facets: each set of items is read once, and then grouped by each of its facets.

use sea_orm::{FromQueryResult, Value, sea_query::ArrayType};

use super::{
    column::{Bounds, Column, Groups},
    set::Set,
};
use crate::{error::Result, reads::Reads, sql::Sql};

/// What was counted of one facet.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// Values, those that most items have first.
    pub(super) values: Vec<(String, u64)>,
    /// Items without one.
    pub(super) missing: u64,
}

#[derive(FromQueryResult)]
struct Row {
    facet: i32,
    value: Option<String>,
    count: i64,
}

/// Counts the columns, each over the set that it is in.
pub(super) async fn count(
    db: &Reads,
    columns: &[Column],
    sets: &[Set<'_>],
) -> Result<Vec<Counted>> {
    let mut counted = vec![Counted::default(); columns.len()];
    if columns.is_empty() {
        return Ok(counted);
    }
    let rows = Row::find_by_statement(statement(columns, sets).build())
        .all(db)
        .await?;
    for row in rows {
        let place = usize::try_from(row.facet).unwrap_or(usize::MAX);
        let Some(set) = sets.iter().find(|set| set.places().any(|it| it == place)) else {
            continue;
        };
        let count = set.scaled(u64::try_from(row.count).unwrap_or(0));
        if let Some(facet) = counted.get_mut(place) {
            match row.value {
                Some(value) if count > 0 => facet.values.push((value, count)),
                Some(_) => {}
                None => facet.missing = count,
            }
        }
    }
    Ok(counted)
}

fn statement(columns: &[Column], sets: &[Set<'_>]) -> Sql {
    let mut sql = Sql::new("WITH ");
    for (number, set) in sets.iter().enumerate() {
        sql.push(if number == 0 { "" } else { ", " })
            .push(&format!("set_{number} AS MATERIALIZED (SELECT "));
        for (nth, place) in set.places().enumerate() {
            sql.push(if nth == 0 { "" } else { ", " });
            push_column(&mut sql, &columns[place]);
            sql.push(&format!(" AS v{place}"));
        }
        if let Some(selected) = &set.selected {
            sql.push(", (");
            selected.push(&mut sql);
            sql.push(") AS selected");
        }
        sql.push(" FROM ");
        set.push(&mut sql);
        sql.push(")");
    }
    let mut union = " ";
    for (number, set) in sets.iter().enumerate() {
        for place in set.places() {
            let column = &columns[place];
            let from = if set.facets.contains(&place) {
                format!("set_{number}")
            } else {
                format!("(SELECT * FROM set_{number} WHERE selected) s")
            };
            sql.push(union).push(&format!(
                "(SELECT {place}::int4 AS facet, g.value, g.count FROM ("
            ));
            push_groups(&mut sql, column, &from, &format!("v{place}"));
            sql.push(") g ORDER BY g.value IS NOT NULL, g.count DESC, g.value LIMIT ")
                .bind(i64::from(column.first) + 1)
                .push(")");
            union = " UNION ALL ";
        }
    }
    sql
}

/// On a scale an item's value is the number of its step.
fn push_column(sql: &mut Sql, column: &Column) {
    if let Groups::Scale { steps, .. } = &column.groups {
        sql.push("width_bucket(");
        column.looks_at.push(sql);
        let steps = steps.iter().map(|step| Value::from(*step)).collect();
        sql.push(", ")
            .bind(Value::Array(ArrayType::Decimal, Some(Box::new(steps))))
            .push("::numeric[])");
    } else {
        column.looks_at.push(sql);
    }
}

fn push_groups(sql: &mut Sql, column: &Column, set: &str, value: &str) {
    match &column.groups {
        Groups::Ancestors(depth) => push_ancestors(sql, *depth, set, value),
        Groups::Ranges { bounds, .. } => push_ranges(sql, bounds, set, value),
        Groups::Years => drop(sql.push(&format!(
            "SELECT div({value}, 10000)::text AS value, count(*) AS count FROM {set} GROUP BY 1"
        ))),
        Groups::Terms(_) if column.looks_at.is_several() => drop(sql.push(&format!(
            "SELECT e.value, count(*) AS count FROM {set} LEFT JOIN LATERAL jsonb_array_elements_text(
                 CASE jsonb_typeof({value}) WHEN 'array' THEN {value} END) e (value) ON true GROUP BY 1"
        ))),
        Groups::Terms(_) | Groups::Scale { .. } => drop(sql.push(&format!(
            "SELECT {value}::text AS value, count(*) AS count FROM {set} GROUP BY {value}"
        ))),
    }
}

/// Items in the category itself have no value: the choice is among what is below it.
fn push_ancestors(sql: &mut Sql, depth: usize, set: &str, value: &str) {
    sql.push(&format!(
        "SELECT a.id::text AS value, sum(above.count)::int8 AS count
         FROM (SELECT CASE WHEN nlevel(c.path) > {depth} THEN subpath(c.path, 0, {depth} + 1) END AS path, counted.count
               FROM (SELECT {value} AS id, count(*) AS count FROM {set} GROUP BY 1) counted
               JOIN category c ON c.id = counted.id) above
         LEFT JOIN category a ON a.path = above.path GROUP BY 1"
    ));
}

/// Ranges may overlap, so that each is counted by itself. The last number is of those without a value.
fn push_ranges(sql: &mut Sql, bounds: &[Bounds], set: &str, value: &str) {
    sql.push("SELECT CASE WHEN u.place <= ")
        .bind(i64::try_from(bounds.len()).unwrap_or(i64::MAX))
        .push(" THEN u.place::text END AS value, u.count FROM (SELECT ARRAY[");
    for Bounds { min, max, below } in bounds {
        sql.push(&format!("count(*) FILTER (WHERE {value} IS NOT NULL"));
        for (bound, comparison) in [(min, ">="), (max, "<="), (below, "<")] {
            if let Some(bound) = bound {
                sql.push(&format!(" AND {value} {comparison} "))
                    .bind(*bound);
            }
        }
        sql.push("), ");
    }
    sql.push(&format!(
        "count(*) FILTER (WHERE {value} IS NULL)] AS counts FROM {set}) c
         CROSS JOIN LATERAL unnest(c.counts) WITH ORDINALITY u (count, place)"
    ));
}
