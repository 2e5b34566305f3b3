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
    super::{
        ItemChange, NewItem,
        rules::{self, Draft},
    },
    BulkOutcome, Obstacle, again_when_overtaken, categories_in_tx, check_category,
    conflict::Owners,
    found::{self, Found},
    outcome::{KeptOutcome, Refused},
    take_turn_in_tx,
    write::{self, Changed, Told, Trail},
};
use crate::{
    Domain,
    clock::new_id,
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    job::{self, Task},
    sql::uuids,
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

/// One item among many that shall be put away.
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
    ) -> Result<Claimed<KeptOutcome>> {
        let rows: Vec<_> = rows.iter().map(|row| row.as_ref().ok()).collect();
        claim_in_tx(
            tx,
            self.viewer,
            self.key,
            operation,
            &(rows, self.policy),
            now,
        )
        .await
    }

    async fn end(
        &self,
        tx: DatabaseTransaction,
        claim: Claim,
        outcome: BulkOutcome,
    ) -> Result<BulkOutcome, Obstacle> {
        claim.keep_in_tx(&tx, &KeptOutcome::from(&outcome)).await?;
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
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, "items.create", rows, now).await? {
        Claimed::Before(kept) => return Ok(kept.into()),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let mut refused = Refused::default();
    let mut drafts = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let draft = match row {
            Ok(new) => rules::parse_new(new),
            Err(refusals) => Err(crate::Error::Refused(refusals.clone())),
        };
        if let Some(draft) = refused.take(index, draft)? {
            drafts.push((index, ItemId(new_id(now)), draft));
        }
    }
    let places = Places::read_in_tx(&tx, drafts.iter().map(|(.., draft)| draft)).await?;
    let mut owners =
        Owners::read_in_tx(&tx, drafts.iter().map(|(.., draft)| (draft, None))).await?;
    drafts.retain(|(index, id, draft)| {
        let fits = places
            .check(draft, None)
            .and_then(|()| owners.claim(*id, draft, None));
        fits.map_err(|refusals| refused.add(*index, refusals))
            .is_ok()
    });
    let refusals = refused.judged(call.policy)?;
    let trail = call.trail(now, "item.create");
    let mut new: Vec<_> = drafts.iter().map(|(_, id, draft)| (*id, draft)).collect();
    write::insert_in_tx(&tx, trail, &mut new).await?;
    let tasks = drafts
        .iter()
        .map(|(_, id, _)| Task::RenderCode { item_id: *id });
    job::enqueue_in_tx(&tx, call.viewer, now, &tasks.collect::<Vec<_>>()).await?;
    let told = drafts
        .iter()
        .map(|(_, id, draft)| told(*id, 1, draft, None));
    write::announce_each_in_tx(&tx, trail, &told.collect::<Vec<_>>()).await?;
    let done = drafts.iter().map(|(index, id, _)| (*index, *id)).collect();
    call.end(tx, claim, BulkOutcome { done, refusals }).await
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
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, "items.update", rows, now).await? {
        Claimed::Before(kept) => return Ok(kept.into()),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let mut refused = Refused::default();
    // Categories are locked before items, as everywhere.
    let given = rows.iter().flatten().map(|row| &row.change);
    let places = Places::of_changes_in_tx(&tx, given).await?;
    let ids: Vec<_> = rows.iter().flatten().map(|row| row.id).collect();
    let found = found::lock_in_tx(&tx, &ids).await?;
    let mut seen = HashSet::with_capacity(ids.len());
    let mut drafts = Vec::with_capacity(ids.len());
    for (index, row) in rows.iter().enumerate() {
        let changed = changed(row, &found, &mut seen);
        if let Some((before, draft)) = refused.take(index, changed)? {
            drafts.push((index, before, draft));
        }
    }
    let pairs = drafts
        .iter()
        .map(|(_, before, draft)| (draft, Some(*before)));
    let mut owners = Owners::read_in_tx(&tx, pairs).await?;
    drafts.retain(|(index, before, draft)| {
        let fits = places
            .check(draft, Some(before))
            .and_then(|()| owners.claim(before.item.id, draft, Some(before)));
        fits.map_err(|refusals| refused.add(*index, refusals))
            .is_ok()
    });
    let refusals = refused.judged(call.policy)?;
    let done = drafts
        .iter()
        .map(|(index, before, _)| (*index, before.item.id))
        .collect();
    drafts.retain(|(_, before, draft)| !before.is(draft));
    let trail = call.trail(now, "item.update");
    let changes: Vec<_> = drafts
        .iter()
        .map(|(_, before, draft)| Changed { before, draft })
        .collect();
    write::update_in_tx(&tx, trail, &changes).await?;
    let told = drafts.iter().map(|(_, before, draft)| {
        told(
            before.item.id,
            before.item.version + 1,
            draft,
            Some(before.item.category_id),
        )
    });
    write::announce_each_in_tx(&tx, trail, &told.collect::<Vec<_>>()).await?;
    call.end(tx, claim, BulkOutcome { done, refusals }).await
}

/// The item as it is, and as it shall be.
fn changed<'a>(
    row: &Row<RowUpdate>,
    found: &'a HashMap<ItemId, Found>,
    seen: &mut HashSet<ItemId>,
) -> Result<(&'a Found, Draft)> {
    let row = row
        .as_ref()
        .map_err(|refusals| crate::Error::Refused(refusals.clone()))?;
    let before = expected(found, seen, row.id, row.expected_version)?;
    if before.item.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, "id").into());
    }
    Ok((
        before,
        rules::parse_new(&applied(before.values(), &row.change))?,
    ))
}

