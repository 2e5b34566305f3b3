//! Writes of attributes, and of the values of items that only one item may have.

use chrono::{DateTime, Utc};
use entity::{
    attribute::{ActiveModel, Model as Attribute},
    category::Model as Category,
    id::{AttributeId, ItemId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, IntoActiveModel,
};
use serde_json::json;

use super::{rules::Declared, schema::Unique};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    viewer::Viewer,
};

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
    key: String,
    declared: Declared,
    position: i32,
) -> Result<Attribute> {
    let Declared {
        name,
        label,
        kind,
        unit_id,
        refers_to,
        required,
        is_unique,
        searchable,
        facet,
        initial,
        min,
        max,
        pattern,
        options,
        position: wanted,
    } = declared;
    let taken = Refusal::new(Code::AlreadyTaken, "name").with("value", &name);
    let row = ActiveModel {
        id: Set(AttributeId(new_id(now))),
        category_id: Set(category.id),
        key: Set(key),
        name: Set(name),
        label: Set(label),
        kind: Set(kind),
        unit_id: Set(unit_id),
        refers_to: Set(refers_to),
        required: Set(required),
        is_unique: Set(is_unique),
        searchable: Set(searchable),
        facet: Set(facet),
        initial: Set(initial),
        min: Set(min),
        max: Set(max),
        pattern: Set(pattern),
        options: Set(options),
        position: Set(wanted.unwrap_or(position)),
        retired_at: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let inserted = row.insert(tx).await;
    inserted.map_err(|error| refuse_if_broken(error, &[("attribute_name_unique", taken)]))
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    attribute: Attribute,
    declared: Declared,
) -> Result<Attribute> {
    let Declared {
        name,
        label,
        kind: _,
        unit_id,
        refers_to: _,
        required,
        is_unique: _,
        searchable,
        facet,
        initial,
        min,
        max,
        pattern,
        options,
        position,
    } = declared;
    let (version, place) = (attribute.version + 1, attribute.position);
    let mut row = attribute.into_active_model();
    row.name = Set(name);
    row.label = Set(label);
    row.unit_id = Set(unit_id);
    row.required = Set(required);
    row.searchable = Set(searchable);
    row.facet = Set(facet);
    row.initial = Set(initial);
    row.min = Set(min);
    row.max = Set(max);
    row.pattern = Set(pattern);
    row.options = Set(options);
    row.position = Set(position.unwrap_or(place));
    row.version = Set(version);
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

/// Gives the same attribute its new name wherever it is declared below its topmost declaration.
pub(super) async fn rename_below_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
    attribute: &Attribute,
    name: &str,
) -> Result<()> {
    let sql = "UPDATE attribute a SET name = $3, version = a.version + 1, updated_at = $4
               FROM category c
               WHERE c.id = a.category_id AND c.path <@ $1::ltree AND a.key = $2 AND a.id <> $5";
    let values = [
        category.path.0.as_str().into(),
        attribute.key.as_str().into(),
        name.into(),
        now.into(),
        attribute.id.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

pub(super) async fn set_retired_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    attribute: Attribute,
    retired: bool,
) -> Result<Attribute> {
    let version = attribute.version + 1;
    let mut row = attribute.into_active_model();
    row.retired_at = Set(retired.then_some(now));
    row.version = Set(version);
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

/// Takes up the values that items below the category have already.
///
/// # Errors
/// [`Code::AlreadyTaken`] when two items have the same.
pub(super) async fn take_up_unique_in_tx(
    tx: &DatabaseTransaction,
    category: &Category,
    attribute: &Attribute,
) -> Result<()> {
    // What the same attribute has taken up further down, or before it was retired, is taken up anew.
    let forget = "DELETE FROM item_attribute_unique WHERE attribute_id IN
                  (SELECT a.id FROM attribute a JOIN category c ON c.id = a.category_id
                   WHERE a.key = $1 AND c.path <@ $2::ltree)";
    let values = [
        attribute.key.as_str().into(),
        category.path.0.as_str().into(),
    ];
    tx.execute_raw(statement(forget, values)).await?;
    let sql = "INSERT INTO item_attribute_unique (attribute_id, value, item_id)
               SELECT $1, left(i.attributes->>$2, 1000), i.id
               FROM item i JOIN category c ON c.id = i.category_id
               WHERE c.path <@ $3::ltree AND jsonb_typeof(i.attributes->$2) IN ('string', 'number')
                     AND btrim(i.attributes->>$2) <> ''
               ORDER BY 2";
    let values = [
        attribute.id.into(),
        attribute.key.as_str().into(),
        category.path.0.as_str().into(),
    ];
    let taken = Refusal::new(Code::AlreadyTaken, "unique");
    let written = tx.execute_raw(statement(sql, values)).await;
    written.map_err(|error| refuse_if_broken(error, &[("item_attribute_unique_value", taken)]))?;
    Ok(())
}

/// One value that one item has.
pub(crate) struct Owned<'a> {
    pub(crate) item_id: ItemId,
    pub(crate) unique: &'a Unique,
}

/// Gives items the values that only they may have, in the order of the index: two who want the same ones wait for each other, but never
/// in a circle. What these items had before is free again.
///
/// # Errors
/// [`Code::AlreadyTaken`] when another item has one of them.
pub(crate) async fn own_values_in_tx(
    tx: &DatabaseTransaction,
    items: &[ItemId],
    mut owned: Vec<Owned<'_>>,
) -> Result<()> {
    if !items.is_empty() {
        let sql = "DELETE FROM item_attribute_unique WHERE item_id = ANY($1)";
        tx.execute_raw(statement(sql, [uuids(items)])).await?;
    }
    if owned.is_empty() {
        return Ok(());
    }
    owned.sort_unstable_by(|a, b| {
        let order = |it: &Owned<'_>| (it.unique.attribute_id, it.unique.value.clone());
        order(a).cmp(&order(b))
    });
    let attributes: Vec<AttributeId> = owned.iter().map(|it| it.unique.attribute_id).collect();
    let values: Vec<String> = owned.iter().map(|it| it.unique.value.clone()).collect();
    let owners: Vec<ItemId> = owned.iter().map(|it| it.item_id).collect();
    let sql = "INSERT INTO item_attribute_unique (attribute_id, value, item_id)
               SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[])
               ON CONFLICT DO NOTHING RETURNING attribute_id, value";
    let written = tx
        .query_all_raw(statement(
            sql,
            [uuids(&attributes), values.into(), uuids(&owners)],
        ))
        .await?;
    let mut taken = Vec::new();
    let mut written: std::collections::HashSet<(AttributeId, String)> = written
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<_, sea_orm::DbErr>>()?;
    for it in &owned {
        let place = (it.unique.attribute_id, it.unique.value.clone());
        // Each was written once: of two items in this very list the second finds it taken.
        if !written.remove(&place) {
            taken.push(
                Refusal::new(Code::AlreadyTaken, &it.unique.path).with("value", &it.unique.value),
            );
        }
    }
    if taken.is_empty() {
        Ok(())
    } else {
        Err(crate::Error::Refused(taken))
    }
}

/// The trail and the event of a change to one attribute: it concerns everybody who shows its category.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    category: &Category,
    before: Option<&Attribute>,
    after: &Attribute,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "attribute",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action, "path": category.path });
    let event = NewEvent {
        kind: Kind::CategoryTreeChanged,
        aggregate_id: category.id.0,
        aggregate_version: category.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
