//! What becomes of the lines of a transfer, step by step.

use std::collections::HashMap;

use entity::{
    id::LocationId,
    stock_reservation::Model as StockReservation,
    stock_transfer::{Model as StockTransfer, State},
    stock_transfer_line::Model as Line,
};
use rust_decimal::Decimal;

use super::{Leg, LineStep, NewTransfer, WholeTransfer};
use crate::{
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    reservation::{Hold, ReserveLine},
    stock::{LEAST, MOST, check_lines, parse_document, parse_note},
};

/// What a transfer says beside its lines: valid.
pub(super) struct Draft {
    pub(super) document: Option<String>,
    pub(super) note: Option<String>,
}

pub(super) fn parse(new: &NewTransfer) -> Result<Draft> {
    check_lines("lines", new.lines.len())?;
    let mut refusals = Refusals::default();
    if new.from_id == new.to_id {
        refusals.push(Refusal::new(Code::WrongLocation, "toId"));
    }
    for (row, line) in new.lines.iter().enumerate() {
        let path = format!("lines.{row}.quantity");
        refusals.take(within(&path, line.quantity, (LEAST, MOST), 6));
    }
    let document = refusals.take(parse_document(new.document.as_deref()));
    let note = refusals.take(parse_note(new.note.as_deref()));
    let draft = document
        .zip(note)
        .map(|(document, note)| Draft { document, note });
    refusals.into_result(draft)
}

/// A step is made in its turn.
pub(super) fn check_state(transfer: &StockTransfer, needed: State) -> Result<(), Refusal> {
    if transfer.state == needed {
        Ok(())
    } else {
        Err(wrong_state(transfer))
    }
}

/// What is on its way arrives or is lost, but is not called off.
pub(super) fn check_can_cancel(transfer: &StockTransfer) -> Result<(), Refusal> {
    match transfer.state {
        State::Requested | State::Picked => Ok(()),
        State::InTransit | State::Received | State::Cancelled => Err(wrong_state(transfer)),
    }
}

fn wrong_state(transfer: &StockTransfer) -> Refusal {
    use sea_orm::ActiveEnum as _;
    Refusal::new(Code::WrongState, "id").with("state", transfer.state.to_value())
}

/// Weights of the steps are weights.
fn check_weights(steps: &[LineStep]) -> Result<()> {
    let mut refusals = Refusals::default();
    for (row, step) in steps.iter().enumerate() {
        if let Some(weight) = step.weight {
            let path = format!("lines.{row}.weight");
            refusals.take(within(&path, weight, (LEAST, MOST), 6));
        }
    }
    refusals.into_result(Some(()))
}

/// The steps by line, each with its index in the input; of a line that there is, once.
fn by_line<'a>(
    lines: &[Line],
    steps: &'a [LineStep],
) -> Result<HashMap<i32, (usize, &'a LineStep)>> {
    check_weights(steps)?;
    let mut refusals = Refusals::default();
    let mut by_line = HashMap::with_capacity(steps.len());
    for (row, step) in steps.iter().enumerate() {
        let path = format!("lines.{row}.line");
        if lines.iter().all(|line| line.line != step.line) {
            refusals.push(Refusal::new(Code::NotFound, &path));
        } else if by_line.insert(step.line, (row, step)).is_some() {
            refusals.push(Refusal::new(Code::AlreadyTaken, &path).with("value", step.line));
        }
    }
    refusals.into_result(Some(by_line))
}

/// The quantity of a step, from nothing to `most`; `most` when nothing is said.
fn quantity(step: Option<&(usize, &LineStep)>, most: Decimal) -> Result<Decimal, Refusal> {
    match step {
        Some((
            row,
            LineStep {
                quantity: Some(quantity),
                ..
            },
        )) => {
            let path = format!("lines.{row}.quantity");
            within(&path, *quantity, (Decimal::ZERO, most.normalize()), 6)
        }
        _ => Ok(most),
    }
}

/// The lines with how many of each are picked, and of which lot.
pub(super) fn picked(lines: &[Line], steps: &[LineStep]) -> Result<Vec<Line>> {
    let steps = by_line(lines, steps)?;
    let mut refusals = Refusals::default();
    let mut picked = Vec::with_capacity(lines.len());
    for line in lines {
        let step = steps.get(&line.line);
        let quantity = refusals
            .take(quantity(step, line.requested))
            .unwrap_or_default();
        let lot_id = step.and_then(|(_, step)| step.lot_id).or(line.lot_id);
        picked.push(Line {
            picked: quantity,
            lot_id,
            ..line.clone()
        });
    }
    let picked = refusals.into_result(Some(picked))?;
    if picked.iter().all(|line| line.picked.is_zero()) {
        return Err(Refusal::new(Code::NothingSelected, "lines").into());
    }
    Ok(picked)
}

/// What holds the picked lines.
pub(super) fn to_hold(transfer: &StockTransfer, picked: &[Line]) -> Hold {
    let lines = picked.iter().filter(|line| !line.picked.is_zero());
    let lines = lines.map(|line| ReserveLine {
        item_id: line.item_id,
        location_id: transfer.from_location_id,
        lot_id: line.lot_id,
        quantity: line.picked,
    });
    Hold {
        lines: lines.collect(),
        consumer: "transfer".to_owned(),
        document: Some(format!("T-{}", transfer.number)),
        expires_at: None,
        partial: false,
    }
}

