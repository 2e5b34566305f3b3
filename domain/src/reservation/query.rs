//! Reads of reservations.

use chrono::{DateTime, Utc};
use entity::{
    id::StockReservationId,
    stock_reservation::{Model as StockReservation, State},
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::ReservationFilter;
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[StockReservationId],
    now: DateTime<Utc>,
) -> Result<Vec<StockReservation>> {
    let sql = "SELECT * FROM stock_reservation WHERE id = ANY($1)";
    let found = StockReservation::find_by_statement(statement(sql, [uuids(ids)]));
    let found = found.all(db).await?.into_iter();
    Ok(found.map(|reservation| at(reservation, now)).collect())
}

/// As it is at this moment: one whose time is over holds nothing, whoever has noticed it.
pub(super) fn at(reservation: StockReservation, now: DateTime<Utc>) -> StockReservation {
    let is_over = reservation.expires_at.is_some_and(|at| at <= now);
    if reservation.state != State::Active || !is_over {
        return reservation;
    }
    StockReservation {
        state: State::Expired,
        open: Decimal::ZERO,
        ..reservation
    }
}

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &ReservationFilter,
    args: &PageArgs,
    now: DateTime<Utc>,
) -> Result<Page<StockReservation>> {
    let list = List {
        columns: "*",
        from: "stock_reservation",
        order: Order::newest_first(ID),
        filter: &|sql| push_filter(sql, filter, now),
        cursor: &|reservation: &StockReservation| Cursor(vec![reservation.id.to_string()]),
        reading: Reading::Any,
    };
    let mut page = list.page(db, args).await?;
    for (_, reservation) in &mut page.edges {
        *reservation = at(reservation.clone(), now);
    }
    Ok(page)
}

fn push_filter(sql: &mut Sql, filter: &ReservationFilter, now: DateTime<Utc>) {
    let ReservationFilter {
        item_ids,
        location_id,
        lot_id,
        consumer,
        document,
        active,
    } = filter;
    sql.push("true");
    if let Some(ids) = item_ids {
        sql.push(" AND item_id = ANY(").bind(uuids(ids)).push(")");
    }
    if let Some(id) = location_id {
        sql.push(" AND location_id = ").bind(*id);
    }
    if let Some(id) = lot_id {
        sql.push(" AND lot_id = ").bind(*id);
    }
    for (column, text) in [("consumer", consumer), ("document", document)] {
        if let Some(text) = text {
            sql.push(" AND ")
                .push(column)
                .push(" = ")
                .bind(text.as_str());
        }
    }
    if let Some(active) = active {
        sql.push(if *active { " AND " } else { " AND NOT " })
            .push("(open > 0 AND (expires_at IS NULL OR expires_at > ")
            .bind(now)
            .push("))");
    }
}
