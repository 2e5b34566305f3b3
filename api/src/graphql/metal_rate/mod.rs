//! Metal rates: the object, its queries and its mutation.

pub mod mutation;

use async_graphql::{Context, Enum, ID, Object, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    currency::Currency,
    metal_rate::{MetalRate as Row, MetalRateFilter},
};

pub use mutation::MetalRateMutation;

use super::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    page::{self, Connection},
};

/// A precious metal.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::metal_rate::Metal")]
pub enum Metal {
    /// Au.
    Gold,
    /// Ag.
    Silver,
    /// Pt.
    Platinum,
    /// Pd.
    Palladium,
}

/// What a gram of metal costs, from when on. A rate is never changed; a mistake is corrected by recording another one.
#[derive(SimpleObject)]
pub struct MetalRate {
    /// Opaque id.
    pub id: ID,
    /// Of which metal.
    metal: Metal,
    /// Of which fineness, in parts per thousand.
    fineness: Decimal,
    /// ISO 4217 code of the currency.
    currency: String,
    /// Price of one gram of that fineness.
    price_per_gram: Decimal,
    /// From when on it holds, until one with a later time does.
    effective_at: DateTime<Utc>,
    /// Where it comes from.
    source: String,
    /// When it was recorded: later than `effectiveAt` when it was back-dated.
    recorded_at: DateTime<Utc>,
}

impl MetalRate {
    /// As clients see it. Trailing zeros are the column's, not the rate's.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            metal,
            fineness,
            currency,
            price_per_gram,
            effective_at,
            source,
            created_at,
        } = row;
        Self {
            id: id.encode(),
            metal: metal.into(),
            fineness: Decimal(fineness.normalize()),
            currency,
            price_per_gram: Decimal(price_per_gram.normalize()),
            effective_at,
            source,
            recorded_at: created_at,
        }
    }
}

/// Which rates, as clients ask for them.
///
/// # Errors
/// When the currency is no code.
pub fn filter(metal: Option<Metal>, currency: Option<&str>) -> domain::Result<MetalRateFilter> {
    let currency = currency.map(|code| Currency::parse("currency", code));
    Ok(MetalRateFilter {
        metal: metal.map(Into::into),
        currency: currency.transpose()?,
    })
}

/// Queries about metal rates.
#[derive(Default)]
pub struct MetalRateQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl MetalRateQuery {
    /// The rates that were recorded, in pages, by the time from which they hold, latest first. Needs `catalogue.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn metal_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this metal only.")] metal: Option<Metal>,
        #[graphql(desc = "In this currency only: an ISO 4217 code.")] currency: Option<String>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<MetalRate>> {
        let viewer = ctx.viewer();
        let filter = filter(metal, currency.as_deref()).or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .metal_rates()
            .page(viewer, &filter, &args)
            .await
            .or_graphql(viewer)?;
        Ok(page::connection(rows, EmptyFields, MetalRate::new))
    }

    /// The rate that holds now: of those whose time has come the one with the latest; null when there is none. Needs `catalogue.read`.
    async fn metal_rate_latest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which metal.")] metal: Metal,
        #[graphql(desc = "In which currency: an ISO 4217 code.")] currency: String,
    ) -> async_graphql::Result<Option<MetalRate>> {
        let viewer = ctx.viewer();
        let currency = Currency::parse("currency", &currency)
            .map_err(Into::into)
            .or_graphql(viewer)?;
        let row = ctx
            .domain()
            .metal_rates()
            .latest(viewer, (metal.into(), currency))
            .await;
        Ok(row.or_graphql(viewer)?.map(MetalRate::new))
    }
}