/// The picked lines with what holds each; they are in one order.
pub(super) fn held_by(picked: Vec<Line>, held: &[StockReservation]) -> Vec<Line> {
    let mut held = held.iter();
    let lines = picked.into_iter().map(|line| {
        let reservation = if line.picked.is_zero() {
            None
        } else {
            held.next()
        };
        Line {
            reservation_id: reservation.map(|reservation| reservation.id),
            ..line
        }
    });
    lines.collect()
}

/// What leaves when the transfer is sent.
pub(super) fn to_send(whole: &WholeTransfer, steps: &[LineStep]) -> Result<Vec<Leg>> {
    let steps = by_line(&whole.lines, steps)?;
    let lines = whole.lines.iter().filter(|line| !line.picked.is_zero());
    let legs = lines.map(|line| {
        let step = steps.get(&line.line);
        Leg {
            row: row(step, line),
            item: line.item_id,
            lot: line.lot_id,
            from: whole.transfer.from_location_id,
            to: LocationId::TRANSIT,
            quantity: line.picked,
            weight: step.and_then(|(_, step)| step.weight),
            reservation: line.reservation_id,
        }
    });
    Ok(legs.collect())
}

/// Where in the input a line is; one of which nothing is said is where it is in the transfer.
fn row(step: Option<&(usize, &LineStep)>, line: &Line) -> usize {
    let own = usize::try_from(line.line - 1).unwrap_or_default();
    step.map_or(own, |(row, _)| *row)
}

/// The lines after they were sent, with what each weighed, in the order of those that were picked.
pub(super) fn sent(lines: Vec<Line>, weights: &[Decimal]) -> Vec<Line> {
    let mut weights = weights.iter().copied();
    let lines = lines.into_iter().map(|line| {
        if line.picked.is_zero() {
            return line;
        }
        Line {
            sent: line.picked,
            sent_weight: weights.next().unwrap_or_default(),
            ..line
        }
    });
    lines.collect()
}

/// What arrives weighs. What arrives whole weighs what was sent, and what arrives in part leaves something for the rest: so a transfer
/// loses no weight, and takes none from others that are on their way.
fn weight_of(
    step: Option<&(usize, &LineStep)>,
    on_its_way: Option<Decimal>,
    comes_whole: bool,
) -> Result<Option<Decimal>, Refusal> {
    let said = step.and_then(|(row, step)| Some((row, step.weight?)));
    match (said, on_its_way) {
        (Some((row, weight)), Some(most)) => {
            let most = most.normalize();
            let bounds = if comes_whole {
                (most, most)
            } else {
                (LEAST, most - LEAST)
            };
            let path = format!("lines.{row}.weight");
            within(&path, weight, bounds, 6).map(Some)
        }
        (None, Some(most)) if comes_whole => Ok(Some(most)),
        // An item that is not weighed, or a weight that is missing: the entry refuses both.
        (said, _) => Ok(said.map(|(_, weight)| weight)),
    }
}

/// The lines after what arrives, what moves to its place, and what is written off.
pub(super) fn to_receive(
    whole: &WholeTransfer,
    steps: &[LineStep],
    is_last: bool,
) -> Result<(Vec<Line>, Vec<Leg>, Vec<Leg>)> {
    let steps = by_line(&whole.lines, steps)?;
    let mut refusals = Refusals::default();
    let (mut lines, mut arrived, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for line in &whole.lines {
        let step = steps.get(&line.line);
        let on_its_way = line.sent - line.received - line.missing;
        let weight_on_its_way = line.sent_weight - line.received_weight;
        let leg = |to, quantity, weight| Leg {
            row: row(step, line),
            item: line.item_id,
            lot: line.lot_id,
            from: LocationId::TRANSIT,
            to,
            quantity,
            weight,
            reservation: None,
        };
        let Some(comes) = refusals.take(quantity(step, on_its_way)) else {
            continue;
        };
        let weighed = !line.sent_weight.is_zero();
        let comes_whole = comes == on_its_way;
        let weight = if comes.is_zero() {
            Some(None)
        } else {
            refusals.take(weight_of(
                step,
                weighed.then_some(weight_on_its_way),
                comes_whole,
            ))
        };
        let Some(weight) = weight else { continue };
        if !comes.is_zero() {
            arrived.push(leg(whole.transfer.to_location_id, comes, weight));
        }
        let weight = weight.unwrap_or_default();
        let lost = if is_last {
            on_its_way - comes
        } else {
            Decimal::ZERO
        };
        if !lost.is_zero() {
            let rest = weighed.then_some(weight_on_its_way - weight);
            missing.push(leg(LocationId::LOSS, lost, rest));
        }
        lines.push(Line {
            received: line.received + comes,
            received_weight: line.received_weight + weight,
            missing: line.missing + lost,
            ..line.clone()
        });
    }
    refusals.into_result(Some(()))?;
    if arrived.is_empty() && missing.is_empty() {
        return Err(Refusal::new(Code::NothingSelected, "lines").into());
    }
    Ok((lines, arrived, missing))
}

/// It has arrived when nothing is on its way any more.
pub(super) fn state_after(lines: &[Line]) -> State {
    let is_there = |line: &Line| line.sent == line.received + line.missing;
    if lines.iter().all(is_there) {
        State::Received
    } else {
        State::InTransit
    }
}
