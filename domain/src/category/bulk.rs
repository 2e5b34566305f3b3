//! Many categories at once: those whose external references are new, one statement a level.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::CategoryId;
use sea_orm::{DatabaseTransaction, DbErr, FromQueryResult};
use serde_json::json;

use super::{
    Category, NewCategory, TREE_MAX,
    rules::{self, Face},
};
use crate::{
    Domain, audit,
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    sql::statement,
    text,
    tree::{self, DEPTH_MAX},
    viewer::Viewer,
};

/// Largest position of an import: far below what the column holds, so that there is always a place behind the last one.
const POSITION_MAX: i32 = 1_000_000;

/// A category of an import.
#[derive(Clone, Debug)]
pub struct CategoryRow {
    /// Tells whether it exists already.
    pub external_reference: String,
    /// The external reference of its parent, which comes before it; a root without.
    pub parent: Option<String>,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Name of an icon.
    pub icon: Option<String>,
    /// Colour as `#rrggbb`.
    pub colour: Option<String>,
    /// Order among its siblings, from 0.
    pub position: i32,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct ImportOutcome {
    /// The categories that are there now, new or from before, by external reference.
    pub ids: BTreeMap<String, CategoryId>,
    /// How many were not there before.
    pub created: usize,
    /// How many have no place: what they would stand below is archived, has no place either, or is too deep in the tree.
    pub skipped: usize,
}

/// A row whose values are valid.
struct Parsed {
    reference: String,
    parent: Option<String>,
    face: Face,
    position: i32,
}

/// A category that is there.
#[derive(Clone, FromQueryResult)]
struct Known {
    external_reference: String,
    id: CategoryId,
    depth: i32,
    archived: bool,
}

pub(super) async fn import(
    domain: &Domain,
    viewer: &Viewer,
    rows: &[CategoryRow],
) -> Result<ImportOutcome> {
    let parsed = parse(rows)?;
    let now = domain.now();
    let tx = domain.begin().await?;
    tree::own_in_tx::<Category>(&tx).await?;
    let mut known = known_in_tx(&tx, &parsed).await?;
    let mut created = 0;
    for level in levels(&parsed, &known)? {
        created += insert_in_tx(&tx, viewer, now, &level, &mut known).await?;
    }
    if created > 0 {
        announce_in_tx(&tx, viewer, now).await?;
    }
    domain.commit(tx).await?;
    Ok(outcome(&parsed, known, created))
}

fn outcome(rows: &[Parsed], known: BTreeMap<String, Known>, created: usize) -> ImportOutcome {
    let has_no_place = |row: &&Parsed| !known.contains_key(&row.reference);
    ImportOutcome {
        created,
        skipped: rows.iter().filter(has_no_place).count(),
        ids: known
            .into_iter()
            .map(|(reference, known)| (reference, known.id))
            .collect(),
    }
}

fn parse(rows: &[CategoryRow]) -> Result<Vec<Parsed>> {
    if rows.len() > TREE_MAX {
        return Err(Refusal::new(Code::TooMany, "rows")
            .with("max", TREE_MAX)
            .into());
    }
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match parse_row(row) {
            Ok(row) => parsed.push(row),
            Err(Error::Refused(refused)) => {
                refused
                    .into_iter()
                    .for_each(|refusal| refusals.push(refusal.in_row(index)));
            }
            Err(other) => return Err(other),
        }
    }
    refusals.into_result(Some(parsed))
}

fn parse_row(row: &CategoryRow) -> Result<Parsed> {
    let CategoryRow {
        external_reference,
        parent,
        name,
        icon,
        colour,
        position,
    } = row.clone();
    if !(0..=POSITION_MAX).contains(&position) {
        return Err(Refusal::new(Code::OutOfRange, "position")
            .with("min", 0)
            .with("max", POSITION_MAX)
            .into());
    }
    let parent = parent
        .as_deref()
        .map(text::external_reference)
        .transpose()?;
    let reference = text::external_reference(&external_reference)?;
    let face = rules::parse_new(&NewCategory {
        parent_id: None,
        name,
        icon,
        colour,
        external_reference: Some(external_reference),
    })?;
    Ok(Parsed {
        reference,
        parent,
        face,
        position,
    })
}

/// The new rows that have a place, level by level: each needs the rows above it to be there.
fn levels<'a>(rows: &'a [Parsed], known: &BTreeMap<String, Known>) -> Result<Vec<Vec<&'a Parsed>>> {
    let mut placed: BTreeMap<&str, Option<Place>> = BTreeMap::new();
    let mut levels: Vec<Vec<&Parsed>> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if known.contains_key(&row.reference) {
            continue;
        }
        let place = place(row, &placed, known).map_err(|refusal| refusal.in_row(index))?;
        if placed.insert(&row.reference, place).is_some() {
            let twice =
                Refusal::new(Code::AlreadyTaken, "externalReference").with("value", &row.reference);
            return Err(twice.in_row(index).into());
        }
        let Some(Place { level, .. }) = place else {
            continue;
        };
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        levels[level].push(row);
    }
    Ok(levels)
}

