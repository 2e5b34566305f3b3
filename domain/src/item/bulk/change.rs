//! Mutations of up to a thousand items, each row with errors of its own.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    id::{CategoryId, ItemId, UnitOfMeasureId},
    item_import::Policy,
};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::{
    super::{ItemChange, NewItem, metal::Reading, reading, rules, units_for},
    BulkOutcome, Obstacle, again_when_overtaken, categories_in_tx, check_category, check_places,
    conflict::Earlier,
    found::{self, By, Found},
    outcome::Refused,
    priced, take_turn_in_tx,
    valid::{Extent, Valid, own_in_tx, settle_in_tx},
    write::{self, Told, Trail},
};
use crate::{
    Domain,
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    job::{self, Task},
    patch::Patch,
    sql::uuids,
    version,
    viewer::Viewer,
};

/// Most rows of one call.
pub const ROWS_MAX: usize = 1000;

/// A row, or what is wrong with it already.
type Row<T> = Result<T, Vec<Refusal>>;

/// A change of one item among many.
#[derive(Clone, Debug, Serialize)]
pub struct RowUpdate {
    /// Which item.
    pub id: ItemId,
    /// What is to be different.
    pub change: ItemChange,
    /// Refuse when the item's version is another.
    pub expected_version: Option<i64>,
}

/// One item among many that shall be put away, or brought back.
#[derive(Clone, Debug, Serialize)]
pub struct RowArchive {
    /// Which item.
    pub id: ItemId,
    /// Refuse when the item's version is another.
    pub expected_version: Option<i64>,
}

/// What all three have in common.
pub(in super::super) struct Call<'a> {
    pub(in super::super) domain: &'a Domain,
    pub(in super::super) viewer: &'a Viewer,
    pub(in super::super) policy: Policy,
    pub(in super::super) key: Option<&'a str>,
}

impl Call<'_> {
    fn trail(&self, now: DateTime<Utc>, action: &'static str) -> Trail<'_> {
        let viewer = self.viewer;
        Trail {
            viewer,
            now,
            action,
        }
    }

    async fn claim_in_tx(
        &self,
        tx: &DatabaseTransaction,
        operation: &'static str,
        rows: &[Row<impl Serialize + Sync>],
        now: DateTime<Utc>,
    ) -> Result<Claimed<BulkOutcome>> {
        let request = (rows, self.policy);
        claim_in_tx(tx, self.viewer, self.key, operation, &request, now).await
    }

    async fn end(
        &self,
        tx: DatabaseTransaction,
        claim: Claim,
        outcome: BulkOutcome,
    ) -> Result<BulkOutcome, Obstacle> {
        claim.keep_in_tx(&tx, &outcome).await?;
        self.domain.commit(tx).await?;
        Ok(outcome)
    }
}

pub(in super::super) async fn create(
    call: Call<'_>,
    rows: Vec<Row<NewItem>>,
) -> Result<BulkOutcome> {
    check_count(&rows)?;
    again_when_overtaken(|| try_create(&call, &rows)).await
}

async fn try_create(call: &Call<'_>, rows: &[Row<NewItem>]) -> Result<BulkOutcome, Obstacle> {
    let now = call.domain.now();
    let metal = rows.iter().flatten().filter_map(|new| new.metal.as_ref());
    let units = units_for(&call.domain.reads, metal).await?;
    let reading = reading(call.viewer, &units);
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, "items.create", rows, now).await? {
        Claimed::Before(outcome) => return Ok(outcome),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let mut refused = Refused::default();
    let mut new = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let draft = match row {
            Ok(new) => rules::parse_new(new.clone(), reading),
            Err(refusals) => Err(Error::Refused(refusals.clone())),
        };
        if let Some(draft) = refused.take(index, draft)? {
            new.push(Valid {
                index,
                id: ItemId(new_id(now)),
                before: None,
                draft,
                extent: Extent::All,
                facts: None,
                variant: None,
            });
        }
    }
    let places = Places::read_in_tx(&tx, &new).await?;
    keep_fitting_in_tx(&tx, &places, &mut new, &mut refused).await?;
    let refusals = refused.judged(call.policy)?;
    let trail = call.trail(now, "item.create");
    write::insert_in_tx(&tx, trail, &new).await?;
    let tasks = new.iter().map(|row| Task::RenderCode { item_id: row.id });
    job::enqueue_in_tx(&tx, call.viewer, now, &tasks.collect::<Vec<_>>()).await?;
    let told: Vec<_> = new.iter().map(told).collect();
    write::announce_each_in_tx(&tx, trail, &told).await?;
    let done = new.iter().map(|row| (row.index, row.id)).collect();
    call.end(tx, claim, BulkOutcome { done, refusals }).await
}

