//! The rows that references lead to.

use std::collections::HashMap;

use entity::attribute::RefersTo;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;
use uuid::Uuid;

use super::schema::{Checked, Named, Reference};
use crate::{
    error::{Code, Refusal, Result},
    sql::{Sql, statement},
};

/// Puts the ids of the rows that references lead to among the values that are kept: one statement for each sort of row. Of each what could
/// not be found.
pub(super) async fn resolve_in_tx(
    tx: &DatabaseTransaction,
    checked: &mut [&mut Checked],
) -> Result<Vec<Vec<Refusal>>> {
    let mut found = HashMap::new();
    for refers_to in [RefersTo::Item, RefersTo::Category] {
        let references = checked.iter().flat_map(|it| &it.references);
        let wanted: Vec<_> = references
            .filter(|it| it.refers_to == refers_to)
            .map(|it| it.named.clone())
            .collect();
        if !wanted.is_empty() {
            found.insert(refers_to, find_in_tx(tx, refers_to, &wanted).await?);
        }
    }
    Ok(checked.iter_mut().map(|it| keep(it, &found)).collect())
}

fn keep(checked: &mut Checked, found: &HashMap<RefersTo, HashMap<Named, Uuid>>) -> Vec<Refusal> {
    let mut missing = Vec::new();
    for reference in std::mem::take(&mut checked.references) {
        let id = found
            .get(&reference.refers_to)
            .and_then(|found| id_of(found, &reference.named));
        match id {
            Some(id) => {
                let id = Value::String(id.to_string());
                checked.values.insert(reference.key, id);
            }
            None => missing.push(not_found(&reference)),
        }
    }
    missing
}

fn id_of(found: &HashMap<Named, Uuid>, named: &Named) -> Option<Uuid> {
    let by_name = found.get(named);
    by_name
        .or_else(|| found.get(&Named::Id(id_in(named)?)))
        .copied()
}

/// A row that nobody has given a name is known by its UUID.
fn id_in(named: &Named) -> Option<Uuid> {
    match named {
        Named::Id(id) => Some(*id),
        Named::Word(word) => Uuid::try_parse(word).ok(),
    }
}

fn not_found(reference: &Reference) -> Refusal {
    let refusal = Refusal::new(Code::NotFound, &reference.path);
    match &reference.named {
        Named::Word(word) => refusal.with("value", word),
        Named::Id(_) => refusal,
    }
}

/// By what people call these rows: the SKUs of items, the external references of those categories that have one.
pub(super) async fn names(
    db: &impl ConnectionTrait,
    refers_to: RefersTo,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>> {
    let sql = match refers_to {
        RefersTo::Item => "SELECT id, sku FROM item WHERE id = ANY($1)",
        RefersTo::Category => {
            "SELECT id, external_reference FROM category WHERE id = ANY($1) AND external_reference IS NOT NULL"
        }
    };
    let rows = db
        .query_all_raw(statement(sql, [ids.to_vec().into()]))
        .await?;
    let pairs = rows
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    pairs.collect()
}

async fn find_in_tx(
    tx: &DatabaseTransaction,
    refers_to: RefersTo,
    wanted: &[Named],
) -> Result<HashMap<Named, Uuid>> {
    let mut ids = Vec::new();
    let mut words = Vec::new();
    for named in wanted {
        ids.extend(id_in(named));
        if let Named::Word(word) = named {
            words.push(word.clone());
        }
    }
    let (table, column) = match refers_to {
        RefersTo::Item => ("item", "sku"),
        RefersTo::Category => ("category", "external_reference"),
    };
    // SKUs are kept in upper case; people type them as they like.
    let word = if refers_to == RefersTo::Item {
        "upper(w)"
    } else {
        "w"
    };
    let mut sql = Sql::new(&format!(
        "SELECT id, NULL AS word FROM {table} WHERE id = ANY("
    ));
    sql.bind(ids);
    sql.push(") UNION ALL SELECT t.id, w FROM unnest(");
    sql.bind(words);
    sql.push(&format!(
        "::text[]) w JOIN {table} t ON t.{column} = {word}"
    ));
    let rows = tx.query_all_raw(sql.build()).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let id: Uuid = row.try_get_by_index(0)?;
        let word: Option<String> = row.try_get_by_index(1)?;
        found.insert(word.map_or(Named::Id(id), Named::Word), id);
    }
    Ok(found)
}