/// The item of a row, when it is there, of the version that is expected, and no other row's.
fn expected<'a>(
    found: &'a HashMap<ItemId, Found>,
    seen: &mut HashSet<ItemId>,
    id: ItemId,
    version: Option<i64>,
) -> Result<&'a Found, Refusal> {
    let before = found
        .get(&id)
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    if !seen.insert(id) {
        return Err(Refusal::new(Code::AlreadyTaken, "id"));
    }
    match version {
        Some(expected) if expected != before.item.version => {
            let refusal = Refusal::new(Code::StaleVersion, "expectedVersion");
            Err(refusal
                .with("expected", expected)
                .with("actual", before.item.version))
        }
        _ => Ok(before),
    }
}

fn applied(before: NewItem, change: &ItemChange) -> NewItem {
    let ItemChange {
        kind,
        sku,
        name,
        description,
        category_id,
        unit_id,
        tracking,
        price,
        attributes,
        tags,
        barcodes,
        external_reference,
    } = change.clone();
    NewItem {
        kind: kind.unwrap_or(before.kind),
        sku: sku.unwrap_or(before.sku),
        name: name.unwrap_or(before.name),
        description: description.unwrap_or(before.description),
        category_id: category_id.unwrap_or(before.category_id),
        unit_id: unit_id.unwrap_or(before.unit_id),
        tracking: tracking.unwrap_or(before.tracking),
        price: price.apply(before.price),
        attributes: attributes.unwrap_or(before.attributes),
        tags: tags.unwrap_or(before.tags),
        barcodes: barcodes.unwrap_or(before.barcodes),
        external_reference: external_reference.apply(before.external_reference),
    }
}

pub(in super::super) async fn archive(
    call: Call<'_>,
    rows: Vec<Row<RowArchive>>,
) -> Result<BulkOutcome> {
    check_count(&rows)?;
    again_when_overtaken(|| try_archive(&call, &rows)).await
}

async fn try_archive(call: &Call<'_>, rows: &[Row<RowArchive>]) -> Result<BulkOutcome, Obstacle> {
    let now = call.domain.now();
    let tx = call.domain.begin().await?;
    let claim = match call.claim_in_tx(&tx, "items.archive", rows, now).await? {
        Claimed::Before(kept) => return Ok(kept.into()),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let ids: Vec<_> = rows.iter().flatten().map(|row| row.id).collect();
    let found = found::lock_in_tx(&tx, &ids).await?;
    let mut refused = Refused::default();
    let mut seen = HashSet::with_capacity(ids.len());
    let mut items = Vec::with_capacity(ids.len());
    for (index, row) in rows.iter().enumerate() {
        let item = match row {
            Ok(row) => {
                expected(&found, &mut seen, row.id, row.expected_version).map_err(Into::into)
            }
            Err(refusals) => Err(crate::Error::Refused(refusals.clone())),
        };
        if let Some(item) = refused.take(index, item)? {
            items.push((index, item));
        }
    }
    let refusals = refused.judged(call.policy)?;
    let done = items
        .iter()
        .map(|(index, found)| (*index, found.item.id))
        .collect();
    items.retain(|(_, found)| found.item.archived_at.is_none());
    let trail = call.trail(now, "item.archive");
    let ids: Vec<_> = items.iter().map(|(_, found)| found.item.id).collect();
    write::archive_in_tx(&tx, trail, &ids).await?;
    let told = items.iter().map(|(_, found)| Told {
        id: found.item.id,
        version: found.item.version + 1,
        category: found.item.category_id,
        previous: None,
    });
    write::announce_each_in_tx(&tx, trail, &told.collect::<Vec<_>>()).await?;
    call.end(tx, claim, BulkOutcome { done, refusals }).await
}

fn check_count<T>(rows: &[T]) -> Result<()> {
    if rows.len() > ROWS_MAX {
        return Err(Refusal::new(Code::TooMany, "rows")
            .with("max", ROWS_MAX)
            .into());
    }
    Ok(())
}

fn told(id: ItemId, version: i64, draft: &Draft, previous: Option<CategoryId>) -> Told {
    Told {
        id,
        version,
        category: draft.category_id,
        previous,
    }
}

/// Categories and units that rows name, as far as they are there.
struct Places {
    categories: HashMap<CategoryId, bool>,
    units: HashSet<UnitOfMeasureId>,
}

impl Places {
    async fn read_in_tx<'a>(
        tx: &DatabaseTransaction,
        drafts: impl Iterator<Item = &'a Draft> + Clone,
    ) -> Result<Self> {
        let categories = drafts.clone().map(|draft| draft.category_id).collect();
        let units = drafts.map(|draft| draft.unit_id).collect();
        Self::of_ids_in_tx(tx, categories, units).await
    }

    async fn of_changes_in_tx<'a>(
        tx: &DatabaseTransaction,
        changes: impl Iterator<Item = &'a ItemChange> + Clone,
    ) -> Result<Self> {
        let categories = changes
            .clone()
            .filter_map(|change| change.category_id)
            .collect();
        let units = changes.filter_map(|change| change.unit_id).collect();
        Self::of_ids_in_tx(tx, categories, units).await
    }

    async fn of_ids_in_tx(
        tx: &DatabaseTransaction,
        categories: Vec<CategoryId>,
        mut units: Vec<UnitOfMeasureId>,
    ) -> Result<Self> {
        units.sort_unstable();
        units.dedup();
        let sql = "SELECT id FROM unit_of_measure WHERE id = ANY($1)";
        Ok(Self {
            categories: categories_in_tx(tx, categories).await?,
            units: found::firsts_in_tx(tx, sql, uuids(&units)).await?,
        })
    }

    /// Whether the draft can be where it wants to be, unless it is there already.
    fn check(&self, draft: &Draft, before: Option<&Found>) -> Result<(), Vec<Refusal>> {
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
