//! Reads of landed cost.

use chrono::{DateTime, Utc};
use entity::{
    id::{StockEntryId, StockLandedCostId},
    stock_landed_cost::Model as LandedCost,
    stock_landed_cost_line::Model as LandedCostLine,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::LandedCostFilter;
use crate::{
    error::Result,
    keyset::{Below, Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};
const LINE: Column = Column {
    sql: "line",
    cast: "int4",
};
/// What arose last comes first.
const LAST_FIRST: Term = Term {
    column: Column {
        sql: "effective_at",
        cast: "timestamptz",
    },
    descending: true,
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[StockLandedCostId],
) -> Result<Vec<LandedCost>> {
    let sql = "SELECT * FROM stock_landed_cost WHERE id = ANY($1)";
    let found = LandedCost::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

pub(super) async fn reversals_of(
    db: &impl ConnectionTrait,
    ids: &[StockLandedCostId],
) -> Result<Vec<LandedCost>> {
    let sql = "SELECT * FROM stock_landed_cost WHERE reverses_id = ANY($1)";
    let found = LandedCost::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

/// Those with a line of which not all was taken into account that was ever added to it.
pub(super) async fn pending(
    db: &impl ConnectionTrait,
    ids: &[StockLandedCostId],
) -> Result<Vec<StockLandedCostId>> {
    let sql = "SELECT c.id FROM unnest($1::uuid[]) c (id)
               WHERE EXISTS (
                   SELECT FROM stock_landed_cost_line l
                   WHERE l.landed_cost_id = c.id
                     AND (SELECT sum(a.amount) FROM stock_landed_cost_line a WHERE a.entry_id = l.entry_id AND a.line = l.line)
                         <> (SELECT COALESCE(sum(v.amount), 0) FROM stock_landed_value v WHERE v.entry_id = l.entry_id AND v.line = l.line))";
    let rows = db.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<std::result::Result<_, _>>()?)
}

/// Whether the receipt bears landed cost that was not undone.
pub(crate) async fn is_borne_in_tx(tx: &DatabaseTransaction, entry: StockEntryId) -> Result<bool> {
    let sql = "SELECT FROM stock_landed_cost c WHERE c.entry_id = $1 AND c.reverses_id IS NULL
               AND NOT EXISTS (SELECT FROM stock_landed_cost r WHERE r.reverses_id = c.id) LIMIT 1";
    let found = tx.query_one_raw(statement(sql, [entry.into()])).await?;
    Ok(found.is_some())
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &LandedCostFilter,
    args: &PageArgs,
) -> Result<Page<LandedCost>> {
    let list = List {
        columns: "*",
        from: "stock_landed_cost c",
        order: Order::new(vec![LAST_FIRST], ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|cost: &LandedCost| {
            Cursor(vec![cost.effective_at.to_rfc3339(), cost.id.to_string()])
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &LandedCostFilter) {
    let LandedCostFilter {
        entry_id,
        item_id,
        kinds,
        from,
        until,
    } = filter;
    sql.push("true");
    if let Some(id) = entry_id {
        sql.push(" AND entry_id = ").bind(*id);
    }
    if let Some(id) = item_id {
        sql.push(" AND EXISTS (SELECT FROM stock_landed_cost_line l WHERE l.landed_cost_id = c.id AND l.item_id = ")
            .bind(*id)
            .push(")");
    }
    if let Some(kinds) = kinds {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    push_time(sql, " AND effective_at >= ", *from);
    push_time(sql, " AND effective_at < ", *until);
}

fn push_time(sql: &mut Sql, condition: &str, time: Option<DateTime<Utc>>) {
    if let Some(time) = time {
        sql.push(condition).bind(time);
    }
}

pub(super) async fn of_entries(
    db: &impl ConnectionTrait,
    entries: &[StockEntryId],
    args: &PageArgs,
) -> Result<Vec<Page<LandedCost>>> {
    let below = Below {
        parents: uuids(entries),
        count: entries.len(),
        rows: "SELECT * FROM stock_landed_cost WHERE entry_id = w.parent",
        order: Order::new(Vec::new(), ID),
    };
    let cursor = |cost: &LandedCost| Cursor(vec![cost.id.to_string()]);
    below.pages(db, args, cursor).await
}

pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    ids: &[StockLandedCostId],
    args: &PageArgs,
) -> Result<Vec<Page<LandedCostLine>>> {
    let below = Below {
        parents: uuids(ids),
        count: ids.len(),
        rows: "SELECT * FROM stock_landed_cost_line WHERE landed_cost_id = w.parent",
        order: Order::new(Vec::new(), LINE),
    };
    let cursor = |line: &LandedCostLine| Cursor(vec![line.line.to_string()]);
    below.pages(db, args, cursor).await
}
