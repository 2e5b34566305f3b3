//! Lines of entries, as somebody sends them: parsed before the database is asked.

use entity::id::{ItemId, LocationId, LotId, StockReservationId};
use rust_decimal::Decimal;

use super::{AdjustLine, IssueLine, LotChoice, MOVEMENTS_MAX, MoveLine, ReceiveLine, rules};
use crate::{
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    locale::Locale,
    lot,
    unit_of_measure::UnitTable,
    weight::Weight,
};

/// Largest quantity or weight: 13 digits, as the columns hold.
pub(crate) const MOST: Decimal = Decimal::from_parts(1_316_134_911, 2_328, 0, false, 0);
/// Smallest quantity, or weight in grams.
pub(crate) const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 6);
/// Highest cost of a unit: 18 digits.
const COST_MAX: Decimal = Decimal::from_parts(2_808_348_671, 232_830_643, 0, false, 0);
/// Digits behind the point of quantities, weights and costs.
const PLACES: u32 = 6;
/// Most digits that are counted up in a range of numbers.
const DIGITS_MAX: usize = 18;

/// In what weights are written.
pub(super) type Reading<'a> = (&'a UnitTable, Locale);

/// Which line of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Of which list.
    pub(super) list: &'static str,
    /// Its index.
    pub(super) row: usize,
    /// Whether it names one location only, and not where goods come from and where they go.
    pub(super) names_one: bool,
}

impl Place {
    /// This row of the list.
    pub(super) const fn new(list: &'static str, row: usize) -> Self {
        let names_one = false;
        Self {
            list,
            row,
            names_one,
        }
    }

    /// This row of the list, of lines with one location.
    pub(super) fn at_one(list: &'static str, row: usize) -> Self {
        let names_one = true;
        Self {
            list,
            row,
            names_one,
        }
    }

    /// The path of one of its fields.
    pub(super) fn path(self, field: &str) -> String {
        let field = match field {
            "fromId" | "toId" if self.names_one => "locationId",
            field => field,
        };
        format!("{}.{}.{field}", self.list, self.row)
    }
}

/// Of which lot the goods of a line are.
#[derive(Clone, Debug)]
pub(super) enum LotWish {
    /// Of none: all pieces are alike.
    Untracked,
    /// Of one that is known.
    Known(LotId),
    /// Of one with this number, which may be known already.
    Numbered(Box<lot::Draft>),
}

/// A movement to be.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) item: ItemId,
    pub(super) lot: LotWish,
    pub(super) from: LocationId,
    pub(super) to: LocationId,
    /// How many; one of a serial without.
    pub(super) quantity: Option<Decimal>,
    /// Grams.
    pub(super) weight: Option<Decimal>,
    /// Grams of pure metal.
    pub(super) fine_weight: Decimal,
    /// Parts per thousand, as an assay found it.
    pub(super) fineness: Option<Decimal>,
    pub(super) unit_cost: Option<Decimal>,
    pub(super) reservation: Option<StockReservationId>,
}

impl Line {
    pub(super) fn new(place: Place, item: ItemId, from: LocationId, to: LocationId) -> Self {
        Self {
            place,
            item,
            lot: LotWish::Untracked,
            from,
            to,
            quantity: None,
            weight: None,
            fine_weight: Decimal::ZERO,
            fineness: None,
            unit_cost: None,
            reservation: None,
        }
    }

    /// The lot, when it is known.
    pub(super) fn known_lot(&self) -> Option<LotId> {
        match self.lot {
            LotWish::Known(id) => Some(id),
            LotWish::Untracked | LotWish::Numbered(_) => None,
        }
    }

    /// How many, as far as it is known.
    pub(super) fn pieces(&self) -> Decimal {
        self.quantity.unwrap_or_default()
    }
}

/// Whether the weight of a line, or of its lot, is written in a unit.
pub(super) fn names_units(weight: Option<&str>, lot: Option<&LotChoice>) -> bool {
    let of_lot = match lot {
        Some(LotChoice::Numbered(_, details)) => details.names_units(),
        _ => false,
    };
    of_lot || weight.is_some_and(lot::names_unit)
}

pub(super) fn parse_received(
    lines: &[ReceiveLine],
    from: LocationId,
    reading: Reading<'_>,
) -> Result<Vec<Line>> {
    rules::check_lines("lines", lines.len())?;
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(lines.len());
    for (row, line) in lines.iter().enumerate() {
        let place = Place::new("lines", row);
        push_received(&mut refusals, &mut parsed, place, line, from, reading);
    }
    refusals.into_result(Some(parsed))
}

