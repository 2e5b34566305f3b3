//! The proof that levels are the sums of movements, and what is held the sum of reservations, that days and weeks are (`series/proof.rs`), or that
//! what stock is worth is the sum of its costs (`cost/proof.rs`):
//! asked for here, made by a worker.
//!
//! The database keeps them so by itself. This finds what somebody has done to it behind its back.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, JobId, LocationId, LotId, StockReconciliationId},
    stock_reconciliation::{ActiveModel, Entity, Model as StockReconciliation, Subject},
};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait,
    FromQueryResult,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Stock, rules};
use crate::{
    audit::{self, Change},
    clock::new_id,
    cost::proof as costs,
    error::{Error, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    permission::Permission,
    series::proof,
    sql::statement,
    viewer::Viewer,
};

/// Most differences that are named.
const DIFFERENCES_MAX: usize = 1_000;

/// All movements there are may be added up.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL work_mem = '128MB'";

/// A level that is not what its movements and reservations make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Of which item.
    pub item_id: ItemId,
    /// Of which lot; none when it is the level of the item itself.
    pub lot_id: Option<LotId>,
    /// Where.
    pub location_id: LocationId,
    /// What the level says.
    pub level: Amounts,
    /// What movements and reservations add up to.
    pub sum: Amounts,
}

/// What lies somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// How many, in the item's unit.
    pub on_hand: Decimal,
    /// How many of them are held.
    pub reserved: Decimal,
    /// Grams.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
}

impl Stock<'_> {
    /// Asks for a proof.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the note is too long.
    pub async fn reconcile(
        &self,
        viewer: &Viewer,
        subject: Subject,
        note: Option<&str>,
        key: Option<&str>,
    ) -> Result<StockReconciliation> {
        viewer.require(Permission::StockRead)?;
        let note = rules::parse_note(note)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim =
            match claim_in_tx(&tx, viewer, key, "stock.reconcile", &(subject, &note), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let asked = ask_in_tx(&tx, viewer, now, (subject, note)).await?;
        claim.keep_in_tx(&tx, &asked).await?;
        self.domain.commit(tx).await?;
        Ok(asked)
    }

    /// The proof with this id.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find_reconciliation(
        &self,
        viewer: &Viewer,
        id: StockReconciliationId,
    ) -> Result<Option<StockReconciliation>> {
        viewer.require(Permission::StockRead)?;
        Ok(Entity::find_by_id(id).one(&self.domain.reads).await?)
    }

    /// Makes the proof, and ends its job well. All is read at one moment, while trading goes on.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn make_reconciliation(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: StockReconciliationId,
    ) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let subject = subject_in_tx(&tx, id).await?;
        let found = prove_in_tx(&tx, subject).await?;
        let now = self.domain.now();
        let sql = "UPDATE stock_reconciliation
                   SET finished_at = $2, level_count = $3, movement_count = $4, difference_count = $5, differences = $6 WHERE id = $1";
        let values = [
            id.into(),
            now.into(),
            found.levels.into(),
            found.movements.into(),
            found.differences.into(),
            found.first.into(),
        ];
        tx.execute_raw(statement(sql, values)).await?;
        let result = json!({ "levels": found.levels, "movements": found.movements, "differences": found.differences });
        job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        self.domain.commit(tx).await
    }

    /// Makes a proof that nobody keeps.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn prove(&self, viewer: &Viewer, subject: Subject) -> Result<Proof> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let found = prove_in_tx(&tx, subject).await?;
        Ok(Proof {
            rows: found.levels,
            movements: found.movements,
            differences: found.differences,
        })
    }
}

async fn prove_in_tx(tx: &DatabaseTransaction, subject: Subject) -> Result<Found> {
    tx.execute_unprepared(PATIENCE).await?;
    match subject {
        Subject::Levels => {
            let totals = |row: &Row| [row.levels, row.movements, row.differences];
            Found::read_in_tx(tx, PROOF, totals, difference).await
        }
        Subject::Series => proof::found_in_tx(tx).await,
        Subject::Costs => costs::found_in_tx(tx).await,
    }
}

