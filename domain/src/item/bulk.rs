//! Many items at once: checked one by one, written by a handful of statements.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};
use serde_json::json;
use uuid::Uuid;

use super::{
    NewItem,
    rules::{self, Draft},
};
use crate::{
    Domain,
    audit::Actor,
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    job::{self, Task},
    sql::{statement, uuids},
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
    /// How many were there, and differ now.
    pub updated: usize,
    /// How many were there, just so.
    pub unchanged: usize,
}

#[derive(FromQueryResult)]
struct Written {
    external_reference: String,
    id: ItemId,
    created: bool,
}

/// A row whose values are valid.
struct Parsed {
    /// The draft's external reference, which an import must have.
    reference: String,
    draft: Draft,
    draw_code: bool,
}

pub(super) async fn import(
    domain: &Domain,
    viewer: &Viewer,
    rows: &[ItemRow],
) -> Result<ImportOutcome> {
    if rows.len() > IMPORT_MAX {
        return Err(Refusal::new(Code::TooMany, "rows")
            .with("max", IMPORT_MAX)
            .into());
    }
    let mut parsed = parse(rows)?;
    let now = domain.now();
    let tx = domain.begin().await?;
    share_categories_in_tx(&tx, &parsed).await?;
    // Two imports of the same items lock them in the same order, and do not wait for each other in a circle.
    parsed.sort_unstable_by(|a, b| a.reference.cmp(&b.reference));
    let before = before_in_tx(&tx, &parsed).await?;
    let written = upsert_in_tx(&tx, viewer, now, &parsed, before).await?;
    insert_barcodes_in_tx(&tx, &parsed, &written).await?;
    let outcome = outcome(rows.len(), &written);
    enqueue_codes_in_tx(&tx, viewer, now, &parsed, &outcome).await?;
    if !written.is_empty() {
        announce_in_tx(&tx, viewer, now).await?;
    }
    domain.commit(tx).await?;
    Ok(outcome)
}

fn parse(rows: &[ItemRow]) -> Result<Vec<Parsed>> {
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    let mut seen = HashSet::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match parse_row(row) {
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

fn parse_row(row: &ItemRow) -> Result<Parsed> {
    let draft = rules::parse_new(&row.item)?;
    let reference = draft.external_reference.clone();
    let reference = reference.ok_or_else(|| Refusal::new(Code::Required, "externalReference"))?;
    Ok(Parsed {
        reference,
        draft,
        draw_code: row.draw_code,
    })
}

/// Locks the categories against being archived meanwhile, in the order of their ids.
async fn share_categories_in_tx(tx: &DatabaseTransaction, rows: &[Parsed]) -> Result<()> {
    let mut wanted: Vec<_> = rows.iter().map(|row| row.draft.category_id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sql = "SELECT id FROM category WHERE id = ANY($1) AND archived_at IS NULL ORDER BY id FOR KEY SHARE";
    let found = tx.query_all_raw(statement(sql, [uuids(&wanted)])).await?;
    let found = found
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<Vec<CategoryId>, DbErr>>()?;
    let missing = rows
        .iter()
        .position(|row| found.binary_search(&row.draft.category_id).is_err());
    missing.map_or(Ok(()), |index| {
        Err(Refusal::new(Code::NotFound, "categoryId")
            .in_row(index)
            .into())
    })
}

/// The items that are there already, as they are, by external reference; locked.
async fn before_in_tx(tx: &DatabaseTransaction, rows: &[Parsed]) -> Result<serde_json::Value> {
    let references: Vec<String> = rows.iter().map(|row| row.reference.clone()).collect();
    let sql = "SELECT external_reference, to_jsonb(i) AS row FROM item i WHERE external_reference = ANY($1)
               ORDER BY external_reference FOR UPDATE";
    let found = tx
        .query_all_raw(statement(sql, [references.into()]))
        .await?;
    let mut before = serde_json::Map::new();
    for row in found {
        before.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    Ok(before.into())
}

/// Columns of the rows, each an array: one statement with the same text however many rows.
#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    kind: Vec<String>,
    sku: Vec<String>,
    name: Vec<String>,
    description: Vec<String>,
    category_id: Vec<CategoryId>,
    unit_id: Vec<UnitOfMeasureId>,
    tracking: Vec<String>,
    price_amount: Vec<String>,
    price_currency: Vec<String>,
    attributes: Vec<String>,
    tags: Vec<String>,
    external_reference: Vec<String>,
}

impl Columns {
    fn push(&mut self, id: Uuid, draft: &Draft) -> Result<()> {
        use sea_orm::ActiveEnum as _;
        self.id.push(id);
        self.kind.push(draft.kind.to_value());
        self.sku.push(draft.sku.clone());
        self.name.push(serde_json::to_string(&draft.name)?);
        self.description
            .push(serde_json::to_string(&draft.description)?);
        self.category_id.push(draft.category_id);
        self.unit_id.push(draft.unit_id);
        self.tracking.push(draft.tracking.to_value());
        // An empty text stands for null: arrays of nullable values do not bind.
        self.price_amount.push(
            draft
                .price
                .as_ref()
                .map(|price| price.amount.to_string())
                .unwrap_or_default(),
        );
        self.price_currency.push(
            draft
                .price
                .as_ref()
                .map(|price| price.currency.clone())
                .unwrap_or_default(),
        );
        self.attributes.push(draft.attributes.to_string());
        self.tags.push(serde_json::to_string(&draft.tags)?);
        self.external_reference
            .push(draft.external_reference.clone().unwrap_or_default());
        Ok(())
    }
}

/// Writes the items, and the trail of those that it changed.
async fn upsert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rows: &[Parsed],
    before: serde_json::Value,
) -> Result<Vec<Written>> {
    let mut columns = Columns::default();
    rows.iter()
        .try_for_each(|row| columns.push(new_id(now), &row.draft))?;
    let actor = Actor::of(viewer);
    let sql = "WITH written AS (
               INSERT INTO item (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency,
                                 attributes, tags, external_reference, created_at, updated_at)
               SELECT r.id, r.kind, r.sku, r.name::jsonb, r.description::jsonb, r.category_id, r.unit_id, r.tracking,
                      NULLIF(r.price_amount, '')::numeric, NULLIF(r.price_currency, ''), r.attributes::jsonb,
                      ARRAY(SELECT jsonb_array_elements_text(r.tags::jsonb)), r.external_reference, $14, $14
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
                           $10::text[], $11::text[], $12::text[], $13::text[])
                    AS r (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency,
                          attributes, tags, external_reference)
               ON CONFLICT (external_reference) DO UPDATE
               SET kind = excluded.kind, sku = excluded.sku, name = excluded.name, description = excluded.description,
                   category_id = excluded.category_id, unit_id = excluded.unit_id, tracking = excluded.tracking,
                   price_amount = excluded.price_amount, price_currency = excluded.price_currency,
                   attributes = excluded.attributes, tags = excluded.tags, version = item.version + 1,
                   updated_at = excluded.updated_at
               WHERE (item.kind, item.sku, item.name, item.description, item.category_id, item.unit_id, item.tracking,
                      item.price_amount, item.price_currency, item.attributes, item.tags)
                     IS DISTINCT FROM
                     (excluded.kind, excluded.sku, excluded.name, excluded.description, excluded.category_id, excluded.unit_id,
                      excluded.tracking, excluded.price_amount, excluded.price_currency, excluded.attributes, excluded.tags)
               RETURNING item.*, xmax = 0 AS created
               ), trail AS (
               INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
               SELECT $14, $15, $16, $17, $18, 'item.import', 'item', w.id, $19::jsonb -> w.external_reference, to_jsonb(w) - 'created'
               FROM written w
               )
               SELECT external_reference, id, created FROM written";
    let values = [
        columns.id.into(),
        columns.kind.into(),
        columns.sku.into(),
        columns.name.into(),
        columns.description.into(),
        uuids(&columns.category_id),
        uuids(&columns.unit_id),
        columns.tracking.into(),
        columns.price_amount.into(),
        columns.price_currency.into(),
        columns.attributes.into(),
        columns.tags.into(),
        columns.external_reference.into(),
        now.into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
        viewer.request_id.clone().into(),
        before.into(),
    ];
    let written = Written::find_by_statement(statement(sql, values))
        .all(tx)
        .await;
    written.map_err(|error| {
        refuse_if_broken(
            error,
            &[
                (
                    "item_sku_unique",
                    Refusal::new(Code::AlreadyTaken, "rows.sku"),
                ),
                (
                    "item_unit_id_fkey",
                    Refusal::new(Code::NotFound, "rows.unitId"),
                ),
            ],
        )
    })
}