/// A movement for each lot of the line.
pub(super) fn push_received(
    refusals: &mut Refusals,
    parsed: &mut Vec<Line>,
    place: Place,
    line: &ReceiveLine,
    from: LocationId,
    reading: Reading<'_>,
) {
    let ReceiveLine {
        item_id,
        to_id,
        quantity,
        weight,
        unit_cost,
        lot,
    } = line;
    let mut whole = Line::new(place, *item_id, from, *to_id);
    whole.weight = refusals
        .take(parse_weight(place, weight.as_deref(), reading))
        .flatten();
    whole.unit_cost = refusals.take(parse_cost(place, *unit_cost)).flatten();
    let quantity = refusals.take(parse_quantity(place, *quantity)).flatten();
    push_lots(refusals, parsed, whole, quantity, lot, reading);
}

/// The line, once for each of its lots.
fn push_lots(
    refusals: &mut Refusals,
    parsed: &mut Vec<Line>,
    mut line: Line,
    quantity: Option<Decimal>,
    lot: &LotChoice,
    reading: Reading<'_>,
) {
    let place = line.place;
    line.quantity = quantity;
    let numbers = match lot {
        LotChoice::Untracked => {
            if quantity.is_none() {
                refusals.push(Refusal::new(Code::Required, &place.path("quantity")));
            }
            return parsed.push(line);
        }
        LotChoice::Known(id) => {
            line.lot = LotWish::Known(*id);
            return parsed.push(line);
        }
        LotChoice::Numbered(number, details) => {
            let path = place.path("lot");
            if let Some(draft) = lot::parse(refusals, &path, number, details, reading) {
                let unit_cost = line.unit_cost;
                line.lot = LotWish::Numbered(Box::new(lot::Draft { unit_cost, ..draft }));
                parsed.push(line);
            }
            return;
        }
        LotChoice::Serials(numbers) => serials(place, numbers),
        LotChoice::Range { first, count } => range(place, first, *count),
    };
    let Some(numbers) = refusals.take(numbers) else {
        return;
    };
    if quantity.is_some_and(|quantity| quantity != Decimal::from(numbers.len())) {
        let refusal = Refusal::new(Code::OutOfRange, &place.path("quantity"));
        refusals.push(
            refusal
                .with("min", numbers.len())
                .with("max", numbers.len()),
        );
    }
    if parsed.len() + numbers.len() > MOVEMENTS_MAX {
        let refusal = Refusal::new(Code::TooMany, place.list).with("max", MOVEMENTS_MAX);
        return refusals.push(refusal);
    }
    // Each piece weighs as much as the others: whose pieces differ gives each its own line.
    let weight = line
        .weight
        .map(|weight| weight / Decimal::from(numbers.len()));
    if weight.is_some_and(|weight| weight.normalize().scale() > PLACES) {
        let refusal = Refusal::new(Code::TooFine, &place.path("weight")).with("max", PLACES);
        return refusals.push(refusal);
    }
    parsed.extend(numbers.into_iter().map(|number| {
        let unit_cost = line.unit_cost;
        let draft = lot::Draft {
            unit_cost,
            ..lot::Draft::of_number(number)
        };
        Line {
            quantity: Some(Decimal::ONE),
            weight,
            lot: LotWish::Numbered(Box::new(draft)),
            ..line.clone()
        }
    }));
}

/// Serial numbers one by one, each another.
fn serials(place: Place, numbers: &[String]) -> Result<Vec<String>, Refusal> {
    let path = place.path("serials");
    if numbers.is_empty() {
        return Err(Refusal::new(Code::Required, &path));
    }
    if numbers.len() > MOVEMENTS_MAX {
        return Err(Refusal::new(Code::TooMany, &path).with("max", MOVEMENTS_MAX));
    }
    let mut seen = std::collections::HashSet::with_capacity(numbers.len());
    let mut parsed = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let path = format!("{path}.{index}");
        let number = lot::parse_number(&path, number)?;
        if !seen.insert(number.clone()) {
            return Err(Refusal::new(Code::AlreadyTaken, &path).with("value", number));
        }
        parsed.push(number);
    }
    Ok(parsed)
}

