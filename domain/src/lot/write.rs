//! Writes of lots.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LotId},
    lot::{Kind, Model as Lot},
};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction,
    FromQueryResult, IntoActiveModel,
};

use super::rules::{Draft, ParsedChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::{Sql, statement, uuids},
    viewer::Viewer,
};

/// A lot that goods come in with: it may be known already.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) item: ItemId,
    pub(crate) kind: Kind,
    pub(crate) draft: Draft,
    /// Where in the input it is.
    pub(crate) path: String,
}

/// The ids of these lots, in their order: those of the same number that are known, and new ones. A lot that is known stays as it is.
///
/// # Errors
/// When one is known and is otherwise, or has a hallmark id of another piece.
pub(crate) async fn ensure_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    wanted: &[Wanted],
) -> Result<Vec<LotId>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    insert_missing_in_tx(tx, now, wanted).await?;
    let known = named_in_tx(tx, wanted).await?;
    let mut ids = Vec::with_capacity(wanted.len());
    for lot in wanted {
        let found = known
            .get(&(lot.item, lot.draft.number.as_str()))
            .ok_or_else(|| Error::internal("a lot vanished"))?;
        if let Some(field) = lot.draft.differs_from(found) {
            let path = format!("{}.{field}", lot.path);
            let refusal = Refusal::new(Code::LotDiffers, &path).with("number", &lot.draft.number);
            return Err(refusal.into());
        }
        ids.push(found.id);
    }
    Ok(ids)
}

/// Adds those that there are not. In the order of their numbers, so that two who add the same do not wait for each other in a circle. An
/// empty text stands for null: arrays of nullable values do not bind.
async fn insert_missing_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    wanted: &[Wanted],
) -> Result<()> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let number = |value: Option<Decimal>| text(value.map(|value| value.to_string()));
    let column = |read: &dyn Fn(&Wanted) -> String| wanted.iter().map(read).collect::<Vec<_>>();
    let ids: Vec<LotId> = wanted.iter().map(|_| LotId(new_id(now))).collect();
    let items: Vec<ItemId> = wanted.iter().map(|lot| lot.item).collect();
    let sql = "INSERT INTO lot (id, item_id, kind, number, expires_on, fineness, gross_weight, net_weight, unit_cost, huid,
                                certificate_number, created_at, updated_at)
               SELECT DISTINCT ON (w.item_id, w.number) w.id, w.item_id, w.kind, w.number, NULLIF(w.expires_on, '')::date,
                      NULLIF(w.fineness, '')::numeric, NULLIF(w.gross_weight, '')::numeric, NULLIF(w.net_weight, '')::numeric,
                      NULLIF(w.unit_cost, '')::numeric, NULLIF(w.huid, ''), NULLIF(w.certificate_number, ''), $12, $12
               FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                           $10::text[], $11::text[]) WITH ORDINALITY
                    AS w (id, item_id, kind, number, expires_on, fineness, gross_weight, net_weight, unit_cost, huid, certificate_number, place)
               ORDER BY w.item_id, w.number, w.place
               ON CONFLICT (item_id, number) DO NOTHING";
    let values = [
        uuids(&ids),
        uuids(&items),
        column(&|lot| lot.kind.to_value()).into(),
        column(&|lot| lot.draft.number.clone()).into(),
        column(&|lot| text(lot.draft.expires_on.map(|day| day.to_string()))).into(),
        column(&|lot| number(lot.draft.fineness)).into(),
        column(&|lot| number(lot.draft.gross_weight)).into(),
        column(&|lot| number(lot.draft.net_weight)).into(),
        column(&|lot| number(lot.draft.unit_cost)).into(),
        column(&|lot| text(lot.draft.huid.clone())).into(),
        column(&|lot| text(lot.draft.certificate_number.clone())).into(),
        now.into(),
    ];
    let first = wanted.first().map_or("", |lot| lot.path.as_str());
    let refusals = [
        (
            "lot_huid_unique",
            Refusal::new(Code::AlreadyTaken, &huid_path(wanted).unwrap_or_default()),
        ),
        ("lot_tracking", Refusal::new(Code::InUse, first)),
        (
            "lot_huid_of_piece",
            Refusal::new(Code::SerialsOnly, &huid_path(wanted).unwrap_or_default()),
        ),
    ];
    tx.execute_raw(statement(sql, values))
        .await
        .map_err(|error| refuse_if_broken(error, &refusals))?;
    Ok(())
}

/// Where the hallmark id is, when there is one only.
fn huid_path(wanted: &[Wanted]) -> Option<String> {
    let mut with_huid = wanted.iter().filter(|lot| lot.draft.huid.is_some());
    match (with_huid.next(), with_huid.next()) {
        (Some(lot), None) => Some(format!("{}.huid", lot.path)),
        _ => None,
    }
}

async fn named_in_tx<'a>(
    tx: &DatabaseTransaction,
    wanted: &'a [Wanted],
) -> Result<HashMap<(ItemId, &'a str), Lot>> {
    let items: Vec<ItemId> = wanted.iter().map(|lot| lot.item).collect();
    let numbers: Vec<String> = wanted.iter().map(|lot| lot.draft.number.clone()).collect();
    let mut sql = Sql::new("SELECT l.* FROM (SELECT DISTINCT * FROM unnest(");
    sql.bind(uuids(&items)).push("::uuid[], ").bind(numbers);
    sql.push("::text[])) w (item_id, number) CROSS JOIN LATERAL (SELECT * FROM lot WHERE item_id = w.item_id AND number = w.number OFFSET 0) l");
    let found = Lot::find_by_statement(sql.build()).all(tx).await?;
    let mut by_name: HashMap<_, _> = found
        .into_iter()
        .map(|lot| ((lot.item_id, lot.number.clone()), lot))
        .collect();
    let named = wanted.iter().filter_map(|lot| {
        let found = by_name.remove(&(lot.item, lot.draft.number.clone()))?;
        Some(((lot.item, lot.draft.number.as_str()), found))
    });
    Ok(named.collect())
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    lot: Lot,
    change: ParsedChange,
) -> Result<Lot> {
    let ParsedChange {
        expires_on,
        certificate_number,
        huid,
        state,
    } = change;
    let expires_on = expires_on.apply(lot.expires_on);
    let certificate_number = certificate_number.apply(lot.certificate_number.clone());
    let huid = huid.apply(lot.huid.clone());
    let state = state.unwrap_or(lot.state);
    let version = lot.version + 1;
    let taken = Refusal::new(Code::AlreadyTaken, "huid");
    let taken = taken.with("value", huid.as_deref().unwrap_or_default());
    let mut row = lot.into_active_model();
    row.expires_on = Set(expires_on);
    row.certificate_number = Set(certificate_number);
    row.huid = Set(huid);
    row.state = Set(state);
    row.version = Set(version);
    row.updated_at = Set(now);
    let updated = row.update(tx).await;
    updated.map_err(|error| refuse_if_broken(error, &[("lot_huid_unique", taken)]))
}

/// The trail of a change to one lot.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &Lot,
    after: &Lot,
) -> Result<()> {
    let change = Change {
        action: "lot.update",
        aggregate_type: "lot",
        aggregate_id: after.id.0,
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