/// Barcodes are written with new items only: those of existing ones may have been changed by people since.
async fn insert_barcodes_in_tx(
    tx: &DatabaseTransaction,
    rows: &[Parsed],
    written: &[Written],
) -> Result<()> {
    let created: HashMap<_, _> = written
        .iter()
        .filter(|row| row.created)
        .map(|row| (row.external_reference.as_str(), row.id))
        .collect();
    let mut barcodes: Vec<(&str, ItemId, i32)> = Vec::new();
    for row in rows {
        let Some(id) = created.get(row.reference.as_str()) else {
            continue;
        };
        barcodes.extend(
            row.draft
                .barcodes
                .iter()
                .zip(0..)
                .map(|(code, position)| (code.as_str(), *id, position)),
        );
    }
    barcodes.sort_unstable();
    let codes: Vec<String> = barcodes
        .iter()
        .map(|(code, ..)| (*code).to_owned())
        .collect();
    let items: Vec<ItemId> = barcodes.iter().map(|(_, item, _)| *item).collect();
    let positions: Vec<i32> = barcodes.iter().map(|(.., position)| *position).collect();
    let sql = "INSERT INTO item_barcode (barcode, item_id, position) SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[])";
    let inserted = tx
        .execute_raw(statement(
            sql,
            [codes.into(), uuids(&items), positions.into()],
        ))
        .await;
    inserted.map_err(|error| {
        refuse_if_broken(
            error,
            &[(
                "item_barcode_unique",
                Refusal::new(Code::AlreadyTaken, "rows.barcodes"),
            )],
        )
    })?;
    Ok(())
}

fn outcome(rows: usize, written: &[Written]) -> ImportOutcome {
    let created: HashMap<_, _> = written
        .iter()
        .filter(|row| row.created)
        .map(|row| (row.external_reference.clone(), row.id))
        .collect();
    ImportOutcome {
        updated: written.len() - created.len(),
        unchanged: rows - written.len(),
        created,
    }
}

async fn enqueue_codes_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rows: &[Parsed],
    outcome: &ImportOutcome,
) -> Result<()> {
    let wanted = rows.iter().filter(|row| row.draw_code);
    let tasks: Vec<_> = wanted
        .filter_map(|row| outcome.created.get(&row.reference))
        .map(|id| Task::RenderCode { item_id: *id })
        .collect();
    job::enqueue_in_tx(tx, viewer, now, &tasks).await?;
    Ok(())
}

/// One event for the whole import: listeners read their lists again.
async fn announce_in_tx(
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
