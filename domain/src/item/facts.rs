//! An item's attributes, checked against what its category demands.
//!
//! The category's row is locked by whoever writes an item, and by whoever changes what is demanded: so what is written fits what is
//! demanded when the transaction commits.

use entity::{id::CategoryId, item::Model as Item};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

use super::rules::{Draft, DraftChange};
use crate::{
    attribute::{Checked, Schema, resolve_in_tx, schemas},
    category::open_for_items_in_tx,
    error::{Error, Refusal, Result},
    patch::Patch,
    pricing,
};

/// The attributes of a new item. Its category is locked already.
pub(super) async fn of_new_in_tx(tx: &DatabaseTransaction, draft: &Draft) -> Result<Checked> {
    let category = draft.category_id;
    let schemas = schemas(tx, &[category]).await?;
    let empty = Schema::default();
    let schema = schemas.get(&category).map_or(&empty, |schema| &**schema);
    let checked = check_new(schema, draft).map_err(Error::Refused)?;
    resolved_in_tx(tx, checked).await
}

fn check_new(schema: &Schema, draft: &Draft) -> Result<Checked, Vec<Refusal>> {
    let checked = schema.check(&object(&draft.attributes), None);
    with_formula(checked, schema, draft.pricing.as_ref())
}

/// What is wrong with the values, and with a formula that uses them.
fn with_formula(
    checked: Result<Checked, Vec<Refusal>>,
    schema: &Schema,
    pricing: Option<&pricing::Draft>,
) -> Result<Checked, Vec<Refusal>> {
    let formula = pricing.map_or(Ok(()), |draft| draft.check_attributes(schema));
    match (checked, formula) {
        (checked, Ok(())) => checked,
        (Ok(_), Err(refusal)) => Err(vec![refusal]),
        (Err(mut refused), Err(refusal)) => {
            refused.push(refusal);
            Err(refused)
        }
    }
}

/// The attributes of an item after a change; none when they stay as they are.
pub(super) async fn of_change_in_tx(
    tx: &DatabaseTransaction,
    before: &Item,
    change: &DraftChange,
) -> Result<Option<Checked>> {
    let category = change.category_id.unwrap_or(before.category_id);
    let moves = category != before.category_id;
    let priced = match &change.pricing {
        Patch::Set(draft) if draft.uses_attributes() => Some(draft),
        Patch::Keep | Patch::Clear | Patch::Set(_) => None,
    };
    let stays = change.attributes.is_none() && !moves;
    if stays && priced.is_none() {
        return Ok(None);
    }
    if !moves && !stays {
        open_for_items_in_tx(tx, category).await?;
    }
    let schemas = schemas(tx, &[category, before.category_id]).await?;
    let empty = Schema::default();
    let schema = |id| schemas.get(&id).map_or(&empty, |schema| &**schema);
    if let (true, Some(draft)) = (stays, priced) {
        draft.check_attributes(schema(category))?;
        return Ok(None);
    }
    let kept = object(&before.attributes);
    let checked = match &change.attributes {
        Some(written) => schema(category).check(&object(written), Some(&kept)),
        // Values come along by their names: the new category may keep them under other keys.
        None => schema(category)
            .check_kept(&schema(category).rekeyed(schema(before.category_id), &kept)),
    };
    let checked = with_formula(checked, schema(category), priced).map_err(Error::Refused)?;
    resolved_in_tx(tx, checked).await.map(Some)
}

/// The attributes of many new items, each with its row in the request: as many statements as for one. Their categories are locked already.
///
/// # Errors
/// When a row that a value leads to does not exist, or the database fails; what is wrong with an item's values stands in its place.
pub(super) async fn of_many_in_tx<'a>(
    tx: &DatabaseTransaction,
    categories: &[CategoryId],
    rows: impl Iterator<Item = (usize, &'a Draft)>,
) -> Result<Vec<Result<Checked, Vec<Refusal>>>> {
    let schemas = schemas(tx, categories).await?;
    let empty = Schema::default();
    let check = |(index, draft): (usize, &Draft)| {
        let schema = schemas.get(&draft.category_id);
        let schema = schema.map_or(&empty, |schema| &**schema);
        check_new(schema, draft).map(|checked| checked.in_row(index))
    };
    let mut checked: Vec<_> = rows.map(check).collect();
    let mut valid: Vec<_> = checked
        .iter_mut()
        .filter_map(|it| it.as_mut().ok())
        .collect();
    resolve_in_tx(tx, &mut valid).await?;
    Ok(checked)
}

async fn resolved_in_tx(tx: &DatabaseTransaction, mut checked: Checked) -> Result<Checked> {
    resolve_in_tx(tx, &mut [&mut checked]).await?;
    Ok(checked)
}

fn object(attributes: &Value) -> Map<String, Value> {
    attributes.as_object().cloned().unwrap_or_default()
}
