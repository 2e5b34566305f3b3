//! What clients say of stock, and how it is read.

use async_graphql::{Enum, ID, InputObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Refusal,
    lot::LotDetails,
    stock::{AdjustLine, IssueLine, LotChoice, MoveLine, OutputLine, Particulars, ReceiveLine},
};
use entity::id::{ItemId, LocationId, LotId, StockReservationId};

use crate::graphql::{date::Date, decimal::Decimal, id::GlobalId};

/// Why goods come in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::ReceiveReason")]
pub enum StockReceiveReason {
    /// Bought from a supplier.
    Purchased,
    /// Brought back by a customer.
    Returned,
    /// Made in the workshop.
    Produced,
}

/// Why goods leave.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::IssueReason")]
pub enum StockIssueReason {
    /// Sold to a customer.
    Sold,
    /// Sent back to their supplier.
    ReturnedToSupplier,
    /// Used up in the workshop.
    Used,
    /// Nobody knows where they are.
    Lost,
    /// Somebody took them.
    Stolen,
    /// They are broken.
    Damaged,
    /// Their time is over.
    Expired,
}

/// Why there is more or less than was known.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::AdjustReason")]
pub enum StockAdjustReason {
    /// It was there when goldshop began.
    Opening,
    /// More was found.
    Found,
    /// Another number was counted.
    Counted,
    /// Another weight was found.
    Weighed,
    /// Something was written down wrongly.
    Corrected,
    /// Nobody knows where it is.
    Lost,
    /// Somebody took it.
    Stolen,
    /// It is broken.
    Damaged,
    /// Its time is over.
    Expired,
}

/// What is made of what.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::TransformReason")]
pub enum StockTransformReason {
    /// Metal is melted.
    Melted,
    /// One lot becomes several: as many pieces come out as went in.
    Split,
    /// Several lots become one: as many pieces come out as went in.
    Merged,
    /// Parts become a whole.
    Assembled,
    /// A whole becomes parts.
    Disassembled,
}

/// A lot or serial that goods come in with. One with this number that is known already is taken when nothing else is said of it here.
#[derive(InputObject, Clone, Debug)]
pub struct LotInput {
    /// Lot or serial number: at most 100 characters. Becomes upper case; unique for the item.
    number: String,
    /// Last day on which it is good.
    expires_on: Option<Date>,
    /// Its fineness, as people write it: `"750"`, `"18K"`, `"۱۸ عیار"`, `"75%"`; see `finenessParse`. The item's without.
    fineness: Option<String>,
    /// Weight of one piece, stones included, as people write it.
    gross_weight: Option<String>,
    /// Weight of one piece, without stones, as people write it.
    net_weight: Option<String>,
    /// Hallmark id: six letters and digits, unique. Of serials only.
    huid: Option<String>,
    /// Number of its certificate.
    certificate_number: Option<String>,
}

/// Serial numbers in a row: `S-0098`, `S-0099`, `S-0100`.
#[derive(InputObject, Clone, Debug)]
pub struct SerialRangeInput {
    /// The first number. Its last digits are counted up and keep their width.
    first: String,
    /// How many; at most 50,000.
    count: i32,
}

/// Goods that come in. Of an item that is kept by lot or serial exactly one of `lotId`, `lot`, `serials` and `serialRange` must be given.
#[derive(InputObject, Clone, Debug)]
pub struct StockReceiveLineInput {
    /// Which item.
    item_id: ID,
    /// Where they are put.
    to_id: ID,
    /// How many, in the item's unit: above 0, with at most 6 decimal places. Of serials as many as there are numbers without.
    quantity: Option<Decimal>,
    /// What all of them weigh together, without stones, as people write it: `"4.8"` (grams), `"2 tola"`. Of an item that is weighed; what the
    /// lot says without.
    weight: Option<String>,
    /// What one unit has cost, in the shop's currency.
    unit_cost: Option<Decimal>,
    /// Of which lot or serial, when it is known.
    lot_id: Option<ID>,
    /// Of which lot or serial, by its number.
    lot: Option<LotInput>,
    /// Single pieces by their serial numbers, of the same weight and cost.
    serials: Option<Vec<String>>,
    /// Single pieces with serial numbers in a row.
    serial_range: Option<SerialRangeInput>,
}

