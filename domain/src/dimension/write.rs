//! Writes of values of dimensions.

use chrono::{DateTime, Utc};
use entity::{
    dimension_value::{Kind, Model as DimensionValue},
    id::DimensionValueId,
};
use sea_orm::{
    ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, Statement,
};
use serde_json::json;

use super::rules::{Facts, FactsChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind as EventKind, NewEvent},
    sql::statement,
    viewer::Viewer,
};

/// Waits until nobody posts, and keeps others from it until the transaction ends.
pub(super) async fn own_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement("SELECT books_own()", [])).await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    kind: Kind,
    facts: Facts,
) -> Result<DimensionValue> {
    let Facts {
        code,
        name,
        external_reference,
    } = facts;
    let sql = "INSERT INTO dimension_value (id, kind, code, name, external_reference, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING *";
    let values = [
        new_id(now).into(),
        kind.to_value().into(),
        code.as_str().into(),
        serde_json::to_value(name)?.into(),
        external_reference.clone().into(),
        now.into(),
    ];
    one(
        tx,
        statement(sql, values),
        &code,
        external_reference.as_deref(),
    )
    .await
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    value: &DimensionValue,
    change: FactsChange,
) -> Result<DimensionValue> {
    let FactsChange {
        code,
        name,
        external_reference,
    } = change;
    let code = code.unwrap_or_else(|| value.code.clone());
    let name = name.unwrap_or_else(|| value.name.clone());
    let reference = external_reference.apply(value.external_reference.clone());
    let sql = "UPDATE dimension_value SET code = $2, name = $3, external_reference = $4, version = version + 1, updated_at = $5
               WHERE id = $1 RETURNING *";
    let values = [
        value.id.into(),
        code.as_str().into(),
        serde_json::to_value(name)?.into(),
        reference.clone().into(),
        now.into(),
    ];
    one(tx, statement(sql, values), &code, reference.as_deref()).await
}

pub(super) async fn set_archived_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: DimensionValueId,
    archived: bool,
) -> Result<DimensionValue> {
    let sql = "UPDATE dimension_value SET archived_at = $2, version = version + 1, updated_at = $3 WHERE id = $1 RETURNING *";
    let values = [id.into(), archived.then_some(now).into(), now.into()];
    one(tx, statement(sql, values), "", None).await
}

async fn one(
    tx: &DatabaseTransaction,
    statement: Statement,
    code: &str,
    reference: Option<&str>,
) -> Result<DimensionValue> {
    let written = DimensionValue::find_by_statement(statement).one(tx);
    let written = written
        .await
        .map_err(|error| refused(error, code, reference))?;
    written.ok_or_else(|| Error::internal("a value of a dimension was written and gave no row"))
}

/// What a change can break.
fn refused(error: DbErr, code: &str, reference: Option<&str>) -> Error {
    let taken = |path, value| Refusal::new(Code::AlreadyTaken, path).with("value", value);
    let reference = taken("externalReference", reference.unwrap_or_default());
    refuse_if_broken(
        error,
        &[
            ("dimension_value_code_unique", taken("code", code)),
            ("dimension_value_external_reference_unique", reference),
        ],
    )
}

/// The trail and the event of a change to one value.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&DimensionValue>,
    after: &DimensionValue,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "dimension_value",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let event = NewEvent {
        kind: EventKind::DimensionValueChanged,
        aggregate_id: after.id.0,
        aggregate_version: after.version,
        payload: &json!({ "action": action }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}
