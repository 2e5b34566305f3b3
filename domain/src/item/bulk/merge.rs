//! Rows of an import: each makes a new item or changes the one it names. What a row does not say stays.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    id::{CategoryId, ItemId, UnitOfMeasureId},
    item::{Kind, Tracking},
    item_import::{MatchBy, Mode},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde_json::{Map, Value};

use super::{
    super::{NewItem, reading, rules},
    Obstacle, categories_in_tx, check_category, check_places,
    conflict::{Earlier, UniqueValues},
    found::{self, By, Found},
    outcome::Refused,
    priced,
    valid::{Extent, Valid, own_in_tx, settle_in_tx},
    write::{self, Trail},
};
use crate::{
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    job::{self, Task},
    money::Money,
    patch::Patch,
    sku,
    sql::statement,
    text,
    unit_of_measure::UnitTable,
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
    /// SKU of the template whose variant it is.
    pub(crate) template: Patch<String>,
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
    /// Unique values of rows that were only looked at before these.
    pub(crate) earlier: &'a Earlier,
}

/// What became of rows.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    /// What is wrong with rows, by their index.
    pub(crate) refused: Vec<(usize, Vec<Refusal>)>,
    /// Unique values that the rows would have, when they were only looked at.
    pub(crate) claimed: UniqueValues,
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
    rows: &[&RowValues],
) -> Result<Merged, Obstacle> {
    let named = rows.iter().filter_map(|row| row.category_id).collect();
    let by = by(merge.match_by, rows);
    let categories = categories_in_tx(tx, named, Some(&by)).await?;
    let templates = templates_in_tx(tx, rows).await?;
    let found = FoundBy::lock_in_tx(tx, merge.match_by, &by).await?;
    check_places(&categories, &found.items)?;
    let mut merged = Merged::default();
    let mut refused = Refused::default();
    let mut valid = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let before = found.of(merge.match_by, row);
        let row = look_at(merge, index, row, before, (&categories, &templates));
        valid.extend(refused.take(index, row)?);
    }
    settle_in_tx(tx, &mut valid, &mut refused).await?;
    refused.rename("templateId", "template");
    keep_news(merge, &mut valid, &mut merged, &mut refused);
    let is_new: HashSet<_> = valid
        .iter()
        .filter(|row| row.before.is_none())
        .map(|row| row.index)
        .collect();
    let mut taken = Refused::default();
    let owners = own_in_tx(tx, merge.earlier, &mut valid, &mut taken).await?;
    taken.rename("templateId", "template");
    // What was not there a moment ago is there now: these rows are about it.
    if taken.any(|row, refusal| is_new.contains(&row) && is_key(merge, refusal)) {
        return Err(Obstacle::Overtaken);
    }
    merged.updated = valid.iter().filter(|row| row.before.is_some()).count();
    merged.created = valid.len() - merged.updated;
    merged.refused = refused.and(taken).by_row();
    if merge.write {
        write_in_tx(tx, merge, &valid).await?;
    } else {
        merged.claimed = owners.into_claimed();
    }
    Ok(merged)
}

