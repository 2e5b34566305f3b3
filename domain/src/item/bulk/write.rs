//! Writes of many items: a statement each for the rows, their barcodes and their events, and the audit rows with the rows.

use chrono::{DateTime, Utc};
use entity::id::{CategoryId, ItemId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde_json::json;

use super::{
    super::query::ITEM_COLUMNS,
    Obstacle, beside,
    columns::{Columns, ROWS},
    valid::Valid,
};
use crate::{
    attribute::{own_values_in_tx, owned},
    audit::Actor,
    db::{broken_constraint, refuse_if_broken},
    error::{Code, Error, Refusal, Result},
    event::{self, Kind},
    sql::{Sql, statement, uuids},
    viewer::Viewer,
};

/// In whose name something is written, when, and what it is called.
#[derive(Clone, Copy)]
pub(super) struct Trail<'a> {
    pub(super) viewer: &'a Viewer,
    pub(super) now: DateTime<Utc>,
    /// Such as `item.create`.
    pub(super) action: &'static str,
}

impl Trail<'_> {
    /// As the parameters that follow those of the rows: time, actor's kind, id and name, request, action.
    pub(super) fn values(&self) -> [Value; 6] {
        let Actor { kind, id, name } = Actor::of(self.viewer);
        [
            self.now.into(),
            kind.into(),
            id.into(),
            name.into(),
            self.viewer.request_id.clone().into(),
            self.action.into(),
        ]
    }
}

