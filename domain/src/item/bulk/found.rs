//! Items that are there, as many as are asked for by one statement.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use entity::{
    id::ItemId, item::Model as Item, item_metal::Model as ItemMetal,
    item_pricing::Model as ItemPricing,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, QueryResult, Statement,
    TryGetable, Value,
};

use super::super::{ITEM_COLUMNS, NewItem, metal, rules::Draft};
use crate::{
    error::Result,
    money::Money,
    pricing::{self, Pricing},
    sql::{Sql, statement, uuids},
};

/// An item that is there, locked, with its barcodes.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) item: Item,
    pub(super) barcodes: Vec<String>,
    pub(super) metal: Option<ItemMetal>,
    pub(super) pricing: Option<ItemPricing>,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            item: Item::from_query_result(row, prefix)?,
            barcodes: row.try_get(prefix, "barcodes")?,
            metal: None,
            pricing: None,
        })
    }
}

impl Found {
    /// Its values, as somebody would give them who wants the same item; but for its metal, which is kept in another form than people write.
    pub(super) fn values(&self) -> Result<NewItem> {
        let item = &self.item;
        let pricing = self.pricing.clone().map(Pricing::try_from).transpose()?;
        Ok(NewItem {
            kind: item.kind,
            sku: item.sku.clone(),
            name: item.name.0.clone(),
            description: item.description.0.clone(),
            category_id: item.category_id,
            unit_id: item.unit_id,
            tracking: item.tracking,
            price: price(item),
            pricing,
            metal: None,
            attributes: item.attributes.clone(),
            tags: item.tags.clone(),
            barcodes: self.barcodes.clone(),
            external_reference: item.external_reference.clone(),
            template_id: item.template_id,
        })
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
            pricing,
            metal,
            attributes,
            tags,
            barcodes,
            external_reference,
            template_id,
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
            && self.is_priced(pricing.as_ref())
            && self.is_of(metal.as_ref())
            && item.attributes == *attributes
            && item.tags == *tags
            && self.barcodes == *barcodes
            && item.external_reference == *external_reference
            && item.template_id == *template_id
    }
}

impl Found {
    /// Whether it is priced by this model.
    pub(super) fn is_priced(&self, pricing: Option<&pricing::Draft>) -> bool {
        self.pricing == pricing.and_then(|draft| draft.of(self.item.id))
    }

    /// Whether this is what is known of its metal.
    pub(super) fn is_of(&self, metal: Option<&metal::Draft>) -> bool {
        self.metal == metal.map(|draft| draft.of(self.item.id))
    }
}

fn price(item: &Item) -> Option<Money> {
    Some(Money {
        amount: item.price_amount?.normalize(),
        currency: item.price_currency.clone()?,
    })
}

/// By what items are told from all others.
pub(super) enum By {
    Id(Vec<ItemId>),
    Sku(Vec<String>),
    ExternalReference(Vec<String>),
}

impl By {
    /// Appends the condition.
    pub(super) fn push(&self, sql: &mut Sql) {
        let (column, values) = match self {
            Self::Id(ids) => ("id", uuids(ids)),
            Self::Sku(skus) => ("sku", skus.clone().into()),
            Self::ExternalReference(references) => {
                ("external_reference", references.clone().into())
            }
        };
        sql.push(column).push(" = ANY(").bind(values).push(")");
    }
}

/// These items, locked in the order of their ids.
pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    by: &By,
) -> Result<HashMap<ItemId, Found>> {
    let mut sql = Sql::new("SELECT id FROM item WHERE ");
    by.push(&mut sql);
    sql.push(" ORDER BY id FOR NO KEY UPDATE");
    let locked: HashSet<ItemId> = firsts_of_in_tx(tx, sql.build()).await?;
    read_in_tx(tx, &locked).await
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
    let mut sql = Sql::new("SELECT ");
    sql.push(ITEM_COLUMNS)
        .push(", ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) AS barcodes FROM item i WHERE i.id = ANY(")
        .bind(uuids(&ids))
        .push(")");
    let found = Found::find_by_statement(sql.build()).all(tx).await?;
    let mut found: HashMap<_, _> = found
        .into_iter()
        .map(|found| (found.item.id, found))
        .collect();
    for row in metal::of_items(tx, &ids).await? {
        let id = row.item_id;
        found.entry(id).and_modify(|found| found.metal = Some(row));
    }
    for row in pricing::rows_of(tx, &ids).await? {
        let id = row.item_id;
        found
            .entry(id)
            .and_modify(|found| found.pricing = Some(row));
    }
    Ok(found)
}

/// The first column of what a statement with one list finds.
pub(super) async fn firsts_in_tx<T: TryGetable + Eq + Hash>(
    tx: &DatabaseTransaction,
    sql: &'static str,
    list: Value,
) -> Result<HashSet<T>> {
    firsts_of_in_tx(tx, statement(sql, [list])).await
}

async fn firsts_of_in_tx<T: TryGetable + Eq + Hash>(
    tx: &DatabaseTransaction,
    statement: Statement,
) -> Result<HashSet<T>> {
    let found = tx.query_all_raw(statement).await?;
    let firsts = found.iter().map(|row| row.try_get_by_index(0));
    Ok(firsts.collect::<Result<_, DbErr>>()?)
}
