//! Posting an entry: what every use case of stock comes down to.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, LotId, StockEntryId},
    item::Tracking,
    lot::{Kind as LotKind, Model as Lot},
    stock_entry::Model as StockEntry,
};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, Value,
};
use serde::Serialize;
use serde_json::json;

use super::{
    Stock,
    fault::{self, Failure},
    line::{Line, LotWish, Place},
    rules::{self, Plan},
    transform, weigh,
};
use crate::{
    audit::Actor,
    clock::new_id,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    idempotency::{Claim, Claimed, claim_in_tx},
    lot, reservation,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Most items and locations that an event names; of an entry with more it names none, and concerns everybody.
const NAMED_MAX: usize = 1_000;

/// How an item is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ItemFacts {
    pub(super) tracking: Tracking,
    pub(super) is_weighed: bool,
    /// Grams that may be over or missing when the last piece leaves.
    pub(super) weight_tolerance: Decimal,
    /// Of its metal, in parts per thousand.
    pub(super) fineness: Option<Decimal>,
}

/// A movement that is known in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(super) place: Place,
    pub(super) item: ItemId,
    pub(super) lot: Option<LotId>,
    pub(super) from: LocationId,
    pub(super) to: LocationId,
    pub(super) quantity: Decimal,
    pub(super) weight: Decimal,
    pub(super) fine_weight: Decimal,
    pub(super) unit_cost: Option<Decimal>,
}

/// An entry as the trail has it: the movements are in their own table, which is as unchangeable.
#[derive(Debug, Serialize)]
struct Recorded<'a> {
    kind: entity::stock_entry::Kind,
    reason: entity::stock_entry::Reason,
    document: Option<&'a str>,
    note: Option<&'a str>,
    effective_at: Option<DateTime<Utc>>,
    reverses_id: Option<StockEntryId>,
    lines: usize,
}

/// What an entry is, beside its movements.
pub(super) struct Head<'a> {
    pub(super) operation: &'static str,
    pub(super) kind: entity::stock_entry::Kind,
    pub(super) reason: entity::stock_entry::Reason,
    pub(super) document: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    /// When it happened; as soon as all levels are locked without.
    pub(super) effective_at: Option<DateTime<Utc>>,
    pub(super) reverses: Option<StockEntryId>,
}

impl Stock<'_> {
    /// Posts what is planned, once for each key.
    pub(super) async fn post(
        &self,
        viewer: &Viewer,
        operation: &'static str,
        asked: &(impl Serialize + Sync),
        key: Option<&str>,
        mut plan: Plan,
    ) -> Result<StockEntry> {
        let now = self.domain.now();
        plan.effective_at = rules::past(plan.effective_at, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, operation, asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        match post_plan_in_tx(&tx, viewer, now, (operation, claim), plan).await {
            Ok(entry) => {
                self.domain.commit(tx).await?;
                Ok(entry)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(fault::explain(&self.domain.reads, failure).await)
            }
        }
    }
}

async fn post_plan_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (operation, claim): (&'static str, Claim),
    plan: Plan,
) -> Result<StockEntry, Failure> {
    let Plan {
        kind,
        reason,
        document,
        note,
        effective_at,
        lines,
        max_loss,
    } = plan;
    let settled = settle_in_tx(tx, now, reason, lines, max_loss).await?;
    let head = Head {
        operation,
        kind,
        reason,
        document: document.as_deref(),
        note: note.as_deref(),
        effective_at: effective_at.or(settled.moment),
        reverses: None,
    };
    write_in_tx(tx, viewer, now, (&head, claim), settled.movements).await
}

/// Movements, and the moment at which their levels were locked, when they had to be.
pub(super) struct Settled {
    pub(super) movements: Vec<Movement>,
    pub(super) moment: Option<DateTime<Utc>>,
}