/// Keeps the rows that can be done.
async fn keep_fitting_in_tx(
    tx: &DatabaseTransaction,
    places: &Places,
    rows: &mut Vec<Valid<'_>>,
    refused: &mut Refused,
) -> Result<()> {
    rows.retain(|row| {
        let fits = places.check(row);
        fits.map_err(|refusals| refused.add(row.index, refusals))
            .is_ok()
    });
    settle_in_tx(tx, rows, refused).await?;
    own_in_tx(tx, &Earlier::default(), rows, refused).await?;
    Ok(())
}

pub(in super::super) async fn update(
    call: Call<'_>,
    rows: Vec<Row<RowUpdate>>,
) -> Result<BulkOutcome> {
    check_count(&rows)?;
    again_when_overtaken(|| try_update(&call, &rows)).await
}

async fn try_update(call: &Call<'_>, rows: &[Row<RowUpdate>]) -> Result<BulkOutcome, Obstacle> {
    let now = call.domain.now();
    let metal = rows
        .iter()
        .flatten()
        .filter_map(|row| match &row.change.metal {
            Patch::Set(metal) => Some(metal),
            Patch::Keep | Patch::Clear => None,
        });
    let units = units_for(&call.domain.reads, metal).await?;
    let reading = reading(call.viewer, &units);
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, "items.update", rows, now).await? {
        Claimed::Before(outcome) => return Ok(outcome),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let mut refused = Refused::default();
    let given = rows.iter().flatten().map(|row| &row.change);
    let by = By::Id(rows.iter().flatten().map(|row| row.id).collect());
    let places = Places::of_changes_in_tx(&tx, given, &by).await?;
    let found = found::lock_in_tx(&tx, &by).await?;
    check_places(&places.categories, &found)?;
    let mut seen = HashSet::with_capacity(rows.len());
    let mut changes = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let changed = changed(index, row, &found, &mut seen, reading);
        changes.extend(refused.take(index, changed)?);
    }
    keep_fitting_in_tx(&tx, &places, &mut changes, &mut refused).await?;
    let refusals = refused.judged(call.policy)?;
    let done = changes.iter().map(|row| (row.index, row.id)).collect();
    changes.retain(|row| !row.is_so());
    let trail = call.trail(now, "item.update");
    write::update_in_tx(&tx, trail, &changes).await?;
    let told: Vec<_> = changes.iter().map(told).collect();
    write::announce_each_in_tx(&tx, trail, &told).await?;
    call.end(tx, claim, BulkOutcome { done, refusals }).await
}

/// The item as it is, and as it shall be.
fn changed<'a>(
    index: usize,
    row: &Row<RowUpdate>,
    found: &'a HashMap<ItemId, Found>,
    seen: &mut HashSet<ItemId>,
    reading: Reading<'_>,
) -> Result<Valid<'a>> {
    let row = row
        .as_ref()
        .map_err(|refusals| Error::Refused(refusals.clone()))?;
    let before = expected(found, seen, row.id, row.expected_version)?;
    if before.item.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, "id").into());
    }
    let extent = if row.change.attributes.is_some() {
        Extent::All
    } else {
        Extent::Nothing
    };
    let mut draft = rules::parse_new(applied(before.values()?, &row.change)?, reading)?;
    if row.change.metal.is_keep() {
        draft.metal = before.metal.clone().map(Into::into);
    }
    Ok(Valid {
        index,
        id: before.item.id,
        before: Some(before),
        draft,
        extent,
        facts: None,
        variant: None,
    })
}

