//! What is written beside items: what is known of their metal, how they are priced that have no fixed price, and for the trail their
//! barcodes.

use entity::id::ItemId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::{Map, json};

use super::{super::metal, Obstacle, valid::Valid, write::was_free};
use crate::{
    error::Result,
    pricing,
    sql::{statement, uuids},
};

/// What the trail shows of it, as a table `b` from the parameters `$21` to `$23`. As for a single item, what is not there was not touched.
pub(super) const TABLE: &str =
    "unnest($21::uuid[], $22::text[], $23::text[]) AS b (id, before, after)";

/// These parameters.
pub(super) fn values(rows: &[&Valid<'_>]) -> Result<[Value; 3]> {
    let (mut ids, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (mut was, mut is) = (Map::new(), Map::new());
        if row.is_of_another_metal() {
            let metal = row.before.and_then(|before| before.metal.as_ref());
            was.extend(metal.map(|metal| ("metal".to_owned(), json!(metal))));
            let metal = row.draft.metal.as_ref().map(|draft| draft.of(row.id));
            is.extend(metal.map(|metal| ("metal".to_owned(), json!(metal))));
        }
        if row.is_priced_anew() {
            let pricing = row.before.and_then(|before| before.pricing.as_ref());
            was.extend(pricing.map(|pricing| ("pricing".to_owned(), json!(pricing))));
            let pricing = row.draft.pricing.as_ref();
            let pricing = pricing.and_then(|draft| draft.of(row.id));
            is.extend(pricing.map(|pricing| ("pricing".to_owned(), json!(pricing))));
        }
        if row.has_other_barcodes() {
            let barcodes = row.before.map(|before| &before.barcodes);
            was.extend(barcodes.map(|barcodes| ("barcodes".to_owned(), json!(barcodes))));
            is.insert("barcodes".to_owned(), json!(row.draft.barcodes));
        }
        if !was.is_empty() || !is.is_empty() {
            ids.push(row.id);
            before.push(serde_json::to_string(&was)?);
            after.push(serde_json::to_string(&is)?);
        }
    }
    Ok([uuids(&ids), before.into(), after.into()])
}

/// Writes it where it is another than before.
///
/// # Errors
/// [`Obstacle::Overtaken`] when a hallmark id that was free is not any more.
pub(super) async fn write_in_tx(
    tx: &DatabaseTransaction,
    rows: &[&Valid<'_>],
) -> Result<(), Obstacle> {
    let changed: Vec<_> = rows
        .iter()
        .filter(|row| row.is_of_another_metal())
        .collect();
    let had = changed
        .iter()
        .filter(|row| row.before.is_some_and(|before| before.metal.is_some()));
    let had: Vec<_> = had.map(|row| row.id).collect();
    delete_in_tx(tx, "DELETE FROM item_metal WHERE item_id = ANY($1)", &had).await?;
    let metal = changed
        .iter()
        .filter_map(|row| Some(row.draft.metal.as_ref()?.of(row.id)));
    let metal: Vec<_> = metal.collect();
    was_free(metal::insert_in_tx(tx, &metal, "metal.huid").await)?;

    let changed: Vec<_> = rows.iter().filter(|row| row.is_priced_anew()).collect();
    let had = changed
        .iter()
        .filter(|row| row.before.is_some_and(|before| before.pricing.is_some()));
    let had: Vec<_> = had.map(|row| row.id).collect();
    delete_in_tx(tx, "DELETE FROM item_pricing WHERE item_id = ANY($1)", &had).await?;
    let pricing = changed
        .iter()
        .filter_map(|row| row.draft.pricing.as_ref()?.of(row.id));
    pricing::insert_in_tx(tx, &pricing.collect::<Vec<_>>()).await?;
    Ok(())
}

async fn delete_in_tx(tx: &DatabaseTransaction, sql: &'static str, ids: &[ItemId]) -> Result<()> {
    if !ids.is_empty() {
        tx.execute_raw(statement(sql, [uuids(ids)])).await?;
    }
    Ok(())
}
