//! Many items at once: checked one by one, written by a handful of statements.

use std::collections::HashMap;

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
    audit::{self, Change},
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
    let drafts = parse(rows)?;
    let now = domain.now();
    let tx = domain.begin().await?;
    share_categories_in_tx(&tx, &drafts).await?;
    let written = upsert_in_tx(&tx, now, &drafts).await?;
    insert_barcodes_in_tx(&tx, &drafts, &written).await?;
    let outcome = outcome(rows.len(), &written);
    enqueue_codes_in_tx(&tx, viewer, now, rows, &outcome).await?;
    if !written.is_empty() {
        record_in_tx(&tx, viewer, now, &outcome).await?;
    }
    tx.commit().await?;
    Ok(outcome)
}

fn parse(rows: &[ItemRow]) -> Result<Vec<Draft>> {
    let mut refusals = Refusals::default();
    let mut drafts = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match rules::parse_new(&row.item) {
            Ok(draft) if draft.external_reference.is_some() => drafts.push(draft),
            Ok(_) => refusals.push(Refusal::new(
                Code::Required,
                &format!("rows.{index}.externalReference"),
            )),
            Err(Error::Refused(refused)) => refused
                .into_iter()
                .for_each(|refusal| refusals.push(refusal.in_row(index))),
            Err(other) => return Err(other),
        }
    }
    refusals.into_result(Some(drafts))
}

/// Locks the categories against being archived meanwhile, in the order of their ids.
async fn share_categories_in_tx(tx: &DatabaseTransaction, drafts: &[Draft]) -> Result<()> {
    let mut wanted: Vec<_> = drafts.iter().map(|draft| draft.category_id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sql =
        "SELECT id FROM category WHERE id = ANY($1) AND archived_at IS NULL ORDER BY id FOR SHARE";
    let found = tx.query_all_raw(statement(sql, [uuids(&wanted)])).await?;
    let found = found
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<Vec<CategoryId>, DbErr>>()?;
    let missing = drafts
        .iter()
        .position(|draft| found.binary_search(&draft.category_id).is_err());
    missing.map_or(Ok(()), |index| {
        Err(Refusal::new(Code::NotFound, &format!("rows.{index}.categoryId")).into())
    })
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

async fn upsert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    drafts: &[Draft],
) -> Result<Vec<Written>> {
    let mut columns = Columns::default();
    drafts
        .iter()
        .try_for_each(|draft| columns.push(new_id(now), draft))?;
    let sql = "INSERT INTO item (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency,
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
               RETURNING external_reference, id, xmax = 0 AS created";
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
    drafts: &[Draft],
    written: &[Written],
) -> Result<()> {
    let created: HashMap<_, _> = written
        .iter()
        .filter(|row| row.created)
        .map(|row| (row.external_reference.as_str(), row.id))
        .collect();
    let (mut codes, mut items, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for draft in drafts {
        let Some(id) = draft
            .external_reference
            .as_deref()
            .and_then(|reference| created.get(reference))
        else {
            continue;
        };
        for (code, position) in draft.barcodes.iter().zip(0_i32..) {
            codes.push(code.clone());
            items.push(*id);
            positions.push(position);
        }
    }
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
    rows: &[ItemRow],
    outcome: &ImportOutcome,
) -> Result<()> {
    let wanted = rows
        .iter()
        .filter(|row| row.draw_code)
        .filter_map(|row| row.item.external_reference.as_deref());
    let tasks: Vec<_> = wanted
        .filter_map(|reference| outcome.created.get(reference))
        .map(|id| Task::RenderCode { item_id: *id })
        .collect();
    job::enqueue_in_tx(tx, viewer, now, &tasks).await?;
    Ok(())
}

/// One row of the trail and one event for the whole import: listeners read their lists again.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    outcome: &ImportOutcome,
) -> Result<()> {
    let import = new_id(now);
    let after = json!({ "created": outcome.created.len(), "updated": outcome.updated });
    let action = "item.import";
    let change = Change {
        action,
        aggregate_type: "item",
        aggregate_id: import,
        before: None,
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action });
    let event = NewEvent {
        kind: Kind::ItemChanged,
        aggregate_id: import,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
