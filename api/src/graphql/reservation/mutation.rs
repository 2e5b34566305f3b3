//! What clients can do to reservations.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    reservation::{NewReservations, ReserveLine, StockReservation as Row},
};
use entity::id::{ItemId, LocationId, LotId, StockReservationId};

use super::StockReservation;
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// Something to hold.
#[derive(InputObject)]
pub struct StockReserveLineInput {
    /// Which item.
    item_id: ID,
    /// Where.
    location_id: ID,
    /// Of which lot or serial; of any without.
    lot_id: Option<ID>,
    /// How many, in the item's unit: above 0, with at most 6 decimal places.
    quantity: Decimal,
}

/// What is to be held, for whom and for how long.
#[derive(InputObject)]
pub struct StockReserveInput {
    /// What: at most 1,000 lines, all of them or none.
    lines: Vec<StockReserveLineInput>,
    /// Who it is held for, such as `cart` or `order`; at most 50 characters.
    consumer: String,
    /// The paper behind it, such as the number of the order.
    document: Option<String>,
    /// Until when; for ever without. From then on it can be sold to others at once.
    expires_at: Option<DateTime<Utc>>,
    /// Whether less is held where there is not enough. A line of which there is nothing holds nothing, and is not among the answers.
    #[graphql(default)]
    partial: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A reservation to let go of.
#[derive(InputObject)]
pub struct StockReservationReleaseInput {
    /// Which reservation.
    id: ID,
    /// How many of what it holds; all without.
    quantity: Option<Decimal>,
    /// Refuse when the reservation's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of holding stock.
#[derive(SimpleObject)]
pub struct StockReservePayload {
    /// The reservations, one for each line that holds something; empty when it was refused.
    reservations: Vec<StockReservation>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of letting go of a reservation.
#[derive(SimpleObject)]
pub struct StockReservationReleasePayload {
    /// The reservation; null when it was refused.
    reservation: Option<StockReservation>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of reservations.
#[derive(Default)]
pub struct ReservationMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl ReservationMutation {
    /// Holds stock for somebody: nobody else can sell it until it is issued, let go or its time is over. Needs `stock.write`.
    async fn stock_reserve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, for whom and for how long.")] input: StockReserveInput,
    ) -> async_graphql::Result<StockReservePayload> {
        let (rows, user_errors) = settle(ctx, reserve(ctx, input).await)?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(StockReservePayload {
            reservations: rows.map(StockReservation::new).collect(),
            user_errors,
        })
    }

    /// Lets go of what is held, or of a part of it; one that holds nothing any more stays as it is. Needs `stock.write`.
    async fn stock_reservation_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which reservation, and how much of it.")]
        input: StockReservationReleaseInput,
    ) -> async_graphql::Result<StockReservationReleasePayload> {
        let (row, user_errors) = settle(ctx, release(ctx, input).await)?;
        Ok(StockReservationReleasePayload {
            reservation: row.map(StockReservation::new),
            user_errors,
        })
    }
}

async fn reserve(ctx: &Context<'_>, input: StockReserveInput) -> domain::Result<Vec<Row>> {
    let StockReserveInput {
        lines,
        consumer,
        document,
        expires_at,
        partial,
        idempotency_key,
    } = input;
    let lines = lines.into_iter().enumerate().map(|(row, line)| {
        let StockReserveLineInput {
            item_id,
            location_id,
            lot_id,
            quantity,
        } = line;
        let at = |field| format!("lines.{row}.{field}");
        let lot_id = lot_id.map(|id| LotId::parse(&at("lotId"), &id));
        Ok(ReserveLine {
            item_id: ItemId::parse(&at("itemId"), &item_id)?,
            location_id: LocationId::parse(&at("locationId"), &location_id)?,
            lot_id: lot_id.transpose()?,
            quantity: quantity.0,
        })
    });
    let new = NewReservations {
        lines: lines.collect::<domain::Result<_>>()?,
        consumer,
        document,
        expires_at,
        partial,
    };
    let reservations = ctx.domain().reservations();
    reservations
        .reserve(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn release(ctx: &Context<'_>, input: StockReservationReleaseInput) -> domain::Result<Row> {
    let StockReservationReleaseInput {
        id,
        quantity,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockReservationId::parse("id", &id)?;
    let quantity = quantity.map(|Decimal(quantity)| quantity);
    let reservations = ctx.domain().reservations();
    reservations
        .release(
            ctx.viewer(),
            id,
            quantity,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}
