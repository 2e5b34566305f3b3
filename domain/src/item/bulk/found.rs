//! Items that are there, as many as are asked for by one statement.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use entity::{id::ItemId, item::Model as Item};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, QueryResult, TryGetable, Value,
};

use super::super::{NewItem, rules::Draft};
use crate::{
    error::Result,
    money::Money,
    sql::{statement, uuids},
};

/// An item that is there, locked, with its barcodes.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) item: Item,
    pub(super) barcodes: Vec<String>,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            item: Item::from_query_result(row, prefix)?,
            barcodes: row.try_get(prefix, "barcodes")?,
        })
    }
}

impl Found {
    /// Its values, as somebody would give them who wants the same item.
    pub(super) fn values(&self) -> NewItem {
        let item = &self.item;
        NewItem {
            kind: item.kind,
            sku: item.sku.clone(),
            name: item.name.0.clone(),
            description: item.description.0.clone(),
            category_id: item.category_id,
            unit_id: item.unit_id,
            tracking: item.tracking,
            price: price(item),
            attributes: item.attributes.clone(),
            tags: item.tags.clone(),
            barcodes: self.barcodes.clone(),
            external_reference: item.external_reference.clone(),
        }
    }

    /// Whether the item is exactly so already.
    pub(super) fn is(&self, draft: &Draft) -> bool {
        let Draft {
            kind,
            sku,
            name,
            description,
            category_id,
            unit_id,
            tracking,
            price: wanted_price,
            attributes,
            tags,
            barcodes,
            external_reference,
        } = draft;
        let item = &self.item;
        item.kind == *kind
            && item.sku == *sku
            && item.name == *name
            && item.description == *description
            && item.category_id == *category_id
            && item.unit_id == *unit_id
            && item.tracking == *tracking
            && price(item) == *wanted_price
            && item.attributes == *attributes
            && item.tags == *tags
            && self.barcodes == *barcodes
            && item.external_reference == *external_reference
    }
}

fn price(item: &Item) -> Option<Money> {
    Some(Money {
        amount: item.price_amount?.normalize(),
        currency: item.price_currency.clone()?,
    })
}

/// The items with these ids, locked in the order of their ids.
pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    ids: &[ItemId],
) -> Result<HashMap<ItemId, Found>> {
    let sql = "SELECT id FROM item WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let locked: HashSet<ItemId> = firsts_in_tx(tx, sql, uuids(ids)).await?;
    read_in_tx(tx, &locked).await
}

/// The items with these values in a unique column, locked in the order of their ids.
pub(super) async fn lock_by_in_tx(
    tx: &DatabaseTransaction,
    column: Unique,
    values: Vec<String>,
) -> Result<HashMap<ItemId, Found>> {
    let sql = match column {
        Unique::Sku => "SELECT id FROM item WHERE sku = ANY($1) ORDER BY id FOR UPDATE",
        Unique::ExternalReference => {
            "SELECT id FROM item WHERE external_reference = ANY($1) ORDER BY id FOR UPDATE"
        }
    };
    let locked: HashSet<ItemId> = firsts_in_tx(tx, sql, values.into()).await?;
    read_in_tx(tx, &locked).await
}

/// A column by which an item can be told from all others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unique {
    Sku,
    ExternalReference,
}

/// Read by a statement of its own: one that waits for a lock has begun before it, and would show barcodes of that time.
async fn read_in_tx(
    tx: &DatabaseTransaction,
    ids: &HashSet<ItemId>,
) -> Result<HashMap<ItemId, Found>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = ids.iter().copied().collect();
    let sql = "SELECT i.*, ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) AS barcodes
               FROM item i WHERE i.id = ANY($1)";
    let found = Found::find_by_statement(statement(sql, [uuids(&ids)]))
        .all(tx)
        .await?;
    Ok(found
        .into_iter()
        .map(|found| (found.item.id, found))
        .collect())
}

/// The first column of what a statement with one list finds.
pub(super) async fn firsts_in_tx<T: TryGetable + Eq + Hash>(
    tx: &DatabaseTransaction,
    sql: &'static str,
    list: Value,
) -> Result<HashSet<T>> {
    let found = tx.query_all_raw(statement(sql, [list])).await?;
    let firsts = found.iter().map(|row| row.try_get_by_index(0));
    Ok(firsts.collect::<Result<_, DbErr>>()?)
}