/// Numbers in a row: the last digits of the first are counted up, and keep their width as long as they can.
fn range(place: Place, first: &str, count: u32) -> Result<Vec<String>, Refusal> {
    let path = place.path("serialRange.first");
    let max = u32::try_from(MOVEMENTS_MAX).unwrap_or(u32::MAX);
    if !(1..=max).contains(&count) {
        let refusal = Refusal::new(Code::OutOfRange, &place.path("serialRange.count"));
        return Err(refusal.with("min", 1).with("max", max));
    }
    let first = lot::parse_number(&path, first)?;
    let digits = first
        .bytes()
        .rev()
        .take(DIGITS_MAX)
        .take_while(u8::is_ascii_digit)
        .count();
    let (prefix, number) = first.split_at(first.len() - digits);
    let start: u64 = number
        .parse()
        .map_err(|_no_digits| Refusal::new(Code::InvalidFormat, &path).with("value", &first))?;
    let numbers = (start..start + u64::from(count)).map(|n| format!("{prefix}{n:0digits$}"));
    let numbers: Vec<_> = numbers.collect();
    // The last is the longest.
    numbers
        .last()
        .map_or(Ok(()), |last| lot::parse_number(&path, last).map(drop))?;
    Ok(numbers)
}

pub(super) fn parse_moved(lines: &[MoveLine], reading: Reading<'_>) -> Result<Vec<Line>> {
    rules::check_lines("lines", lines.len())?;
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(lines.len());
    for (row, line) in lines.iter().enumerate() {
        let MoveLine {
            item_id,
            lot_id,
            from_id,
            to_id,
            quantity,
            weight,
        } = line;
        let place = Place::new("lines", row);
        if from_id == to_id {
            refusals.push(Refusal::new(Code::WrongLocation, &place.path("toId")));
        }
        let mut line = Line::new(place, *item_id, *from_id, *to_id);
        outgoing(
            &mut refusals,
            &mut line,
            *lot_id,
            *quantity,
            weight.as_deref(),
            reading,
        );
        parsed.push(line);
    }
    refusals.into_result(Some(parsed))
}

pub(super) fn parse_issued(
    list: &'static str,
    lines: &[IssueLine],
    to: LocationId,
    reading: Reading<'_>,
) -> Result<Vec<Line>> {
    rules::check_lines(list, lines.len())?;
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(lines.len());
    for (row, line) in lines.iter().enumerate() {
        let IssueLine {
            item_id,
            lot_id,
            from_id,
            quantity,
            weight,
            reservation_id,
        } = line;
        let place = Place::new(list, row);
        let mut line = Line::new(place, *item_id, *from_id, to);
        line.reservation = *reservation_id;
        outgoing(
            &mut refusals,
            &mut line,
            *lot_id,
            *quantity,
            weight.as_deref(),
            reading,
        );
        parsed.push(line);
    }
    refusals.into_result(Some(parsed))
}

/// What is said of goods that leave a place.
fn outgoing(
    refusals: &mut Refusals,
    line: &mut Line,
    lot: Option<LotId>,
    quantity: Option<Decimal>,
    weight: Option<&str>,
    reading: Reading<'_>,
) {
    let place = line.place;
    line.lot = lot.map_or(LotWish::Untracked, LotWish::Known);
    line.quantity = refusals.take(parse_quantity(place, quantity)).flatten();
    line.weight = refusals
        .take(parse_weight(place, weight, reading))
        .flatten();
    if quantity.is_none() && lot.is_none() {
        refusals.push(Refusal::new(Code::Required, &place.path("quantity")));
    }
}

pub(super) fn parse_adjusted(
    lines: &[AdjustLine],
    beside: LocationId,
    reading: Reading<'_>,
) -> Result<Vec<Line>> {
    rules::check_lines("lines", lines.len())?;
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(lines.len());
    for (row, line) in lines.iter().enumerate() {
        let place = Place::at_one("lines", row);
        push_adjusted(&mut refusals, &mut parsed, (place, line), beside, reading);
    }
    refusals.into_result(Some(parsed))
}

