//! Reads of stock.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, StockEntryId},
    stock_entry::Model as StockEntry,
    stock_movement::Model as StockMovement,
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};

use super::{EntryFilter, LevelFilter, MovementFilter};
use crate::{
    error::{Code, Error, Refusal, Result},
    keyset::{Below, Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// What lies of an item at a location.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StockLevel {
    /// Which item.
    pub item_id: ItemId,
    /// Where.
    pub location_id: LocationId,
    /// How many, in the item's unit. Less than nothing where a location allows that.
    pub on_hand: Decimal,
    /// How many of them are held for somebody.
    pub reserved: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
    /// Until when it is known.
    pub changed_at: DateTime<Utc>,
}

impl StockLevel {
    /// How many are not held for anybody.
    #[must_use]
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved
    }
}

/// What there is of an item in the shop altogether.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StockTotal {
    /// Which item.
    pub item_id: ItemId,
    /// How many lie somewhere, in the item's unit.
    pub on_hand: Decimal,
    /// How many of them are held for somebody.
    pub reserved: Decimal,
    /// How many are on their way from one place to another.
    pub in_transit: Decimal,
    /// Grams of those that lie somewhere, without stones.
    pub weight: Decimal,
    /// Grams of pure metal in them.
    pub fine_weight: Decimal,
}

const ITEM: Column = Column {
    sql: "item_id",
    cast: "uuid",
};
const LOCATION: Column = Column {
    sql: "location_id",
    cast: "uuid",
};
const EFFECTIVE_AT: Column = Column {
    sql: "effective_at",
    cast: "timestamptz",
};
const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};
const LINE: Column = Column {
    sql: "line",
    cast: "int4",
};
const NUMBER: Column = Column {
    sql: "number",
    cast: "int8",
};

pub(super) async fn levels(
    db: &impl ConnectionTrait,
    filter: &LevelFilter,
    args: &PageArgs,
    now: DateTime<Utc>,
) -> Result<Page<StockLevel>> {
    let list = List {
        columns: "item_id, location_id, on_hand, reserved, weight, fine_weight, changed_at",
        from: "stock_level s",
        order: level_order(),
        filter: &|sql| push_level_filter(sql, filter, now),
        cursor: &level_cursor,
        reading: Reading::Any,
    };
    let mut page = list.page(db, args).await?;
    let mut levels: Vec<_> = page.edges.iter_mut().map(|(_, level)| level).collect();
    let_go_expired(db, &mut levels, now).await?;
    Ok(page)
}

/// By item and location.
pub(super) fn level_order() -> Order {
    let by_item = Term {
        column: ITEM,
        descending: false,
    };
    Order::new(vec![by_item], LOCATION)
}

/// Where a level is in that order.
pub(super) fn level_cursor(level: &StockLevel) -> Cursor {
    Cursor(vec![
        level.item_id.to_string(),
        level.location_id.to_string(),
    ])
}

/// What is held by reservations whose time is over is not held any more, whoever has noticed it.
async fn let_go_expired(
    db: &impl ConnectionTrait,
    levels: &mut [&mut StockLevel],
    now: DateTime<Utc>,
) -> Result<()> {
    let held = || levels.iter().filter(|level| !level.reserved.is_zero());
    let items: Vec<_> = held().map(|level| level.item_id).collect();
    let locations: Vec<_> = held().map(|level| level.location_id).collect();
    if items.is_empty() {
        return Ok(());
    }
    let sql = "SELECT k.item_id, k.location_id, r.open
               FROM unnest($1::uuid[], $2::uuid[]) k (item_id, location_id)
               CROSS JOIN LATERAL (SELECT sum(open) AS open FROM stock_reservation
                                   WHERE item_id = k.item_id AND location_id = k.location_id AND open > 0 AND expires_at <= $3) r
               WHERE r.open IS NOT NULL";
    let values = [uuids(&items), uuids(&locations), now.into()];
    let mut expired: HashMap<(ItemId, LocationId), Decimal> = HashMap::new();
    for row in db.query_all_raw(statement(sql, values)).await? {
        let key = (row.try_get("", "item_id")?, row.try_get("", "location_id")?);
        expired.insert(key, row.try_get("", "open")?);
    }
    for level in levels {
        let open = expired.get(&(level.item_id, level.location_id));
        level.reserved -= open.copied().unwrap_or_default();
    }
    Ok(())
}

