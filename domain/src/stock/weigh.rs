//! Weights of what moves: what is known of the lot, what an item's metal is, and what is left when the last piece leaves.
//!
//! Pieces and weight are two quantities that do not follow from each other. Pure metal is rounded once, when it comes in; from then on it
//! is divided in proportion to the weight, and the last of it takes what is left: none is made and none is lost.

use std::collections::HashMap;

use entity::{
    id::{ItemId, LocationId, LotId},
    lot::Model as Lot,
};
use rust_decimal::Decimal;
use sea_orm::{DatabaseTransaction, FromQueryResult};

use super::{
    line::{LEAST, Line, LotWish},
    post::ItemFacts,
    transform,
};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    exact::Exact,
    sql::{statement, uuids},
};

/// Digits behind the point of a weight: a microgram.
const PLACES: u32 = 6;

/// What lies somewhere: of a lot, or of an item whose pieces are all alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) quantity: Decimal,
    pub(super) weight: Decimal,
    pub(super) fine_weight: Decimal,
}

/// Of which item and lot, and where.
type Key = (ItemId, Option<LotId>, LocationId);

/// What lies at the places in the shop. Of a place outside there is none.
#[derive(Debug, Default)]
pub(super) struct Balances(pub(super) HashMap<Key, Balance>);

impl Balances {
    fn of(&mut self, line: &Line, location: LocationId) -> Option<&mut Balance> {
        self.0.get_mut(&(line.item, line.known_lot(), location))
    }
}

#[derive(FromQueryResult)]
struct Row {
    item_id: ItemId,
    lot_id: Option<LotId>,
    location_id: LocationId,
    on_hand: Decimal,
    weight: Decimal,
    fine_weight: Decimal,
}

/// What lies at the ends of these lines, whose levels are locked: a location without a level is outside of the shop. Of a lot that has
/// never been at a place nothing is there.
pub(super) async fn balances_in_tx(tx: &DatabaseTransaction, lines: &[Line]) -> Result<Balances> {
    let ends = lines.iter().flat_map(|line| {
        let lot = line.known_lot().unwrap_or(LotId(uuid::Uuid::nil()));
        [(line.item, lot, line.from), (line.item, lot, line.to)]
    });
    let ends: std::collections::BTreeSet<_> = ends.collect();
    let items: Vec<_> = ends.iter().map(|(item, ..)| *item).collect();
    let lots: Vec<_> = ends.iter().map(|(_, lot, _)| *lot).collect();
    let locations: Vec<_> = ends.iter().map(|(.., location)| *location).collect();
    let sql = "SELECT k.item_id, l.id AS lot_id, k.location_id,
                      CASE WHEN l.id IS NULL THEN s.on_hand ELSE COALESCE(b.on_hand, 0) END AS on_hand,
                      CASE WHEN l.id IS NULL THEN s.weight ELSE COALESCE(b.weight, 0) END AS weight,
                      CASE WHEN l.id IS NULL THEN s.fine_weight ELSE COALESCE(b.fine_weight, 0) END AS fine_weight
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) k (item_id, lot_id, location_id)
               CROSS JOIN LATERAL (SELECT * FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id OFFSET 0) s
               LEFT JOIN lot l ON l.id = k.lot_id
               LEFT JOIN stock_lot_level b ON b.lot_id = k.lot_id AND b.location_id = k.location_id";
    let values = [uuids(&items), uuids(&lots), uuids(&locations)];
    let rows = Row::find_by_statement(statement(sql, values))
        .all(tx)
        .await?;
    let balances = rows.into_iter().map(|row| {
        let balance = Balance {
            quantity: row.on_hand,
            weight: row.weight,
            fine_weight: row.fine_weight,
        };
        ((row.item_id, row.lot_id, row.location_id), balance)
    });
    Ok(Balances(balances.collect()))
}

/// The lines with their weights, and behind them what a scale found over or missing, and the metal that was lost.
pub(super) fn weigh(
    lines: Vec<Line>,
    facts: &HashMap<ItemId, ItemFacts>,
    lots: &HashMap<LotId, Lot>,
    balances: &mut Balances,
    max_loss: Decimal,
) -> Result<Vec<Line>> {
    let mut refusals = Refusals::default();
    let mut weighed = Vec::with_capacity(lines.len());
    let mut residues = Vec::new();
    for mut line in lines {
        let Some(item) = facts.get(&line.item).filter(|item| item.is_weighed) else {
            weighed.push(line);
            continue;
        };
        let done = if balances.of(&line, line.from).is_some() {
            leave(&mut line, item, balances).map(|residue| residues.extend(residue))
        } else {
            come_in(&mut line, item, lots)
        };
        if refusals.take(done).is_some()
            && let Some(there) = balances.of(&line, line.to)
        {
            there.quantity += line.pieces();
            there.weight += line.weight.unwrap_or_default();
            there.fine_weight += line.fine_weight;
        }
        weighed.push(line);
    }
    let weighed = refusals.into_result(Some(weighed))?;
    let mut weighed = transform::share_fine_weight(weighed, facts, max_loss)?;
    weighed.append(&mut residues);
    Ok(weighed)
}

