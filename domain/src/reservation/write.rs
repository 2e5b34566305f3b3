//! Writes of reservations. What is held follows from them: the database changes the levels in the same statement.
//!
//! Levels are locked before the reservations that hold something of them, by everybody, so that nobody waits in a circle.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, LotId, StockReservationId},
    stock_reservation::{Model as StockReservation, State},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};

use super::{Hold, ReserveLine};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::{Code, Error, Refusal, Refusals, Result},
    sql::{statement, uuids},
    stock::{Failure, lock_levels_in_tx, places, tell_in_tx},
    viewer::Viewer,
};

/// No lot, as arrays of nullable values do not bind.
const NO_LOT: LotId = LotId(uuid::Uuid::nil());

/// Holds all of it, or nothing; or as much as there is, when that will do.
pub(crate) async fn hold_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    draft: &Hold,
) -> Result<Vec<StockReservation>, Failure> {
    let lines = if draft.partial {
        as_far_as_there_is_in_tx(tx, now, &draft.lines).await?
    } else {
        draft.lines.clone()
    };
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let reservations = match insert_in_tx(tx, viewer, now, draft, &lines).await {
        Ok(reservations) => reservations,
        Err(error) => {
            let places = places(
                lines
                    .iter()
                    .map(|line| (line.item_id, line.lot_id, line.location_id)),
            );
            return Err(Failure::of(error, places));
        }
    };
    for reservation in &reservations {
        let change = Change::of_new(
            "stock.reserve",
            "stock_reservation",
            reservation.id.0,
            reservation,
        );
        audit::write_in_tx(tx, viewer, now, change).await?;
    }
    if let Some(first) = reservations.first() {
        let places = lines
            .iter()
            .map(|line| (line.item_id, line.location_id, line.location_id));
        tell_in_tx(tx, viewer, now, "stock.reserve", first.id.0, places).await?;
    }
    Ok(reservations)
}

#[derive(FromQueryResult)]
struct Free {
    item_id: ItemId,
    lot_id: Option<LotId>,
    location_id: LocationId,
    free: Decimal,
}

/// The lines with as much as there is, without those of which there is nothing. What two lines of one item share goes to the first.
async fn as_far_as_there_is_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    lines: &[ReserveLine],
) -> Result<Vec<ReserveLine>> {
    let keys = || lines.iter().map(|line| (line.item_id, line.location_id));
    lock_levels_in_tx(tx, now, keys()).await?;
    let (items, locations): (Vec<_>, Vec<_>) = keys().unzip();
    let lots: Vec<_> = lines
        .iter()
        .map(|line| line.lot_id.unwrap_or(NO_LOT))
        .collect();
    tx.execute_raw(statement(
        "SELECT stock_expire($1, $2, $3)",
        [uuids(&items), uuids(&locations), now.into()],
    ))
    .await?;
    let sql = "SELECT s.item_id, NULL::uuid AS lot_id, s.location_id, CASE WHEN s.may_run_short THEN 9999999999999 ELSE s.on_hand - s.reserved END AS free
               FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $3::uuid[])) k (item_id, location_id)
               JOIN stock_level s USING (item_id, location_id)
               UNION ALL
               SELECT l.item_id, l.lot_id, l.location_id, l.on_hand - l.reserved
               FROM (SELECT DISTINCT * FROM unnest($2::uuid[], $3::uuid[])) k (lot_id, location_id)
               JOIN stock_lot_level l USING (lot_id, location_id)";
    let values = [uuids(&items), uuids(&lots), uuids(&locations)];
    let found = Free::find_by_statement(statement(sql, values))
        .all(tx)
        .await?;
    let mut free: HashMap<_, _> = found
        .into_iter()
        .map(|row| ((row.item_id, row.lot_id, row.location_id), row.free))
        .collect();
    let mut held = Vec::with_capacity(lines.len());
    for line in lines {
        let all = (line.item_id, None, line.location_id);
        let of_lot = (line.item_id, line.lot_id, line.location_id);
        let there = |key| free.get(key).copied().unwrap_or_default();
        let quantity = line.quantity.min(there(&all)).min(there(&of_lot));
        if quantity <= Decimal::ZERO {
            continue;
        }
        for key in if line.lot_id.is_some() {
            vec![all, of_lot]
        } else {
            vec![all]
        } {
            free.entry(key).and_modify(|free| *free -= quantity);
        }
        held.push(ReserveLine { quantity, ..*line });
    }
    Ok(held)
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    draft: &Hold,
    lines: &[ReserveLine],
) -> Result<Vec<StockReservation>, DbErr> {
    let sql = "INSERT INTO stock_reservation (id, item_id, location_id, lot_id, quantity, open, state, consumer, document, expires_at,
                                              actor_kind, actor_id, actor_name, created_at, updated_at)
               SELECT l.id, l.item, l.location, NULLIF(l.lot, '00000000-0000-0000-0000-000000000000'), l.quantity, l.quantity, 'active',
                      $6, $7, $8, $9, $10, $11, $12, $12
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::numeric[]) l (id, item, location, lot, quantity)
               RETURNING *";
    let ids: Vec<_> = lines
        .iter()
        .map(|_| StockReservationId(new_id(now)))
        .collect();
    let items: Vec<_> = lines.iter().map(|line| line.item_id).collect();
    let locations: Vec<_> = lines.iter().map(|line| line.location_id).collect();
    let lots: Vec<_> = lines
        .iter()
        .map(|line| line.lot_id.unwrap_or(NO_LOT))
        .collect();
    let quantities: Vec<_> = lines.iter().map(|line| line.quantity).collect();
    let Actor { kind, id, name } = Actor::of(viewer);
    let values = [
        uuids(&ids),
        uuids(&items),
        uuids(&locations),
        uuids(&lots),
        quantities.into(),
        draft.consumer.as_str().into(),
        draft.document.clone().into(),
        draft.expires_at.into(),
        kind.into(),
        id.into(),
        name.into(),
        now.into(),
    ];
    let inserted = StockReservation::find_by_statement(statement(sql, values));
    inserted.all(tx).await
}

