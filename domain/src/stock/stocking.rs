//! How an item is kept in stock: whether it is weighed, and what a scale may find over or missing.

use chrono::{DateTime, Utc};
use entity::{
    id::ItemId,
    item::Tracking,
    item_stocking::{CostMethod, Model as ItemStocking},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::Serialize;

use super::{
    Stock,
    line::{LEAST, MOST},
};
use crate::{
    audit::{self, Change},
    db::refuse_if_broken,
    decimal::within,
    error::{Code, Error, Refusal, Refusals, Result},
    event::{self, Kind, NewEvent},
    idempotency::{Claimed, claim_in_tx},
    patch::Patch,
    permission::Permission,
    sql::{statement, uuids},
    version,
    viewer::Viewer,
};

/// Largest tolerance, in grams.
const TOLERANCE_MAX: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// What is to be different about how an item is kept. What is not given stays.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StockingChange {
    /// Whether every movement has a weight beside its pieces.
    pub is_weighed: Option<bool>,
    /// Grams that may be over or missing when the last piece leaves a place.
    pub weight_tolerance: Option<Decimal>,
    /// When no more than this is available, more should be bought.
    pub reorder_point: Patch<Decimal>,
    /// Up to how much.
    pub maximum: Patch<Decimal>,
    /// How it is found what it has cost; the usual way when cleared.
    pub cost_method: Patch<CostMethod>,
}