/// What the lines come to: their quantities, weights, lots and reservations.
pub(super) async fn settle_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    reason: entity::stock_entry::Reason,
    mut lines: Vec<Line>,
    max_loss: Decimal,
) -> Result<Settled> {
    if lines.iter().all(is_plain) {
        let movements = movements(lines, Vec::new());
        return Ok(Settled {
            movements,
            moment: None,
        });
    }
    let facts = facts_of_in_tx(tx, &lines).await?;
    let lots = lots_of_in_tx(tx, &lines).await?;
    fill_quantities(&mut lines, &facts, &lots)?;
    transform::check_conserved(reason, &lines)?;
    let is_weighed = |line: &Line| facts.get(&line.item).is_some_and(|facts| facts.is_weighed);
    let any_weighed = lines.iter().any(is_weighed);
    let any_reserved = lines.iter().any(|line| line.reservation.is_some());
    let mut moment = None;
    if any_weighed || any_reserved {
        let keys = lines
            .iter()
            .flat_map(|line| [(line.item, line.from), (line.item, line.to)]);
        moment = Some(lock_levels_in_tx(tx, now, keys).await?);
    }
    if any_weighed {
        let mut balances = weigh::balances_in_tx(tx, &lines).await?;
        lines = weigh::weigh(lines, &facts, &lots, &mut balances, max_loss)?;
    }
    reservation::use_in_tx(tx, now, &uses(&lines)).await?;
    let wanted = wanted_lots(&lines, &facts);
    let ids = lot::ensure_in_tx(tx, now, &wanted).await?;
    Ok(Settled {
        movements: movements(lines, ids),
        moment,
    })
}

/// Whether nothing about the line depends on what the database knows.
fn is_plain(line: &Line) -> bool {
    matches!(line.lot, LotWish::Untracked)
        && line.weight.is_none()
        && line.reservation.is_none()
        && line.quantity.is_some_and(|quantity| !quantity.is_zero())
        && line.place.list == "lines"
}

/// The lines with the ids of the lots that they name by their numbers, in their order.
fn movements(lines: Vec<Line>, lots: Vec<LotId>) -> Vec<Movement> {
    let mut lots = lots.into_iter();
    let movements = lines.into_iter().map(|line| Movement {
        place: line.place,
        item: line.item,
        lot: match line.lot {
            LotWish::Untracked => None,
            LotWish::Known(id) => Some(id),
            LotWish::Numbered(_) => lots.next(),
        },
        from: line.from,
        to: line.to,
        quantity: line.quantity.unwrap_or_default(),
        weight: line.weight.unwrap_or_default(),
        fine_weight: line.fine_weight,
        unit_cost: line.unit_cost,
    });
    movements.collect()
}

/// What is used of reservations.
fn uses(lines: &[Line]) -> Vec<reservation::Use> {
    let uses = lines.iter().filter_map(|line| {
        Some(reservation::Use {
            id: line.reservation?,
            item: line.item,
            location: line.from,
            lot: line.known_lot(),
            quantity: line.pieces(),
            path: line.place.path("reservationId"),
        })
    });
    uses.collect()
}

/// The lots that lines name by their numbers. One of an item that is not tracked is left for the database to refuse.
fn wanted_lots(lines: &[Line], facts: &HashMap<ItemId, ItemFacts>) -> Vec<lot::Wanted> {
    let wanted = lines.iter().filter_map(|line| match &line.lot {
        LotWish::Untracked | LotWish::Known(_) => None,
        LotWish::Numbered(draft) => Some(lot::Wanted {
            item: line.item,
            kind: match facts.get(&line.item).map(|facts| facts.tracking) {
                Some(Tracking::Serial) => LotKind::Serial,
                Some(Tracking::None | Tracking::Lot) | None => LotKind::Lot,
            },
            draft: (**draft).clone(),
            path: line.place.path("lot"),
        }),
    });
    wanted.collect()
}

/// What a line says of its quantity, a piece for a serial; and that there are lots where there must be, and none where there cannot be.
fn fill_quantities(
    lines: &mut [Line],
    facts: &HashMap<ItemId, ItemFacts>,
    lots: &HashMap<LotId, Lot>,
) -> Result<()> {
    let mut refusals = Refusals::default();
    for line in lines {
        let Some(item) = facts.get(&line.item) else {
            refusals.push(Refusal::new(Code::NotFound, &line.place.path("itemId")));
            continue;
        };
        match (&line.lot, item.tracking) {
            (LotWish::Numbered(_), Tracking::None) => {
                refusals.push(Refusal::new(Code::NotTracked, &line.place.path("lot")));
            }
            (LotWish::Known(id), _) if lots.get(id).is_none_or(|lot| lot.item_id != line.item) => {
                refusals.push(Refusal::new(Code::NotFound, &line.place.path("lotId")));
            }
            _ => {}
        }
        if line.quantity.is_none() {
            match item.tracking {
                Tracking::Serial => line.quantity = Some(Decimal::ONE),
                Tracking::None | Tracking::Lot => {
                    refusals.push(Refusal::new(Code::Required, &line.place.path("quantity")));
                }
            }
        }
    }
    refusals.into_result(Some(()))
}

