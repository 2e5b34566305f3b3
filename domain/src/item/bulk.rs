//! Many items at once, those whose external references are new: checked one by one, written by a handful of statements.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use chrono::{DateTime, Utc};
use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, TryGetable, Value};
use serde_json::json;
use uuid::Uuid;

use super::{
    NewItem, facts,
    metal::{self, Reading},
    reading,
    rules::{self, Draft},
    units_for,
};
use crate::{
    Domain,
    attribute::{Checked, own_values_in_tx, owned},
    audit::Actor,
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    job::{self, Task},
    pricing,
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
    /// How many were there, and are as they were.
    pub existed: usize,
    /// How many could not be created: their category is not in use, or their SKU or a barcode is another item's.
    pub skipped: usize,
}

#[derive(FromQueryResult)]
struct Written {
    external_reference: String,
    id: ItemId,
}

/// A row whose values are valid.
struct Parsed {
    /// Its place in the import.
    index: usize,
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
    let metal = rows.iter().filter_map(|row| row.item.metal.as_ref());
    let units = units_for(&domain.reads, metal).await?;
    let mut parsed = parse(rows, reading(viewer, &units))?;
    let now = domain.now();
    let tx = domain.begin().await?;
    leave_out_existing_in_tx(&tx, &mut parsed).await?;
    let existed = rows.len() - parsed.len();
    keep_open_categories_in_tx(&tx, &mut parsed).await?;
    keep_free_barcodes_in_tx(&tx, &mut parsed).await?;
    keep_free_huids_in_tx(&tx, &mut parsed).await?;
    let facts = check_facts_in_tx(&tx, &mut parsed).await?;
    // Two imports of the same items write them in the same order, and do not wait for each other in a circle.
    parsed.sort_unstable_by(|a, b| a.reference.cmp(&b.reference));
    let created = insert_in_tx(&tx, viewer, now, &parsed).await?;
    insert_barcodes_in_tx(&tx, &parsed, &created).await?;
    own_facts_in_tx(&tx, &parsed, &facts, &created).await?;
    insert_details_in_tx(&tx, &parsed, &created).await?;
    enqueue_codes_in_tx(&tx, viewer, now, &parsed, &created).await?;
    if !created.is_empty() {
        announce_in_tx(&tx, viewer, now).await?;
    }
    domain.commit(tx).await?;
    Ok(ImportOutcome {
        existed,
        skipped: rows.len() - existed - created.len(),
        created,
    })
}

