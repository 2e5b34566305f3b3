//! Whether rows are as the last change that is kept has left them.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::coverage::{COVERAGE, Cover, Covered, Table};
use crate::{
    error::Result,
    sql::{Sql, statement},
};

/// How many changes are looked at in one go.
const CHANGES: i64 = 5_000;

/// What one look has found.
pub(super) struct Looked {
    /// How many rows there are.
    pub(super) rows: i64,
    /// The first that is not as it should be.
    pub(super) different: Option<Different>,
    /// Where to go on; none at the end.
    pub(super) next: Option<Uuid>,
}

/// A row that is not as it was left.
#[derive(Clone, Debug)]
pub(super) struct Different {
    pub(super) source: String,
    pub(super) key: String,
    pub(super) is_there: bool,
    pub(super) was_there: bool,
}

#[derive(FromQueryResult)]
struct Row {
    rows: i64,
    source: Option<String>,
    key: Option<String>,
    is_there: Option<bool>,
    was_there: Option<bool>,
}

#[derive(FromQueryResult)]
struct Bound {
    about: Uuid,
}

/// Looks at the rows of things behind one id and up to another; first at those that are of no thing.
pub(super) async fn look(
    db: &impl ConnectionTrait,
    tables: &[Table],
    behind: Option<Uuid>,
) -> Result<Looked> {
    let last = match behind {
        None => Some(Uuid::nil()),
        Some(behind) => bound(db, behind).await?,
    };
    let until = last.unwrap_or(Uuid::max());
    let sql = compared(tables, behind, until);
    let row = Row::find_by_statement(sql.build()).one(db).await?;
    let Some(row) = row else {
        return Ok(Looked {
            rows: 0,
            different: None,
            next: last,
        });
    };
    let different = row.source.zip(row.key).map(|(source, key)| Different {
        source,
        key,
        is_there: row.is_there.unwrap_or_default(),
        was_there: row.was_there.unwrap_or_default(),
    });
    Ok(Looked {
        rows: row.rows,
        different,
        next: last,
    })
}

/// So far, that it is a page. None at the end.
async fn bound(db: &impl ConnectionTrait, behind: Uuid) -> Result<Option<Uuid>> {
    let sql = "SELECT about FROM trail_change WHERE about > $1 ORDER BY about LIMIT 1 OFFSET $2";
    let values = [behind.into(), CHANGES.into()];
    let row = Bound::find_by_statement(statement(sql, values));
    Ok(row.one(db).await?.map(|row| row.about))
}

/// One statement, so that rows and their changes are of one moment.
fn compared(tables: &[Table], behind: Option<Uuid>, until: Uuid) -> Sql {
    let known: BTreeMap<_, _> = COVERAGE
        .iter()
        .filter(|one| one.cover == Cover::Kept)
        .map(|one| (one.table, one))
        .collect();
    // Nothing lies below the lowest id: whatever has it is looked at by itself.
    let range = |column: &str| match behind {
        None => format!("{column} = $1 AND {column} = $2"),
        Some(_) => format!("{column} > $1 AND {column} <= $2"),
    };
    let parts: Vec<_> = tables
        .iter()
        .filter_map(|table| Some((*known.get(table.name.as_str())?, table)))
        .filter(|(covered, _)| !covered.about.is_empty() || behind.is_none())
        .map(|(covered, table)| part(covered, table, &range))
        .collect();
    let present = parts.join("\n UNION ALL ");
    let mut sql = Sql::with_values(vec![behind.unwrap_or_default().into(), until.into()]);
    sql.push("WITH present AS MATERIALIZED (").push(&present);
    sql.push(
        "), kept AS MATERIALIZED (
            SELECT DISTINCT ON (about, source, key) source, about, key, after::text AS image FROM trail_change WHERE ",
    );
    sql.push(&range("about"));
    sql.push(
        " ORDER BY about, source, key, number DESC
        ), different AS (
            SELECT source, about, key, p.image IS NOT NULL AS is_there, k.image IS NOT NULL AS was_there
            FROM present p FULL JOIN (SELECT * FROM kept WHERE image IS NOT NULL) k USING (source, about, key)
            WHERE p.image IS DISTINCT FROM k.image
            ORDER BY about, source, key LIMIT 1
        )
        SELECT (SELECT count(*) FROM present) AS rows, d.source, d.key, d.is_there, d.was_there
        FROM (VALUES (1)) one (row) LEFT JOIN different d ON true",
    );
    sql
}

/// The rows of one table, written down as the trail keeps them.
fn part(covered: &Covered, table: &Table, range: &dyn Fn(&str) -> String) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quoted(column)).collect();
    let key: Vec<_> = table
        .key
        .iter()
        .map(|column| format!("r.{}", quoted(column)))
        .collect();
    let key = match key.as_slice() {
        [one] => format!("{one}::text"),
        several => format!("concat_ws('/', {})", several.join(", ")),
    };
    let hidden: String = covered
        .hidden
        .iter()
        .map(|column| {
            let bytes = match *column {
                "token_hash" => format!("r.{column}"),
                _ => format!("convert_to(r.{column}::text, 'UTF8')"),
            };
            format!(" || jsonb_build_object('{column}', encode(sha256({bytes}), 'hex'))")
        })
        .collect();
    let (about, which) = match covered.about {
        "" => (
            "'00000000-0000-0000-0000-000000000000'::uuid".to_owned(),
            "true".to_owned(),
        ),
        column => (format!("r.{column}"), range(&format!("r.{column}"))),
    };
    format!(
        "SELECT '{name}' COLLATE \"C\" AS source, {about} AS about, {key} COLLATE \"C\" AS key, (to_jsonb(r){hidden})::text AS image
         FROM (SELECT {columns} FROM public.{name}) r WHERE {which}",
        name = covered.table,
        columns = columns.join(", "),
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