#[derive(FromQueryResult)]
struct FactsRow {
    id: ItemId,
    tracking: Tracking,
    is_weighed: bool,
    weight_tolerance: Decimal,
    fineness: Option<Decimal>,
}

async fn facts_of_in_tx(
    tx: &DatabaseTransaction,
    lines: &[Line],
) -> Result<HashMap<ItemId, ItemFacts>> {
    let ids: Vec<_> = lines
        .iter()
        .map(|line| line.item)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let sql = "SELECT i.id, i.tracking, COALESCE(s.is_weighed, false) AS is_weighed, COALESCE(s.weight_tolerance, 0) AS weight_tolerance,
                      m.fineness
               FROM item i LEFT JOIN item_stocking s ON s.item_id = i.id LEFT JOIN item_metal m ON m.item_id = i.id
               WHERE i.id = ANY($1)";
    let rows = FactsRow::find_by_statement(statement(sql, [uuids(&ids)]));
    let facts = rows.all(tx).await?.into_iter().map(|row| {
        let facts = ItemFacts {
            tracking: row.tracking,
            is_weighed: row.is_weighed,
            weight_tolerance: row.weight_tolerance,
            fineness: row.fineness,
        };
        (row.id, facts)
    });
    Ok(facts.collect())
}

async fn lots_of_in_tx(tx: &DatabaseTransaction, lines: &[Line]) -> Result<HashMap<LotId, Lot>> {
    let ids: BTreeSet<_> = lines.iter().filter_map(Line::known_lot).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let lots = lot::by_ids_in_tx(tx, &ids).await?;
    Ok(lots.into_iter().map(|lot| (lot.id, lot)).collect())
}

/// Locks what lies of these items at these locations, in the order of the keys, and tells the moment at which to post to it.
pub(crate) async fn lock_levels_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    keys: impl IntoIterator<Item = (ItemId, LocationId)>,
) -> Result<DateTime<Utc>> {
    let keys: BTreeSet<_> = keys.into_iter().collect();
    let (items, locations): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let sql = "SELECT stock_moment($1, $2, $3) AS moment";
    let values = [uuids(&items), uuids(&locations), now.into()];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    let row = row.ok_or_else(|| Error::internal("a moment without a row"))?;
    Ok(row.try_get("", "moment")?)
}

/// Writes the entry with its movements, the trail, the event and the answer that the claim is to keep: all in one statement, for whoever comes
/// after waits from the moment at which levels are locked until the commit, and what can be written before is.
pub(super) async fn write_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (head, claim): (&Head<'_>, Claim),
    movements: Vec<Movement>,
) -> Result<StockEntry, Failure> {
    if movements.len() > super::MOVEMENTS_MAX {
        let refusal = Refusal::new(Code::TooMany, "lines").with("max", super::MOVEMENTS_MAX);
        return Err(Error::from(refusal).into());
    }
    let id = StockEntryId(new_id(now));
    let recorded = Recorded {
        kind: head.kind,
        reason: head.reason,
        document: head.document,
        note: head.note,
        effective_at: head.effective_at,
        reverses_id: head.reverses,
        lines: movements.len(),
    };
    let recorded = serde_json::to_value(&recorded).map_err(Error::from)?;
    let places = movements
        .iter()
        .map(|movement| (movement.item, movement.from, movement.to));
    let told = told(head.operation, places);
    match insert_in_tx(
        tx,
        viewer,
        now,
        (id, head, claim),
        (recorded, told),
        &movements,
    )
    .await
    {
        Ok(entry) => Ok(entry),
        Err(error) => Err(Failure::of(error, movements)),
    }
}

