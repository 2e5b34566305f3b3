//! Reads of what stock has cost.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{CategoryId, ItemId, StockEntryId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Key, StockValue, StockValueTotal, ValueFilter};
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading},
    money::Money,
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

const ITEM: Column = Column {
    sql: "item_id",
    cast: "uuid",
};

/// What these items are worth now, in any order; one that never came in is not among them.
pub(super) async fn values_of(
    db: &impl ConnectionTrait,
    items: &[ItemId],
) -> Result<Vec<StockValue>> {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(" FROM ").push(VALUES);
    sql.push(" WHERE v.item_id = ANY(")
        .bind(uuids(items))
        .push(")");
    Ok(StockValue::find_by_statement(sql.build()).all(db).await?)
}

const COLUMNS: &str = "v.item_id, v.amount, v.value, v.is_by_weight, v.recost_from, v.currency";
const VALUES: &str = "(SELECT v.item_id, v.amount, v.value, COALESCE(k.is_weighed, false) AS is_by_weight, v.recost_from, s.currency
                       FROM stock_value v LEFT JOIN item_stocking k ON k.item_id = v.item_id CROSS JOIN shop s) v";

/// A page of what there is, or was, by the creation of the items.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &ValueFilter,
    as_of: Option<DateTime<Utc>>,
    args: &PageArgs,
) -> Result<Page<StockValue>> {
    let list = List {
        columns: COLUMNS,
        from: VALUES,
        order: Order::new(Vec::new(), ITEM),
        filter: &|sql| {
            push_filter(sql, filter);
            sql.push(" AND ");
            push_amount(sql, as_of);
            sql.push(" <> 0");
        },
        cursor: &|value: &StockValue| Cursor(vec![value.item_id.to_string()]),
        reading: Reading::Any,
    };
    let mut page = list.page(db, args).await?;
    if let Some(as_of) = as_of {
        let items: Vec<_> = page.edges.iter().map(|(_, value)| value.item_id).collect();
        let later = later_than(db, &items, as_of).await?;
        for (_, value) in &mut page.edges {
            if let Some((amount, worth)) = later.get(&value.item_id) {
                value.amount -= *amount;
                value.value -= *worth;
            }
        }
    }
    Ok(page)
}

fn push_filter(sql: &mut Sql, filter: &ValueFilter) {
    let ValueFilter {
        item_ids,
        category_id,
    } = filter;
    sql.push("true");
    if let Some(ids) = item_ids {
        sql.push(" AND v.item_id = ANY(").bind(uuids(ids)).push(")");
    }
    if let Some(id) = category_id {
        push_within(sql, *id);
    }
}

fn push_within(sql: &mut Sql, category: CategoryId) {
    sql.push(" AND EXISTS (SELECT FROM item i JOIN category c ON c.id = i.category_id WHERE i.id = v.item_id AND c.path <@ (SELECT path FROM category WHERE id = ")
        .bind(category)
        .push("))");
}

/// How much there was then: what there is, without what came later.
fn push_amount(sql: &mut Sql, as_of: Option<DateTime<Utc>>) {
    sql.push("v.amount");
    if let Some(as_of) = as_of {
        sql.push(" - COALESCE((SELECT sum(c.amount) FROM stock_cost c WHERE c.item_id = v.item_id AND c.effective_at > ")
            .bind(as_of)
            .push("), 0)");
    }
}

async fn later_than(
    db: &impl ConnectionTrait,
    items: &[ItemId],
    as_of: DateTime<Utc>,
) -> Result<HashMap<ItemId, (Decimal, Decimal)>> {
    let sql = "SELECT item_id, sum(amount) AS amount, sum(value) AS value FROM stock_cost
               WHERE item_id = ANY($1) AND effective_at > $2 GROUP BY item_id";
    let rows = db
        .query_all_raw(statement(sql, [uuids(items), as_of.into()]))
        .await?;
    let later = rows.iter().map(|row| {
        let worth = (row.try_get("", "amount")?, row.try_get("", "value")?);
        Ok((row.try_get("", "item_id")?, worth))
    });
    later.collect()
}

/// What all of it is worth together, or was.
pub(super) async fn total(
    db: &impl ConnectionTrait,
    filter: &ValueFilter,
    as_of: Option<DateTime<Utc>>,
) -> Result<StockValueTotal> {
    let mut sql = Sql::new("SELECT COALESCE(sum(v.value");
    if let Some(as_of) = as_of {
        sql.push(" - COALESCE((SELECT sum(c.value) FROM stock_cost c WHERE c.item_id = v.item_id AND c.effective_at > ")
            .bind(as_of)
            .push("), 0)");
    }
    sql.push("), 0) AS value, COALESCE(bool_or(v.recost_from ");
    match as_of {
        Some(as_of) => sql.push("<= ").bind(as_of),
        None => sql.push("IS NOT NULL"),
    };
    sql.push("), false) AS is_provisional, (SELECT currency FROM shop) AS currency FROM ")
        .push(VALUES)
        .push(" WHERE ");
    push_filter(&mut sql, filter);
    let total = StockValueTotal::find_by_statement(sql.build());
    let total = total.one(db).await?;
    total.ok_or_else(|| crate::error::Error::internal("a sum without a row"))
}

#[derive(FromQueryResult)]
struct MovementRow {
    entry_id: StockEntryId,
    line: i32,
    value: Decimal,
    currency: String,
}

/// How each of these movements changed what the shop has; one that did not is not among them.
pub(super) async fn movement_values(
    db: &impl ConnectionTrait,
    keys: &[Key],
) -> Result<HashMap<Key, Money>> {
    let entries: Vec<_> = keys.iter().map(|key| key.entry).collect();
    let lines: Vec<_> = keys.iter().map(|key| key.line).collect();
    let sql = "SELECT k.entry_id, k.line, c.value, s.currency
               FROM shop s CROSS JOIN unnest($1::uuid[], $2::int[]) k (entry_id, line)
               CROSS JOIN LATERAL (SELECT sum(value) AS value FROM stock_cost c WHERE c.entry_id = k.entry_id AND c.line = k.line) c
               WHERE c.value IS NOT NULL";
    let rows = MovementRow::find_by_statement(statement(sql, [uuids(&entries), lines.into()]));
    let values = rows.all(db).await?.into_iter().map(|row| {
        let key = Key {
            entry: row.entry_id,
            line: row.line,
        };
        let money = Money {
            amount: row.value,
            currency: row.currency,
        };
        (key, money)
    });
    Ok(values.collect())
}

/// Those of these entries of whose movements some are to be computed anew.
pub(super) async fn provisional(
    db: &impl ConnectionTrait,
    entries: &[StockEntryId],
) -> Result<Vec<StockEntryId>> {
    let sql = "SELECT e.id FROM unnest($1::uuid[]) e (id)
               WHERE EXISTS (SELECT FROM stock_movement m JOIN stock_value v ON v.item_id = m.item_id
                             WHERE m.entry_id = e.id AND v.recost_from <= m.effective_at)";
    let rows = db.query_all_raw(statement(sql, [uuids(entries)])).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<std::result::Result<_, _>>()?)
}
