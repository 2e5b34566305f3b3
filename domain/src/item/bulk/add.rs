//! Items whose external references are new; what is there already stays as it is.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::ItemId;
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{
    super::{
        NewItem,
        rules::{self, Draft},
    },
    Obstacle, again_when_overtaken, categories_in_tx, check_category,
    conflict::Owners,
    found::firsts_in_tx,
    take_turn_in_tx,
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

/// A row whose values are valid.
struct Parsed {
    /// What it will be, should it be new.
    id: ItemId,
    /// The draft's external reference, which an import must have.
    reference: String,
    draft: Draft,
    draw_code: bool,
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
    let mut parsed = parse(rows, now)?;
    let tx = domain.begin().await?;
    take_turn_in_tx(&tx).await?;
    leave_out_existing_in_tx(&tx, &mut parsed).await?;
    let existed = rows.len() - parsed.len();
    keep_fitting_in_tx(&tx, &mut parsed).await?;
    let trail = Trail {
        viewer,
        now,
        action: "item.import",
    };
    let mut new: Vec<_> = parsed.iter().map(|row| (row.id, &row.draft)).collect();
    write::insert_in_tx(&tx, trail, &mut new).await?;
    let wanted = parsed.iter().filter(|row| row.draw_code);
    let tasks = wanted.map(|row| Task::RenderCode { item_id: row.id });
    job::enqueue_in_tx(&tx, viewer, now, &tasks.collect::<Vec<_>>()).await?;
    if !parsed.is_empty() {
        announce_all_in_tx(&tx, viewer, now).await?;
    }
    domain.commit(tx).await?;
    Ok(ImportOutcome {
        existed,
        skipped: rows.len() - existed - parsed.len(),
        created: parsed
            .into_iter()
            .map(|row| (row.reference, row.id))
            .collect(),
    })
}

fn parse(rows: &[ItemRow], now: DateTime<Utc>) -> Result<Vec<Parsed>> {
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    let mut seen = HashSet::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match parse_row(row, now) {
            Ok(row) if seen.insert(row.reference.clone()) => parsed.push(row),
            Ok(twice) => refusals.push(
                Refusal::new(Code::AlreadyTaken, "externalReference")
                    .with("value", twice.reference)
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

fn parse_row(row: &ItemRow, now: DateTime<Utc>) -> Result<Parsed> {
    let draft = rules::parse_new(&row.item)?;
    let reference = draft.external_reference.clone();
    let reference = reference.ok_or_else(|| Refusal::new(Code::Required, "externalReference"))?;
    Ok(Parsed {
        id: ItemId(new_id(now)),
        reference,
        draft,
        draw_code: row.draw_code,
    })
}

/// What is there already is none of our business: people may have changed it.
async fn leave_out_existing_in_tx(tx: &DatabaseTransaction, rows: &mut Vec<Parsed>) -> Result<()> {
    let references: Vec<_> = rows.iter().map(|row| row.reference.clone()).collect();
    let sql = "SELECT external_reference FROM item WHERE external_reference = ANY($1)";
    let existing: HashSet<String> = firsts_in_tx(tx, sql, references.into()).await?;
    rows.retain(|row| !existing.contains(&row.reference));
    Ok(())
}

/// Keeps the rows whose categories are in use, and whose unique values are no other item's.
async fn keep_fitting_in_tx(tx: &DatabaseTransaction, rows: &mut Vec<Parsed>) -> Result<()> {
    let wanted = rows.iter().map(|row| row.draft.category_id).collect();
    let categories = categories_in_tx(tx, wanted).await?;
    rows.retain(|row| check_category(&categories, row.draft.category_id).is_ok());
    let drafts = rows.iter().map(|row| (&row.draft, None));
    let mut owners = Owners::read_in_tx(tx, drafts).await?;
    rows.retain(|row| owners.claim(row.id, &row.draft, None).is_ok());
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