fn with_rows(sql: &str, rows: &[&Valid<'_>], trail: Trail<'_>) -> Result<Statement> {
    let columns = Columns::of(rows.iter().map(|row| (row.id, &row.draft)))?;
    let values = columns
        .into_values()
        .into_iter()
        .chain(trail.values())
        .chain(beside::values(rows)?);
    let mut text = Sql::with_values(values.collect());
    text.push(
        &with_kept(sql)
            .replace("{ROWS}", ROWS)
            .replace("{BESIDE}", beside::TABLE),
    );
    Ok(text.build())
}

/// Writes out `{WRITTEN}`, what a statement gives back of the item `i`; `{AFTER}`, that row `w` as the trail keeps it; and `{BEFORE}`, the
/// same of an item `i` that is still to be written. An amount is a text, for whoever reads a number of JSON may round it.
pub(super) fn with_kept(sql: &str) -> String {
    let kept = |row: &str| {
        format!("to_jsonb({row}) || jsonb_build_object('price_amount', {row}.price_amount::text)")
    };
    let before = format!("(SELECT {} FROM (SELECT {ITEM_COLUMNS}) b)", kept("b"));
    sql.replace("{BEFORE}", &before)
        .replace("{AFTER}", &kept("w"))
        .replace("{WRITTEN}", ITEM_COLUMNS)
}

/// Creates those that are not there yet, in the order of their SKUs, with their barcodes and unique attributes.
///
/// # Errors
/// [`Obstacle::Overtaken`] when a value that was free is not any more.
pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    trail: Trail<'_>,
    rows: &[Valid<'_>],
) -> Result<(), Obstacle> {
    let mut rows: Vec<_> = rows.iter().filter(|row| row.before.is_none()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable_by(|a, b| a.draft.sku.cmp(&b.draft.sku));
    let sql = "WITH written AS (
        INSERT INTO item AS i (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency,
                          attributes, tags, external_reference, template_id, created_at, updated_at)
        SELECT r.*, $15, $15 FROM {ROWS}
        RETURNING {WRITTEN}
        )
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
        SELECT $15, $16, $17, $18, $19, $20, 'item', w.id, {AFTER} || COALESCE(b.after::jsonb, '{}')
        FROM written w LEFT JOIN {BESIDE} ON b.id = w.id";
    let written = tx.execute_raw(with_rows(sql, &rows, trail)?).await;
    expect_all(written.map_err(broken)?.rows_affected(), rows.len())?;
    let barcodes = rows
        .iter()
        .flat_map(|row| numbered(row.id, &row.draft.barcodes));
    insert_barcodes_in_tx(tx, barcodes.collect()).await?;
    own_facts_in_tx(tx, &[], &rows).await?;
    beside::write_in_tx(tx, &rows).await
}

/// Changes those that are there and locked, with their barcodes and unique attributes where those change.
///
/// # Errors
/// [`Obstacle::Overtaken`] when a value that was free is not any more.
pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    trail: Trail<'_>,
    rows: &[Valid<'_>],
) -> Result<(), Obstacle> {
    let rows: Vec<_> = rows.iter().filter(|row| row.before.is_some()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "WITH r AS (SELECT * FROM {ROWS}),
        before AS (SELECT i.id, {BEFORE} AS was FROM item i WHERE i.id = ANY($1)),
        written AS (
        UPDATE item i SET kind = r.kind, sku = r.sku, name = r.name, description = r.description, category_id = r.category_id,
            unit_id = r.unit_id, tracking = r.tracking, price_amount = r.price_amount, price_currency = r.price_currency,
            attributes = r.attributes, tags = r.tags, external_reference = r.external_reference, template_id = r.template_id,
            version = i.version + 1, updated_at = $15
        FROM r WHERE i.id = r.id RETURNING {WRITTEN}
        )
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
        SELECT $15, $16, $17, $18, $19, $20, 'item', w.id,
               before.was || COALESCE(b.before::jsonb, '{}'), {AFTER} || COALESCE(b.after::jsonb, '{}')
        FROM written w JOIN before ON before.id = w.id LEFT JOIN {BESIDE} ON b.id = w.id";
    let written = tx.execute_raw(with_rows(sql, &rows, trail)?).await;
    expect_all(written.map_err(broken)?.rows_affected(), rows.len())?;
    replace_barcodes_in_tx(tx, &rows).await?;
    let changed = rows.iter().filter(|row| row.facts.is_some());
    let ids: Vec<_> = changed.map(|row| row.id).collect();
    own_facts_in_tx(tx, &ids, &rows).await?;
    beside::write_in_tx(tx, &rows).await
}

async fn replace_barcodes_in_tx(
    tx: &DatabaseTransaction,
    rows: &[&Valid<'_>],
) -> Result<(), Obstacle> {
    let changed = rows.iter().filter(|row| row.has_other_barcodes());
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = changed.iter().map(|row| row.id).collect();
    let delete = "DELETE FROM item_barcode WHERE item_id = ANY($1)";
    tx.execute_raw(statement(delete, [uuids(&ids)])).await?;
    let barcodes = changed
        .iter()
        .flat_map(|row| numbered(row.id, &row.draft.barcodes));
    insert_barcodes_in_tx(tx, barcodes.collect()).await
}

/// What only one item may have becomes that of these; what the ones with these ids had before is free again.
async fn own_facts_in_tx(
    tx: &DatabaseTransaction,
    ids: &[ItemId],
    rows: &[&Valid<'_>],
) -> Result<(), Obstacle> {
    let facts = rows
        .iter()
        .filter_map(|row| Some((row.id, row.facts.as_ref()?)));
    let values = facts.flat_map(|(id, facts)| owned(id, facts)).collect();
    was_free(own_values_in_tx(tx, ids, values).await)
}

/// Puts items away, or brings them back, that are locked and not so yet.
pub(super) async fn set_archived_in_tx(
    tx: &DatabaseTransaction,
    trail: Trail<'_>,
    ids: &[ItemId],
    archived: bool,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "WITH before AS (SELECT i.id, {BEFORE} AS was FROM item i WHERE i.id = ANY($1)),
        written AS (
        UPDATE item i SET archived_at = CASE WHEN $8 THEN $2 END, version = i.version + 1, updated_at = $2
        WHERE i.id = ANY($1) RETURNING {WRITTEN}
        )
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
        SELECT $2, $3, $4, $5, $6, $7, 'item', w.id, b.was, {AFTER} FROM written w JOIN before b ON b.id = w.id";
    let values = std::iter::once(uuids(ids)).chain(trail.values());
    let values = values.chain([archived.into()]);
    let mut text = Sql::with_values(values.collect());
    text.push(&with_kept(sql));
    tx.execute_raw(text.build()).await?;
    Ok(())
}

fn numbered(id: ItemId, barcodes: &[String]) -> impl Iterator<Item = (String, ItemId, i32)> {
    barcodes
        .iter()
        .zip(0..)
        .map(move |(barcode, position)| (barcode.clone(), id, position))
}

/// In the order of the index, so that nobody waits for somebody else in a circle.
async fn insert_barcodes_in_tx(
    tx: &DatabaseTransaction,
    mut barcodes: Vec<(String, ItemId, i32)>,
) -> Result<(), Obstacle> {
    if barcodes.is_empty() {
        return Ok(());
    }
    barcodes.sort_unstable();
    let items: Vec<ItemId> = barcodes.iter().map(|(_, item, _)| *item).collect();
    let positions: Vec<i32> = barcodes.iter().map(|(.., position)| *position).collect();
    let count = barcodes.len();
    let codes: Vec<String> = barcodes.into_iter().map(|(code, ..)| code).collect();
    let sql = "INSERT INTO item_barcode (barcode, item_id, position)
               SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[]) ON CONFLICT DO NOTHING";
    let values = [codes.into(), uuids(&items), positions.into()];
    let inserted = tx.execute_raw(statement(sql, values)).await?;
    expect_all(inserted.rows_affected(), count)
}

/// What is taken now was free when we looked.
pub(super) fn was_free(written: Result<()>) -> Result<(), Obstacle> {
    match written {
        Err(Error::Refused(_)) => Err(Obstacle::Overtaken),
        written => Ok(written?),
    }
}

fn expect_all(written: u64, wanted: usize) -> Result<(), Obstacle> {
    if written == wanted as u64 {
        Ok(())
    } else {
        Err(Obstacle::Overtaken)
    }
}

fn broken(error: DbErr) -> Obstacle {
    match broken_constraint(&error) {
        Some(
            "item_sku_unique"
            | "item_external_reference_unique"
            | "item_variant_unique"
            | "item_variant_options"
            | "item_variant_whole"
            | "item_template",
        ) => Obstacle::Overtaken,
        _ => {
            let no_unit = Refusal::new(Code::NotFound, "rows.unitId");
            refuse_if_broken(error, &[("item_unit_id_fkey", no_unit)]).into()
        }
    }
}

/// An event an item, as if each had been written alone.
pub(super) async fn announce_each_in_tx(
    tx: &DatabaseTransaction,
    trail: Trail<'_>,
    rows: &[Told],
) -> Result<()> {
    let events: Vec<_> = rows
        .iter()
        .map(|row| {
            let payload = json!({ "action": trail.action, "categoryId": row.category,
                "previousCategoryId": row.previous.filter(|previous| *previous != row.category) });
            (row.id.0, row.version, payload)
        })
        .collect();
    event::write_many_in_tx(tx, trail.viewer, trail.now, Kind::ItemChanged, &events).await
}

/// What an event tells of an item.
pub(super) struct Told {
    pub(super) id: ItemId,
    pub(super) version: i64,
    pub(super) category: CategoryId,
    /// Where it was before; none for a new one.
    pub(super) previous: Option<CategoryId>,
}
