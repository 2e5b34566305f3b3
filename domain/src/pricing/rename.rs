//! Formulas follow the attributes that they name.

use chrono::{DateTime, Utc};
use entity::ltree::Ltree;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::formula::{ATTRIBUTE, FORMULA_MAX};
use crate::{
    audit::Actor,
    db::refuse_if_broken,
    error::{Code, Refusal, Result},
    sql::statement,
    viewer::Viewer,
};

/// Gives an attribute its new name in the formulas of all items in this part of the tree. Nobody may write such items meanwhile.
///
/// # Errors
/// [`Code::TooLong`] when a formula would become longer than formulas may be.
pub(crate) async fn follow_rename_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    below: &Ltree,
    (from, to): (&str, &str),
) -> Result<()> {
    let sql = "WITH before AS (
            SELECT p.* FROM item_pricing p JOIN item i ON i.id = p.item_id JOIN category c ON c.id = i.category_id
            WHERE c.path <@ $1::ltree AND p.formula ~ $2
        ), written AS (
            UPDATE item_pricing p SET formula = regexp_replace(p.formula, $2, $3, 'g') FROM before b WHERE p.item_id = b.item_id
            RETURNING p.*
        )
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
        SELECT $4, $5, $6, $7, $8, 'attribute.update', 'item', w.item_id,
               jsonb_build_object('pricing', to_jsonb(b)), jsonb_build_object('pricing', to_jsonb(w))
        FROM written w JOIN before b ON b.item_id = w.item_id ORDER BY w.item_id";
    let Actor { kind, id, name } = Actor::of(viewer);
    let values = [
        below.0.as_str().into(),
        // Names are letters, digits and `_`, as words of a regular expression are.
        format!(r"\m{ATTRIBUTE}{from}\M").into(),
        format!("{ATTRIBUTE}{to}").into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
        viewer.request_id.clone().into(),
    ];
    let renamed = tx.execute_raw(statement(sql, values)).await;
    let too_long = Refusal::new(Code::TooLong, "name").with("max", FORMULA_MAX);
    renamed
        .map_err(|error| refuse_if_broken(error, &[("item_pricing_formula_check", too_long)]))?;
    Ok(())
}