/// What a proof that nobody keeps has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many rows were looked at.
    pub rows: i64,
    /// How many movements were added up.
    pub movements: i64,
    /// How many rows are not what they should be.
    pub differences: i64,
}

/// Asks for a proof of this, with this note, in a transaction that has reasons of its own.
pub(crate) async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (subject, note): (Subject, Option<String>),
) -> Result<StockReconciliation> {
    let id = StockReconciliationId(new_id(now));
    let task = Task::ReconcileStock {
        reconciliation_id: id,
    };
    let job_id = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let asked = ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        subject: Set(subject),
        note: Set(note),
        created_at: Set(now),
        ..Default::default()
    };
    let asked = asked.insert(tx).await?;
    let change = Change::of_new(
        "stock.reconcile",
        "stock_reconciliation",
        asked.id.0,
        &asked,
    );
    audit::write_in_tx(tx, viewer, now, change).await?;
    Ok(asked)
}

/// What the proof has found.
pub(crate) struct Found {
    pub(crate) levels: i64,
    pub(crate) movements: i64,
    pub(crate) differences: i64,
    /// The first differences, as they are kept.
    pub(crate) first: serde_json::Value,
}

impl Found {
    /// Reads what a proof selects: a row for each of the first differences, or one without any. Each has the totals: how many rows were looked at, how
    /// many movements were added up, and how many differences there are.
    pub(crate) async fn read_in_tx<R: FromQueryResult + Send + Sync, D: Serialize>(
        tx: &DatabaseTransaction,
        proof: &'static str,
        totals: fn(&R) -> [i64; 3],
        difference: fn(&R) -> Option<D>,
    ) -> Result<Self> {
        let most = i64::try_from(DIFFERENCES_MAX).unwrap_or(i64::MAX);
        let rows = R::find_by_statement(statement(proof, [most.into()]));
        let rows = rows.all(tx).await?;
        let first = rows
            .first()
            .ok_or_else(|| Error::internal("a proof without a row"))?;
        let [levels, movements, differences] = totals(first);
        let named: Vec<_> = rows.iter().filter_map(difference).collect();
        Ok(Self {
            levels,
            movements,
            differences,
            first: serde_json::to_value(named)?,
        })
    }
}

async fn subject_in_tx(tx: &DatabaseTransaction, id: StockReconciliationId) -> Result<Subject> {
    let asked = Entity::find_by_id(id).one(tx).await?;
    let asked = asked.ok_or_else(|| Error::internal("a proof that nobody asked for"))?;
    Ok(asked.subject)
}

#[derive(FromQueryResult)]
struct Row {
    levels: i64,
    movements: i64,
    differences: i64,
    item_id: Option<ItemId>,
    lot_id: Option<LotId>,
    location_id: Option<LocationId>,
    on_hand: Option<Decimal>,
    reserved: Option<Decimal>,
    weight: Option<Decimal>,
    fine_weight: Option<Decimal>,
    on_hand_sum: Option<Decimal>,
    reserved_sum: Option<Decimal>,
    weight_sum: Option<Decimal>,
    fine_weight_sum: Option<Decimal>,
}

