//! Reads of metal rates.

use chrono::{DateTime, Utc};
use entity::{id::MetalRateId, metal_rate::Model as MetalRate};
use sea_orm::{ActiveEnum as _, ConnectionTrait, FromQueryResult};

use super::{MetalRateFilter, RateKey};
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// One descent of an index for each key. Of two that hold from the same time on the one recorded last decides.
pub(super) async fn latest_of(
    db: &impl ConnectionTrait,
    keys: &[RateKey],
    now: DateTime<Utc>,
) -> Result<Vec<MetalRate>> {
    let metals: Vec<_> = keys.iter().map(|(metal, _)| metal.to_value()).collect();
    let currencies: Vec<_> = keys
        .iter()
        .map(|(_, currency)| currency.as_str().to_owned())
        .collect();
    let sql = "SELECT r.* FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[])) k (metal, currency)
               CROSS JOIN LATERAL (
                   SELECT * FROM metal_rate m
                   WHERE m.metal = k.metal AND m.currency = k.currency AND m.effective_at <= $3
                   ORDER BY m.effective_at DESC, m.id DESC LIMIT 1
               ) r";
    let values = [metals.into(), currencies.into(), now.into()];
    Ok(MetalRate::find_by_statement(statement(sql, values))
        .all(db)
        .await?)
}

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[MetalRateId],
) -> Result<Vec<MetalRate>> {
    let sql = "SELECT * FROM metal_rate WHERE id = ANY($1)";
    Ok(MetalRate::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?)
}

const EFFECTIVE_AT: Column = Column {
    sql: "effective_at",
    cast: "timestamptz",
};
const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &MetalRateFilter,
    args: &PageArgs,
) -> Result<Page<MetalRate>> {
    let latest_first = Term {
        column: EFFECTIVE_AT,
        descending: true,
    };
    let list = List {
        columns: "*",
        from: "metal_rate",
        order: Order::new(vec![latest_first], ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|rate: &MetalRate| {
            Cursor(vec![rate.effective_at.to_rfc3339(), rate.id.to_string()])
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &MetalRateFilter) {
    let MetalRateFilter { metal, currency } = filter;
    sql.push("true");
    if let Some(metal) = metal {
        sql.push(" AND metal = ").bind(metal.to_value());
    }
    if let Some(currency) = currency {
        sql.push(" AND currency = ").bind(currency.as_str());
    }
}