fn push_adjusted(
    refusals: &mut Refusals,
    parsed: &mut Vec<Line>,
    (place, line): (Place, &AdjustLine),
    beside: LocationId,
    reading: Reading<'_>,
) {
    let AdjustLine {
        item_id,
        lot,
        location_id,
        quantity,
        weight,
        unit_cost,
    } = line;
    let signed = |field, number: Option<Decimal>| {
        let bounded =
            number.map(|number| within(&place.path(field), number, (-MOST, MOST), PLACES));
        bounded.transpose()
    };
    let pieces = refusals.take(signed("quantity", *quantity)).flatten();
    let grams = refusals.take(signed("weight", *weight)).flatten();
    let nothing = |number: Option<Decimal>| number.is_none_or(|number| number.is_zero());
    let opens_lots = !matches!(lot, LotChoice::Untracked | LotChoice::Known(_));
    if nothing(pieces) && nothing(grams) && !opens_lots {
        return refusals.push(Refusal::new(Code::Required, &place.path("quantity")));
    }
    let is_less = |number: Option<Decimal>| number.is_some_and(|number| number < Decimal::ZERO);
    let is_more = |number: Option<Decimal>| number.is_some_and(|number| number > Decimal::ZERO);
    let fewer = is_less(pieces) || is_less(grams);
    if fewer && (is_more(pieces) || is_more(grams)) {
        return refusals.push(Refusal::new(Code::Exclusive, &place.path("weight")));
    }
    if fewer && opens_lots {
        // What becomes less is of a lot that is known.
        return refusals.push(Refusal::new(Code::Required, &place.path("lotId")));
    }
    let (from, to) = if fewer {
        (*location_id, beside)
    } else {
        (beside, *location_id)
    };
    let mut line = Line::new(place, *item_id, from, to);
    line.weight = grams
        .map(|grams| grams.abs())
        .filter(|grams| !grams.is_zero());
    if !fewer {
        line.unit_cost = refusals.take(parse_cost(place, *unit_cost)).flatten();
    }
    let pieces = match pieces {
        // Weight alone.
        None if !opens_lots => Some(Decimal::ZERO),
        pieces => pieces.map(|pieces| pieces.abs()),
    };
    push_lots(refusals, parsed, line, pieces, lot, reading);
}

/// More than nothing, with six digits behind the point at most.
pub(super) fn parse_quantity(
    place: Place,
    quantity: Option<Decimal>,
) -> Result<Option<Decimal>, Refusal> {
    let path = place.path("quantity");
    quantity
        .map(|quantity| within(&path, quantity, (LEAST, MOST), PLACES))
        .transpose()
}

/// Grams, more than nothing.
pub(super) fn parse_weight(
    place: Place,
    weight: Option<&str>,
    (units, locale): Reading<'_>,
) -> Result<Option<Decimal>, Refusal> {
    let path = place.path("weight");
    weight
        .map(|text| {
            let grams = Weight::parse(&path, text, units, locale)?.weight.grams();
            within(&path, grams, (LEAST, MOST), PLACES)
        })
        .transpose()
}

fn parse_cost(place: Place, cost: Option<Decimal>) -> Result<Option<Decimal>, Refusal> {
    let path = place.path("unitCost");
    cost.map(|cost| within(&path, cost, (Decimal::ZERO, COST_MAX), PLACES))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::{MOST, Place, range, serials};
    use crate::error::Code;

    const PLACE: Place = Place::new("lines", 0);

    #[test]
    fn the_largest_number_is_the_columns() {
        assert_eq!(MOST.to_string(), "9999999999999");
    }

    #[test]
    fn numbers_in_a_row_keep_their_width() {
        assert_eq!(
            range(PLACE, "s-0098", 3).unwrap(),
            ["S-0098", "S-0099", "S-0100"]
        );
        assert_eq!(range(PLACE, "9", 2).unwrap(), ["9", "10"]);
        let wrong = |first: &str, count| range(PLACE, first, count).map_err(|refusal| refusal.code);
        assert_eq!(wrong("S-", 2), Err(Code::InvalidFormat));
        assert_eq!(wrong("S-1", 0), Err(Code::OutOfRange));
        assert_eq!(wrong("S-1", 50_001), Err(Code::OutOfRange));
        assert_eq!(wrong(&"7".repeat(101), 1), Err(Code::TooLong));
    }

    #[test]
    fn serials_are_told_apart_whatever_their_case() {
        let numbers = ["a1".to_owned(), "A1".to_owned()];
        let refusal = serials(PLACE, &numbers).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.path.join(".").as_str()),
            (Code::AlreadyTaken, "lines.0.serials.1")
        );
    }
}
