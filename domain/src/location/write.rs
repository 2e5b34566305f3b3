//! Writes of the tree of locations.

use chrono::{DateTime, Utc};
use entity::{
    id::{CategoryId, LocationId},
    location::Model as Location,
    ltree::Ltree,
};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction,
    FromQueryResult, IntoActiveModel,
};
use serde::Serialize;
use serde_json::json;

use super::rules::{Facts, FactsChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    tree::Node,
    viewer::Viewer,
};

impl Node for Location {
    type Id = LocationId;
    const TABLE: &'static str = "location";
    const LOCK: i64 = 0x6c6f_6361_7469_6f6e;

    fn id(&self) -> LocationId {
        self.id
    }

    fn path(&self) -> &Ltree {
        &self.path
    }
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    parent_id: Option<LocationId>,
    facts: Facts,
) -> Result<Location> {
    let Facts {
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        external_reference,
    } = facts;
    let name = serde_json::to_value(name)?;
    let sql = "WITH new AS (SELECT nextval(pg_get_serial_sequence('location', 'number')) AS number)
               INSERT INTO location (id, number, parent_id, path, code, name, kind, position, negative_allowed, capacity,
                                     external_reference, created_at, updated_at)
               OVERRIDING SYSTEM VALUE
               SELECT $1, number, $2, COALESCE((SELECT path FROM location WHERE id = $2), ''::ltree) || number::text, $3, $4, $5,
                      COALESCE(CASE WHEN $2 IS NULL THEN (SELECT max(position) + 1 FROM location WHERE parent_id IS NULL)
                                    ELSE (SELECT max(position) + 1 FROM location WHERE parent_id = $2) END, 0),
                      $6, $7, $8, $9, $9
               FROM new
               RETURNING id, number, parent_id, path::text AS path, code, name, kind, is_virtual, position, negative_allowed, capacity,
                         external_reference, archived_at, version, created_at, updated_at";
    let id = new_id(now);
    let values = [
        id.into(),
        parent_id.into(),
        code.as_str().into(),
        name.into(),
        kind.to_value().into(),
        negative_allowed.into(),
        capacity.into(),
        external_reference.clone().into(),
        now.into(),
    ];
    let inserted = Location::find_by_statement(statement(sql, values))
        .one(tx)
        .await;
    let inserted = inserted
        .map_err(|error| refuse_if_broken(error, &taken(&code, external_reference.as_deref())))?;
    inserted.ok_or_else(|| Error::internal("an insert gave no row"))
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    location: Location,
    change: FactsChange,
) -> Result<Location> {
    let FactsChange {
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        external_reference,
    } = change;
    let code = code.unwrap_or_else(|| location.code.clone());
    let name = name.unwrap_or_else(|| location.name.clone());
    let kind = kind.unwrap_or(location.kind);
    let negative_allowed = negative_allowed.unwrap_or(location.negative_allowed);
    let capacity = capacity.apply(location.capacity);
    let reference = external_reference.apply(location.external_reference.clone());
    let version = location.version + 1;
    let mut row = location.into_active_model();
    row.code = Set(code.clone());
    row.name = Set(name);
    row.kind = Set(kind);
    row.negative_allowed = Set(negative_allowed);
    row.capacity = Set(capacity);
    row.external_reference = Set(reference.clone());
    row.version = Set(version);
    row.updated_at = Set(now);
    row.update(tx)
        .await
        .map_err(|error| refuse_if_broken(error, &taken(&code, reference.as_deref())))
}

/// What a change of a location can break.
fn taken(code: &str, reference: Option<&str>) -> [(&'static str, Refusal); 4] {
    let refusal = |path, value| Refusal::new(Code::AlreadyTaken, path).with("value", value);
    [
        ("location_code_unique", refusal("code", code)),
        (
            "location_external_reference_unique",
            refusal("externalReference", reference.unwrap_or_default()),
        ),
        // There is less than nothing there.
        (
            "stock_level_not_negative",
            Refusal::new(Code::InUse, "negativeAllowed"),
        ),
        (
            "stock_level_not_oversold",
            Refusal::new(Code::InUse, "negativeAllowed"),
        ),
    ]
}

/// Keeps the location for these categories, too.
pub(super) async fn add_categories_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
    categories: &[CategoryId],
) -> Result<()> {
    if categories.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO location_category (location_id, category_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING";
    tx.execute_raw(statement(sql, [id.into(), uuids(categories)]))
        .await?;
    Ok(())
}

/// Keeps the location for no other categories than these.
pub(super) async fn remove_categories_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
    except: &[CategoryId],
) -> Result<()> {
    let sql =
        "DELETE FROM location_category WHERE location_id = $1 AND category_id <> ALL($2::uuid[])";
    tx.execute_raw(statement(sql, [id.into(), uuids(except)]))
        .await?;
    Ok(())
}

/// A location as the trail has it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Recorded<'a> {
    #[serde(flatten)]
    location: &'a Location,
    /// The categories that it is kept for, where they could be others.
    #[serde(skip_serializing_if = "Option::is_none")]
    category_ids: Option<&'a [CategoryId]>,
}

impl<'a> Recorded<'a> {
    /// A location whose categories stay as they are.
    pub(super) fn of(location: &'a Location) -> Self {
        Self {
            location,
            category_ids: None,
        }
    }

    /// A location, and the categories that it is kept for.
    pub(super) fn with_categories(location: &'a Location, categories: &'a [CategoryId]) -> Self {
        Self {
            location,
            category_ids: Some(categories),
        }
    }
}

/// The trail and the event of a change to one location.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<Recorded<'_>>,
    after: Recorded<'_>,
) -> Result<()> {
    let location = after.location;
    let change = Change {
        action,
        aggregate_type: "location",
        aggregate_id: location.id.0,
        before: before.as_ref(),
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action, "path": location.path });
    let event = NewEvent {
        kind: Kind::LocationTreeChanged,
        aggregate_id: location.id.0,
        aggregate_version: location.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
