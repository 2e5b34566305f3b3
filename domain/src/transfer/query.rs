//! Reads of transfers.

use std::collections::BTreeSet;

use entity::{
    id::{LocationId, StockTransferId},
    location::Kind,
    stock_transfer::Model as StockTransfer,
    stock_transfer_line::Model as StockTransferLine,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{NewTransfer, TransferFilter};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    keyset::{Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[StockTransferId],
) -> Result<Vec<StockTransfer>> {
    let sql = "SELECT * FROM stock_transfer WHERE id = ANY($1)";
    let found = StockTransfer::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: StockTransferId,
) -> Result<Option<StockTransfer>> {
    let sql = "SELECT * FROM stock_transfer WHERE id = $1 FOR NO KEY UPDATE";
    let found = StockTransfer::find_by_statement(statement(sql, [id.into()]));
    Ok(found.one(tx).await?)
}

pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    ids: &[StockTransferId],
) -> Result<Vec<StockTransferLine>> {
    let sql =
        "SELECT * FROM stock_transfer_line WHERE transfer_id = ANY($1) ORDER BY transfer_id, line";
    let found = StockTransferLine::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

/// Both places are places in the shop, and items and lots are there.
pub(super) async fn refuse_unknown_in_tx(
    tx: &DatabaseTransaction,
    new: &NewTransfer,
) -> Result<()> {
    let mut refusals = Refusals::default();
    for (id, path) in [(new.from_id, "fromId"), (new.to_id, "toId")] {
        if let Err(refusal) = check_place_in_tx(tx, id, path).await? {
            refusals.push(refusal);
        }
    }
    let items: BTreeSet<_> = new.lines.iter().map(|line| line.item_id.0).collect();
    let items: Vec<_> = items.into_iter().collect();
    let sql = "SELECT i.id, l.id FROM item i LEFT JOIN lot l ON l.item_id = i.id AND l.id = ANY($2) WHERE i.id = ANY($1)";
    let lots: Vec<_> = new.lines.iter().filter_map(|line| line.lot_id).collect();
    let rows = tx
        .query_all_raw(statement(sql, [uuids(&items), uuids(&lots)]))
        .await?;
    let mut known = BTreeSet::new();
    for row in &rows {
        let item: uuid::Uuid = row.try_get_by_index(0)?;
        known.insert((item, None));
        known.insert((item, row.try_get_by_index::<Option<uuid::Uuid>>(1)?));
    }
    for (row, line) in new.lines.iter().enumerate() {
        let path = |field: &str| format!("lines.{row}.{field}");
        if !known.contains(&(line.item_id.0, None)) {
            refusals.push(Refusal::new(Code::NotFound, &path("itemId")));
        } else if !known.contains(&(line.item_id.0, line.lot_id.map(|lot| lot.0))) {
            refusals.push(Refusal::new(Code::NotFound, &path("lotId")));
        }
    }
    refusals.into_result(Some(()))
}

async fn check_place_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
    path: &str,
) -> Result<Result<(), Refusal>> {
    let sql = "SELECT kind, code, archived_at IS NOT NULL AS is_closed FROM location WHERE id = $1";
    let Some(row) = tx.query_one_raw(statement(sql, [id.into()])).await? else {
        return Ok(Err(Refusal::new(Code::NotFound, path)));
    };
    let kind: Kind = row.try_get("", "kind")?;
    let code: String = row.try_get("", "code")?;
    Ok(if kind.is_virtual() {
        Err(Refusal::new(Code::WrongLocation, path).with("location", code))
    } else if row.try_get("", "is_closed")? {
        Err(Refusal::new(Code::Archived, path))
    } else {
        Ok(())
    })
}

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &TransferFilter,
    args: &PageArgs,
) -> Result<Page<StockTransfer>> {
    let list = List {
        columns: "*",
        from: "stock_transfer",
        order: Order::newest_first(ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|transfer: &StockTransfer| Cursor(vec![transfer.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &TransferFilter) {
    let TransferFilter {
        states,
        from_id,
        to_id,
    } = filter;
    sql.push("true");
    if let Some(states) = states {
        let states: Vec<_> = states.iter().map(|state| state.to_value()).collect();
        sql.push(" AND state = ANY(").bind(states).push("::text[])");
    }
    if let Some(id) = from_id {
        sql.push(" AND from_location_id = ").bind(*id);
    }
    if let Some(id) = to_id {
        sql.push(" AND to_location_id = ").bind(*id);
    }
}