impl Stock<'_> {
    /// Changes how an item is kept. Whether it is weighed, and how it is found what it has cost, cannot change any more once it has stock.
    ///
    /// # Errors
    /// When a value is refused, there is no such item, or somebody changed it since `expected_version`.
    pub async fn set_stocking(
        &self,
        viewer: &Viewer,
        item: ItemId,
        change: StockingChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<ItemStocking> {
        viewer.require(Permission::CatalogueWrite)?;
        viewer.require(Permission::StockWrite)?;
        let change = parse(change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (item, &change, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "item_stocking.set", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let tracking = lock_item_in_tx(&tx, item).await?;
        check_method(change.cost_method, tracking)?;
        let before = of(&tx, &[item]).await?.pop();
        let known = before.clone().unwrap_or_else(|| usual(item, now));
        version::check(known.version, expected_version)?;
        let known = ItemStocking {
            updated_at: now,
            ..known
        };
        let after = write_in_tx(&tx, &applied(known, &change)?).await?;
        record_in_tx(&tx, viewer, now, before.as_ref(), &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }
}

/// The change with numbers that can be kept.
fn parse(change: StockingChange) -> Result<StockingChange> {
    let StockingChange {
        is_weighed,
        weight_tolerance,
        reorder_point,
        maximum,
        cost_method,
    } = change;
    let mut refusals = Refusals::default();
    let tolerance = weight_tolerance
        .map(|grams| within("weightTolerance", grams, (Decimal::ZERO, TOLERANCE_MAX), 6));
    let tolerance = refusals.take(tolerance.transpose());
    let point =
        reorder_point.try_map(|point| within("reorderPoint", point, (Decimal::ZERO, MOST), 6));
    let point = refusals.take(point);
    let maximum = refusals.take(maximum.try_map(|most| within("maximum", most, (LEAST, MOST), 6)));
    let parsed = tolerance
        .zip(point)
        .zip(maximum)
        .map(|((tolerance, point), maximum)| StockingChange {
            is_weighed,
            weight_tolerance: tolerance,
            reorder_point: point,
            maximum,
            cost_method,
        });
    refusals.into_result(parsed)
}

/// How the item is to be kept.
fn applied(known: ItemStocking, change: &StockingChange) -> Result<ItemStocking, Refusal> {
    let is_weighed = change.is_weighed.unwrap_or(known.is_weighed);
    let weight_tolerance = match change.weight_tolerance {
        Some(tolerance) if !is_weighed && !tolerance.is_zero() => {
            return Err(Refusal::new(Code::NotWeighed, "weightTolerance"));
        }
        Some(tolerance) => tolerance,
        None if is_weighed => known.weight_tolerance,
        None => Decimal::ZERO,
    };
    let reorder_point = change.reorder_point.apply(known.reorder_point);
    let maximum = change.maximum.apply(known.maximum);
    match (reorder_point, maximum) {
        (Some(point), Some(most)) if most <= point => {
            Err(Refusal::new(Code::OutOfRange, "maximum")
                .with("min", point.normalize())
                .with("max", MOST))
        }
        _ => Ok(ItemStocking {
            is_weighed,
            weight_tolerance,
            reorder_point,
            maximum,
            cost_method: change.cost_method.apply(known.cost_method),
            ..known
        }),
    }
}

/// As items are kept of which nothing else is said.
fn usual(item_id: ItemId, now: DateTime<Utc>) -> ItemStocking {
    ItemStocking {
        item_id,
        is_weighed: false,
        weight_tolerance: Decimal::ZERO,
        reorder_point: None,
        maximum: None,
        cost_method: None,
        version: 0,
        updated_at: now,
    }
}

async fn lock_item_in_tx(tx: &DatabaseTransaction, item: ItemId) -> Result<Tracking> {
    let sql = "SELECT tracking FROM item WHERE id = $1 FOR NO KEY UPDATE";
    let found = tx.query_one_raw(statement(sql, [item.into()])).await?;
    let found = found.ok_or_else(|| Refusal::new(Code::NotFound, "itemId"))?;
    Ok(found.try_get("", "tracking")?)
}

/// Piece by piece costs only what is told apart.
fn check_method(method: Patch<CostMethod>, tracking: Tracking) -> Result<(), Refusal> {
    match method {
        Patch::Set(CostMethod::Specific) if tracking == Tracking::None => {
            Err(Refusal::new(Code::NotTracked, "costMethod"))
        }
        _ => Ok(()),
    }
}

pub(super) async fn of(db: &impl ConnectionTrait, items: &[ItemId]) -> Result<Vec<ItemStocking>> {
    let sql = "SELECT * FROM item_stocking WHERE item_id = ANY($1)";
    let found = ItemStocking::find_by_statement(statement(sql, [uuids(items)]));
    Ok(found.all(db).await?)
}

async fn write_in_tx(tx: &DatabaseTransaction, wanted: &ItemStocking) -> Result<ItemStocking> {
    let ItemStocking {
        item_id,
        is_weighed,
        weight_tolerance,
        reorder_point,
        maximum,
        cost_method,
        version: _,
        updated_at,
    } = wanted;
    let sql = "INSERT INTO item_stocking (item_id, is_weighed, weight_tolerance, reorder_point, maximum, updated_at, cost_method) VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (item_id) DO UPDATE
               SET is_weighed = $2, weight_tolerance = $3, reorder_point = $4, maximum = $5, updated_at = $6, cost_method = $7, version = item_stocking.version + 1
               RETURNING *";
    let values = [
        (*item_id).into(),
        (*is_weighed).into(),
        (*weight_tolerance).into(),
        (*reorder_point).into(),
        (*maximum).into(),
        (*updated_at).into(),
        cost_method.map(|method| method.to_value()).into(),
    ];
    let written = ItemStocking::find_by_statement(statement(sql, values))
        .one(tx)
        .await;
    let kept_otherwise = [
        (
            "item_weighing_stays",
            Refusal::new(Code::InUse, "isWeighed"),
        ),
        (
            "item_costing_stays",
            Refusal::new(Code::InUse, "costMethod"),
        ),
    ];
    let written = written.map_err(|error| refuse_if_broken(error, &kept_otherwise))?;
    written.ok_or_else(|| Error::internal("an insert gave no row"))
}

/// The trail, and the event of the item.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: Option<&ItemStocking>,
    after: &ItemStocking,
) -> Result<()> {
    let change = Change {
        action: "item_stocking.set",
        aggregate_type: "item_stocking",
        aggregate_id: after.item_id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = serde_json::json!({ "action": "item_stocking.set", "items": [after.item_id] });
    let event = NewEvent {
        kind: Kind::StockChanged,
        aggregate_id: after.item_id.0,
        aggregate_version: after.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
