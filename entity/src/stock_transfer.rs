//! Transfers of stock from one place to another.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{LocationId, StockTransferId};

/// How far a transfer has got.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody wants it.
    Requested,
    /// It lies ready, held where it comes from.
    Picked,
    /// It is on its way.
    InTransit,
    /// It has arrived, as far as it will.
    Received,
    /// Nobody wants it any more.
    Cancelled,
}

/// Goods that go from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_transfer")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockTransferId,
    /// Short number for people, given by the database, with gaps.
    pub number: i64,
    /// How far it has got.
    pub state: State,
    /// From where.
    pub from_location_id: LocationId,
    /// To where.
    pub to_location_id: LocationId,
    /// The paper behind it.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub note: Option<String>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
