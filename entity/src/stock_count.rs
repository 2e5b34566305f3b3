//! Counts of stock: what lies at some places is compared with what should lie there.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{CategoryId, LocationId, StockCountId, StockEntryId};

/// How far a count has got.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// People are scanning.
    Open,
    /// Nobody scans any more: what was found is compared with what should be there.
    Review,
    /// What differed was put right.
    Posted,
    /// It was given up.
    Cancelled,
}

/// A count of what lies below a location.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_count")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockCountId,
    /// Short number for people, given by the database, with gaps.
    pub number: i64,
    /// How far it has got.
    pub state: State,
    /// What lies at it and below it is counted.
    pub location_id: LocationId,
    /// Only items of this category, and of those below it.
    pub category_id: Option<CategoryId>,
    /// Whether those who count do not see what should be there.
    pub is_blind: bool,
    /// What differs by more per cent of what should be there is better counted again.
    pub tolerance: Decimal,
    /// How often has been counted, the present round included.
    pub round: i32,
    /// What somebody has to say about it.
    pub note: Option<String>,
    /// What sort of actor opened it: `user` or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Their name at that time.
    pub actor_name: String,
    /// What sort of actor approved it.
    pub approver_kind: Option<String>,
    /// The user, when it was one.
    pub approver_id: Option<Uuid>,
    /// Their name at that time.
    pub approver_name: Option<String>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// What put right what differed; none when nothing did.
    pub entry_id: Option<StockEntryId>,
    /// When counting last came to an end.
    pub finished_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
