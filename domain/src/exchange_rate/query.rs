//! Reads of exchange rates.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Conversion, ExchangeRate, ExchangeRateFilter, Quote};
use crate::{
    account::parse_commodity,
    error::{Code, Error, Refusal, Result},
    keyset::{Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement},
};

const DATE: Column = Column {
    sql: "date",
    cast: "date",
};
const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &ExchangeRateFilter,
    args: &PageArgs,
) -> Result<Page<ExchangeRate>> {
    let commodity = filter.commodity.as_deref();
    let commodity = commodity
        .map(|code| parse_commodity("commodity", code))
        .transpose()?;
    let latest_first = Term {
        column: DATE,
        descending: true,
    };
    let list = List {
        columns: "*",
        from: "exchange_rate",
        order: Order::new(vec![latest_first], ID),
        filter: &|sql| push_filter(sql, commodity.as_deref(), filter),
        cursor: &|rate: &ExchangeRate| Cursor(vec![rate.date.to_string(), rate.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, commodity: Option<&str>, filter: &ExchangeRateFilter) {
    let ExchangeRateFilter {
        commodity: _,
        from,
        until,
        known_at,
    } = filter;
    sql.push("true");
    if let Some(code) = commodity {
        sql.push(" AND currency = ").bind(code);
    }
    if let Some(from) = from {
        sql.push(" AND date >= ").bind(*from);
    }
    if let Some(until) = until {
        sql.push(" AND date <= ").bind(*until);
    }
    if let Some(known_at) = known_at {
        sql.push(" AND recorded_at <= ").bind(*known_at);
    }
}

/// What is known of a conversion: nothing of a side without a rate.
#[derive(FromQueryResult)]
struct Row {
    to_code: String,
    date: NaiveDate,
    has_from: bool,
    has_to: bool,
    is_from_known: bool,
    is_to_known: bool,
    from_since: Option<NaiveDate>,
    to_since: Option<NaiveDate>,
    rate: Option<Decimal>,
}

/// As it was recorded, where nothing has to be divided.
const QUOTE: &str = "
    SELECT q.to_code, q.date, f.numerator IS NOT NULL AS has_from, t.numerator IS NOT NULL AS has_to,
           EXISTS (SELECT FROM commodity WHERE code = $1) AS is_from_known, EXISTS (SELECT FROM commodity WHERE code = q.to_code) AS is_to_known,
           f.since AS from_since, t.since AS to_since,
           CASE WHEN f.denominator = 1 AND t.numerator = 1 AND t.denominator = 1 THEN f.numerator
                ELSE round(x.rate, 14 - floor(log(x.rate))::integer) END AS rate
    FROM (SELECT COALESCE($2, currency) AS to_code, COALESCE($3, ($4 AT TIME ZONE time_zone)::date) AS date FROM shop) q
    LEFT JOIN LATERAL commodity_rate($1, q.date, $5) f ON true
    LEFT JOIN LATERAL commodity_rate(q.to_code, q.date, $5) t ON true
    CROSS JOIN LATERAL (SELECT f.numerator * t.denominator / (f.denominator * t.numerator) AS rate) x";

pub(super) async fn quote(
    db: &impl ConnectionTrait,
    of: &Conversion,
    now: DateTime<Utc>,
) -> Result<Quote> {
    let from = parse_commodity("from", &of.from)?;
    let to = of.to.as_deref();
    let to = to.map(|code| parse_commodity("to", code)).transpose()?;
    let values = [
        from.as_str().into(),
        to.into(),
        of.date.into(),
        now.into(),
        of.known_at.unwrap_or(now).into(),
    ];
    let row = Row::find_by_statement(statement(QUOTE, values));
    let row = row.one(db).await?;
    let row = row.ok_or_else(|| Error::internal("there is no shop"))?;
    let sides = [
        ("from", &from, row.is_from_known, row.has_from),
        ("to", &row.to_code, row.is_to_known, row.has_to),
    ];
    let refusals = sides.into_iter().filter_map(|(path, code, is_known, has)| {
        if !is_known {
            Some(Refusal::new(Code::UnknownCommodity, path).with("value", code))
        } else if !has {
            Some(no_rate(path, code, row.date))
        } else {
            None
        }
    });
    let refusals: Vec<_> = refusals.collect();
    match row.rate {
        Some(rate) if refusals.is_empty() => Ok(Quote {
            from_code: from,
            to_code: row.to_code,
            date: row.date,
            rate,
            from_since: row.from_since,
            to_since: row.to_since,
        }),
        _ => Err(Error::Refused(refusals)),
    }
}

/// Nobody knows what this is worth.
pub(crate) fn no_rate(path: &str, commodity: &str, date: NaiveDate) -> Refusal {
    Refusal::new(Code::NoRate, path)
        .with("commodity", commodity)
        .with("date", date)
}