/// Goods that go from one place in the shop to another.
#[derive(InputObject, Clone, Debug)]
pub struct StockMoveLineInput {
    /// Which item.
    item_id: ID,
    /// Of which lot or serial.
    lot_id: Option<ID>,
    /// From where.
    from_id: ID,
    /// To where.
    to_id: ID,
    /// How many, in the item's unit; one of a serial without.
    quantity: Option<Decimal>,
    /// What all of them weigh together, as people write it. Of an item that is weighed; without, all that is there, when all pieces go.
    weight: Option<String>,
}

/// Goods that leave.
#[derive(InputObject, Clone, Debug)]
pub struct StockIssueLineInput {
    /// Which item.
    item_id: ID,
    /// Of which lot or serial.
    lot_id: Option<ID>,
    /// From where.
    from_id: ID,
    /// How many, in the item's unit; one of a serial without.
    quantity: Option<Decimal>,
    /// What all of them weigh together, as people write it. Of an item that is weighed; without, all that is there, when all pieces go.
    weight: Option<String>,
    /// The reservation that held them.
    reservation_id: Option<ID>,
}

/// Goods of which there are more or fewer than was known.
#[derive(InputObject, Clone, Debug)]
pub struct StockAdjustLineInput {
    /// Which item.
    item_id: ID,
    /// Where.
    location_id: ID,
    /// How many more, or fewer when negative, in the item's unit. With at most 6 decimal places.
    quantity: Option<Decimal>,
    /// How many grams more, or fewer when negative. Of an item that is weighed; it may be given alone.
    weight: Option<Decimal>,
    /// What one unit of those that are more has cost, in the shop's currency.
    unit_cost: Option<Decimal>,
    /// Of which lot or serial, when it is known.
    lot_id: Option<ID>,
    /// Of which lot or serial, by its number: of what is more only.
    lot: Option<LotInput>,
    /// Single pieces by their serial numbers: of what is more only.
    serials: Option<Vec<String>>,
    /// Single pieces with serial numbers in a row: of what is more only.
    serial_range: Option<SerialRangeInput>,
}

/// Goods that are made of others.
#[derive(InputObject, Clone, Debug)]
pub struct StockOutputLineInput {
    /// What comes of it, and where it is put.
    #[graphql(flatten)]
    received: StockReceiveLineInput,
    /// How fine an assay found it, as people write it. Without, it has its share of the pure metal that went in, by weight.
    fineness: Option<String>,
}

/// What is said of the lots of a line.
pub(super) struct Lots {
    lot_id: Option<ID>,
    lot: Option<LotInput>,
    serials: Option<Vec<String>>,
    serial_range: Option<SerialRangeInput>,
}

impl Lots {
    /// The one of the four ways that is used.
    fn parse(self, path: &str) -> Result<LotChoice, Refusal> {
        let Self {
            lot_id,
            lot,
            serials,
            serial_range,
        } = self;
        let at = |field: &str| format!("{path}.{field}");
        let mut choices = Vec::new();
        if let Some(id) = lot_id {
            choices.push(("lotId", LotChoice::Known(LotId::parse(&at("lotId"), &id)?)));
        }
        if let Some(lot) = lot {
            choices.push(("lot", lot.parse()));
        }
        if let Some(serials) = serials {
            choices.push(("serials", LotChoice::Serials(serials)));
        }
        if let Some(SerialRangeInput { first, count }) = serial_range {
            let count = u32::try_from(count).unwrap_or(0);
            choices.push(("serialRange", LotChoice::Range { first, count }));
        }
        let mut choices = choices.into_iter();
        match (choices.next(), choices.next()) {
            (None, _) => Ok(LotChoice::Untracked),
            (Some((_, choice)), None) => Ok(choice),
            (Some((first, _)), Some((second, _))) => {
                Err(Refusal::new(Code::Exclusive, &at(second)).with("other", first))
            }
        }
    }
}

impl LotInput {
    fn parse(self) -> LotChoice {
        let Self {
            number,
            expires_on,
            fineness,
            gross_weight,
            net_weight,
            huid,
            certificate_number,
        } = self;
        let details = LotDetails {
            expires_on: expires_on.map(|Date(day)| day),
            fineness,
            gross_weight,
            net_weight,
            huid,
            certificate_number,
        };
        LotChoice::Numbered(number, Box::new(details))
    }
}

