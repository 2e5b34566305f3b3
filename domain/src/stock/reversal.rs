//! Undoing an entry: its exact mirror, once.

use entity::{
    id::StockEntryId,
    stock_entry::{Kind, Model as StockEntry, Reason},
    stock_movement::Model as StockMovement,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{
    Particulars, Stock,
    fault::{self, Failure},
    line::Place,
    post::{Head, Movement, lock_levels_in_tx, write_in_tx},
    rules,
};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    landed_cost,
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

impl Stock<'_> {
    /// Undoes an entry: what it moved goes back where it came from, to the microgram. An entry is undone once, and what undoes one is not
    /// undone itself.
    ///
    /// # Errors
    /// When there is no such entry, it was undone before, undoes one itself, bears landed cost, or what it brought is not there any more.
    pub async fn reverse(
        &self,
        viewer: &Viewer,
        id: StockEntryId,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (id, &particulars);
        let plan = rules::plan(Kind::Reverse, Reason::Mistaken, &particulars, Vec::new())?;
        let now = self.domain.now();
        let effective_at = rules::past(plan.effective_at, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "stock.reverse", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let original = super::query::find_entry(&tx, id).await?;
        let original = original.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        if original.kind == Kind::Reverse {
            return Err(Refusal::new(Code::NotReversible, "id").into());
        }
        if landed_cost::is_borne_in_tx(&tx, id).await? {
            return Err(Refusal::new(Code::HasLandedCost, "id").into());
        }
        if effective_at.is_some_and(|at| at < original.effective_at) {
            let refusal = Refusal::new(Code::TimeOutOfRange, "effectiveAt");
            return Err(refusal
                .with("min", original.effective_at)
                .with("max", now)
                .into());
        }
        let mirror = mirror_in_tx(&tx, id).await?;
        let places = mirror
            .iter()
            .flat_map(|line| [(line.item, line.from), (line.item, line.to)]);
        // Not before what it undoes, whatever the clocks say.
        let moment = lock_levels_in_tx(&tx, now.max(original.effective_at), places).await?;
        let head = Head {
            operation: "stock.reverse",
            kind: Kind::Reverse,
            reason: Reason::Mistaken,
            document: plan.document.as_deref(),
            note: plan.note.as_deref(),
            effective_at: Some(effective_at.unwrap_or(moment)),
            reverses: Some(id),
        };
        match write_in_tx(&tx, viewer, now, (&head, claim), mirror).await {
            Ok(entry) => {
                self.domain.commit(tx).await?;
                Ok(entry)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(explain(self, failure).await)
            }
        }
    }
}

async fn explain(stock: &Stock<'_>, failure: Failure) -> crate::Error {
    fault::explain(&stock.domain.reads, failure).await
}

/// The entry's movements the other way round.
async fn mirror_in_tx(tx: &DatabaseTransaction, id: StockEntryId) -> Result<Vec<Movement>> {
    let sql = "SELECT * FROM stock_movement WHERE entry_id = $1 ORDER BY line";
    let rows = tx.query_all_raw(statement(sql, [id.into()])).await?;
    let mut mirror = Vec::with_capacity(rows.len());
    for row in &rows {
        let StockMovement {
            entry_id: _,
            line: _,
            number: _,
            item_id,
            lot_id,
            from_location_id,
            to_location_id,
            quantity,
            weight,
            fine_weight,
            unit_cost,
            effective_at: _,
        } = StockMovement::from_query_result(row, "")?;
        mirror.push(Movement {
            // The input has no lines: what is wrong is about the entry.
            place: Place::new("", 0),
            item: item_id,
            lot: lot_id,
            from: to_location_id,
            to: from_location_id,
            quantity,
            weight,
            fine_weight,
            unit_cost,
        });
    }
    Ok(mirror)
}
