//! The proof that what stock is worth is the sum of the lines of its costs, and that there is as much as levels say.

use entity::{
    id::{ItemId, LotId},
    stock_reconciliation::{Model as StockReconciliation, Subject},
};
use rust_decimal::Decimal;
use sea_orm::{DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{error::Result, stock::Found};

/// Where something is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What there is of an item, and what it has cost, against the lines of its costs.
    Item,
    /// The same of what came in together, or of a lot.
    Layer,
    /// An item against all its layers.
    Layers,
    /// How much there is of an item against its levels.
    Levels,
}

/// Something that is not what costs make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostDifference {
    /// What sort of thing.
    pub part: Part,
    /// Of which item.
    pub item_id: ItemId,
    /// Of which lot; none of what is no lot, or is kept by what came in together.
    pub lot_id: Option<LotId>,
    /// What is kept.
    pub kept: Worth,
    /// What it should be.
    pub sum: Worth,
}

/// How much, and what it has cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// In the item's unit; in grams of what is weighed.
    pub amount: Decimal,
    /// In the shop's currency.
    pub value: Decimal,
}

#[derive(FromQueryResult)]
struct Row {
    rows: i64,
    lines: i64,
    differences: i64,
    part: Option<String>,
    item_id: Option<ItemId>,
    lot_id: Option<Uuid>,
    amount: Option<Decimal>,
    value: Option<Decimal>,
    amount_sum: Option<Decimal>,
    value_sum: Option<Decimal>,
}

/// One statement, so that all of it is seen at one moment. An item of which something is in layers is in layers wholly.
const PROOF: &str = "
    WITH line AS MATERIALIZED (
        SELECT item_id, layer_id, sum(amount) AS amount, sum(value) AS value FROM stock_cost GROUP BY item_id, layer_id
    ), level AS (
        SELECT l.item_id, sum(CASE WHEN k.is_weighed THEN l.weight ELSE l.on_hand END) AS amount
        FROM stock_level l LEFT JOIN item_stocking k ON k.item_id = l.item_id GROUP BY l.item_id
    ), said AS (
        SELECT 'item' AS part, item_id, NULL::uuid AS layer_id, amount, value, 0 AS amount_sum, 0 AS value_sum FROM stock_value
        UNION ALL SELECT 'item', item_id, NULL, 0, 0, amount, value FROM line
        UNION ALL SELECT 'layer', item_id, id, amount, value, 0, 0 FROM stock_cost_layer
        UNION ALL SELECT 'layer', item_id, layer_id, 0, 0, amount, value FROM line WHERE layer_id IS NOT NULL
        UNION ALL SELECT 'layers', v.item_id, NULL, v.amount, v.value, 0, 0 FROM stock_value v
            WHERE EXISTS (SELECT FROM stock_cost_layer y WHERE y.item_id = v.item_id AND y.amount <> 0)
        UNION ALL SELECT 'layers', item_id, NULL, 0, 0, amount, value FROM stock_cost_layer
        UNION ALL SELECT 'levels', item_id, NULL, amount, 0, 0, 0 FROM stock_value
        UNION ALL SELECT 'levels', item_id, NULL, 0, 0, amount, 0 FROM level
    ), wrong AS MATERIALIZED (
        SELECT part, item_id, layer_id, sum(amount) AS amount, sum(value) AS value, sum(amount_sum) AS amount_sum, sum(value_sum) AS value_sum
        FROM said GROUP BY part, item_id, layer_id HAVING sum(amount) <> sum(amount_sum) OR sum(value) <> sum(value_sum)
    )
    SELECT (SELECT count(*) FROM stock_value) + (SELECT count(*) FROM stock_cost_layer) AS rows, (SELECT count(*) FROM stock_cost) AS lines,
           (SELECT count(*) FROM wrong) AS differences, w.part, w.item_id, (SELECT id FROM lot WHERE id = w.layer_id) AS lot_id,
           w.amount, w.value, w.amount_sum, w.value_sum
    FROM (VALUES (1)) one (row) LEFT JOIN LATERAL (SELECT * FROM wrong ORDER BY item_id, part, layer_id LIMIT $1) w ON true";

/// What is wrong, and the first differences.
pub(crate) async fn found_in_tx(tx: &DatabaseTransaction) -> Result<Found> {
    let totals = |row: &Row| [row.rows, row.lines, row.differences];
    Found::read_in_tx(tx, PROOF, totals, difference).await
}

fn difference(row: &Row) -> Option<CostDifference> {
    let part = match row.part.as_deref()? {
        "item" => Part::Item,
        "layer" => Part::Layer,
        "layers" => Part::Layers,
        _ => Part::Levels,
    };
    Some(CostDifference {
        part,
        item_id: row.item_id?,
        lot_id: row.lot_id.map(LotId),
        kept: Worth {
            amount: row.amount?.normalize(),
            value: row.value?.normalize(),
        },
        sum: Worth {
            amount: row.amount_sum?.normalize(),
            value: row.value_sum?.normalize(),
        },
    })
}

/// The differences that a proof of costs has named; none of another proof.
///
/// # Errors
/// When what is kept cannot be read.
pub fn differences(reconciliation: &StockReconciliation) -> Result<Vec<CostDifference>> {
    if reconciliation.subject != Subject::Costs {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_value(reconciliation.differences.clone())?)
}
