//! What clients can do to exchange rates.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    exchange_rate::{ExchangeRate as Row, NewExchangeRate},
};

use super::ExchangeRate;
use crate::graphql::{
    context::ContextExt,
    date::Date,
    decimal::Decimal,
    guard::Needs,
    payload::{UserError, settle},
};

/// A rate to be recorded.
#[derive(InputObject)]
pub struct ExchangeRateRecordInput {
    /// Of which currency: ISO 4217 code of another than the shop's. Metals have rates of their own: see `metalRateRecord`.
    commodity: String,
    /// How much of the shop's currency one of it is worth: above 0, with at most 12 decimal places.
    rate: Decimal,
    /// Of which day: none that is still to come. Of today without.
    date: Option<Date>,
    /// Where it comes from, such as the name of a bank.
    source: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of recording a rate.
#[derive(SimpleObject)]
pub struct ExchangeRateRecordPayload {
    /// The rate; null when it was refused.
    exchange_rate: Option<ExchangeRate>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of exchange rates.
#[derive(Default)]
pub struct ExchangeRateMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl ExchangeRateMutation {
    /// Records what one of a currency is worth in the shop's. What is posted from then on in that currency, on that day or later, is valued with it;
    /// what was posted stays as it is. Needs `books.post`.
    async fn exchange_rate_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rate.")] input: ExchangeRateRecordInput,
    ) -> async_graphql::Result<ExchangeRateRecordPayload> {
        let (row, user_errors) = settle(ctx, record(ctx, input).await)?;
        Ok(ExchangeRateRecordPayload {
            exchange_rate: row.map(ExchangeRate::new),
            user_errors,
        })
    }
}

async fn record(ctx: &Context<'_>, input: ExchangeRateRecordInput) -> domain::Result<Row> {
    let ExchangeRateRecordInput {
        commodity,
        rate,
        date,
        source,
        idempotency_key,
    } = input;
    let new = NewExchangeRate {
        commodity,
        rate: rate.0,
        date: date.map(|day| day.0),
        source,
    };
    let rates = ctx.domain().exchange_rates();
    rates
        .record(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}
