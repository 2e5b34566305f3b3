//! What labels say, read for many items at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::ItemId;
use sea_orm::ConnectionTrait;

use super::price::prices;
use crate::{
    error::Result,
    item::{self, Item, ItemMetal},
    pricing::ItemPrice,
};

/// An item as its label needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelItem {
    /// The item.
    pub item: Item,
    /// The first of its barcodes.
    pub barcode: Option<String>,
    /// What is known of its metal.
    pub metal: Option<ItemMetal>,
    /// What one unit of it costs; none when it has no price at all.
    pub price: Option<ItemPrice>,
}

pub(super) async fn read(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    ids: &[ItemId],
) -> Result<Vec<Option<LabelItem>>> {
    let items = item::plain(db, ids).await?;
    let mut barcodes = item::first_barcodes(db, ids).await?;
    let mut metal: HashMap<_, _> = item::metals(db, ids)
        .await?
        .into_iter()
        .map(|metal| (metal.item_id, metal))
        .collect();
    let mut prices = prices(db, now, &items, &metal).await?;
    let found: HashMap<_, _> = items
        .into_iter()
        .map(|item| {
            let label = LabelItem {
                barcode: barcodes.remove(&item.id),
                metal: metal.remove(&item.id),
                price: prices.remove(&item.id),
                item,
            };
            (label.item.id, label)
        })
        .collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}
