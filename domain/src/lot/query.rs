//! Reads of lots.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, LotId},
    lot::{Column, Entity, Model as Lot},
};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveEnum as _, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    FromQueryResult, QueryFilter, QuerySelect, sea_query::LockType,
};

use super::{LotFilter, LotOrder};
use crate::{
    error::Result,
    filter::push_text,
    keyset::{Column as Key, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, uuids},
};

const COLUMNS: &str = "id, item_id, kind, number, expires_on, fineness, gross_weight, net_weight, unit_cost, huid, certificate_number, state, \
     version, created_at, updated_at";

/// How much of a lot is at a location.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LotLevel {
    /// Which lot.
    pub lot_id: LotId,
    /// Where.
    pub location_id: LocationId,
    /// Of which item.
    pub item_id: ItemId,
    /// How many, in the item's unit.
    pub on_hand: Decimal,
    /// How many of them are held for somebody who wants this very lot.
    pub reserved: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[LotId]) -> Result<Vec<Lot>> {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(" FROM lot WHERE id = ANY(");
    sql.bind(uuids(ids)).push(")");
    Ok(Lot::find_by_statement(sql.build()).all(db).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: LotId) -> Result<Option<Lot>> {
    let locked = Entity::find().filter(Column::Id.eq(id));
    Ok(locked.lock(LockType::NoKeyUpdate).one(tx).await?)
}

/// What is there of these lots. What is held by reservations whose time is over is not held any more.
pub(super) async fn levels_of(
    db: &impl ConnectionTrait,
    ids: &[LotId],
    now: DateTime<Utc>,
) -> Result<Vec<LotLevel>> {
    let mut sql = Sql::new(
        "SELECT s.lot_id, s.location_id, s.item_id, s.on_hand, s.reserved - COALESCE(r.expired, 0) AS reserved, s.weight, s.fine_weight
         FROM stock_lot_level s
         LEFT JOIN LATERAL (SELECT sum(r.open) AS expired FROM stock_reservation r
                            WHERE s.reserved > 0 AND r.item_id = s.item_id AND r.location_id = s.location_id AND r.lot_id = s.lot_id
                              AND r.open > 0 AND r.expires_at <= ",
    );
    sql.bind(now)
        .push(") r ON true WHERE s.lot_id = ANY(")
        .bind(uuids(ids))
        .push(") AND (s.on_hand > 0 OR s.weight > 0) ORDER BY s.lot_id, s.location_id");
    Ok(LotLevel::find_by_statement(sql.build()).all(db).await?)
}

const ID: Key = Key {
    sql: "id",
    cast: "uuid",
};

/// Of what never expires the last day is the end of time.
const EXPIRY: Key = Key {
    sql: "COALESCE(expires_on, 'infinity'::date)",
    cast: "date",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &LotFilter,
    order: LotOrder,
    args: &PageArgs,
) -> Result<Page<Lot>> {
    let terms = match order {
        LotOrder::Creation => Vec::new(),
        LotOrder::Expiry => vec![Term {
            column: EXPIRY,
            descending: false,
        }],
    };
    let list = List {
        columns: COLUMNS,
        from: "lot",
        order: Order::new(terms, ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|lot: &Lot| {
            let mut values = Vec::new();
            if order == LotOrder::Expiry {
                let day = lot.expires_on.map(|day| day.to_string());
                values.push(day.unwrap_or_else(|| "infinity".to_owned()));
            }
            values.push(lot.id.to_string());
            Cursor(values)
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &LotFilter) {
    let LotFilter {
        item_ids,
        number,
        huid,
        expires_until,
        expires_from,
        state,
        in_stock,
    } = filter;
    sql.push("true");
    if let Some(ids) = item_ids {
        sql.push(" AND item_id = ANY(").bind(uuids(ids)).push(")");
    }
    push_text(sql, "number", number.as_ref());
    if let Some(huid) = huid {
        sql.push(" AND huid = ").bind(huid.to_uppercase());
    }
    if let Some(day) = expires_until {
        sql.push(" AND expires_on <= ").bind(*day);
    }
    if let Some(day) = expires_from {
        sql.push(" AND (expires_on IS NULL OR expires_on >= ")
            .bind(*day)
            .push(")");
    }
    if let Some(state) = state {
        sql.push(" AND state = ").bind(state.to_value());
    }
    if let Some(in_stock) = in_stock {
        sql.push(if *in_stock { " AND " } else { " AND NOT " })
            .push(
                "EXISTS (SELECT FROM stock_lot_level s WHERE s.lot_id = lot.id AND s.on_hand > 0)",
            );
    }
}
