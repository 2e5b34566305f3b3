//! Exchange rates: the object, its queries and its mutation.

pub mod mutation;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    exchange_rate::{Conversion, ExchangeRate as Row, ExchangeRateFilter, Quote},
};

pub use mutation::ExchangeRateMutation;

use super::{
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    page::{self, Connection},
};

/// What one of a currency is worth on a day. A rate is never changed; a mistake is corrected by recording another one of the same day, and of several
/// the one that was recorded last counts.
#[derive(SimpleObject)]
pub struct ExchangeRate {
    /// Opaque id.
    pub id: ID,
    /// Of which currency: ISO 4217 code.
    commodity: String,
    /// In which currency: the shop's, when it was recorded.
    base_currency: String,
    /// From which day on it holds, until one of a later day does.
    date: Date,
    /// How much one of it is worth.
    rate: Decimal,
    /// Where it comes from.
    source: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Who recorded it.
    actor_name: String,
}

impl ExchangeRate {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            currency,
            base_currency,
            date,
            rate,
            source,
            recorded_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
        } = row;
        Self {
            id: id.encode(),
            commodity: currency,
            base_currency,
            date: Date(date),
            rate: Decimal::shown(rate),
            source,
            recorded_at,
            actor_name,
        }
    }
}

/// How much of one commodity another one is worth at the end of a day.
#[derive(SimpleObject)]
pub struct ExchangeRateQuote {
    /// One of which commodity: a currency, or a gram of fine metal.
    from: String,
    /// Into which.
    to: String,
    /// At the end of which day.
    date: Date,
    /// How much: as it was recorded, where it is a currency's in the shop's; rounded to 15 digits everywhere else.
    rate: Decimal,
    /// Of which day the rate of the one is; null for the shop's currency, which needs none.
    from_date: Option<Date>,
    /// Of which day the rate of the other is; likewise.
    to_date: Option<Date>,
}

impl ExchangeRateQuote {
    fn new(quote: Quote) -> Self {
        let Quote {
            from_code,
            to_code,
            date,
            rate,
            from_since,
            to_since,
        } = quote;
        Self {
            from: from_code,
            to: to_code,
            date: Date(date),
            rate: Decimal::shown(rate),
            from_date: from_since.map(Date),
            to_date: to_since.map(Date),
        }
    }
}

/// Which rates. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ExchangeRateWhere {
    /// Of this currency: ISO 4217 code.
    commodity: Option<String>,
    /// Of this day or later.
    from: Option<Date>,
    /// Of this day or earlier.
    until: Option<Date>,
    /// As it was known then.
    known_at: Option<DateTime<Utc>>,
}

impl From<ExchangeRateWhere> for ExchangeRateFilter {
    fn from(filter: ExchangeRateWhere) -> Self {
        let ExchangeRateWhere {
            commodity,
            from,
            until,
            known_at,
        } = filter;
        Self {
            commodity,
            from: from.map(|day| day.0),
            until: until.map(|day| day.0),
            known_at,
        }
    }
}

/// Queries about exchange rates.
#[derive(Default)]
pub struct ExchangeRateQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl ExchangeRateQuery {
    /// The rates that were recorded, in pages, the latest day first, and of one day first the one that counts. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn exchange_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            ExchangeRateWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<ExchangeRate>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().into();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().exchange_rates();
        let rows = rows.page(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        Ok(page::connection(rows, EmptyFields, ExchangeRate::new))
    }

    /// How much of one commodity another one is worth: by the last rate of that day or an earlier one; two currencies convert through the
    /// shop's. It is an error when there is none. Needs `books.read`.
    async fn exchange_rate(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "One of which commodity: the code of a currency, or of a metal, a gram of which is meant."
        )]
        from: String,
        #[graphql(desc = "Into which; into the shop's currency without.")] to: Option<String>,
        #[graphql(desc = "At the end of which day; of today without.")] at: Option<Date>,
        #[graphql(desc = "As it was known then; as it is known now without.")] known_at: Option<
            DateTime<Utc>,
        >,
    ) -> async_graphql::Result<ExchangeRateQuote> {
        let viewer = ctx.viewer();
        let of = Conversion {
            from,
            to,
            date: at.map(|day| day.0),
            known_at,
        };
        let quote = ctx.domain().exchange_rates().quote(viewer, &of).await;
        Ok(ExchangeRateQuote::new(quote.or_graphql(viewer)?))
    }
}
