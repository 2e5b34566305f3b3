//! What stock was worth at the end of a day, item by item.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::table;
use crate::{error::Result, sql::Sql};

/// What there was of an item, and what that had cost.
#[derive(Debug, FromQueryResult)]
pub(super) struct Valued {
    sku: String,
    name: String,
    category: String,
    amount: Decimal,
    is_by_weight: bool,
    value: Decimal,
    currency: String,
}

pub(super) const HEADERS: [&str; 7] = [
    "sku", "name", "category", "amount", "of", "value", "currency",
];

impl Valued {
    pub(super) fn cells(self) -> Vec<String> {
        let of = if self.is_by_weight { "grams" } else { "pieces" };
        vec![
            self.sku,
            self.name,
            self.category,
            table::amount(self.amount),
            of.to_owned(),
            table::amount(self.value),
            self.currency,
        ]
    }
}

/// What there is, without what came later than the day in the shop's time zone.
pub(super) async fn declare(
    tx: &DatabaseTransaction,
    as_of: NaiveDate,
    locale: &str,
) -> Result<()> {
    let mut sql = Sql::new("DECLARE exported_values NO SCROLL CURSOR FOR SELECT i.sku, ");
    for name in ["i.name", "g.name"] {
        sql.push("COALESCE(").push(name).push(" ->> ").bind(locale);
        sql.push(", ").push(name).push(" ->> 'en', '') AS ");
        sql.push(if name == "i.name" {
            "name, "
        } else {
            "category, "
        });
    }
    sql.push(
        "v.amount - c.amount AS amount, COALESCE(k.is_weighed, false) AS is_by_weight, v.value - c.value AS value, s.currency
         FROM shop s CROSS JOIN stock_value v JOIN item i ON i.id = v.item_id JOIN category g ON g.id = i.category_id
         LEFT JOIN item_stocking k ON k.item_id = v.item_id
         CROSS JOIN LATERAL (SELECT COALESCE(sum(c.amount), 0) AS amount, COALESCE(sum(c.value), 0) AS value FROM stock_cost c
                             WHERE c.item_id = v.item_id AND c.effective_at >= (",
    );
    sql.bind(as_of).push(
        "::date + 1)::timestamp AT TIME ZONE s.time_zone) c
         WHERE v.amount <> c.amount OR v.value <> c.value ORDER BY i.sku",
    );
    tx.execute_raw(sql.build()).await?;
    Ok(())
}
