//! What the database found wrong with movements or reservations, told so that a person understands it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{ItemId, LocationId, LotId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use uuid::Uuid;

use super::{line::Place, post::Movement};
use crate::{
    db,
    error::{Code, Error, Refusal, Result},
    sql::{statement, uuids},
};

/// Why an entry was not posted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// For a reason that is known already.
    Known(Error),
    /// The database refused it.
    Faults {
        /// The constraint that it would break.
        constraint: String,
        /// What is wrong, as the database tells it.
        faults: Vec<Fault>,
        /// Where each movement is in the input, and what it moves.
        places: Vec<Movement>,
        /// As it is for the log.
        error: DbErr,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Known(error.into())
    }
}

impl Failure {
    /// Why these movements were not written.
    pub(crate) fn of(error: DbErr, places: Vec<Movement>) -> Self {
        match db::broken(&error) {
            Some((constraint, detail)) if is_fault(&constraint) => {
                let faults = detail.and_then(|detail| serde_json::from_str(&detail).ok());
                Self::Faults {
                    constraint,
                    faults: faults.unwrap_or_default(),
                    places,
                    error,
                }
            }
            _ => Self::Known(error.into()),
        }
    }
}

/// Where in the input these items, lots and locations are, when they are no movements: each is a line.
pub(crate) fn places(
    lines: impl Iterator<Item = (ItemId, Option<LotId>, LocationId)>,
) -> Vec<Movement> {
    let places = lines
        .enumerate()
        .map(|(row, (item, lot, location))| Movement {
            place: Place::at_one("lines", row),
            item,
            lot,
            from: location,
            to: location,
            quantity: Decimal::ZERO,
            weight: Decimal::ZERO,
            fine_weight: Decimal::ZERO,
            unit_cost: None,
        });
    places.collect()
}

/// Whether the constraint is one that people can break, and not only a fault of ours.
fn is_fault(constraint: &str) -> bool {
    matches!(
        constraint,
        "stock_line"
            | "stock_insufficient"
            | "stock_period_open"
            | "stock_entry_reversed_once"
            | "stock_fine_weight_conserved"
    )
}

/// One thing that is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    code: String,
    /// Which movement, from 1.
    line: Option<usize>,
    item: Option<ItemId>,
    lot: Option<LotId>,
    location: Option<LocationId>,
    /// Where a piece is instead.
    elsewhere: Option<LocationId>,
    available: Option<Decimal>,
    requested: Option<Decimal>,
    weight: Option<Decimal>,
    weight_after: Option<Decimal>,
    short: Option<Decimal>,
    at: Option<DateTime<Utc>>,
}

/// What things are called.
#[derive(Debug, Default)]
struct Names(HashMap<Uuid, String>);

impl Names {
    fn of(&self, id: Option<Uuid>) -> &str {
        id.and_then(|id| self.0.get(&id)).map_or("", String::as_str)
    }
}

/// The error that says why, with the names of things.
pub(crate) async fn explain(db: &impl ConnectionTrait, failure: Failure) -> Error {
    match failure {
        Failure::Known(error) => error,
        Failure::Faults {
            constraint,
            faults,
            places,
            error,
        } => match refusals(db, &constraint, &faults, &places).await {
            Ok(refusals) if refusals.is_empty() => error.into(),
            Ok(refusals) => Error::Refused(refusals),
            Err(error) => error,
        },
    }
}

