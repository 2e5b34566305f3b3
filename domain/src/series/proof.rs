//! The proof that days, and weeks, are the sums of the movements and lines of costs that are in them.

use chrono::NaiveDate;
use entity::{
    id::{ItemId, LocationId},
    stock_reconciliation::{Model as StockReconciliation, Subject},
};
use rust_decimal::Decimal;
use sea_orm::{DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{error::Result, stock::Found};

/// Where something is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What came in or left of an item on a day.
    Flow,
    /// The same of all items that are counted in one unit.
    Total,
    /// What lay there of an item at the end of a day.
    Level,
    /// By how much an item became more in a week.
    Week,
}

/// Something that is not what its movements and costs make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesDifference {
    /// What sort of thing.
    pub part: Part,
    /// Of which item; none of a total.
    pub item_id: Option<ItemId>,
    /// Where.
    pub location_id: LocationId,
    /// On which day; of a week its Monday.
    pub day: NaiveDate,
    /// Which way, as the database keeps it; none of what lay there.
    pub flow: Option<String>,
    /// What is kept.
    pub kept: Amounts,
    /// What movements and costs add up to.
    pub sum: Amounts,
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// How many, in the item's unit.
    pub quantity: Decimal,
    /// Grams.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
    /// In the shop's currency.
    pub value: Decimal,
}

#[derive(FromQueryResult)]
struct Row {
    rows: i64,
    movements: i64,
    differences: i64,
    part: Option<String>,
    item_id: Option<ItemId>,
    location_id: Option<LocationId>,
    day: Option<NaiveDate>,
    flow: Option<String>,
    quantity: Option<Decimal>,
    weight: Option<Decimal>,
    fine_weight: Option<Decimal>,
    value: Option<Decimal>,
    quantity_sum: Option<Decimal>,
    weight_sum: Option<Decimal>,
    fine_weight_sum: Option<Decimal>,
    value_sum: Option<Decimal>,
}

/// One statement, so that all of it is seen at one moment.
const PROOF: &str = "
    WITH wrong AS MATERIALIZED (SELECT * FROM stock_series_differences())
    SELECT (SELECT count(*) FROM stock_flow_day) + (SELECT count(*) FROM stock_level_day) + (SELECT count(*) FROM stock_flow_total) AS rows,
           (SELECT count(*) FROM stock_movement m JOIN stock_series_mark k ON m.number <= k.number) AS movements,
           (SELECT count(*) FROM wrong) AS differences,
           w.part, w.item_id, w.location_id, w.day, w.flow, w.quantity, w.weight, w.fine_weight, w.value,
           w.quantity_sum, w.weight_sum, w.fine_weight_sum, w.value_sum
    FROM (VALUES (1)) one (row)
    LEFT JOIN LATERAL (SELECT * FROM wrong ORDER BY day, item_id, location_id, part, flow LIMIT $1) w ON true";

/// What is wrong, and the first differences.
pub(crate) async fn found_in_tx(tx: &DatabaseTransaction) -> Result<Found> {
    let totals = |row: &Row| [row.rows, row.movements, row.differences];
    Found::read_in_tx(tx, PROOF, totals, difference).await
}

fn difference(row: &Row) -> Option<SeriesDifference> {
    let part = match row.part.as_deref()? {
        "flow" => Part::Flow,
        "total" => Part::Total,
        "level" => Part::Level,
        _ => Part::Week,
    };
    Some(SeriesDifference {
        part,
        item_id: row.item_id,
        location_id: row.location_id?,
        day: row.day?,
        flow: row.flow.clone(),
        kept: Amounts {
            quantity: row.quantity?.normalize(),
            weight: row.weight?.normalize(),
            fine_weight: row.fine_weight?.normalize(),
            value: row.value?.normalize(),
        },
        sum: Amounts {
            quantity: row.quantity_sum?.normalize(),
            weight: row.weight_sum?.normalize(),
            fine_weight: row.fine_weight_sum?.normalize(),
            value: row.value_sum?.normalize(),
        },
    })
}

/// The differences that a proof of days has named; none of another proof.
///
/// # Errors
/// When what is kept cannot be read.
pub fn differences(reconciliation: &StockReconciliation) -> Result<Vec<SeriesDifference>> {
    if reconciliation.subject != Subject::Series {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_value(reconciliation.differences.clone())?)
}