fn push_level_filter(sql: &mut Sql, filter: &LevelFilter, now: DateTime<Utc>) {
    sql.push("true");
    push_items(sql, filter);
    push_locations(sql, filter);
    if let Some(in_stock) = filter.in_stock {
        sql.push(if in_stock { " AND " } else { " AND NOT " })
            .push("(on_hand <> 0 OR weight <> 0)");
    }
    if let Some(available) = filter.available {
        sql.push(if available { " AND " } else { " AND NOT " })
            .push(
                "(on_hand - reserved + CASE WHEN reserved = 0 THEN 0 ELSE COALESCE((SELECT sum(r.open) FROM stock_reservation r \
                 WHERE r.item_id = s.item_id AND r.location_id = s.location_id AND r.open > 0 AND r.expires_at <= ",
            )
            .bind(now)
            .push("), 0) END > 0)");
    }
}

/// Of the items of the filter only: appends conditions.
pub(super) fn push_items(sql: &mut Sql, filter: &LevelFilter) {
    if let Some(ids) = &filter.item_ids {
        sql.push(" AND item_id = ANY(").bind(uuids(ids)).push(")");
    }
}

/// At the locations of the filter only: appends conditions.
pub(super) fn push_locations(sql: &mut Sql, filter: &LevelFilter) {
    if let Some(ids) = &filter.location_ids {
        sql.push(" AND location_id = ANY(")
            .bind(uuids(ids))
            .push(")");
    }
    if let Some(id) = filter.within {
        sql.push(" AND location_id IN (SELECT l.id FROM location l JOIN location w ON l.path <@ w.path WHERE w.id = ")
            .bind(id)
            .push(")");
    }
}

/// One statement for all of them.
pub(super) async fn totals_of(
    db: &impl ConnectionTrait,
    items: &[ItemId],
    now: DateTime<Utc>,
) -> Result<Vec<StockTotal>> {
    let sql = "SELECT s.item_id, COALESCE(sum(s.on_hand) FILTER (WHERE l.kind <> 'transit'), 0) AS on_hand,
                      COALESCE(sum(s.reserved - COALESCE(r.open, 0)), 0) AS reserved,
                      COALESCE(sum(s.on_hand) FILTER (WHERE l.kind = 'transit'), 0) AS in_transit,
                      COALESCE(sum(s.weight) FILTER (WHERE l.kind <> 'transit'), 0) AS weight,
                      COALESCE(sum(s.fine_weight) FILTER (WHERE l.kind <> 'transit'), 0) AS fine_weight
               FROM stock_level s
               JOIN location l ON l.id = s.location_id
               LEFT JOIN LATERAL (SELECT sum(r.open) AS open FROM stock_reservation r
                                  WHERE s.reserved > 0 AND r.item_id = s.item_id AND r.location_id = s.location_id
                                    AND r.open > 0 AND r.expires_at <= $2) r ON true
               WHERE s.item_id = ANY($1)
               GROUP BY s.item_id";
    let values = [uuids(items), now.into()];
    let totals = StockTotal::find_by_statement(statement(sql, values));
    Ok(totals.all(db).await?)
}

pub(super) async fn find_entry(
    db: &impl ConnectionTrait,
    id: StockEntryId,
) -> Result<Option<StockEntry>> {
    Ok(entries_by_ids(db, &[id]).await?.pop())
}

pub(super) async fn entries_by_ids(
    db: &impl ConnectionTrait,
    ids: &[StockEntryId],
) -> Result<Vec<StockEntry>> {
    let sql = "SELECT * FROM stock_entry WHERE id = ANY($1)";
    let entries = StockEntry::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(entries.all(db).await?)
}

pub(super) async fn reversals_of(
    db: &impl ConnectionTrait,
    ids: &[StockEntryId],
) -> Result<Vec<StockEntry>> {
    let sql = "SELECT * FROM stock_entry WHERE reverses_id = ANY($1)";
    let entries = StockEntry::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(entries.all(db).await?)
}

/// What happened last comes first.
const LAST_FIRST: Term = Term {
    column: EFFECTIVE_AT,
    descending: true,
};