/// The lines of a list, each parsed with its path.
pub(super) fn parse_all<I, L>(
    list: &str,
    lines: Vec<I>,
    parse: impl Fn(I, &str) -> Result<L, Refusal>,
) -> domain::Result<Vec<L>> {
    let parsed = lines
        .into_iter()
        .enumerate()
        .map(|(row, line)| parse(line, &format!("{list}.{row}")));
    Ok(parsed.collect::<Result<_, _>>()?)
}

/// An id in a line.
fn id<Id: GlobalId>(path: &str, field: &str, id: &ID) -> Result<Id, Refusal> {
    Id::parse(&format!("{path}.{field}"), id)
}

/// An id in a line that may be missing.
fn some_id<Id: GlobalId>(
    path: &str,
    field: &str,
    given: Option<&ID>,
) -> Result<Option<Id>, Refusal> {
    given.map(|given| id(path, field, given)).transpose()
}

impl StockReceiveLineInput {
    pub(super) fn parse(self, path: &str) -> Result<ReceiveLine, Refusal> {
        let Self {
            item_id,
            to_id,
            quantity,
            weight,
            unit_cost,
            lot_id,
            lot,
            serials,
            serial_range,
        } = self;
        let lots = Lots {
            lot_id,
            lot,
            serials,
            serial_range,
        };
        Ok(ReceiveLine {
            item_id: id::<ItemId>(path, "itemId", &item_id)?,
            to_id: id::<LocationId>(path, "toId", &to_id)?,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight,
            unit_cost: unit_cost.map(|Decimal(cost)| cost),
            lot: lots.parse(path)?,
        })
    }
}

impl StockMoveLineInput {
    pub(super) fn parse(self, path: &str) -> Result<MoveLine, Refusal> {
        let Self {
            item_id,
            lot_id,
            from_id,
            to_id,
            quantity,
            weight,
        } = self;
        Ok(MoveLine {
            item_id: id(path, "itemId", &item_id)?,
            lot_id: some_id(path, "lotId", lot_id.as_ref())?,
            from_id: id(path, "fromId", &from_id)?,
            to_id: id(path, "toId", &to_id)?,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight,
        })
    }
}

impl StockIssueLineInput {
    pub(super) fn parse(self, path: &str) -> Result<IssueLine, Refusal> {
        let Self {
            item_id,
            lot_id,
            from_id,
            quantity,
            weight,
            reservation_id,
        } = self;
        Ok(IssueLine {
            item_id: id(path, "itemId", &item_id)?,
            lot_id: some_id(path, "lotId", lot_id.as_ref())?,
            from_id: id(path, "fromId", &from_id)?,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight,
            reservation_id: some_id::<StockReservationId>(
                path,
                "reservationId",
                reservation_id.as_ref(),
            )?,
        })
    }
}

impl StockAdjustLineInput {
    pub(super) fn parse(self, path: &str) -> Result<AdjustLine, Refusal> {
        let Self {
            item_id,
            location_id,
            quantity,
            weight,
            unit_cost,
            lot_id,
            lot,
            serials,
            serial_range,
        } = self;
        let lots = Lots {
            lot_id,
            lot,
            serials,
            serial_range,
        };
        Ok(AdjustLine {
            item_id: id(path, "itemId", &item_id)?,
            location_id: id(path, "locationId", &location_id)?,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight: weight.map(|Decimal(weight)| weight),
            unit_cost: unit_cost.map(|Decimal(cost)| cost),
            lot: lots.parse(path)?,
        })
    }
}

impl StockOutputLineInput {
    pub(super) fn parse(self, path: &str) -> Result<OutputLine, Refusal> {
        let Self { received, fineness } = self;
        Ok(OutputLine {
            received: received.parse(path)?,
            fineness,
        })
    }
}

/// What there is to say of an entry, whatever it does.
pub(super) fn particulars(
    document: Option<String>,
    note: Option<String>,
    effective_at: Option<DateTime<Utc>>,
) -> Particulars {
    Particulars {
        document,
        note,
        effective_at,
    }
}