/// The event of a change to stock: names the items and locations that it concerns, when they are not too many.
pub(crate) async fn tell_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    aggregate: uuid::Uuid,
    places: impl Iterator<Item = (ItemId, LocationId, LocationId)>,
) -> Result<()> {
    let payload = told(action, places);
    let event = NewEvent {
        kind: Kind::StockChanged,
        aggregate_id: aggregate,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}

fn told(
    action: &'static str,
    places: impl Iterator<Item = (ItemId, LocationId, LocationId)>,
) -> serde_json::Value {
    let mut items = BTreeSet::new();
    let mut locations = BTreeSet::new();
    for (item, from, to) in places {
        items.insert(item);
        locations.extend([from, to]);
    }
    if items.len() + locations.len() > NAMED_MAX {
        json!({ "action": action })
    } else {
        json!({ "action": action, "items": items, "locations": locations })
    }
}

/// No lot, as arrays of nullable values do not bind.
const NO_LOT: LotId = LotId(uuid::Uuid::nil());
/// No cost, likewise.
const NO_COST: Decimal = Decimal::NEGATIVE_ONE;

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (id, head, claim): (StockEntryId, &Head<'_>, Claim),
    (recorded, told): (serde_json::Value, serde_json::Value),
    movements: &[Movement],
) -> Result<StockEntry, DbErr> {
    fn column<T>(movements: &[Movement], read: impl Fn(&Movement) -> T) -> Vec<T> {
        movements.iter().map(read).collect()
    }
    let sql = "WITH line AS MATERIALIZED (
                   SELECT * FROM unnest($12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[], $16::numeric[], $17::numeric[], $18::numeric[],
                                        $19::numeric[]) WITH ORDINALITY
                       AS l (item, lot, source, target, quantity, weight, fine_weight, unit_cost, line)
               ), trail AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
                   VALUES ($7, $8, $9, $10, $20, $21, 'stock_entry', $1, $22) RETURNING 1
               ), told AS (
                   INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
                   VALUES ($23, $24, $1, 1, $25, $20, $7) RETURNING 1
               ), moment AS MATERIALIZED (
                   SELECT COALESCE($6, (SELECT stock_moment(array_agg(k.item), array_agg(k.location), $7)
                                        FROM (SELECT item, source AS location FROM line UNION SELECT item, target FROM line) k)) AS at
                   FROM trail, told
               ), entry AS (
                   INSERT INTO stock_entry (id, kind, reason, document, note, effective_at, recorded_at, actor_kind, actor_id, actor_name,
                                            reverses_id, lines)
                   SELECT $1, $2, $3, $4, $5, at, GREATEST($7, at), $8, $9, $10, $11, (SELECT count(*) FROM line) FROM moment
                   RETURNING *
               ), moved AS (
                   INSERT INTO stock_movement (entry_id, line, item_id, lot_id, from_location_id, to_location_id, quantity, weight, fine_weight,
                                               unit_cost, effective_at)
                   SELECT $1, l.line, l.item, NULLIF(l.lot, '00000000-0000-0000-0000-000000000000'), l.source, l.target, l.quantity, l.weight,
                          l.fine_weight, NULLIF(l.unit_cost, -1), entry.effective_at
                   FROM entry, line l
               ), kept AS (
                   UPDATE idempotency SET answer = to_jsonb(entry) FROM entry WHERE actor = $26 AND key = $27
               )
               SELECT * FROM entry";
    let Actor {
        kind,
        id: actor,
        name,
    } = Actor::of(viewer);
    let (claimant, key) = claim.into_parts();
    let values: [Value; 27] = [
        id.into(),
        head.kind.to_value().into(),
        head.reason.to_value().into(),
        head.document.map(str::to_owned).into(),
        head.note.map(str::to_owned).into(),
        head.effective_at.into(),
        now.into(),
        kind.into(),
        actor.into(),
        name.into(),
        head.reverses.map(|id| id.0).into(),
        uuids(&column(movements, |movement| movement.item)),
        uuids(&column(movements, |movement| {
            movement.lot.unwrap_or(NO_LOT)
        })),
        uuids(&column(movements, |movement| movement.from)),
        uuids(&column(movements, |movement| movement.to)),
        column(movements, |movement| movement.quantity).into(),
        column(movements, |movement| movement.weight).into(),
        column(movements, |movement| movement.fine_weight).into(),
        column(movements, |movement| movement.unit_cost.unwrap_or(NO_COST)).into(),
        viewer.request_id.clone().into(),
        head.operation.into(),
        recorded.into(),
        Kind::StockChanged.as_str().into(),
        Kind::StockChanged.aggregate_type().into(),
        told.into(),
        claimant.into(),
        key.into(),
    ];
    let entry = StockEntry::find_by_statement(statement(sql, values));
    let entry = entry.one(tx).await?;
    entry.ok_or_else(|| DbErr::RecordNotInserted)
}
