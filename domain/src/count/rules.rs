//! What counts may be like, and what puts right what they have found.

use entity::{
    id::{ItemId, LocationId, LotId},
    stock_count::{Model as StockCount, State},
    stock_count_line::Model as Line,
};
use rust_decimal::Decimal;
use sea_orm::ActiveEnum as _;

use super::{NewCount, ROUNDS_MAX, SCANS_MAX, Scan};
use crate::{
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    stock::{LEAST, Leg, MOST, parse_note},
    text,
};

/// Longest id of a scan, in characters.
const SCAN_ID_MAX: usize = 100;
/// Digits behind the point.
const PLACES: u32 = 6;

/// What a count says of itself: valid.
pub(super) struct Draft {
    pub(super) tolerance: Decimal,
    pub(super) note: Option<String>,
}

pub(super) fn parse(new: &NewCount) -> Result<Draft> {
    let mut refusals = Refusals::default();
    let bounds = (Decimal::ZERO, Decimal::ONE_HUNDRED);
    let tolerance = refusals.take(within("tolerance", new.tolerance, bounds, PLACES));
    let note = refusals.take(parse_note(new.note.as_deref()));
    let draft = tolerance
        .zip(note)
        .map(|(tolerance, note)| Draft { tolerance, note });
    refusals.into_result(draft)
}

/// A scan: as valid as can be known before the database is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParsedScan {
    pub(super) id: String,
    pub(super) item: ItemId,
    pub(super) lot: Option<LotId>,
    pub(super) location: LocationId,
    pub(super) quantity: Decimal,
    pub(super) weight: Decimal,
}

pub(super) fn parse_scans(scans: &[Scan]) -> Result<Vec<ParsedScan>> {
    match scans.len() {
        0 => return Err(Refusal::new(Code::Required, "scans").into()),
        1..=SCANS_MAX => {}
        _ => {
            return Err(Refusal::new(Code::TooMany, "scans")
                .with("max", SCANS_MAX)
                .into());
        }
    }
    let mut refusals = Refusals::default();
    let mut parsed = Vec::with_capacity(scans.len());
    for (row, scan) in scans.iter().enumerate() {
        let path = |field: &str| format!("scans.{row}.{field}");
        let id = text::line(&path("scanId"), &scan.scan_id, 1, SCAN_ID_MAX);
        let quantity = within(&path("quantity"), scan.quantity, (-MOST, MOST), PLACES);
        let weight = scan.weight.unwrap_or_default();
        let weight = within(&path("weight"), weight, (-MOST, MOST), PLACES);
        let (id, quantity) = (refusals.take(id), refusals.take(quantity));
        let (Some(id), Some(quantity), Some(weight)) = (id, quantity, refusals.take(weight)) else {
            continue;
        };
        if quantity.is_zero() && weight.is_zero() {
            refusals.push(Refusal::new(Code::Required, &path("quantity")));
        } else if is_less(quantity) && is_more(weight) || is_more(quantity) && is_less(weight) {
            refusals.push(Refusal::new(Code::Exclusive, &path("weight")).with("other", "quantity"));
        }
        parsed.push(ParsedScan {
            id,
            item: scan.item_id,
            lot: scan.lot_id,
            location: scan.location_id,
            quantity,
            weight,
        });
    }
    refusals.into_result(Some(parsed))
}

fn is_less(number: Decimal) -> bool {
    number < Decimal::ZERO
}

fn is_more(number: Decimal) -> bool {
    number > Decimal::ZERO
}

/// A step is made in its turn.
pub(super) fn check_state(count: &StockCount, needed: State) -> Result<(), Refusal> {
    if count.state == needed {
        Ok(())
    } else {
        Err(wrong_state(count))
    }
}

/// What has ended is not given up any more.
pub(super) fn check_can_cancel(count: &StockCount) -> Result<(), Refusal> {
    match count.state {
        State::Open | State::Review => Ok(()),
        State::Posted | State::Cancelled => Err(wrong_state(count)),
    }
}

fn wrong_state(count: &StockCount) -> Refusal {
    Refusal::new(Code::WrongState, "id").with("state", count.state.to_value())
}

/// Bounds what a client can make us compare.
pub(super) fn check_recounted(lines: &[i64]) -> Result<(), Refusal> {
    if lines.len() > SCANS_MAX {
        return Err(Refusal::new(Code::TooMany, "lines").with("max", SCANS_MAX));
    }
    Ok(())
}

/// At some time somebody has to decide.
pub(super) fn check_rounds(count: &StockCount) -> Result<(), Refusal> {
    if count.round >= ROUNDS_MAX {
        return Err(Refusal::new(Code::TooMany, "id").with("max", ROUNDS_MAX));
    }
    Ok(())
}

/// The document of the entry that puts right what a count has found.
pub(super) fn document(count: &StockCount) -> String {
    format!("C-{}", count.number)
}

