//! Writes of transfers.

use chrono::{DateTime, Utc};
use entity::{
    id::{LotId, StockReservationId, StockTransferId},
    stock_transfer::{Model as StockTransfer, State},
    stock_transfer_line::Model as StockTransferLine,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{NewTransfer, WholeTransfer, query, rules::Draft};
use crate::{
    audit::{self, Change},
    clock::new_id,
    error::{Error, Result},
    sql::{statement, uuids},
    stock::tell_in_tx,
    viewer::Viewer,
};

/// Nothing, as arrays of nullable values do not bind.
const NIL: uuid::Uuid = uuid::Uuid::nil();

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    new: &NewTransfer,
    draft: Draft,
) -> Result<WholeTransfer> {
    let id = StockTransferId(new_id(now));
    let sql = "INSERT INTO stock_transfer (id, state, from_location_id, to_location_id, document, note, created_at, updated_at)
               VALUES ($1, 'requested', $2, $3, $4, $5, $6, $6) RETURNING *";
    let values = [
        id.into(),
        new.from_id.into(),
        new.to_id.into(),
        draft.document.into(),
        draft.note.into(),
        now.into(),
    ];
    let inserted = StockTransfer::find_by_statement(statement(sql, values));
    let transfer = inserted.one(tx).await?;
    let transfer = transfer.ok_or_else(|| Error::internal("an insert gave no row"))?;
    let sql = "INSERT INTO stock_transfer_line (transfer_id, line, item_id, lot_id, requested)
               SELECT $1, l.line, l.item, NULLIF(l.lot, '00000000-0000-0000-0000-000000000000'), l.quantity
               FROM unnest($2::uuid[], $3::uuid[], $4::numeric[]) WITH ORDINALITY AS l (item, lot, quantity, line)";
    let items: Vec<_> = new.lines.iter().map(|line| line.item_id).collect();
    let lots: Vec<_> = new
        .lines
        .iter()
        .map(|line| line.lot_id.unwrap_or(LotId(NIL)))
        .collect();
    let quantities: Vec<_> = new.lines.iter().map(|line| line.quantity).collect();
    let values = [id.into(), uuids(&items), uuids(&lots), quantities.into()];
    tx.execute_raw(statement(sql, values)).await?;
    let lines = query::lines_of(tx, &[id]).await?;
    Ok(WholeTransfer { transfer, lines })
}

/// The transfer in its next state, with its lines as they are by now.
pub(super) async fn bring_on_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: &WholeTransfer,
    state: State,
    lines: Vec<StockTransferLine>,
) -> Result<WholeTransfer> {
    let id = before.transfer.id;
    let sql = "UPDATE stock_transfer SET state = $2, version = version + 1, updated_at = $3 WHERE id = $1 RETURNING *";
    let values = [id.into(), state.to_value().into(), now.into()];
    let updated = StockTransfer::find_by_statement(statement(sql, values));
    let transfer = updated.one(tx).await?;
    let transfer = transfer.ok_or_else(|| Error::internal("a transfer vanished under its lock"))?;
    update_lines_in_tx(tx, id, &lines).await?;
    Ok(WholeTransfer { transfer, lines })
}

async fn update_lines_in_tx(
    tx: &DatabaseTransaction,
    id: StockTransferId,
    lines: &[StockTransferLine],
) -> Result<()> {
    fn column<T>(lines: &[StockTransferLine], read: impl Fn(&StockTransferLine) -> T) -> Vec<T> {
        lines.iter().map(read).collect()
    }
    let sql = "UPDATE stock_transfer_line t
               SET lot_id = NULLIF(l.lot, '00000000-0000-0000-0000-000000000000'), picked = l.picked,
                   reservation_id = NULLIF(l.reservation, '00000000-0000-0000-0000-000000000000'), sent = l.sent, sent_weight = l.sent_weight,
                   received = l.received, received_weight = l.received_weight, missing = l.missing
               FROM unnest($2::int[], $3::uuid[], $4::numeric[], $5::uuid[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[])
                   AS l (line, lot, picked, reservation, sent, sent_weight, received, received_weight, missing)
               WHERE t.transfer_id = $1 AND t.line = l.line";
    let reservation =
        |line: &StockTransferLine| line.reservation_id.unwrap_or(StockReservationId(NIL));
    let values = [
        id.into(),
        column(lines, |line| line.line).into(),
        uuids(&column(lines, |line| line.lot_id.unwrap_or(LotId(NIL)))),
        column(lines, |line| line.picked).into(),
        uuids(&column(lines, reservation)),
        column(lines, |line| line.sent).into(),
        column(lines, |line| line.sent_weight).into(),
        column(lines, |line| line.received).into(),
        column(lines, |line| line.received_weight).into(),
        column(lines, |line| line.missing).into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// The trail and the event of a step.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&WholeTransfer>,
    after: &WholeTransfer,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "stock_transfer",
        aggregate_id: after.transfer.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let ends = (
        after.transfer.from_location_id,
        after.transfer.to_location_id,
    );
    let places = after
        .lines
        .iter()
        .map(|line| (line.item_id, ends.0, ends.1));
    tell_in_tx(tx, viewer, now, action, after.transfer.id.0, places).await
}
