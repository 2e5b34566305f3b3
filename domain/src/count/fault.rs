//! What the database found wrong with a count or its scans, told so that a person understands it.

use entity::id::LocationId;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;

use super::{LINES_MAX, LOCATIONS_MAX, query};
use crate::{
    db,
    error::{Code, Error, Refusal},
    stock::MOST,
};

/// Most scans of one line, as the database takes them.
const LINE_SCANS_MAX: i32 = 100_000;

/// Why a count was not opened.
pub(super) async fn of_opening(
    db: &impl ConnectionTrait,
    location: LocationId,
    error: DbErr,
) -> Error {
    match db::broken_constraint(&error) {
        Some("stock_count_somewhere") => Refusal::new(Code::WrongLocation, "locationId").into(),
        Some("stock_count_bounded") => Refusal::new(Code::TooMany, "locationId")
            .with("max", LOCATIONS_MAX)
            .into(),
        Some("stock_count_location_once") => match query::taken(db, location).await {
            Ok(taken) => {
                let refusal = Refusal::new(Code::CountLocationTaken, "locationId");
                refusal
                    .with("location", taken.location)
                    .with("number", taken.number)
                    .into()
            }
            Err(error) => error,
        },
        _ => error.into(),
    }
}

/// Why counting did not end.
pub(super) fn of_finishing(error: DbErr) -> Error {
    let too_many = Refusal::new(Code::TooMany, "id").with("max", LINES_MAX);
    db::refuse_if_broken(error, &[("stock_count_bounded", too_many)])
}

/// Why nothing is counted again.
pub(super) fn of_recounting(error: DbErr, lines: &[i64]) -> Error {
    let code = if lines.is_empty() {
        Code::NothingSelected
    } else {
        Code::NotFound
    };
    let refusal = Refusal::new(code, "lines");
    db::refuse_if_broken(error, &[("stock_count_recounts", refusal)])
}

/// Why nothing was put right: about the count as a whole, whose lines are not in the input.
pub(super) fn of_posting(error: Error) -> Error {
    match error {
        Error::Refused(refusals) => {
            let refusals = refusals.into_iter().map(|refusal| refusal.at("id"));
            Error::Refused(refusals.collect())
        }
        error => error,
    }
}

/// Why scans were not added.
pub(super) fn of_scans(error: DbErr) -> Error {
    let told = match db::broken(&error) {
        Some((constraint, Some(detail))) if constraint == "stock_count_scan_fits" => detail,
        _ => return error.into(),
    };
    match serde_json::from_str::<Vec<Fault>>(&told) {
        Ok(faults) => Error::Refused(faults.iter().map(Fault::told).collect()),
        Err(error) => error.into(),
    }
}

/// One thing that is wrong with one scan.
#[derive(Debug, Deserialize)]
struct Fault {
    code: String,
    /// Which scan, from 1.
    line: usize,
    sku: Option<String>,
    /// The lot's.
    number: Option<String>,
    /// Where it was scanned, or was scanned already.
    location: Option<String>,
    counted: Option<String>,
    left: Option<String>,
}

impl Fault {
    fn told(&self) -> Refusal {
        let row = self.line.saturating_sub(1);
        let refusal = |code, field: &str| Refusal::new(code, &format!("scans.{row}.{field}"));
        let shown = |text: &Option<String>| text.clone().unwrap_or_default();
        let (sku, location) = (shown(&self.sku), shown(&self.location));
        match self.code.as_str() {
            "item_unknown" => refusal(Code::NotFound, "itemId"),
            "item_without_stock" => refusal(Code::WithoutStock, "itemId").with("sku", sku),
            "item_outside" => refusal(Code::NotInCount, "itemId").with("value", sku),
            "lot_unknown" => refusal(Code::NotFound, "lotId"),
            "lot_missing" => refusal(Code::LotRequired, "lotId").with("sku", sku),
            "lot_unexpected" => refusal(Code::NotTracked, "lotId"),
            "location_unknown" => refusal(Code::NotFound, "locationId"),
            "location_outside" => refusal(Code::NotInCount, "locationId").with("value", location),
            "serial_is_one" => refusal(Code::OutOfRange, "quantity")
                .with("min", 1)
                .with("max", 1),
            "quantity_not_whole" => refusal(Code::NotWhole, "quantity").with("sku", sku),
            "weight_unexpected" => refusal(Code::NotWeighed, "weight").with("sku", sku),
            "weight_missing" => refusal(Code::Required, "weight"),
            "weight_left" => refusal(Code::WeightLeft, "weight")
                .with("left", shown(&self.left))
                .with("max", 0),
            "settled" => refusal(Code::NotRecounted, "itemId")
                .with("sku", sku)
                .with("location", location),
            "elsewhere" => refusal(Code::CountedElsewhere, "lotId")
                .with("number", shown(&self.number))
                .with("location", location),
            "below_nothing" => refusal(Code::CountedFewer, "quantity")
                .with("sku", sku)
                .with("location", location)
                .with("counted", shown(&self.counted)),
            "too_much" => refusal(Code::OutOfRange, "quantity")
                .with("min", 0)
                .with("max", MOST),
            _ => refusal(Code::TooMany, "scanId").with("max", LINE_SCANS_MAX),
        }
    }
}
