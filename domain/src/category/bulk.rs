//! Many categories at once: created or updated by their external references, one statement a level.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::CategoryId;
use sea_orm::{DatabaseTransaction, FromQueryResult};
use serde_json::json;

use super::{
    NewCategory,
    rules::{self, Face},
    write,
};
use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    sql::statement,
    viewer::Viewer,
};

/// A category of an import.
#[derive(Clone, Debug)]
pub struct CategoryRow {
    /// Tells it from all others, now and when it is imported again.
    pub external_reference: String,
    /// The external reference of its parent, which comes before it; a root without.
    pub parent: Option<String>,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Name of an icon.
    pub icon: Option<String>,
    /// Colour as `#rrggbb`.
    pub colour: Option<String>,
    /// Order among its siblings.
    pub position: i32,
}

/// A row whose values are valid.
struct Parsed<'a> {
    row: &'a CategoryRow,
    face: Face,
}

#[derive(FromQueryResult)]
struct Known {
    external_reference: String,
    id: CategoryId,
}

pub(super) async fn import(
    domain: &Domain,
    viewer: &Viewer,
    rows: &[CategoryRow],
) -> Result<BTreeMap<String, CategoryId>> {
    let parsed = parse(rows)?;
    let now = domain.now();
    let tx = domain.begin().await?;
    write::own_tree_in_tx(&tx).await?;
    let mut known = known_in_tx(&tx, rows).await?;
    let mut changed = 0;
    for level in levels(&parsed, &known)? {
        changed += upsert_in_tx(&tx, now, &level, &mut known).await?;
    }
    if changed > 0 {
        record_in_tx(&tx, viewer, now, changed).await?;
    }
    tx.commit().await?;
    Ok(known)
}

fn parse(rows: &[CategoryRow]) -> Result<Vec<Parsed<'_>>> {
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match rules::parse_new(&new(row)) {
            Ok(face) => parsed.push(Parsed { row, face }),
            Err(Error::Refused(refused)) => refused
                .into_iter()
                .for_each(|refusal| refusals.push(refusal.in_row(index))),
            Err(other) => return Err(other),
        }
    }
    refusals.into_result(Some(parsed))
}

fn new(row: &CategoryRow) -> NewCategory {
    let CategoryRow {
        external_reference,
        parent: _,
        name,
        icon,
        colour,
        position: _,
    } = row.clone();
    NewCategory {
        parent_id: None,
        name,
        icon,
        colour,
        external_reference: Some(external_reference),
    }
}

/// The rows level by level: each needs the rows above it to be there.
fn levels<'a>(
    rows: &'a [Parsed<'a>],
    known: &BTreeMap<String, CategoryId>,
) -> Result<Vec<Vec<&'a Parsed<'a>>>> {
    let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut levels: Vec<Vec<&Parsed<'_>>> = Vec::new();
    for (index, parsed) in rows.iter().enumerate() {
        let level = match parsed.row.parent.as_deref() {
            None => 0,
            Some(parent) => match placed.get(parent) {
                Some(level) => level + 1,
                None if known.contains_key(parent) => 0,
                None => {
                    return Err(
                        Refusal::new(Code::NotFound, &format!("rows.{index}.parent"))
                            .with("value", parent)
                            .into(),
                    );
                }
            },
        };
        placed.insert(&parsed.row.external_reference, level);
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        levels[level].push(parsed);
    }
    Ok(levels)
}

/// The rows and parents that exist already.
async fn known_in_tx(
    tx: &DatabaseTransaction,
    rows: &[CategoryRow],
) -> Result<BTreeMap<String, CategoryId>> {
    let wanted: HashSet<&str> = rows
        .iter()
        .flat_map(|row| [Some(row.external_reference.as_str()), row.parent.as_deref()])
        .flatten()
        .collect();
    let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    let sql = "SELECT external_reference, id FROM category WHERE external_reference = ANY($1)";
    let known = Known::find_by_statement(statement(sql, [wanted.into()]))
        .all(tx)
        .await?;
    Ok(known
        .into_iter()
        .map(|known| (known.external_reference, known.id))
        .collect())
}

/// A category that exists keeps its place in the tree: moving is another use case.
async fn upsert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    rows: &[&Parsed<'_>],
    known: &mut BTreeMap<String, CategoryId>,
) -> Result<usize> {
    let payload: Vec<_> = rows
        .iter()
        .map(|parsed| row_json(now, parsed, known))
        .collect();
    let sql = "INSERT INTO category (id, number, parent_id, path, name, position, icon, colour, external_reference,
                                     created_at, updated_at)
               OVERRIDING SYSTEM VALUE
               SELECT r.id, r.number, r.parent_id, COALESCE(p.path, ''::ltree) || r.number::text, r.name, r.position, r.icon,
                      r.colour, r.external_reference, $2, $2
               FROM (SELECT *, nextval(pg_get_serial_sequence('category', 'number')) AS number
                     FROM jsonb_to_recordset($1) AS r (id uuid, parent_id uuid, name jsonb, position int, icon text,
                                                       colour text, external_reference text)) r
               LEFT JOIN category p ON p.id = r.parent_id
               ON CONFLICT (external_reference) DO UPDATE
               SET name = excluded.name, icon = excluded.icon, colour = excluded.colour, version = category.version + 1, updated_at = excluded.updated_at
               WHERE (category.name, category.icon, category.colour)
                     IS DISTINCT FROM (excluded.name, excluded.icon, excluded.colour)
               RETURNING external_reference, id";
    let values = [serde_json::Value::from(payload).into(), now.into()];
    let written = Known::find_by_statement(statement(sql, values))
        .all(tx)
        .await?;
    let changed = written.len();
    known.extend(
        written
            .into_iter()
            .map(|row| (row.external_reference, row.id)),
    );
    Ok(changed)
}

fn row_json(
    now: DateTime<Utc>,
    parsed: &Parsed<'_>,
    known: &BTreeMap<String, CategoryId>,
) -> serde_json::Value {
    let Parsed {
        row,
        face:
            Face {
                name,
                icon,
                colour,
                external_reference,
            },
    } = parsed;
    let parent = row.parent.as_ref().and_then(|parent| known.get(parent));
    json!({
        "id": new_id(now), "parent_id": parent, "name": name, "position": row.position, "icon": icon, "colour": colour,
        "external_reference": external_reference,
    })
}

/// One row of the trail and one event for the whole import: listeners read the tree again.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    count: usize,
) -> Result<()> {
    let import = new_id(now);
    let after = json!({ "rows": count });
    let action = "category.import";
    let change = Change {
        action,
        aggregate_type: "category",
        aggregate_id: import,
        before: None,
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action });
    let event = NewEvent {
        kind: Kind::CategoryTreeChanged,
        aggregate_id: import,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
