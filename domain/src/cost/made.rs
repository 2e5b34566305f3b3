//! What is made of something is worth what that was.

use std::collections::{BTreeSet, HashMap};

use entity::id::{ItemId, StockEntryId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::model::share;
use crate::{
    error::{Error, Result},
    sql::{statement, uuids},
};

/// An entry in which something was made.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// What was used of other items is worth.
    used: Decimal,
    /// In what proportion what was made shares in it: of each line what those before it have, and what it has.
    shares: HashMap<i32, (Decimal, Decimal)>,
    /// All shares together.
    whole: Decimal,
}

impl Made {
    /// What the line is worth, when `used` of the item itself went in: its share, rounded so that all lines are worth what went in.
    pub(super) fn worth_of(&self, line: i32, used: Decimal, scale: u32) -> Result<Decimal> {
        let used = self.used + used;
        let share_of = self.shares.get(&line);
        let (before, own) = share_of.ok_or_else(|| Error::internal("a line that was not made"))?;
        let (before, after) = (*before, *before + *own);
        Ok(share(used, after, self.whole, scale)? - share(used, before, self.whole, scale)?)
    }
}

/// These entries: in proportion to what is said to cost what, else to pure metal, to weight, or to number, as `stock_cost_settle` has it.
pub(super) async fn read_in_tx(
    tx: &DatabaseTransaction,
    item: ItemId,
    entries: &[StockEntryId],
) -> Result<HashMap<StockEntryId, Made>> {
    let mut all: HashMap<StockEntryId, Made> = HashMap::new();
    if entries.is_empty() {
        return Ok(all);
    }
    let sql = "SELECT l.entry_id, l.line,
                      CASE WHEN bool_and(l.unit_cost IS NOT NULL) OVER made AND sum(l.quantity * l.unit_cost) OVER made > 0
                               THEN l.quantity * l.unit_cost
                           WHEN bool_and(l.fine_weight > 0) OVER made THEN l.fine_weight
                           WHEN bool_and(l.weight > 0) OVER made THEN l.weight
                           ELSE l.amount END AS part
               FROM (SELECT m.entry_id, m.line, m.quantity, m.weight, m.fine_weight, CASE WHEN m.quantity > 0 THEN m.unit_cost END AS unit_cost,
                            CASE WHEN k.is_weighed THEN m.weight ELSE m.quantity END AS amount
                     FROM stock_movement m
                     JOIN location f ON f.id = m.from_location_id
                     JOIN location t ON t.id = m.to_location_id
                     LEFT JOIN item_stocking k ON k.item_id = m.item_id
                     WHERE m.entry_id = ANY($1) AND t.keeps_stock AND NOT f.keeps_stock) l
               WHERE l.amount > 0
               WINDOW made AS (PARTITION BY l.entry_id)
               ORDER BY l.entry_id, l.line";
    for row in tx.query_all_raw(statement(sql, [uuids(entries)])).await? {
        let made = all.entry(row.try_get("", "entry_id")?).or_default();
        let part = row.try_get("", "part")?;
        made.shares
            .insert(row.try_get("", "line")?, (made.whole, part));
        made.whole += part;
    }
    let sql = "SELECT c.entry_id, -sum(c.value) AS used
               FROM stock_cost c
               JOIN stock_movement m ON m.entry_id = c.entry_id AND m.line = c.line
               JOIN location f ON f.id = m.from_location_id
               WHERE c.entry_id = ANY($1) AND c.item_id <> $2 AND f.keeps_stock
               GROUP BY c.entry_id";
    let values = [uuids(entries), item.into()];
    for row in tx.query_all_raw(statement(sql, values)).await? {
        let made = all.entry(row.try_get("", "entry_id")?).or_default();
        made.used = row.try_get("", "used")?;
    }
    Ok(all)
}

/// What other items were made of what is worth something else now: they are computed anew from then on.
pub(super) async fn follow_in_tx(
    tx: &DatabaseTransaction,
    item: ItemId,
    entries: &BTreeSet<StockEntryId>,
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let entries: Vec<_> = entries.iter().copied().collect();
    let sql = "SELECT stock_recost_from(array_agg(m.item_id), array_agg(m.effective_at))
               FROM stock_movement m JOIN location t ON t.id = m.to_location_id
               WHERE m.entry_id = ANY($1) AND m.item_id <> $2 AND t.keeps_stock";
    let values = [uuids(&entries), item.into()];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}
