//! Stock levels: what lies where. Kept by the database, from movements and reservations.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;

use crate::id::{ItemId, LocationId};

/// What lies of an item at a location.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_level")]
pub struct Model {
    /// Which item.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: ItemId,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub location_id: LocationId,
    /// How many, in the item's unit.
    pub on_hand: Decimal,
    /// How many of them are held for somebody, those included whose time is over.
    pub reserved: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
    /// Whether there may be less than nothing: a copy from the location.
    pub may_run_short: bool,
    /// Counts changes.
    pub version: i64,
    /// Until when it is known.
    pub changed_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
