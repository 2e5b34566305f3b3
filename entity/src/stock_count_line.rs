//! Lines of counts: what was counted of one thing at one place, and what should be there. Written by the database alone.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, LocationId, LotId, StockCountId};

/// What was counted of an item, or of a lot, at a location. Quantities are in the item's unit.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_count_line")]
pub struct Model {
    /// Short number, given by the database, with gaps.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// Of which count.
    pub count_id: StockCountId,
    /// In which of its rounds.
    pub round: i32,
    /// Whether it was not counted again since.
    pub is_current: bool,
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot; none when all pieces are alike.
    pub lot_id: Option<LotId>,
    /// Where.
    pub location_id: LocationId,
    /// Whether it is a single piece.
    pub is_serial: bool,
    /// Whether the item is weighed.
    pub is_weighed: bool,
    /// How many were found.
    pub counted: Decimal,
    /// What those weigh, in grams. A piece that was not weighed weighs nothing until it is compared, and then what it should.
    pub counted_weight: Decimal,
    /// How often it was scanned.
    pub scans: i32,
    /// The moment that the tally is about; none when nobody scanned it.
    pub last_scan_at: Option<DateTime<Utc>>,
    /// When it was compared.
    pub settled_at: Option<DateTime<Utc>>,
    /// How many should have been there.
    pub expected: Option<Decimal>,
    /// What those should weigh, in grams.
    pub expected_weight: Option<Decimal>,
    /// How many more were found than should have been there.
    pub variance: Option<Decimal>,
    /// How many grams more.
    pub weight_variance: Option<Decimal>,
    /// Whether it differs by more than the count's tolerance.
    pub needs_recount: Option<bool>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
