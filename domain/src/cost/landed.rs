//! What was added later to what receipts are worth.

use std::collections::HashMap;

use entity::id::{ItemId, StockEntryId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::model::Key;
use crate::{
    error::Result,
    sql::{statement, uuids},
};

/// The landed cost of a movement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Landed {
    /// All of it.
    pub(super) amount: Decimal,
    /// How much of it was taken into account before.
    pub(super) applied: Decimal,
    /// By how much that made the movement worth more.
    pub(super) value: Decimal,
}

/// Of the item's movements in these entries; one without landed cost is not among them.
pub(super) async fn read_in_tx(
    tx: &DatabaseTransaction,
    item: ItemId,
    entries: &[StockEntryId],
) -> Result<HashMap<Key, Landed>> {
    let mut all = HashMap::new();
    if entries.is_empty() {
        return Ok(all);
    }
    let sql = "SELECT d.entry_id, d.line, sum(d.amount) AS amount, sum(d.applied) AS applied, sum(d.value) AS value
               FROM (SELECT entry_id, line, amount, 0 AS applied, 0 AS value FROM stock_landed_cost_line WHERE item_id = $1 AND entry_id = ANY($2)
                     UNION ALL
                     SELECT entry_id, line, 0, amount, value FROM stock_landed_value WHERE item_id = $1 AND entry_id = ANY($2)) d
               GROUP BY d.entry_id, d.line";
    let values = [item.into(), uuids(entries)];
    for row in tx.query_all_raw(statement(sql, values)).await? {
        let key = Key {
            entry: row.try_get("", "entry_id")?,
            line: row.try_get("", "line")?,
        };
        let landed = Landed {
            amount: row.try_get("", "amount")?,
            applied: row.try_get("", "applied")?,
            value: row.try_get("", "value")?,
        };
        all.insert(key, landed);
    }
    Ok(all)
}