fn parse(rows: &[ItemRow], reading: Reading<'_>) -> Result<Vec<Parsed>> {
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(rows.len());
    let mut seen = HashSet::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match parse_row(index, row, reading) {
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

fn parse_row(index: usize, row: &ItemRow, reading: Reading<'_>) -> Result<Parsed> {
    let draft = rules::parse_new(&row.item, reading)?;
    let reference = draft.external_reference.clone();
    let reference = reference.ok_or_else(|| Refusal::new(Code::Required, "externalReference"))?;
    Ok(Parsed {
        index,
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

/// Keeps the rows whose categories are in use, and locks those against being archived meanwhile, in the order of their ids.
async fn keep_open_categories_in_tx(
    tx: &DatabaseTransaction,
    rows: &mut Vec<Parsed>,
) -> Result<()> {
    let mut wanted: Vec<_> = rows.iter().map(|row| row.draft.category_id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sql = "SELECT id FROM category WHERE id = ANY($1) AND archived_at IS NULL ORDER BY id FOR KEY SHARE";
    let open: HashSet<CategoryId> = firsts_in_tx(tx, sql, uuids(&wanted)).await?;
    rows.retain(|row| open.contains(&row.draft.category_id));
    Ok(())
}

/// Keeps the rows none of whose barcodes is another item's.
async fn keep_free_barcodes_in_tx(tx: &DatabaseTransaction, rows: &mut Vec<Parsed>) -> Result<()> {
    let barcodes = rows.iter().flat_map(|row| &row.draft.barcodes);
    let barcodes: Vec<_> = barcodes.cloned().collect();
    let sql = "SELECT barcode FROM item_barcode WHERE barcode = ANY($1)";
    let taken: HashSet<String> = firsts_in_tx(tx, sql, barcodes.into()).await?;
    rows.retain(|row| row.draft.barcodes.iter().all(|code| !taken.contains(code)));
    Ok(())
}

/// Keeps the rows whose hallmark id is not another item's.
async fn keep_free_huids_in_tx(tx: &DatabaseTransaction, rows: &mut Vec<Parsed>) -> Result<()> {
    let huids: Vec<_> = rows.iter().filter_map(|row| row.draft.huid()).collect();
    if huids.is_empty() {
        return Ok(());
    }
    let huids: Vec<_> = huids.into_iter().map(str::to_owned).collect();
    let sql = "SELECT huid FROM item_metal WHERE huid = ANY($1)";
    let taken: HashSet<String> = firsts_in_tx(tx, sql, huids.into()).await?;
    rows.retain(|row| row.draft.huid().is_none_or(|huid| !taken.contains(huid)));
    Ok(())
}

/// The attributes of all rows as their categories demand them, in the order of the rows, and the rows with these.
async fn check_facts_in_tx(
    tx: &DatabaseTransaction,
    rows: &mut [Parsed],
) -> Result<HashMap<usize, Checked>> {
    let mut categories: Vec<_> = rows.iter().map(|row| row.draft.category_id).collect();
    categories.sort_unstable();
    categories.dedup();
    let drafts = rows.iter().map(|row| (row.index, &row.draft));
    let checked = facts::of_many_in_tx(tx, &categories, drafts).await?;
    let mut refusals = Refusals::default();
    let mut facts = HashMap::with_capacity(rows.len());
    for (row, checked) in rows.iter_mut().zip(checked) {
        match checked {
            Ok(checked) => {
                row.draft.attributes = checked.values.clone().into();
                facts.insert(row.index, checked);
            }
            Err(refused) => refused
                .into_iter()
                .for_each(|refusal| refusals.push(refusal.in_row(row.index))),
        }
    }
    refusals.into_result(Some(facts))
}

/// What only one item may have becomes that of the created ones.
async fn own_facts_in_tx(
    tx: &DatabaseTransaction,
    rows: &[Parsed],
    facts: &HashMap<usize, Checked>,
    created: &HashMap<String, ItemId>,
) -> Result<()> {
    let mut owners = Vec::new();
    for row in rows {
        if let (Some(id), Some(checked)) = (created.get(&row.reference), facts.get(&row.index)) {
            owners.extend(owned(*id, checked));
        }
    }
    own_values_in_tx(tx, &[], owners).await
}

/// The first column of what a statement with one list finds.
async fn firsts_in_tx<T: TryGetable + Eq + Hash>(
    tx: &DatabaseTransaction,
    sql: &'static str,
    list: Value,
) -> Result<HashSet<T>> {
    let found = tx.query_all_raw(statement(sql, [list])).await?;
    let firsts = found.iter().map(|row| row.try_get_by_index(0));
    Ok(firsts.collect::<Result<_, DbErr>>()?)
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

/// Writes the items whose SKUs are free, and their trail.
async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rows: &[Parsed],
) -> Result<HashMap<String, ItemId>> {
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
               ON CONFLICT DO NOTHING
               RETURNING item.*
               ), trail AS (
               INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
               SELECT $14, $15, $16, $17, $18, 'item.import', 'item', w.id, to_jsonb(w) FROM written w
               )
               SELECT external_reference, id FROM written";
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
    ];
    let written = Written::find_by_statement(statement(sql, values))
        .all(tx)
        .await;
    let no_unit = Refusal::new(Code::NotFound, "rows.unitId");
    let written =
        written.map_err(|error| refuse_if_broken(error, &[("item_unit_id_fkey", no_unit)]))?;
    let pair = |row: Written| (row.external_reference, row.id);
    Ok(written.into_iter().map(pair).collect())
}

async fn insert_barcodes_in_tx(
    tx: &DatabaseTransaction,
    rows: &[Parsed],
    created: &HashMap<String, ItemId>,
) -> Result<()> {
    let mut barcodes: Vec<(&str, ItemId, i32)> = Vec::new();
    for row in rows {
        let Some(id) = created.get(&row.reference) else {
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

/// What is known of the metal of those that were created, and how they are priced.
async fn insert_details_in_tx(
    tx: &DatabaseTransaction,
    rows: &[Parsed],
    created: &HashMap<String, ItemId>,
) -> Result<()> {
    let drafts = || {
        rows.iter()
            .filter_map(|row| Some((*created.get(&row.reference)?, &row.draft)))
    };
    let metal: Vec<_> = drafts()
        .filter_map(|(id, draft)| Some(draft.metal.as_ref()?.of(id)))
        .collect();
    metal::insert_in_tx(tx, &metal, "rows.metal.huid").await?;
    let pricing: Vec<_> = drafts()
        .filter_map(|(id, draft)| draft.pricing.as_ref()?.of(id))
        .collect();
    pricing::insert_in_tx(tx, &pricing).await
}

async fn enqueue_codes_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    rows: &[Parsed],
    created: &HashMap<String, ItemId>,
) -> Result<()> {
    let wanted = rows.iter().filter(|row| row.draw_code);
    let tasks: Vec<_> = wanted
        .filter_map(|row| created.get(&row.reference))
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
