//! Items whose external references are new; what is there already stays as it is.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{id::ItemId, item_import::Policy};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{
    super::{
        NewItem,
        metal::Reading,
        reading,
        rules::{self, Draft},
        units_for,
    },
    Obstacle, again_when_overtaken, categories_in_tx, check_category,
    conflict::Earlier,
    found::firsts_in_tx,
    outcome::Refused,
    take_turn_in_tx,
    valid::{Extent, Valid, own_in_tx, settle_in_tx},
    write::{self, Trail},
};
use crate::{
    Domain,
    clock::new_id,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    job::{self, Task},
    viewer::Viewer,
};

/// Most items of one import.
pub const IMPORT_MAX: usize = 5000;

/// An item of an import. Its external reference tells whether it exists already.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// The item as it shall be; its external reference must be given.
    pub item: NewItem,
    /// Whether its QR code shall be drawn.
    pub draw_code: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct ImportOutcome {
    /// Items that were not there before, by external reference.
    pub created: HashMap<String, ItemId>,
    /// How many were there, and are as they were.
    pub existed: usize,
    /// How many could not be created: their category is not in use, or their SKU or a barcode is another item's.
    pub skipped: usize,
}

pub(in super::super) async fn import(
    domain: &Domain,
    viewer: &Viewer,
    rows: &[ItemRow],
) -> Result<ImportOutcome> {
    if rows.len() > IMPORT_MAX {
        return Err(Refusal::new(Code::TooMany, "rows")
            .with("max", IMPORT_MAX)
            .into());
    }
    again_when_overtaken(|| try_import(domain, viewer, rows)).await
}

async fn try_import(
    domain: &Domain,
    viewer: &Viewer,
    rows: &[ItemRow],
) -> Result<ImportOutcome, Obstacle> {
    let now = domain.now();
    let metal = rows.iter().filter_map(|row| row.item.metal.as_ref());
    let units = units_for(&domain.reads, metal).await?;
    let mut new = parse(rows, reading(viewer, &units), now)?;
    let tx = domain.begin().await?;
    take_turn_in_tx(&tx).await?;
    leave_out_existing_in_tx(&tx, &mut new).await?;
    let existed = rows.len() - new.len();
    keep_fitting_in_tx(&tx, &mut new).await?;
    let trail = Trail {
        viewer,
        now,
        action: "item.import",
    };
    write::insert_in_tx(&tx, trail, &new).await?;
    let wanted = new.iter().filter(|row| rows[row.index].draw_code);
    let tasks = wanted.map(|row| Task::RenderCode { item_id: row.id });
    job::enqueue_in_tx(&tx, viewer, now, &tasks.collect::<Vec<_>>()).await?;
    if !new.is_empty() {
        announce_all_in_tx(&tx, viewer, now).await?;
    }
    domain.commit(tx).await?;
    Ok(ImportOutcome {
        existed,
        skipped: rows.len() - existed - new.len(),
        created: new
            .into_iter()
            .filter_map(|row| Some((row.draft.external_reference?, row.id)))
            .collect(),
    })
}

fn parse(
    rows: &[ItemRow],
    reading: Reading<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Valid<'static>>> {
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    let mut seen = HashSet::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match parse_row(&row.item, reading) {
            Ok((draft, reference)) if seen.insert(reference.clone()) => {
                parsed.push(Valid {
                    index,
                    id: ItemId(new_id(now)),
                    before: None,
                    draft,
                    extent: Extent::All,
                    facts: None,
                    variant: None,
                });
            }
            Ok((_, twice)) => refusals.push(
                Refusal::new(Code::AlreadyTaken, "externalReference")
                    .with("value", twice)
                    .in_row(index),
            ),
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

fn parse_row(item: &NewItem, reading: Reading<'_>) -> Result<(Draft, String)> {
    let draft = rules::parse_new(item.clone(), reading)?;
    let reference = draft.external_reference.clone();
    let reference = reference.ok_or_else(|| Refusal::new(Code::Required, "externalReference"))?;
    Ok((draft, reference))
}

/// What is there already is none of our business: people may have changed it.
async fn leave_out_existing_in_tx(
    tx: &DatabaseTransaction,
    rows: &mut Vec<Valid<'_>>,
) -> Result<()> {
    let references = rows
        .iter()
        .filter_map(|row| row.draft.external_reference.clone());
    let references: Vec<_> = references.collect();
    let sql = "SELECT external_reference FROM item WHERE external_reference = ANY($1)";
    let existing: HashSet<String> = firsts_in_tx(tx, sql, references.into()).await?;
    rows.retain(|row| {
        let reference = row.draft.external_reference.as_ref();
        reference.is_none_or(|reference| !existing.contains(reference))
    });
    Ok(())
}

/// Keeps the rows whose categories are in use, and whose unique values are no other item's.
///
/// # Errors
/// All that is wrong with attributes.
async fn keep_fitting_in_tx(tx: &DatabaseTransaction, rows: &mut Vec<Valid<'_>>) -> Result<()> {
    let named = rows.iter().map(|row| row.draft.category_id).collect();
    let categories = categories_in_tx(tx, named, None).await?;
    rows.retain(|row| check_category(&categories, row.draft.category_id).is_ok());
    let mut refused = Refused::default();
    settle_in_tx(tx, rows, &mut refused).await?;
    refused.judged(Policy::RejectAll)?;
    let mut taken = Refused::default();
    own_in_tx(tx, &Earlier::default(), rows, &mut taken).await?;
    taken.about("attributes").judged(Policy::RejectAll)?;
    Ok(())
}

/// One event for the whole import: listeners read their lists again.
pub(crate) async fn announce_all_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<()> {
    let payload = json!({ "action": "item.import" });
    let event = NewEvent {
        kind: Kind::ItemChanged,
        aggregate_id: new_id(now),
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