pub(super) async fn entries(
    db: &impl ConnectionTrait,
    filter: &EntryFilter,
    args: &PageArgs,
) -> Result<Page<StockEntry>> {
    let list = List {
        columns: "*",
        from: "stock_entry",
        order: Order::new(vec![LAST_FIRST], ID),
        filter: &|sql| push_entry_filter(sql, filter),
        cursor: &|entry: &StockEntry| {
            Cursor(vec![entry.effective_at.to_rfc3339(), entry.id.to_string()])
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_entry_filter(sql: &mut Sql, filter: &EntryFilter) {
    let EntryFilter {
        kinds,
        reasons,
        document,
        from,
        until,
    } = filter;
    sql.push("true");
    if let Some(kinds) = kinds {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    if let Some(reasons) = reasons {
        let reasons: Vec<_> = reasons.iter().map(|reason| reason.to_value()).collect();
        sql.push(" AND reason = ANY(")
            .bind(reasons)
            .push("::text[])");
    }
    if let Some(document) = document {
        sql.push(" AND document = ").bind(document.as_str());
    }
    push_time(sql, *from, *until);
}

fn push_time(sql: &mut Sql, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) {
    if let Some(from) = from {
        sql.push(" AND effective_at >= ").bind(from);
    }
    if let Some(until) = until {
        sql.push(" AND effective_at < ").bind(until);
    }
}

/// Each movement at both of its ends, which are never the same: there is an index for either, in the order of the list, and PostgreSQL
/// merges the two as far as the page goes.
const ENDS: &str = "(SELECT *, from_location_id AS place FROM stock_movement UNION ALL SELECT *, to_location_id FROM stock_movement) m";

pub(super) async fn movements(
    db: &impl ConnectionTrait,
    filter: &MovementFilter,
    args: &PageArgs,
) -> Result<Page<StockMovement>> {
    let is_bounded = filter.entry_id.is_some()
        || filter.item_id.is_some()
        || filter.lot_id.is_some()
        || filter.location_id.is_some();
    if !is_bounded {
        // Each of these has an index in the order of the list; all movements of all time have none.
        return Err(Refusal::new(Code::Required, "where").into());
    }
    let from = match filter.location_id {
        Some(_) => ENDS,
        None => "stock_movement",
    };
    let list = List {
        columns: "entry_id, line, number, item_id, lot_id, from_location_id, to_location_id, quantity, weight, fine_weight, unit_cost, effective_at",
        from,
        order: Order::new(vec![LAST_FIRST], NUMBER),
        filter: &|sql| push_movement_filter(sql, filter),
        cursor: &|movement: &StockMovement| {
            Cursor(vec![
                movement.effective_at.to_rfc3339(),
                movement.number.to_string(),
            ])
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

/// Of each of these entries a page of its movements: one statement.
pub(super) async fn movements_of(
    db: &impl ConnectionTrait,
    entries: &[StockEntryId],
    args: &PageArgs,
) -> Result<Vec<Page<StockMovement>>> {
    let below = Below {
        parents: uuids(entries),
        count: entries.len(),
        rows: "SELECT * FROM stock_movement WHERE entry_id = w.parent",
        order: Order::new(Vec::new(), LINE),
    };
    let cursor = |movement: &StockMovement| Cursor(vec![movement.line.to_string()]);
    below.pages(db, args, cursor).await
}

fn push_movement_filter(sql: &mut Sql, filter: &MovementFilter) {
    let MovementFilter {
        entry_id,
        item_id,
        lot_id,
        location_id,
        from,
        until,
    } = filter;
    sql.push("true");
    if let Some(id) = entry_id {
        sql.push(" AND entry_id = ").bind(*id);
    }
    if let Some(id) = item_id {
        sql.push(" AND item_id = ").bind(*id);
    }
    if let Some(id) = lot_id {
        sql.push(" AND lot_id = ").bind(*id);
    }
    if let Some(id) = location_id {
        sql.push(" AND place = ").bind(*id);
    }
    push_time(sql, *from, *until);
}

/// Waits until nobody posts or reserves, and lets nobody do so until the transaction ends. To be asked for before any row is locked that
/// they lock, too.
pub(crate) async fn own_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement("SELECT stock_own()", [])).await?;
    Ok(())
}

/// Those of these items that have stock or lots, or have had. Nobody gives them any until the transaction ends.
pub(crate) async fn stocked_in_tx(
    tx: &DatabaseTransaction,
    items: &[ItemId],
) -> Result<HashSet<ItemId>> {
    own_in_tx(tx).await?;
    let sql = "SELECT id FROM item i WHERE id = ANY($1)
               AND (EXISTS (SELECT FROM stock_level WHERE item_id = i.id) OR EXISTS (SELECT FROM lot WHERE item_id = i.id))";
    let rows = tx.query_all_raw(statement(sql, [uuids(items)])).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}

/// Of how many items something lies at these locations, or is missing there.
pub(crate) async fn things_in_tx(
    tx: &DatabaseTransaction,
    locations: &[LocationId],
) -> Result<i64> {
    let sql = "SELECT count(DISTINCT item_id) FROM stock_level WHERE location_id = ANY($1) AND (on_hand <> 0 OR weight <> 0 OR reserved <> 0)";
    let row = tx.query_one_raw(statement(sql, [uuids(locations)])).await?;
    let row = row.ok_or_else(|| Error::internal("a count without a row"))?;
    Ok(row.try_get_by_index(0)?)
}
