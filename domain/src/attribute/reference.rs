//! The rows that references lead to.

use std::collections::HashMap;

use entity::attribute::RefersTo;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;
use uuid::Uuid;

use super::schema::{Checked, Named, Reference};
use crate::{
    error::{Code, Error, Refusal, Result},
    sql::{Sql, uuids},
};

/// Puts the ids of the rows that references lead to among the values that are kept: one statement for each sort of row.
pub(super) async fn resolve_in_tx(
    tx: &DatabaseTransaction,
    checked: &mut [&mut Checked],
) -> Result<()> {
    for refers_to in [RefersTo::Item, RefersTo::Category] {
        let references = || checked.iter().flat_map(|it| &it.references);
        let wanted: Vec<_> = references()
            .filter(|it| it.refers_to == refers_to)
            .map(|it| it.named.clone())
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let found = find_in_tx(tx, refers_to, &wanted).await?;
        for it in checked.iter_mut() {
            keep(it, refers_to, &found)?;
        }
    }
    Ok(())
}

fn keep(checked: &mut Checked, refers_to: RefersTo, found: &HashMap<Named, Uuid>) -> Result<()> {
    let mut missing = Vec::new();
    let references = std::mem::take(&mut checked.references);
    for reference in references {
        if reference.refers_to != refers_to {
            checked.references.push(reference);
            continue;
        }
        match found.get(&reference.named) {
            Some(id) => {
                let id = Value::String(id.to_string());
                checked.values.insert(reference.key, id);
            }
            None => missing.push(not_found(&reference)),
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(missing))
    }
}

fn not_found(reference: &Reference) -> Refusal {
    let refusal = Refusal::new(Code::NotFound, &reference.path);
    match &reference.named {
        Named::Word(word) => refusal.with("value", word),
        Named::Id(_) => refusal,
    }
}

async fn find_in_tx(
    tx: &DatabaseTransaction,
    refers_to: RefersTo,
    wanted: &[Named],
) -> Result<HashMap<Named, Uuid>> {
    let mut ids = Vec::new();
    let mut words = Vec::new();
    for named in wanted {
        match named {
            Named::Id(id) => ids.push(*id),
            Named::Word(word) => words.push(word.clone()),
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
    sql.bind(uuids(&ids));
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