/// The reservation, locked together with the level that it holds something of, as it is now.
pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: StockReservationId,
) -> Result<Option<StockReservation>> {
    let sql = "SELECT item_id, location_id FROM stock_reservation WHERE id = $1";
    let Some(row) = tx.query_one_raw(statement(sql, [id.into()])).await? else {
        return Ok(None);
    };
    let key = (row.try_get("", "item_id")?, row.try_get("", "location_id")?);
    lock_levels_in_tx(tx, now, [key]).await?;
    let mut locked = locked_in_tx(tx, &[id]).await?;
    let locked = locked.remove(&id);
    Ok(locked.map(|reservation| super::query::at(reservation, now)))
}

async fn locked_in_tx(
    tx: &DatabaseTransaction,
    ids: &[StockReservationId],
) -> Result<HashMap<StockReservationId, StockReservation>> {
    let sql = "SELECT * FROM stock_reservation WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    let found = StockReservation::find_by_statement(statement(sql, [uuids(ids)]));
    let found = found.all(tx).await?.into_iter();
    Ok(found
        .map(|reservation| (reservation.id, reservation))
        .collect())
}

pub(super) async fn release_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: &StockReservation,
    quantity: Decimal,
) -> Result<StockReservation> {
    let changed = shrink_in_tx(tx, now, &[(before.id, quantity)], State::Released).await?;
    let mut changed = changed.into_iter();
    changed
        .next()
        .ok_or_else(|| Error::internal("a reservation vanished under its lock"))
}

/// Takes so much off what each holds; one that holds nothing any more is in this state.
async fn shrink_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    less: &[(StockReservationId, Decimal)],
    state: State,
) -> Result<Vec<StockReservation>> {
    let (ids, quantities): (Vec<_>, Vec<_>) = less.iter().copied().unzip();
    let sql = "UPDATE stock_reservation r
               SET open = r.open - l.quantity, state = CASE WHEN r.open = l.quantity THEN $3 ELSE r.state END,
                   version = r.version + 1, updated_at = $4
               FROM unnest($1::uuid[], $2::numeric[]) l (id, quantity) WHERE r.id = l.id
               RETURNING r.*";
    let values = [
        uuids(&ids),
        quantities.into(),
        state.to_value().into(),
        now.into(),
    ];
    let changed = StockReservation::find_by_statement(statement(sql, values));
    Ok(changed.all(tx).await?)
}