/// What puts these lines right: what is too much comes from where things go that were missing, and the other way round.
pub(super) fn legs(lines: &[Line]) -> Vec<Leg> {
    let legs = lines.iter().enumerate().flat_map(|(row, line)| {
        let leg = move |pieces: Decimal, grams: Decimal| leg(row, line, pieces, grams);
        split(line)
            .into_iter()
            .map(move |(pieces, grams)| leg(pieces, grams))
    });
    legs.collect()
}

/// How many pieces and grams are more: of one sign, or else of one and then of the other. Pieces of what is weighed never weigh nothing.
fn split(line: &Line) -> Vec<(Decimal, Decimal)> {
    let pieces = line.variance.unwrap_or_default();
    let grams = line.weight_variance.unwrap_or_default();
    let one_way = (is_more(pieces) && is_more(grams)) || (is_less(pieces) && is_less(grams));
    if one_way || pieces.is_zero() || line.is_serial || !line.is_weighed {
        return vec![(pieces, grams)];
    }
    let least = if is_more(pieces) { LEAST } else { -LEAST };
    vec![(pieces, least), (Decimal::ZERO, grams - least)]
}

/// A piece that is missing takes with it what it weighs, and one that was found and not weighed weighs what its lot says.
fn leg(row: usize, line: &Line, pieces: Decimal, grams: Decimal) -> Leg {
    let is_missing = is_less(pieces) || is_less(grams);
    let (from, to) = if is_missing {
        (line.location_id, LocationId::ADJUSTMENT)
    } else {
        (LocationId::ADJUSTMENT, line.location_id)
    };
    let weight = Some(grams.abs()).filter(|grams| !grams.is_zero());
    let weight = weight.filter(|_| !(line.is_serial && is_less(pieces)));
    Leg {
        row,
        item: line.item_id,
        lot: line.lot_id,
        from,
        to,
        quantity: pieces.abs(),
        weight,
        reservation: None,
    }
}

#[cfg(test)]
mod tests {
    use entity::id::StockCountId;
    use uuid::Uuid;

    use super::*;

    const PLACE: LocationId = LocationId(Uuid::max());

    fn line(pieces: i64, grams: i64) -> Line {
        Line {
            number: 1,
            count_id: StockCountId(Uuid::nil()),
            round: 1,
            is_current: true,
            item_id: ItemId(Uuid::nil()),
            lot_id: None,
            location_id: PLACE,
            is_serial: false,
            is_weighed: grams != 0,
            counted: Decimal::ZERO,
            counted_weight: Decimal::ZERO,
            scans: 0,
            last_scan_at: None,
            settled_at: None,
            expected: None,
            expected_weight: None,
            variance: Some(pieces.into()),
            weight_variance: Some(grams.into()),
            needs_recount: None,
        }
    }

    /// Pieces and micrograms, and whether they go.
    fn moved(lines: &[Line]) -> Vec<(String, String, bool)> {
        let shown = |leg: &Leg| {
            let weight = leg.weight.unwrap_or_default();
            (
                leg.quantity.to_string(),
                weight.to_string(),
                leg.from == PLACE,
            )
        };
        legs(lines).iter().map(shown).collect()
    }

    fn told(quantity: &str, weight: &str, goes: bool) -> (String, String, bool) {
        (quantity.to_owned(), weight.to_owned(), goes)
    }

    #[test]
    fn what_is_missing_goes_and_what_was_found_comes() {
        assert_eq!(moved(&[line(-2, 0)]), [told("2", "0", true)]);
        assert_eq!(
            moved(&[line(2, 5), line(0, -1)]),
            [told("2", "5", false), told("0", "1", true)]
        );
    }

    #[test]
    fn pieces_and_grams_that_differ_in_their_direction_go_both_ways() {
        assert_eq!(
            moved(&[line(1, -3)]),
            [told("1", "0.000001", false), told("0", "3.000001", true)]
        );
        assert_eq!(
            moved(&[line(-1, 3)]),
            [told("1", "0.000001", true), told("0", "3.000001", false)]
        );
    }

    #[test]
    fn a_piece_that_is_missing_takes_its_weight_with_it() {
        let piece = Line {
            is_serial: true,
            ..line(-1, -7)
        };
        assert_eq!(moved(&[piece]), [told("1", "0", true)]);
    }

    #[test]
    fn a_scan_says_something_and_goes_one_way() {
        let scan = |quantity: i64, weight: i64| Scan {
            scan_id: "1".to_owned(),
            item_id: ItemId(Uuid::nil()),
            lot_id: None,
            location_id: PLACE,
            quantity: quantity.into(),
            weight: Some(weight.into()),
        };
        for right in [scan(1, 0), scan(-1, -2), scan(0, 1), scan(0, -1)] {
            assert!(parse_scans(&[right]).is_ok());
        }
        for wrong in [scan(0, 0), scan(1, -1), scan(-1, 1)] {
            assert!(parse_scans(&[wrong]).is_err());
        }
        assert!(parse_scans(&[]).is_err());
        assert!(parse_scans(&vec![scan(1, 1); SCANS_MAX + 1]).is_err());
    }
}
