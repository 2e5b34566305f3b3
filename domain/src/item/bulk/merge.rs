//! Rows of an import: each makes a new item or changes the one it names. What a row does not say stays.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    id::{CategoryId, ItemId, UnitOfMeasureId},
    item::{Kind, Tracking},
    item_import::{MatchBy, Mode},
};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

use super::{
    super::{
        NewItem,
        rules::{self, Draft},
    },
    Obstacle, categories_in_tx, check_category,
    conflict::Owners,
    found::{self, Found, Unique},
    write::{self, Changed, Trail},
};
use crate::{
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    job::{self, Task},
    money::Money,
    patch::Patch,
    sku, text,
    viewer::Viewer,
};

/// What a row says of an item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RowValues {
    pub(crate) sku: Option<String>,
    pub(crate) external_reference: Patch<String>,
    pub(crate) kind: Option<Kind>,
    /// By language; languages that are not here stay.
    pub(crate) name: BTreeMap<String, String>,
    pub(crate) description: BTreeMap<String, String>,
    pub(crate) category_id: Option<CategoryId>,
    pub(crate) unit_id: Option<UnitOfMeasureId>,
    pub(crate) tracking: Option<Tracking>,
    pub(crate) price: Patch<Money>,
    /// By name; null takes an attribute away, those that are not here stay.
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) barcodes: Option<Vec<String>>,
}

/// How rows are merged into what is there.
#[derive(Clone, Copy)]
pub(crate) struct Merge<'a> {
    /// In whose name.
    pub(crate) viewer: &'a Viewer,
    pub(crate) now: DateTime<Utc>,
    pub(crate) match_by: MatchBy,
    pub(crate) mode: Mode,
    /// Whether codes of new items are drawn.
    pub(crate) draw_codes: bool,
    /// Whether anything is written, or all is only looked at.
    pub(crate) write: bool,
}

/// What became of rows.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    /// What is wrong with rows, by their index.
    pub(crate) refused: Vec<(usize, Vec<Refusal>)>,
}

/// What tells which item a row is about.
///
/// # Errors
/// When the row does not say, or cannot be understood.
pub(crate) fn match_key(match_by: MatchBy, values: &RowValues) -> Result<String, Refusal> {
    match match_by {
        MatchBy::Sku => sku::parse("sku", values.sku.as_deref().unwrap_or_default()),
        MatchBy::ExternalReference => match &values.external_reference {
            Patch::Set(reference) => text::external_reference(reference),
            Patch::Keep | Patch::Clear => Err(Refusal::new(Code::Required, "externalReference")),
        },
    }
}

/// Merges rows, each about another item, with as many statements however many they are.
///
/// # Errors
/// [`Obstacle::Overtaken`] when somebody else was quicker.
pub(crate) async fn merge_in_tx(
    tx: &DatabaseTransaction,
    merge: Merge<'_>,
    rows: &[RowValues],
) -> Result<Merged, Obstacle> {
    let mut merged = Merged::default();
    let named = rows.iter().filter_map(|row| row.category_id).collect();
    let categories = categories_in_tx(tx, named).await?;
    let found = found_in_tx(tx, merge.match_by, rows).await?;
    let mut drafts = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let before = found.of(merge.match_by, row);
        match draft(merge, row, before, &categories) {
            Ok(draft) if before.is_some_and(|before| before.is(&draft)) => merged.unchanged += 1,
            Ok(draft) => {
                let id = before.map_or_else(|| ItemId(new_id(merge.now)), |before| before.item.id);
                drafts.push((index, id, before, draft));
            }
            Err(Error::Refused(refusals)) => merged.refused.push((index, refusals)),
            Err(other) => return Err(other.into()),
        }
    }
    let pairs = drafts.iter().map(|(_, _, before, draft)| (draft, *before));
    let mut owners = Owners::read_in_tx(tx, pairs).await?;
    let mut is_overtaken = false;
    drafts.retain(
        |(index, id, before, draft)| match owners.claim(*id, draft, *before) {
            Ok(()) => true,
            Err(refusals) => {
                is_overtaken |=
                    before.is_none() && refusals.iter().any(|refusal| is_key(merge, refusal));
                merged.refused.push((*index, refusals));
                false
            }
        },
    );
    // What was not there a moment ago is there now: these rows are about it.
    if is_overtaken {
        return Err(Obstacle::Overtaken);
    }
    merged.updated = drafts
        .iter()
        .filter(|(_, _, before, _)| before.is_some())
        .count();
    merged.created = drafts.len() - merged.updated;
    if merge.write {
        write_in_tx(tx, merge, &drafts).await?;
    }
    Ok(merged)
}

/// Whether it is about what tells which item a row is about.
fn is_key(merge: Merge<'_>, refusal: &Refusal) -> bool {
    refusal.path == [key_path(merge.match_by)]
}

fn key_path(match_by: MatchBy) -> &'static str {
    match match_by {
        MatchBy::Sku => "sku",
        MatchBy::ExternalReference => "externalReference",
    }
}

/// A row whose values are valid: its index, its item, how that was, and how it shall be.
type Valid<'a> = (usize, ItemId, Option<&'a Found>, Draft);

