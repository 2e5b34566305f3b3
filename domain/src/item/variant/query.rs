//! Reads of templates and their variants.

use std::collections::HashMap;

use entity::{
    id::{CategoryId, ItemId},
    item_option,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, QueryResult};
use serde_json::Value;

use super::{rules::Used, template::chosen_text};
use crate::{
    error::Result,
    item::{ItemWithImage, query::COLUMNS},
    keyset::{Column, Cursor, Order, Placed},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// Variants come by creation.
const ID: Column = Column {
    sql: "i.id",
    cast: "uuid",
};

/// The options of these templates, in their order.
pub(in super::super) async fn options_of(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<item_option::Model>> {
    let sql = "SELECT template_id, key, position, choices FROM item_option
               WHERE template_id = ANY($1) ORDER BY template_id, position";
    Ok(
        item_option::Model::find_by_statement(statement(sql, [uuids(ids)]))
            .all(db)
            .await?,
    )
}

/// How many variants in use these templates have; only of those that have any.
pub(in super::super) async fn counts_of(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<(ItemId, i64)>> {
    let sql = "SELECT template_id, count(*) FROM item
               WHERE template_id = ANY($1) AND archived_at IS NULL GROUP BY template_id";
    let rows = db.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let pair = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    Ok(rows.iter().map(pair).collect::<Result<_, DbErr>>()?)
}

/// Of each of these templates a page of the variants in use, in their order: one statement.
pub(in super::super) async fn variants_of(
    db: &impl ConnectionTrait,
    templates: &[ItemId],
    args: &PageArgs,
) -> Result<Vec<Page<ItemWithImage>>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after.map(|text| Order::new(Vec::new(), ID).parse_cursor("after", text));
    let after = after
        .transpose()?
        .and_then(|cursor| cursor.0.into_iter().next());
    let mut sql = Sql::new("SELECT w.place, ");
    sql.push(COLUMNS)
        .push(" FROM unnest(")
        .bind(uuids(templates))
        .push("::uuid[]) WITH ORDINALITY AS w (template_id, place) CROSS JOIN LATERAL (SELECT * FROM item v \
               WHERE v.template_id = w.template_id AND v.archived_at IS NULL");
    if let Some(after) = after {
        sql.push(" AND v.id > ").bind(after).push("::uuid");
    }
    sql.push(" ORDER BY v.id LIMIT ")
        .bind(i64::from(window.size) + 1)
        .push(") i LEFT JOIN item_image p ON p.id = i.primary_image_id ORDER BY w.place, i.id");
    let found = Placed::find_by_statement(sql.build()).all(db).await?;
    let empty = || Page {
        has_previous: args.after.is_some(),
        ..Page::default()
    };
    let cursor = |variant: &ItemWithImage| Cursor(vec![variant.item.id.to_string()]);
    Ok(Placed::dealt(
        found,
        templates.len(),
        &window,
        empty,
        cursor,
    ))
}

/// Where the item stands.
pub(super) async fn place_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
) -> Result<Option<CategoryId>> {
    let sql = "SELECT category_id FROM item WHERE id = $1";
    let row = tx.query_one_raw(statement(sql, [id.into()])).await?;
    let place = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(place)
}

/// The item's row, against everybody who chooses of its options.
pub(super) async fn hold_in_tx(tx: &DatabaseTransaction, id: ItemId) -> Result<()> {
    let sql = "SELECT FROM item WHERE id = $1 FOR UPDATE";
    tx.execute_raw(statement(sql, [id.into()])).await?;
    Ok(())
}

/// What the variants of a template have chosen, archived ones included.
pub(super) async fn used_in_tx(tx: &DatabaseTransaction, template: ItemId) -> Result<Used> {
    let sql = "SELECT DISTINCT o.key, o.value FROM item i CROSS JOIN LATERAL jsonb_each(i.variant_options) o
               WHERE i.template_id = $1";
    let rows = tx.query_all_raw(statement(sql, [template.into()])).await?;
    let mut used = Used::new();
    for row in &rows {
        let values = used.entry(row.try_get_by_index(0)?).or_default();
        values.push(row.try_get_by_index::<Value>(1)?);
    }
    Ok(used)
}

/// The variants of a template, archived ones included: SKU and id by what each has chosen.
pub(in super::super) async fn existing_in_tx(
    tx: &DatabaseTransaction,
    template: ItemId,
) -> Result<HashMap<String, (String, ItemId)>> {
    let sql = "SELECT variant_options, sku, id FROM item WHERE template_id = $1";
    let rows = tx.query_all_raw(statement(sql, [template.into()])).await?;
    let pairs = rows.iter().map(|row| {
        let options: Value = row.try_get_by_index(0)?;
        let variant = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        Ok((chosen_text(&options), variant))
    });
    Ok(pairs.collect::<Result<_, DbErr>>()?)
}