/// The item of a row, when it is there, of the version that is expected, and no other row's.
fn expected<'a>(
    found: &'a HashMap<ItemId, Found>,
    seen: &mut HashSet<ItemId>,
    id: ItemId,
    expected_version: Option<i64>,
) -> Result<&'a Found, Refusal> {
    let before = found
        .get(&id)
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    if !seen.insert(id) {
        return Err(Refusal::new(Code::AlreadyTaken, "id"));
    }
    version::check(before.item.version, expected_version)?;
    Ok(before)
}

fn applied(before: NewItem, change: &ItemChange) -> Result<NewItem> {
    let ItemChange {
        kind,
        sku,
        name,
        description,
        category_id,
        unit_id,
        tracking,
        price,
        pricing,
        metal,
        attributes,
        tags,
        barcodes,
        external_reference,
        template_id,
    } = change.clone();
    let (price, pricing) = priced((before.price, before.pricing), price, pricing)?;
    Ok(NewItem {
        kind: kind.unwrap_or(before.kind),
        sku: sku.unwrap_or(before.sku),
        name: name.unwrap_or(before.name),
        description: description.unwrap_or(before.description),
        category_id: category_id.unwrap_or(before.category_id),
        unit_id: unit_id.unwrap_or(before.unit_id),
        tracking: tracking.unwrap_or(before.tracking),
        price,
        pricing,
        metal: metal.apply(None),
        attributes: attributes.unwrap_or(before.attributes),
        tags: tags.unwrap_or(before.tags),
        barcodes: barcodes.unwrap_or(before.barcodes),
        external_reference: external_reference.apply(before.external_reference),
        template_id: template_id.apply(before.template_id),
    })
}

/// Puts items away, or brings them back.
pub(in super::super) async fn set_archived(
    call: Call<'_>,
    rows: Vec<Row<RowArchive>>,
    archived: bool,
) -> Result<BulkOutcome> {
    check_count(&rows)?;
    again_when_overtaken(|| try_set_archived(&call, &rows, archived)).await
}

async fn try_set_archived(
    call: &Call<'_>,
    rows: &[Row<RowArchive>],
    archived: bool,
) -> Result<BulkOutcome, Obstacle> {
    let (operation, action) = if archived {
        ("items.archive", "item.archive")
    } else {
        ("items.restore", "item.restore")
    };
    let now = call.domain.now();
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, operation, rows, now).await? {
        Claimed::Before(outcome) => return Ok(outcome),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let by = By::Id(rows.iter().flatten().map(|row| row.id).collect());
    let categories = if archived {
        None
    } else {
        Some(categories_in_tx(&tx, Vec::new(), Some(&by)).await?)
    };
    let found = found::lock_in_tx(&tx, &by).await?;
    if let Some(categories) = &categories {
        check_places(categories, &found)?;
    }
    let mut refused = Refused::default();
    let mut seen = HashSet::with_capacity(rows.len());
    let mut items = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let item = movable(row, &found, &mut seen, categories.as_ref());
        if let Some(item) = refused.take(index, item)? {
            items.push((index, item));
        }
    }
    let refusals = refused.judged(call.policy)?;
    let done = items
        .iter()
        .map(|(index, found)| (*index, found.item.id))
        .collect();
    items.retain(|(_, found)| found.item.archived_at.is_some() != archived);
    let trail = call.trail(now, action);
    let ids: Vec<_> = items.iter().map(|(_, found)| found.item.id).collect();
    write::set_archived_in_tx(&tx, trail, &ids, archived).await?;
    let told = items.iter().map(|(_, found)| Told {
        id: found.item.id,
        version: found.item.version + 1,
        category: found.item.category_id,
        previous: None,
    });
    write::announce_each_in_tx(&tx, trail, &told.collect::<Vec<_>>()).await?;
    call.end(tx, claim, BulkOutcome { done, refusals }).await
}