async fn refusals(
    db: &impl ConnectionTrait,
    constraint: &str,
    faults: &[Fault],
    movements: &[Movement],
) -> Result<Vec<Refusal>> {
    match constraint {
        "stock_entry_reversed_once" => {
            return Ok(vec![Refusal::new(Code::AlreadyReversed, "id")]);
        }
        "stock_period_open" => {
            let until = closed_until(db).await?;
            let refusal = Refusal::new(Code::PeriodClosed, "effectiveAt");
            return Ok(vec![refusal.with("closedUntil", until)]);
        }
        "stock_fine_weight_conserved" => {
            return Ok(vec![
                Refusal::new(Code::NotConserved, "outputs").with("difference", "?"),
            ]);
        }
        _ => {}
    }
    let names = names_of(db, faults, movements).await?;
    let told = faults.iter().map(|fault| told(fault, movements, &names));
    let mut refusals: Vec<Refusal> = Vec::new();
    for refusal in told {
        // One line may be short of its lot and of its item.
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    Ok(refusals)
}

async fn closed_until(db: &impl ConnectionTrait) -> Result<String> {
    let sql = "SELECT closed_until FROM stock_closing";
    let row = db.query_one_raw(statement(sql, [])).await?;
    let until: Option<DateTime<Utc>> =
        row.map(|row| row.try_get("", "closed_until")).transpose()?;
    Ok(until.map(|until| until.to_rfc3339()).unwrap_or_default())
}

/// The fault as a refusal of the line that it is about.
fn told(fault: &Fault, movements: &[Movement], names: &Names) -> Refusal {
    let movement = moved(fault, movements);
    let at = |field: &str| match movement.map(|movement| movement.place) {
        Some(Place { list: "", .. }) | None => field.to_owned(),
        Some(place) => place.path(field),
    };
    let lot = fault
        .lot
        .or_else(|| movement.and_then(|movement| movement.lot));
    let item = fault
        .item
        .or_else(|| movement.map(|movement| movement.item));
    let (from, to) = movement
        .map(|movement| (movement.from.0, movement.to.0))
        .unzip();
    let number = names.of(lot.map(|lot| lot.0));
    let sku = names.of(item.map(|item| item.0));
    let location = names.of(fault.location.map(|location| location.0));
    let refusal = |code, field: &str| Refusal::new(code, &at(field));
    let plain = |number: Option<Decimal>| number.unwrap_or_default().normalize();
    match fault.code.as_str() {
        "item_unknown" => refusal(Code::NotFound, "itemId"),
        "item_without_stock" => refusal(Code::WithoutStock, "itemId").with("sku", sku),
        "lot_unknown" => refusal(Code::NotFound, "lotId"),
        "lot_missing" => refusal(Code::LotRequired, "lotId").with("sku", sku),
        "lot_unexpected" => refusal(Code::NotTracked, "lotId"),
        "lot_quarantined" => refusal(Code::LotQuarantined, "lotId").with("number", number),
        "lot_expired" => refusal(Code::LotExpired, "lotId").with("number", number),
        "serial_is_one" => refusal(Code::OutOfRange, "quantity")
            .with("min", 1)
            .with("max", 1),
        "quantity_not_whole" => refusal(Code::NotWhole, "quantity").with("sku", sku),
        "quantity_missing" => refusal(Code::Required, "quantity"),
        "weight_missing" => refusal(Code::Required, "weight"),
        "weight_unexpected" => refusal(Code::NotWeighed, "weight").with("sku", sku),
        "from_unknown" => refusal(Code::NotFound, "fromId"),
        "to_unknown" => refusal(Code::NotFound, "toId"),
        "from_closed" => refusal(Code::Archived, "fromId"),
        "to_closed" => refusal(Code::Archived, "toId"),
        "from_unfit" | "from_outside" => {
            refusal(Code::WrongLocation, "fromId").with("location", names.of(from))
        }
        "to_unfit" => refusal(Code::WrongLocation, "toId").with("location", names.of(to)),
        "category_not_kept" => refusal(Code::CategoryNotKept, "toId")
            .with("sku", sku)
            .with("location", names.of(to)),
        "serial_elsewhere" => refusal(Code::SerialElsewhere, "lotId")
            .with("number", number)
            .with(
                "location",
                names.of(fault.elsewhere.map(|location| location.0)),
            ),
        "location_full" => refusal(Code::LocationFull, "toId")
            .with("location", location)
            .with("capacity", plain(fault.available))
            .with("requested", plain(fault.requested)),
        "insufficient_then" => Refusal::new(Code::InsufficientStockThen, "effectiveAt")
            .with("sku", sku)
            .with("location", location)
            .with("short", plain(fault.short))
            .with("at", fault.at.map(|at| at.to_rfc3339()).unwrap_or_default()),
        "insufficient_weight" | "insufficient_fine_weight" => {
            refusal(Code::InsufficientWeight, "weight")
                .with("sku", sku)
                .with("location", location)
                .with("available", plain(fault.weight))
        }
        "weight_left" => refusal(Code::WeightLeft, "weight")
            .with("left", plain(fault.weight_after))
            .with("max", 0),
        _ => refusal(Code::InsufficientStock, "quantity")
            .with("sku", sku)
            .with("location", location)
            .with("available", plain(fault.available))
            .with("requested", plain(fault.requested)),
    }
}

/// The movement that the fault is about.
fn moved<'a>(fault: &Fault, movements: &'a [Movement]) -> Option<&'a Movement> {
    if let Some(line) = fault.line {
        return movements.get(line.checked_sub(1)?);
    }
    let is_of = |movement: &&Movement| {
        fault.item.is_none_or(|item| item == movement.item)
            && fault.lot.is_none_or(|lot| Some(lot) == movement.lot)
    };
    let leaves = |movement: &&Movement| Some(movement.from) == fault.location;
    let comes = |movement: &&Movement| Some(movement.to) == fault.location;
    let of = || movements.iter().filter(is_of);
    let leaving = of().find(leaves);
    leaving.or_else(|| of().find(comes)).or_else(|| of().next())
}

/// What the things are called that the faults name.
async fn names_of(
    db: &impl ConnectionTrait,
    faults: &[Fault],
    movements: &[Movement],
) -> Result<Names> {
    let mut ids: Vec<Uuid> = Vec::new();
    for fault in faults {
        ids.extend(fault.item.map(|id| id.0));
        ids.extend(fault.lot.map(|id| id.0));
        ids.extend(fault.location.map(|id| id.0));
        ids.extend(fault.elsewhere.map(|id| id.0));
        if let Some(movement) = moved(fault, movements) {
            ids.extend([movement.item.0, movement.from.0, movement.to.0]);
            ids.extend(movement.lot.map(|id| id.0));
        }
    }
    let sql = "SELECT id, sku AS name FROM item WHERE id = ANY($1)
               UNION ALL SELECT id, number FROM lot WHERE id = ANY($1)
               UNION ALL SELECT id, code FROM location WHERE id = ANY($1)";
    let rows = db.query_all_raw(statement(sql, [uuids(&ids)])).await?;
    let names = rows
        .iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "name")?)));
    Ok(Names(names.collect::<Result<_, DbErr>>()?))
}
