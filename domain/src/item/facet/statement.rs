//! The statement that counts the facets of a set: its items are read once, and grouped by all facets at once that count equal values.

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
    /// Whether all items were counted.
    pub(super) exact: bool,
}

#[derive(FromQueryResult)]
struct Row {
    facet: i32,
    value: Option<String>,
    count: i64,
}

/// Counts the facets of the set, each with its place in the request.
pub(super) async fn count(
    db: &Reads,
    columns: &[Column],
    mut set: Set<'_>,
) -> Result<Vec<(usize, Counted)>> {
    set.settle(db, columns).await?;
    let rows = Row::find_by_statement(statement(columns, &set).build())
        .all(db)
        .await?;
    let mut facets: Vec<_> = set
        .facets
        .iter()
        .map(|place| {
            let exact = set.is_whole();
            let facet = Counted {
                exact,
                ..Counted::default()
            };
            (*place, facet)
        })
        .collect();
    for row in rows {
        let place = usize::try_from(row.facet).unwrap_or(usize::MAX);
        let count = set.scaled(u64::try_from(row.count).unwrap_or(0));
        if let Some((_, facet)) = facets.iter_mut().find(|(it, _)| *it == place) {
            match row.value {
                Some(value) if count > 0 => facet.values.push((value, count)),
                Some(_) => {}
                None => facet.missing = count,
            }
        }
    }
    Ok(facets)
}

fn statement(columns: &[Column], set: &Set<'_>) -> Sql {
    let grouped = Grouped::new(columns, set);
    let mut sql = Sql::new("WITH ");
    push_set(&mut sql, columns, set, &grouped);
    let mut union = " ";
    for place in &set.facets {
        let column = &columns[*place];
        sql.push(union).push(&format!(
            "(SELECT {place}::int4 AS facet, g.value, g.count FROM ("
        ));
        match grouped.groups(*place) {
            Some(groups) => push_groups(&mut sql, column, &groups),
            None => push_each(&mut sql, column, *place),
        }
        sql.push(") g ORDER BY g.value IS NOT NULL, g.count DESC, g.value LIMIT ")
            .bind(i64::from(column.first) + 1)
            .push(")");
        union = " UNION ALL ";
    }
    sql
}

/// Appends the values of each item of the set, and their groups. The items are kept only for facets that are not grouped.
fn push_set(sql: &mut Sql, columns: &[Column], set: &Set<'_>, grouped: &Grouped) {
    let is_kept = grouped.places.len() < set.facets.len();
    sql.push("items AS ")
        .push(if is_kept { "" } else { "NOT " })
        .push("MATERIALIZED (SELECT ");
    for (nth, place) in set.facets.iter().enumerate() {
        sql.push(if nth == 0 { "" } else { ", " });
        push_column(sql, &columns[*place]);
        sql.push(&format!(" AS v{place}"));
    }
    sql.push(" FROM ");
    set.push(sql);
    // Each value is computed once, and two facets of the same value stay two.
    sql.push(" OFFSET 0)");
    grouped.push(sql);
}

/// The facets of a set that count equal values, grouped in one go.
struct Grouped {
    /// By their places in the request.
    places: Vec<usize>,
}

impl Grouped {
    fn new(columns: &[Column], set: &Set<'_>) -> Self {
        let places = set.facets.iter().copied();
        Self {
            places: places
                .filter(|place| columns[*place].is_by_equals())
                .collect(),
        }
    }

    /// Appends how many items have which value of which facet.
    fn push(&self, sql: &mut Sql) {
        if self.places.is_empty() {
            return;
        }
        let values: Vec<_> = self
            .places
            .iter()
            .map(|place| format!("v{place}"))
            .collect();
        let (values, sets) = (values.join(", "), values.join("), ("));
        sql.push(&format!(
            ", grouped AS MATERIALIZED (SELECT GROUPING({values}) AS others, {values}, count(*) AS count
              FROM items GROUP BY GROUPING SETS (({sets})))"
        ));
    }

    /// The groups of a facet, `e.value` and `e.count`, if it is one of these. `GROUPING` has a bit for each value that is not grouped by,
    /// the last value's being the lowest.
    fn groups(&self, place: usize) -> Option<String> {
        let nth = self.places.iter().rev().position(|it| *it == place)?;
        let others = (1_u64 << self.places.len()) - 1 - (1 << nth);
        Some(format!(
            "(SELECT v{place} AS value, count FROM grouped WHERE others = {others}) e"
        ))
    }
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

fn push_groups(sql: &mut Sql, column: &Column, groups: &str) {
    sql.push(&match &column.groups {
        // Items in the category itself have no value: the choice is among what is below it.
        Groups::Ancestors(depth) => format!(
            "SELECT a.id::text AS value, sum(above.count)::int8 AS count
             FROM (SELECT CASE WHEN nlevel(c.path) > {depth} THEN subpath(c.path, 0, {depth} + 1) END AS path, e.count
                   FROM {groups} JOIN category c ON c.id = e.value) above
             LEFT JOIN category a ON a.path = above.path GROUP BY 1"
        ),
        Groups::Years => format!(
            "SELECT div(e.value, 10000)::text AS value, sum(e.count)::int8 AS count FROM {groups} GROUP BY 1"
        ),
        Groups::Terms(_) | Groups::Scale { .. } | Groups::Ranges { .. } => {
            format!("SELECT e.value::text AS value, e.count FROM {groups}")
        }
    });
}

/// Of what an item may have several, or falls into several.
fn push_each(sql: &mut Sql, column: &Column, place: usize) {
    let value = format!("v{place}");
    if let Groups::Ranges { bounds, .. } = &column.groups {
        push_ranges(sql, bounds, &value);
    } else {
        sql.push(&format!(
            "SELECT e.value, count(*) AS count FROM items LEFT JOIN LATERAL jsonb_array_elements_text(
                 CASE jsonb_typeof({value}) WHEN 'array' THEN {value} END) e (value) ON true GROUP BY 1"
        ));
    }
}

/// Ranges may overlap, so that each is counted by itself. The last number is of those without a value.
fn push_ranges(sql: &mut Sql, bounds: &[Bounds], value: &str) {
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
        "count(*) FILTER (WHERE {value} IS NULL)] AS counts FROM items) c
         CROSS JOIN LATERAL unnest(c.counts) WITH ORDINALITY u (count, place)"
    ));
}
