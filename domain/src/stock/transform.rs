//! Things made of others: what goes in comes out, pure metal to the microgram.

use std::collections::{BTreeMap, HashMap};

use entity::{
    id::{ItemId, LocationId},
    stock_entry::Reason,
};
use rust_decimal::Decimal;

use super::{
    OutputLine, Transformation,
    line::{self, Line, LotWish, Place, Reading},
    post::ItemFacts,
    rules,
    weigh::share,
};
use crate::{
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    exact::Exact,
    fineness::Fineness,
};

/// The list of what is used up.
const INPUTS: &str = "inputs";
/// The list of what comes of it.
const OUTPUTS: &str = "outputs";

/// Whether a weight is written in a unit.
pub(super) fn names_units(what: &Transformation) -> bool {
    let mut inputs = what.inputs.iter();
    let mut outputs = what.outputs.iter().map(|output| &output.received);
    inputs.any(|line| line::names_units(line.weight.as_deref(), None))
        || outputs.any(|line| line::names_units(line.weight.as_deref(), Some(&line.lot)))
}

/// Things go through the workshop: into `between`, and as others out of it.
pub(super) fn parse(
    what: &Transformation,
    between: LocationId,
    reading: Reading<'_>,
) -> Result<Vec<Line>> {
    let mut lines = line::parse_issued(INPUTS, &what.inputs, between, reading)?;
    rules::check_lines(OUTPUTS, what.outputs.len())?;
    let mut refusals = Refusals::default();
    for (row, OutputLine { received, fineness }) in what.outputs.iter().enumerate() {
        let place = Place::new(OUTPUTS, row);
        let before = lines.len();
        line::push_received(&mut refusals, &mut lines, place, received, between, reading);
        let path = place.path("fineness");
        let fineness = fineness.as_deref().map(|text| Fineness::parse(&path, text));
        let fineness = refusals.take(fineness.transpose()).flatten();
        for line in &mut lines[before..] {
            line.fineness = fineness.map(Fineness::parts_per_thousand);
        }
    }
    refusals.into_result(Some(lines))
}

/// How many grams of pure metal may be lost.
pub(super) fn parse_loss(max_loss: Option<Decimal>) -> Result<Decimal, Refusal> {
    let bounds = (Decimal::ZERO, Decimal::from(1_000_000));
    within("maxLoss", max_loss.unwrap_or_default(), bounds, 6)
}

/// Splitting and merging make neither more nor fewer pieces of an item.
pub(super) fn check_conserved(reason: Reason, lines: &[Line]) -> Result<(), Refusal> {
    if !matches!(reason, Reason::Split | Reason::Merged) {
        return Ok(());
    }
    let mut sums: BTreeMap<ItemId, Decimal> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(line.item).or_default();
        if line.place.list == OUTPUTS {
            *sum -= line.pieces();
        } else {
            *sum += line.pieces();
        }
    }
    match sums.values().find(|sum| !sum.is_zero()) {
        Some(sum) => {
            Err(Refusal::new(Code::NotConserved, OUTPUTS).with("difference", sum.normalize()))
        }
        None => Ok(()),
    }
}

/// The pure metal that went in, and of which no assay says where it is, in proportion to their weights among what came out, the last with
/// what is left. What an assay did not find again is lost, as far as that is allowed. Of other entries nothing changes.
pub(super) fn share_fine_weight(
    mut lines: Vec<Line>,
    facts: &HashMap<ItemId, ItemFacts>,
    max_loss: Decimal,
) -> Result<Vec<Line>> {
    let is_output = |line: &Line| line.place.list == OUTPUTS;
    if !lines.iter().any(is_output) {
        return Ok(lines);
    }
    let fine = |lines: &[Line], outputs: bool| -> Decimal {
        let side = lines.iter().filter(|line| is_output(line) == outputs);
        side.map(|line| line.fine_weight).sum()
    };
    let rest = fine(&lines, false) - fine(&lines, true);
    if rest < Decimal::ZERO {
        let refusal = Refusal::new(Code::FineWeightGained, OUTPUTS);
        return Err(refusal.with("gained", (-rest).normalize()).into());
    }
    let shares: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| {
            let is_weighed = facts.get(&line.item).is_some_and(|item| item.is_weighed);
            is_output(line) && line.fineness.is_none() && is_weighed
        })
        .map(|(index, _)| index)
        .collect();
    match shares.split_last() {
        Some((last, others)) => {
            let weight = |index: usize| lines[index].weight.unwrap_or_default();
            let whole: Decimal = shares.iter().map(|index| weight(*index)).sum();
            let parts: Vec<_> = others
                .iter()
                .map(|index| (*index, share(rest, weight(*index), whole)))
                .collect();
            let given: Decimal = parts.iter().map(|(_, part)| *part).sum();
            for (index, part) in parts.into_iter().chain([(*last, rest - given)]) {
                lines[index].fine_weight = part;
                check_fineness(&lines[index])?;
                know_fineness(&mut lines[index]);
            }
        }
        None if rest > max_loss => {
            let refusal = Refusal::new(Code::FineWeightLost, OUTPUTS);
            let refusal = refusal
                .with("lost", rest.normalize())
                .with("max", max_loss.normalize());
            return Err(refusal.into());
        }
        None if rest > Decimal::ZERO => lines.extend(lost(&lines, rest)),
        None => {}
    }
    Ok(lines)
}

/// No metal is purer than pure.
fn check_fineness(line: &Line) -> Result<(), Refusal> {
    let weight = line.weight.unwrap_or_default();
    if line.fine_weight > weight {
        let refusal = Refusal::new(Code::OutOfRange, &line.place.path("weight"));
        return Err(refusal
            .with("min", line.fine_weight.normalize())
            .with("max", "∞"));
    }
    Ok(())
}

/// A new lot is as fine as its share of the metal makes it, to the thousandth.
fn know_fineness(line: &mut Line) {
    let LotWish::Numbered(draft) = &mut line.lot else {
        return;
    };
    let thousand = Decimal::ONE_THOUSAND;
    let weight = Exact::from(line.weight.unwrap_or_default());
    let fineness = (&Exact::from(line.fine_weight) * &Exact::from(thousand)).checked_div(&weight);
    let fineness = fineness.and_then(|fineness| fineness.round_half_up(3));
    draft.fineness = fineness.filter(|fineness| !fineness.is_zero());
}

/// The metal that is lost, as of the first thing that was used up and had some.
fn lost(lines: &[Line], fine_weight: Decimal) -> Option<Line> {
    let of = lines
        .iter()
        .find(|line| line.place.list == INPUTS && !line.fine_weight.is_zero())?;
    let weight = |outputs: bool| -> Decimal {
        let side = lines
            .iter()
            .filter(|line| (line.place.list == OUTPUTS) == outputs);
        side.map(|line| line.weight.unwrap_or_default()).sum()
    };
    Some(Line {
        lot: of.lot.clone(),
        quantity: Some(Decimal::ZERO),
        weight: Some((weight(false) - weight(true)).max(fine_weight)),
        fine_weight,
        ..Line::new(of.place, of.item, LocationId::PRODUCTION, LocationId::LOSS)
    })
}