async fn write_in_tx(
    tx: &DatabaseTransaction,
    merge: Merge<'_>,
    drafts: &[Valid<'_>],
) -> Result<(), Obstacle> {
    let trail = Trail {
        viewer: merge.viewer,
        now: merge.now,
        action: "item.import",
    };
    let created = drafts.iter().filter(|(_, _, before, _)| before.is_none());
    let mut new: Vec<_> = created.map(|(_, id, _, draft)| (*id, draft)).collect();
    let changes = drafts.iter().filter_map(|(_, _, before, draft)| {
        let before = (*before)?;
        Some(Changed { before, draft })
    });
    // What changed items give up is free for new ones, and not the other way round.
    write::update_in_tx(tx, trail, &changes.collect::<Vec<_>>()).await?;
    write::insert_in_tx(tx, trail, &mut new).await?;
    if merge.draw_codes {
        let tasks = new.iter().map(|(id, _)| Task::RenderCode { item_id: *id });
        job::enqueue_in_tx(tx, merge.viewer, merge.now, &tasks.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// The items that rows are about, by what tells them.
struct FoundBy {
    found: HashMap<ItemId, Found>,
    by_key: HashMap<String, ItemId>,
}

impl FoundBy {
    fn of(&self, match_by: MatchBy, row: &RowValues) -> Option<&Found> {
        let key = match_key(match_by, row).ok()?;
        self.found.get(self.by_key.get(&key)?)
    }
}

async fn found_in_tx(
    tx: &DatabaseTransaction,
    match_by: MatchBy,
    rows: &[RowValues],
) -> Result<FoundBy> {
    let keys = rows.iter().filter_map(|row| match_key(match_by, row).ok());
    let column = match match_by {
        MatchBy::Sku => Unique::Sku,
        MatchBy::ExternalReference => Unique::ExternalReference,
    };
    let found = found::lock_by_in_tx(tx, column, keys.collect()).await?;
    let key = |found: &Found| match match_by {
        MatchBy::Sku => Some(found.item.sku.clone()),
        MatchBy::ExternalReference => found.item.external_reference.clone(),
    };
    let by_key = found
        .values()
        .filter_map(|found| Some((key(found)?, found.item.id)))
        .collect();
    Ok(FoundBy { found, by_key })
}

/// How the row wants its item to be. Whatever else an item's values have to fulfil is asked for here, by `rules::parse_new`.
fn draft(
    merge: Merge<'_>,
    row: &RowValues,
    before: Option<&Found>,
    categories: &HashMap<CategoryId, bool>,
) -> Result<Draft> {
    let key = match_key(merge.match_by, row)?;
    let path = key_path(merge.match_by);
    if before.is_some_and(|before| before.item.archived_at.is_some()) {
        return Err(Refusal::new(Code::Archived, path).into());
    }
    let draft = rules::parse_new(&wanted(row, before)?)?;
    if before.is_none_or(|before| before.item.category_id != draft.category_id) {
        check_category(categories, draft.category_id).map_err(|refusal| {
            let path = vec!["category".to_owned()];
            Refusal { path, ..refusal }
        })?;
    }
    match before {
        Some(before) if merge.mode == Mode::CreateOnly && !before.is(&draft) => {
            Err(Refusal::new(Code::AlreadyTaken, path)
                .with("value", key)
                .into())
        }
        _ => Ok(draft),
    }
}

/// The item with what the row says; all that a new one needs must be in the row.
fn wanted(row: &RowValues, before: Option<&Found>) -> Result<NewItem> {
    let row = row.clone();
    let mut item = match before {
        Some(before) => before.values(),
        None => blank(&row)?,
    };
    item.kind = row.kind.unwrap_or(item.kind);
    item.sku = row.sku.unwrap_or(item.sku);
    item.name.extend(row.name);
    item.description.extend(row.description);
    item.category_id = row.category_id.unwrap_or(item.category_id);
    item.unit_id = row.unit_id.unwrap_or(item.unit_id);
    item.tracking = row.tracking.unwrap_or(item.tracking);
    item.price = row.price.apply(item.price);
    item.tags = row.tags.unwrap_or(item.tags);
    item.barcodes = row.barcodes.unwrap_or(item.barcodes);
    item.external_reference = row.external_reference.apply(item.external_reference);
    if let Some(attributes) = item.attributes.as_object_mut() {
        for (name, value) in row.attributes {
            if value.is_null() {
                attributes.remove(&name);
            } else {
                attributes.insert(name, value);
            }
        }
    }
    Ok(item)
}

/// A new item before its row has said more of it.
fn blank(row: &RowValues) -> Result<NewItem> {
    let needed = [
        ("sku", row.sku.is_none()),
        ("name", row.name.is_empty()),
        ("category", row.category_id.is_none()),
        ("unit", row.unit_id.is_none()),
    ];
    let missing: Vec<_> = needed
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(path, _)| Refusal::new(Code::Required, path))
        .collect();
    match (row.category_id, row.unit_id) {
        (Some(category_id), Some(unit_id)) if missing.is_empty() => Ok(NewItem {
            kind: Kind::Goods,
            sku: String::new(),
            name: BTreeMap::new(),
            description: BTreeMap::new(),
            category_id,
            unit_id,
            tracking: Tracking::None,
            price: None,
            attributes: Value::Object(Map::new()),
            tags: Vec::new(),
            barcodes: Vec::new(),
            external_reference: None,
        }),
        _ => Err(Error::Refused(missing)),
    }
}
