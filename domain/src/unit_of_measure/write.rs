//! Writes of units.

use chrono::{DateTime, Utc};
use entity::{
    id::UnitOfMeasureId,
    unit_of_measure::{ActiveModel, Model as UnitOfMeasure},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, IntoActiveModel,
};

use super::{
    Factor,
    rules::{Draft, DraftChange},
};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Refusal, Result},
    sql::statement,
    viewer::Viewer,
};

/// Any number will do, as long as nothing else locks it.
const UNITS: i64 = 0x756e_6974;

/// Keeps others from changing units until the transaction ends: whether a spelling is free is asked of all of them.
pub(super) async fn own_units_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement(
        "SELECT pg_advisory_xact_lock($1)",
        [UNITS.into()],
    ))
    .await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    draft: Draft,
) -> Result<UnitOfMeasure> {
    let Draft {
        code,
        name,
        dimension,
        factor: Factor {
            numerator,
            denominator,
        },
        spellings,
    } = draft;
    let taken = Refusal::new(Code::AlreadyTaken, "code").with("value", &code);
    let row = ActiveModel {
        id: Set(UnitOfMeasureId(new_id(now))),
        code: Set(code),
        name: Set(name),
        dimension: Set(dimension),
        numerator: Set(numerator),
        denominator: Set(denominator),
        spellings: Set(spellings),
        version: Set(1),
    };
    row.insert(tx)
        .await
        .map_err(|error| refuse_if_broken(error, &[("unit_code_unique", taken)]))
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    unit: UnitOfMeasure,
    change: DraftChange,
) -> Result<UnitOfMeasure> {
    let DraftChange {
        name,
        dimension,
        numerator,
        denominator,
        spellings,
    } = change;
    let mut row = unit.clone().into_active_model();
    row.name = Set(name.unwrap_or(unit.name));
    row.dimension = Set(dimension.unwrap_or(unit.dimension));
    row.numerator = Set(numerator.unwrap_or(unit.numerator));
    row.denominator = Set(denominator.unwrap_or(unit.denominator));
    row.spellings = Set(spellings.unwrap_or(unit.spellings));
    row.version = Set(unit.version + 1);
    Ok(row.update(tx).await?)
}

/// The trail of a change. Nobody listens to units: there is no event.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&UnitOfMeasure>,
    after: &UnitOfMeasure,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "unit_of_measure",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
