//! What runs out, and what nobody wants: items to be bought, and items that lie about.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::ItemId;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::query::{StockTotal, totals_of};
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// An item of which no more is available than its reorder point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowStock {
    /// Which item.
    pub item_id: ItemId,
    /// How many are available in the whole shop, in the item's unit: on hand and not held for anybody.
    pub available: Decimal,
    /// How many are on their way from one place to another.
    pub in_transit: Decimal,
    /// At how many more should be bought.
    pub reorder_point: Decimal,
    /// Up to how many.
    pub maximum: Option<Decimal>,
}

impl LowStock {
    /// How many to buy: up to the maximum, or to the reorder point when there is none. What is on its way counts; never less than nothing.
    #[must_use]
    pub fn suggested(&self) -> Decimal {
        let goal = self.maximum.unwrap_or(self.reorder_point);
        (goal - self.available - self.in_transit).max(Decimal::ZERO)
    }
}

/// An item that lies about: something is on hand, and nothing went to customers or into the workshop for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowMover {
    /// Which item.
    pub item_id: ItemId,
    /// How many lie in the shop, in the item's unit.
    pub on_hand: Decimal,
    /// When some of it went last; never without.
    pub issued_at: Option<DateTime<Utc>>,
}

const ITEM: Column = Column {
    sql: "item_id",
    cast: "uuid",
};

#[derive(FromQueryResult)]
struct Reordered {
    item_id: ItemId,
    reorder_point: Decimal,
    maximum: Option<Decimal>,
}

/// A page of the items that run out, by creation; of these only, when some are given.
pub(super) async fn low(
    db: &impl ConnectionTrait,
    items: Option<&[ItemId]>,
    args: &PageArgs,
    now: DateTime<Utc>,
) -> Result<Page<LowStock>> {
    let list = List {
        columns: "item_id, reorder_point, maximum",
        from: "item_stocking k",
        order: Order::new(Vec::new(), ITEM),
        filter: &|sql| push_is_low(sql, items, now),
        cursor: &|low: &Reordered| Cursor(vec![low.item_id.to_string()]),
        reading: Reading::Any,
    };
    let page = list.page(db, args).await?;
    let ids: Vec<_> = page.edges.iter().map(|(_, low)| low.item_id).collect();
    let totals = totals(db, &ids, now).await?;
    let edges = page.edges.into_iter().map(|(cursor, low)| {
        let total = totals.get(&low.item_id);
        let available = total.map(|total| total.on_hand - total.reserved);
        let low = LowStock {
            item_id: low.item_id,
            available: available.unwrap_or_default(),
            in_transit: total.map(|total| total.in_transit).unwrap_or_default(),
            reorder_point: low.reorder_point,
            maximum: low.maximum,
        };
        (cursor, low)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next: page.has_next,
        has_previous: page.has_previous,
    })
}

async fn totals(
    db: &impl ConnectionTrait,
    items: &[ItemId],
    now: DateTime<Utc>,
) -> Result<HashMap<ItemId, StockTotal>> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let totals = totals_of(db, items, now).await?.into_iter();
    Ok(totals.map(|total| (total.item_id, total)).collect())
}

/// No more is available than the reorder point. What is held by reservations whose time is over is not held any more.
pub(crate) fn push_is_low(sql: &mut Sql, items: Option<&[ItemId]>, now: DateTime<Utc>) {
    sql.push("k.reorder_point IS NOT NULL");
    if let Some(items) = items {
        sql.push(" AND k.item_id = ANY(")
            .bind(uuids(items))
            .push(")");
    }
    sql.push(
        " AND COALESCE((
             SELECT sum(v.on_hand - v.reserved + COALESCE(r.open, 0))
             FROM stock_level v
             JOIN location l ON l.id = v.location_id AND l.kind <> 'transit'
             LEFT JOIN LATERAL (SELECT sum(r.open) AS open FROM stock_reservation r
                                WHERE v.reserved > 0 AND r.item_id = v.item_id AND r.location_id = v.location_id
                                  AND r.open > 0 AND r.expires_at <= ",
    )
    .bind(now)
    .push(
        ") r ON true
             WHERE v.item_id = k.item_id
         ), 0) <= k.reorder_point",
    );
}

#[derive(FromQueryResult)]
struct Lying {
    item_id: ItemId,
}

/// A page of the items of which something lies in the shop and nothing went since then, by creation.
pub(super) async fn slow(
    db: &impl ConnectionTrait,
    since: DateTime<Utc>,
    args: &PageArgs,
    now: DateTime<Utc>,
) -> Result<Page<SlowMover>> {
    let list = List {
        columns: "item_id",
        from: "stock_level s",
        order: Order::new(Vec::new(), ITEM),
        filter: &|sql| push_is_slow(sql, since),
        cursor: &|lying: &Lying| Cursor(vec![lying.item_id.to_string()]),
        reading: Reading::Any,
    };
    let page = list.page(db, args).await?;
    let ids: Vec<_> = page.edges.iter().map(|(_, lying)| lying.item_id).collect();
    let totals = totals(db, &ids, now).await?;
    let issued = issued_last(db, &ids).await?;
    let edges = page.edges.into_iter().map(|(cursor, Lying { item_id })| {
        let on_hand = totals.get(&item_id).map(|total| total.on_hand);
        let slow = SlowMover {
            item_id,
            on_hand: on_hand.unwrap_or_default(),
            issued_at: issued.get(&item_id).copied(),
        };
        (cursor, slow)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next: page.has_next,
        has_previous: page.has_previous,
    })
}

/// An item counts once, at the first of its places where something lies.
fn push_is_slow(sql: &mut Sql, since: DateTime<Utc>) {
    sql.push(
        "s.on_hand > 0
         AND NOT EXISTS (SELECT FROM stock_level o WHERE o.item_id = s.item_id AND o.location_id < s.location_id AND o.on_hand > 0)
         AND NOT EXISTS (SELECT FROM stock_movement m JOIN location t ON t.id = m.to_location_id
                         WHERE m.item_id = s.item_id AND t.kind IN ('customer', 'production') AND m.effective_at >= ",
    )
    .bind(since)
    .push(")");
}

/// When some of these items went to a customer or into the workshop last.
async fn issued_last(
    db: &impl ConnectionTrait,
    items: &[ItemId],
) -> Result<HashMap<ItemId, DateTime<Utc>>> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT k.item_id, m.effective_at
               FROM unnest($1::uuid[]) k (item_id)
               CROSS JOIN LATERAL (
                   SELECT m.effective_at FROM stock_movement m JOIN location t ON t.id = m.to_location_id
                   WHERE m.item_id = k.item_id AND t.kind IN ('customer', 'production')
                   ORDER BY m.effective_at DESC, m.number DESC LIMIT 1
               ) m";
    let rows = db.query_all_raw(statement(sql, [uuids(items)])).await?;
    let issued = rows.iter().map(|row| {
        Ok((
            row.try_get("", "item_id")?,
            row.try_get("", "effective_at")?,
        ))
    });
    issued.collect()
}