/// Lets go of all that these still hold.
pub(crate) async fn let_go_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[StockReservationId],
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT item_id, location_id FROM stock_reservation WHERE id = ANY($1)";
    let rows = tx.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let keys = rows
        .iter()
        .map(|row| Ok((row.try_get("", "item_id")?, row.try_get("", "location_id")?)));
    let keys: Vec<(ItemId, LocationId)> = keys.collect::<Result<_, DbErr>>()?;
    lock_levels_in_tx(tx, now, keys).await?;
    let held = locked_in_tx(tx, ids).await?;
    let held = held
        .into_values()
        .filter(|held| held.state == State::Active);
    for before in held.collect::<Vec<_>>() {
        let open = before.open;
        let after = release_in_tx(tx, now, &before, open).await?;
        record_in_tx(tx, viewer, now, "stock.release", Some(&before), &after).await?;
    }
    Ok(())
}

/// What is used of a reservation.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) id: StockReservationId,
    pub(crate) item: ItemId,
    pub(crate) location: LocationId,
    pub(crate) lot: Option<LotId>,
    pub(crate) quantity: Decimal,
    /// Where in the input it is.
    pub(crate) path: String,
}

/// Uses what is held, just before it is issued. The levels are locked.
///
/// # Errors
/// When a reservation does not hold what is used: something else, less, or nothing any more.
pub(crate) async fn use_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    uses: &[Use],
) -> Result<()> {
    if uses.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = uses.iter().map(|used| used.id).collect();
    let mut held = locked_in_tx(tx, &ids).await?;
    for reservation in held.values_mut() {
        *reservation = super::query::at(reservation.clone(), now);
    }
    let mut refusals = Refusals::default();
    let mut used_up: BTreeMap<StockReservationId, Decimal> = BTreeMap::new();
    for used in uses {
        let used_before = used_up.get(&used.id).copied().unwrap_or_default();
        if refusals
            .take(check_use(used, held.get(&used.id), used_before))
            .is_some()
        {
            used_up.insert(used.id, used_before + used.quantity);
        }
    }
    let used_up = refusals.into_result(Some(used_up))?;
    let less: Vec<_> = used_up.into_iter().collect();
    shrink_in_tx(tx, now, &less, State::Fulfilled).await?;
    Ok(())
}

fn check_use(
    used: &Use,
    held: Option<&StockReservation>,
    used_before: Decimal,
) -> Result<(), Refusal> {
    let refusal = |code| Refusal::new(code, &used.path);
    let held = held.ok_or_else(|| refusal(Code::NotFound))?;
    if held.state != State::Active {
        return Err(refusal(Code::ReservationOver));
    }
    let is_same = held.item_id == used.item
        && held.location_id == used.location
        && (held.lot_id.is_none() || held.lot_id == used.lot);
    if !is_same {
        return Err(refusal(Code::ReservationMismatch));
    }
    let open = held.open - used_before;
    if used.quantity > open {
        return Err(refusal(Code::ReservationTooSmall)
            .with("open", open.normalize())
            .with("requested", used.quantity.normalize()));
    }
    Ok(())
}

/// Lets go of some reservations whose time is over; those first whose time has been over longest.
pub(super) async fn expire_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    most: u32,
) -> Result<u64> {
    let sql = "SELECT item_id, location_id FROM stock_reservation WHERE open > 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2";
    let rows = tx
        .query_all_raw(statement(sql, [now.into(), i64::from(most).into()]))
        .await?;
    let keys = rows
        .iter()
        .map(|row| Ok((row.try_get("", "item_id")?, row.try_get("", "location_id")?)));
    let keys: Vec<(ItemId, LocationId)> = keys.collect::<Result<_, DbErr>>()?;
    if keys.is_empty() {
        return Ok(0);
    }
    lock_levels_in_tx(tx, now, keys.iter().copied()).await?;
    let (items, locations): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
    tx.execute_raw(statement(
        "SELECT stock_expire($1, $2, $3)",
        [uuids(&items), uuids(&locations), now.into()],
    ))
    .await?;
    let places = keys
        .iter()
        .map(|(item, location)| (*item, *location, *location));
    tell_in_tx(tx, viewer, now, "stock.expire", new_id(now), places).await?;
    Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX))
}

/// The trail and the event of a change to one reservation.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&StockReservation>,
    after: &StockReservation,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "stock_reservation",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let places = [(after.item_id, after.location_id, after.location_id)];
    tell_in_tx(tx, viewer, now, action, after.id.0, places.into_iter()).await
}