/// Keeps the rows that say something new, and may.
fn keep_news(
    merge: Merge<'_>,
    rows: &mut Vec<Valid<'_>>,
    merged: &mut Merged,
    refused: &mut Refused,
) {
    rows.retain(|row| {
        if row.is_so() {
            merged.unchanged += 1;
            return false;
        }
        let stays = row.before.is_some() && merge.mode == Mode::CreateOnly;
        if stays {
            let path = key_path(merge.match_by);
            let key = match merge.match_by {
                MatchBy::Sku => Some(&row.draft.sku),
                MatchBy::ExternalReference => row.draft.external_reference.as_ref(),
            };
            let refusal = Refusal::new(Code::AlreadyTaken, path);
            let key = key.cloned().unwrap_or_default();
            refused.add(row.index, [refusal.with("value", key)]);
        }
        !stays
    });
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

async fn write_in_tx(
    tx: &DatabaseTransaction,
    merge: Merge<'_>,
    rows: &[Valid<'_>],
) -> Result<(), Obstacle> {
    let trail = Trail {
        viewer: merge.viewer,
        now: merge.now,
        action: "item.import",
    };
    // What changed items give up is free for new ones, and not the other way round.
    write::update_in_tx(tx, trail, rows).await?;
    write::insert_in_tx(tx, trail, rows).await?;
    if merge.draw_codes {
        let new = rows.iter().filter(|row| row.before.is_none());
        let tasks = new.map(|row| Task::RenderCode { item_id: row.id });
        job::enqueue_in_tx(tx, merge.viewer, merge.now, &tasks.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

fn by(match_by: MatchBy, rows: &[&RowValues]) -> By {
    let keys = rows.iter().filter_map(|row| match_key(match_by, row).ok());
    match match_by {
        MatchBy::Sku => By::Sku(keys.collect()),
        MatchBy::ExternalReference => By::ExternalReference(keys.collect()),
    }
}

/// The items that rows name as templates, by SKU.
async fn templates_in_tx(
    tx: &DatabaseTransaction,
    rows: &[&RowValues],
) -> Result<HashMap<String, ItemId>> {
    let named = rows.iter().filter_map(|row| match &row.template {
        Patch::Set(sku) => sku::parse("template", sku).ok(),
        Patch::Keep | Patch::Clear => None,
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT sku, id FROM item WHERE sku = ANY($1)";
    let found = tx.query_all_raw(statement(sql, [named.into()])).await?;
    let pairs = found
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    Ok(pairs.collect::<Result<_, DbErr>>()?)
}

fn find_template(sku: &str, templates: &HashMap<String, ItemId>) -> Result<ItemId, Refusal> {
    let parsed = sku::parse("template", sku)?;
    let found = templates.get(&parsed).copied();
    found.ok_or_else(|| Refusal::new(Code::NotFound, "template").with("value", parsed))
}

/// The items that rows are about, by what tells them.
struct FoundBy {
    items: HashMap<ItemId, Found>,
    by_key: HashMap<String, ItemId>,
}

impl FoundBy {
    async fn lock_in_tx(tx: &DatabaseTransaction, match_by: MatchBy, by: &By) -> Result<Self> {
        let items = found::lock_in_tx(tx, by).await?;
        let key = |found: &Found| match match_by {
            MatchBy::Sku => Some(found.item.sku.clone()),
            MatchBy::ExternalReference => found.item.external_reference.clone(),
        };
        let by_key = items
            .values()
            .filter_map(|found| Some((key(found)?, found.item.id)))
            .collect();
        Ok(Self { items, by_key })
    }

    fn of(&self, match_by: MatchBy, row: &RowValues) -> Option<&Found> {
        let key = match_key(match_by, row).ok()?;
        self.items.get(self.by_key.get(&key)?)
    }
}

/// How the row wants its item to be. Whatever else an item's values have to fulfil is asked for here, by `rules::parse_new`.
fn look_at<'a>(
    merge: Merge<'_>,
    index: usize,
    row: &RowValues,
    before: Option<&'a Found>,
    (categories, templates): (&HashMap<CategoryId, bool>, &HashMap<String, ItemId>),
) -> Result<Valid<'a>> {
    match_key(merge.match_by, row)?;
    if before.is_some_and(|before| before.item.archived_at.is_some()) {
        return Err(Refusal::new(Code::Archived, key_path(merge.match_by)).into());
    }
    let units = UnitTable::default();
    let mut draft = rules::parse_new(
        wanted(row, before, templates)?,
        reading(merge.viewer, &units),
    )?;
    // Rows say nothing of metal.
    draft.metal = before.and_then(|before| before.metal.clone().map(Into::into));
    if before.is_none_or(|before| before.item.category_id != draft.category_id) {
        check_category(categories, draft.category_id).map_err(|refusal| refusal.at("category"))?;
    }
    let says_nothing = row.attributes.is_empty() && before.is_some();
    Ok(Valid {
        index,
        id: before.map_or_else(|| ItemId(new_id(merge.now)), |before| before.item.id),
        before,
        draft,
        extent: if says_nothing {
            Extent::Nothing
        } else {
            Extent::Some
        },
        facts: None,
        variant: None,
    })
}

/// The item with what the row says; all that a new one needs must be in the row.
fn wanted(
    row: &RowValues,
    before: Option<&Found>,
    templates: &HashMap<String, ItemId>,
) -> Result<NewItem> {
    let row = row.clone();
    let mut item = match before {
        Some(before) => before.values()?,
        None => blank(&row)?,
    };
    item.kind = row.kind.unwrap_or(item.kind);
    item.sku = row.sku.unwrap_or(item.sku);
    item.name.extend(row.name);
    item.description.extend(row.description);
    item.category_id = row.category_id.unwrap_or(item.category_id);
    item.unit_id = row.unit_id.unwrap_or(item.unit_id);
    item.tracking = row.tracking.unwrap_or(item.tracking);
    (item.price, item.pricing) = priced((item.price, item.pricing), row.price, Patch::Keep)?;
    item.tags = row.tags.unwrap_or(item.tags);
    item.barcodes = row.barcodes.unwrap_or(item.barcodes);
    item.external_reference = row.external_reference.apply(item.external_reference);
    let template = row.template.try_map(|sku| find_template(&sku, templates))?;
    item.template_id = template.apply(item.template_id);
    // What it has besides is put to it where what its category demands is known.
    item.attributes = row.attributes.into_iter().collect();
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
            pricing: None,
            metal: None,
            attributes: Value::Object(Map::new()),
            tags: Vec::new(),
            barcodes: Vec::new(),
            external_reference: None,
            template_id: None,
        }),
        _ => Err(Error::Refused(missing)),
    }
}