/// The item of a row. One that shall come back, which is when categories are given, needs a category that is in use.
fn movable<'a>(
    row: &Row<RowArchive>,
    found: &'a HashMap<ItemId, Found>,
    seen: &mut HashSet<ItemId>,
    categories: Option<&HashMap<CategoryId, bool>>,
) -> Result<&'a Found> {
    let row = row
        .as_ref()
        .map_err(|refusals| Error::Refused(refusals.clone()))?;
    let item = expected(found, seen, row.id, row.expected_version)?;
    match categories {
        Some(categories) if item.item.archived_at.is_some() => {
            check_category(categories, item.item.category_id)?;
        }
        Some(_) | None => {}
    }
    Ok(item)
}

fn check_count<T>(rows: &[T]) -> Result<()> {
    if rows.len() > ROWS_MAX {
        return Err(Refusal::new(Code::TooMany, "rows")
            .with("max", ROWS_MAX)
            .into());
    }
    Ok(())
}

pub(super) fn told(row: &Valid<'_>) -> Told {
    let before = row.before.map(|before| &before.item);
    Told {
        id: row.id,
        version: before.map_or(1, |before| before.version + 1),
        category: row.draft.category_id,
        previous: before.map(|before| before.category_id),
    }
}

/// Categories and units that rows name, as far as they are there.
struct Places {
    categories: HashMap<CategoryId, bool>,
    units: HashSet<UnitOfMeasureId>,
}

impl Places {
    async fn read_in_tx(tx: &DatabaseTransaction, rows: &[Valid<'_>]) -> Result<Self> {
        let categories = rows.iter().map(|row| row.draft.category_id).collect();
        let units = rows.iter().map(|row| row.draft.unit_id).collect();
        Self::of_ids_in_tx(tx, categories, None, units).await
    }

    async fn of_changes_in_tx<'a>(
        tx: &DatabaseTransaction,
        changes: impl Iterator<Item = &'a ItemChange> + Clone,
        items: &By,
    ) -> Result<Self> {
        let categories = changes
            .clone()
            .filter_map(|change| change.category_id)
            .collect();
        let units = changes.filter_map(|change| change.unit_id).collect();
        Self::of_ids_in_tx(tx, categories, Some(items), units).await
    }

    async fn of_ids_in_tx(
        tx: &DatabaseTransaction,
        categories: Vec<CategoryId>,
        items: Option<&By>,
        mut units: Vec<UnitOfMeasureId>,
    ) -> Result<Self> {
        units.sort_unstable();
        units.dedup();
        let sql = "SELECT id FROM unit_of_measure WHERE id = ANY($1)";
        Ok(Self {
            categories: categories_in_tx(tx, categories, items).await?,
            units: found::firsts_in_tx(tx, sql, uuids(&units)).await?,
        })
    }

    /// Whether the item can be where it shall be, unless it is there already.
    fn check(&self, row: &Valid<'_>) -> Result<(), Vec<Refusal>> {
        let (draft, before) = (&row.draft, row.before);
        let mut refusals = Vec::new();
        if before.is_none_or(|before| before.item.category_id != draft.category_id) {
            refusals.extend(check_category(&self.categories, draft.category_id).err());
        }
        if before.is_none_or(|before| before.item.unit_id != draft.unit_id)
            && !self.units.contains(&draft.unit_id)
        {
            refusals.push(Refusal::new(Code::NotFound, "unitId"));
        }
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(refusals)
        }
    }
}