/// Where a new row of an import stands.
#[derive(Clone, Copy)]
struct Place {
    /// In which statement it is written.
    level: usize,
    /// How many categories are above it.
    depth: usize,
}

/// None when nothing can be put below its parent: people may have archived that, or moved it far down.
fn place(
    row: &Parsed,
    placed: &BTreeMap<&str, Option<Place>>,
    known: &BTreeMap<String, Known>,
) -> Result<Option<Place>, Refusal> {
    let Some(parent) = row.parent.as_deref() else {
        return Ok(Some(Place { level: 0, depth: 0 }));
    };
    let place = match (known.get(parent), placed.get(parent)) {
        (Some(above), _) => (!above.archived).then(|| Place {
            level: 0,
            depth: usize::try_from(above.depth).unwrap_or(0) + 1,
        }),
        (None, Some(above)) => above.map(|above| Place {
            level: above.level + 1,
            depth: above.depth + 1,
        }),
        (None, None) => return Err(Refusal::new(Code::NotFound, "parent").with("value", parent)),
    };
    Ok(place.filter(|place| place.depth < DEPTH_MAX))
}

/// The rows and parents that exist already.
async fn known_in_tx(tx: &DatabaseTransaction, rows: &[Parsed]) -> Result<BTreeMap<String, Known>> {
    let mut wanted: Vec<String> = rows
        .iter()
        .flat_map(|row| [Some(row.reference.clone()), row.parent.clone()])
        .flatten()
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sql = "SELECT external_reference, id, nlevel(path) - 1 AS depth, archived_at IS NOT NULL AS archived
               FROM category WHERE external_reference = ANY($1)";
    let known = Known::find_by_statement(statement(sql, [wanted.into()]))
        .all(tx)
        .await?;
    Ok(known
        .into_iter()
        .map(|known| (known.external_reference.clone(), known))
        .collect())
}

/// Writes one level, and its trail.
async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rows: &[&Parsed],
    known: &mut BTreeMap<String, Known>,
) -> Result<usize> {
    let payload = rows
        .iter()
        .map(|row| row_json(now, row, known))
        .collect::<Result<Vec<_>>>()?;
    let actor = audit::Actor::of(viewer);
    let sql = "WITH written AS (
                   INSERT INTO category (id, number, parent_id, path, name, position, icon, colour, external_reference,
                                         created_at, updated_at)
                   OVERRIDING SYSTEM VALUE
                   SELECT r.id, r.number, r.parent_id, COALESCE(p.path, ''::ltree) || r.number::text, r.name, r.position, r.icon,
                          r.colour, r.external_reference, $2, $2
                   FROM (SELECT *, nextval(pg_get_serial_sequence('category', 'number')) AS number
                         FROM jsonb_to_recordset($1) AS r (id uuid, parent_id uuid, name jsonb, position int, icon text,
                                                           colour text, external_reference text)) r
                   LEFT JOIN category p ON p.id = r.parent_id
                   RETURNING category.*
               ), trail AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
                   SELECT $2, $3, $4, $5, $6, 'category.import', 'category', w.id, to_jsonb(w) FROM written w
               )
               SELECT external_reference, id, nlevel(path) - 1 AS depth, archived_at IS NOT NULL AS archived FROM written";
    let values = [
        serde_json::Value::from(payload).into(),
        now.into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
        viewer.request_id.clone().into(),
    ];
    let written = Known::find_by_statement(statement(sql, values))
        .all(tx)
        .await
        .map_err(taken)?;
    let created = written.len();
    known.extend(
        written
            .into_iter()
            .map(|row| (row.external_reference.clone(), row)),
    );
    Ok(created)
}

/// Somebody may have given another category the reference meanwhile.
fn taken(error: DbErr) -> Error {
    let refusal = Refusal::new(Code::AlreadyTaken, "rows.externalReference");
    refuse_if_broken(error, &[("category_external_reference_unique", refusal)])
}

fn row_json(
    now: DateTime<Utc>,
    row: &Parsed,
    known: &BTreeMap<String, Known>,
) -> Result<serde_json::Value> {
    let Parsed {
        reference,
        parent,
        face,
        position,
    } = row;
    let Face {
        name,
        icon,
        colour,
        external_reference: _,
    } = face;
    let parent = match parent {
        None => None,
        Some(parent) => {
            let above = known.get(parent);
            Some(
                above
                    .ok_or_else(|| {
                        Error::internal("an imported category's parent was not written")
                    })?
                    .id,
            )
        }
    };
    Ok(json!({
        "id": new_id(now), "parent_id": parent, "name": name, "position": position, "icon": icon, "colour": colour,
        "external_reference": reference,
    }))
}

/// One event for the whole import: listeners read the tree again.
async fn announce_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<()> {
    let payload = json!({ "action": "category.import" });
    let event = NewEvent {
        kind: Kind::CategoryTreeChanged,
        aggregate_id: new_id(now),
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