/// One statement, so that all of it is seen at one moment. A level of an item is of the lot that is none.
const PROOF: &str = "
    WITH moved AS (
        SELECT m.item_id, m.lot_id, m.to_location_id AS location_id, m.quantity, m.weight, m.fine_weight FROM stock_movement m
        JOIN location l ON l.id = m.to_location_id AND l.keeps_stock
        UNION ALL
        SELECT m.item_id, m.lot_id, m.from_location_id, -m.quantity, -m.weight, -m.fine_weight FROM stock_movement m
        JOIN location l ON l.id = m.from_location_id AND l.keeps_stock
    ), per_lot AS MATERIALIZED (
        SELECT item_id, lot_id, location_id, sum(quantity) AS quantity, sum(weight) AS weight, sum(fine_weight) AS fine_weight
        FROM moved GROUP BY item_id, lot_id, location_id
    ), held AS MATERIALIZED (
        SELECT item_id, lot_id, location_id, sum(open) AS open FROM stock_reservation WHERE open > 0 GROUP BY item_id, lot_id, location_id
    ), sum AS (
        SELECT item_id, NULL::uuid AS lot_id, location_id, sum(quantity) AS quantity, sum(weight) AS weight, sum(fine_weight) AS fine_weight
        FROM per_lot GROUP BY item_id, location_id
        UNION ALL
        SELECT item_id, lot_id, location_id, quantity, weight, fine_weight FROM per_lot WHERE lot_id IS NOT NULL
    ), held_sum AS (
        SELECT item_id, NULL::uuid AS lot_id, location_id, sum(open) AS open FROM held GROUP BY item_id, location_id
        UNION ALL
        SELECT item_id, lot_id, location_id, open FROM held WHERE lot_id IS NOT NULL
    ), level AS (
        SELECT item_id, NULL::uuid AS lot_id, location_id, on_hand, reserved, weight, fine_weight FROM stock_level
        UNION ALL
        SELECT item_id, lot_id, location_id, on_hand, reserved, weight, fine_weight FROM stock_lot_level
    ), said AS (
        -- What levels say, less what they should say: what is left is wrong.
        SELECT item_id, COALESCE(lot_id, '00000000-0000-0000-0000-000000000000') AS lot_id, location_id,
               sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(weight) AS weight, sum(fine_weight) AS fine_weight,
               sum(on_hand_sum) AS on_hand_sum, sum(reserved_sum) AS reserved_sum, sum(weight_sum) AS weight_sum, sum(fine_weight_sum) AS fine_weight_sum
        FROM (
            SELECT item_id, lot_id, location_id, on_hand, reserved, weight, fine_weight,
                   0 AS on_hand_sum, 0 AS reserved_sum, 0 AS weight_sum, 0 AS fine_weight_sum FROM level
            UNION ALL SELECT item_id, lot_id, location_id, 0, 0, 0, 0, quantity, 0, weight, fine_weight FROM sum
            UNION ALL SELECT item_id, lot_id, location_id, 0, 0, 0, 0, 0, open, 0, 0 FROM held_sum
        ) a
        GROUP BY 1, 2, 3
    ), wrong AS MATERIALIZED (
        SELECT * FROM said
        WHERE (on_hand, reserved, weight, fine_weight) IS DISTINCT FROM (on_hand_sum, reserved_sum, weight_sum, fine_weight_sum)
    )
    SELECT (SELECT count(*) FROM level) AS levels, (SELECT count(*) FROM stock_movement) AS movements, (SELECT count(*) FROM wrong) AS differences,
           w.item_id, NULLIF(w.lot_id, '00000000-0000-0000-0000-000000000000') AS lot_id, w.location_id, w.on_hand, w.reserved, w.weight, w.fine_weight,
           w.on_hand_sum, w.reserved_sum, w.weight_sum, w.fine_weight_sum
    FROM (VALUES (1)) one (row) LEFT JOIN LATERAL (SELECT * FROM wrong ORDER BY item_id, lot_id, location_id LIMIT $1) w ON true";

fn difference(row: &Row) -> Option<Difference> {
    Some(Difference {
        item_id: row.item_id?,
        lot_id: row.lot_id,
        location_id: row.location_id?,
        level: Amounts {
            on_hand: row.on_hand?.normalize(),
            reserved: row.reserved?.normalize(),
            weight: row.weight?.normalize(),
            fine_weight: row.fine_weight?.normalize(),
        },
        sum: Amounts {
            on_hand: row.on_hand_sum?.normalize(),
            reserved: row.reserved_sum?.normalize(),
            weight: row.weight_sum?.normalize(),
            fine_weight: row.fine_weight_sum?.normalize(),
        },
    })
}

/// The differences that a proof of levels has named; none of another proof.
///
/// # Errors
/// When what is kept cannot be read.
pub fn differences(reconciliation: &StockReconciliation) -> Result<Vec<Difference>> {
    if reconciliation.subject != Subject::Levels {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_value(reconciliation.differences.clone())?)
}