/// Goods come in from outside: what they weigh is said, or known of their lot; how fine they are, too.
fn come_in(line: &mut Line, item: &ItemFacts, lots: &HashMap<LotId, Lot>) -> Result<(), Refusal> {
    let lot = line.known_lot().and_then(|id| lots.get(&id));
    let (net, fineness) = match (&line.lot, lot) {
        (LotWish::Numbered(draft), _) => (draft.net_weight, draft.fineness),
        (_, Some(lot)) => (lot.net_weight, lot.fineness),
        _ => (None, None),
    };
    if line.weight.is_none() {
        line.weight = net
            .map(|net| net * line.pieces())
            .filter(|weight| *weight >= LEAST);
    }
    if line.weight.is_none() && !line.pieces().is_zero() {
        return Err(Refusal::new(Code::Required, &line.place.path("weight")));
    }
    line.fineness = line.fineness.or(fineness);
    // What comes out of the workshop has its share of what went in, unless an assay says otherwise.
    let fineness = match line.place.list {
        "outputs" => line.fineness,
        _ => line.fineness.or(item.fineness),
    };
    line.fine_weight = fine_weight(
        line.weight.unwrap_or_default(),
        fineness.unwrap_or_default(),
    )?;
    Ok(())
}

/// Net weight times fineness, in thousandths: to the microgram, halves up.
fn fine_weight(weight: Decimal, fineness: Decimal) -> Result<Decimal, Refusal> {
    let fine = &(&Exact::from(weight) * &Exact::from(fineness)) * &Exact::from(Decimal::new(1, 3));
    fine.round_half_up(PLACES)
        .ok_or_else(|| Refusal::new(Code::OutOfRange, "lines"))
}

/// This part of a whole's pure metal, to the microgram.
pub(super) fn share(fine_weight: Decimal, weight: Decimal, whole: Decimal) -> Decimal {
    let product = &Exact::from(fine_weight) * &Exact::from(weight);
    let share = product.checked_div(&Exact::from(whole));
    share
        .and_then(|share| share.round_half_up(PLACES))
        .unwrap_or_default()
}

/// Goods leave a place in the shop: with what they weigh, or all that is there when they are all. When the last piece leaves, what the scale
/// says is over or missing is written off, as far as the item's tolerance goes.
fn leave(
    line: &mut Line,
    item: &ItemFacts,
    balances: &mut Balances,
) -> Result<Option<Line>, Refusal> {
    let pieces = line.pieces();
    let path = line.place.path("weight");
    let Some(there) = balances.of(line, line.from) else {
        return Ok(None);
    };
    let is_last = pieces == there.quantity && !pieces.is_zero();
    let weight = match line.weight {
        Some(weight) => weight,
        None if is_last => there.weight,
        None if pieces.is_zero() => Decimal::ZERO,
        None => return Err(Refusal::new(Code::Required, &path)),
    };
    let fine = if weight == there.weight {
        there.fine_weight
    } else {
        share(there.fine_weight, weight, there.weight)
    };
    line.weight = Some(weight);
    line.fine_weight = fine;
    there.quantity -= pieces;
    there.weight -= weight;
    there.fine_weight -= fine;
    let left = *there;
    if !is_last || (left.weight.is_zero() && left.fine_weight.is_zero()) {
        return Ok(None);
    }
    if left.weight.abs() > item.weight_tolerance {
        let refusal = Refusal::new(Code::WeightLeft, &path);
        return Err(refusal
            .with("left", left.weight.normalize())
            .with("max", item.weight_tolerance.normalize()));
    }
    *there = Balance::default();
    Ok(Some(residue(line, left)))
}

/// What is over goes to where things go that were too many, what is missing comes from there.
fn residue(line: &Line, left: Balance) -> Line {
    let beside = LocationId::ADJUSTMENT;
    let is_over = left.weight > Decimal::ZERO;
    let (from, to) = if is_over {
        (line.from, beside)
    } else {
        (beside, line.from)
    };
    Line {
        quantity: Some(Decimal::ZERO),
        weight: Some(left.weight.abs()),
        fine_weight: left.fine_weight.abs(),
        lot: line.lot.clone(),
        ..Line::new(line.place, line.item, from, to)
    }
}

#[cfg(test)]
#[path = "weigh_tests.rs"]
mod tests;
