//! Reservations: stock that is held for somebody.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, LocationId, LotId, StockReservationId};

/// What became of a reservation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Something is held.
    Active,
    /// All of it was issued.
    Fulfilled,
    /// It was let go.
    Released,
    /// Its time is over.
    Expired,
}

/// Stock that is held for somebody.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_reservation")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockReservationId,
    /// Which item.
    pub item_id: ItemId,
    /// Where.
    pub location_id: LocationId,
    /// Of which lot; of any without.
    pub lot_id: Option<LotId>,
    /// How many it held in the beginning, in the item's unit.
    pub quantity: Decimal,
    /// How many it still holds.
    pub open: Decimal,
    /// What became of it.
    pub state: State,
    /// Who it is held for, such as a cart or an order.
    pub consumer: String,
    /// The paper behind it.
    pub document: Option<String>,
    /// Until when it holds; for ever without.
    pub expires_at: Option<DateTime<Utc>>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
