//! Stock entries: movements that were made at once.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::StockEntryId;

/// What sort of thing was done.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Goods came in from outside.
    Receive,
    /// They went from one place in the shop to another.
    Move,
    /// They left.
    Issue,
    /// There were more or fewer than was known.
    Adjust,
    /// Things were made into others.
    Transform,
    /// An entry was undone.
    Reverse,
}

/// Why it was done.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Received: bought from a supplier.
    Purchased,
    /// Received: brought back by a customer.
    Returned,
    /// Received: made in the workshop.
    Produced,
    /// Moved: brought to another place.
    Moved,
    /// Issued: sold to a customer.
    Sold,
    /// Issued: sent back to its supplier.
    ReturnedToSupplier,
    /// Issued: used up in the workshop.
    Used,
    /// Adjusted: what was there when goldshop began.
    Opening,
    /// Adjusted: there were more than was known.
    Found,
    /// Adjusted: another number was counted.
    Counted,
    /// Adjusted: another weight was found.
    Weighed,
    /// Adjusted: something was written down wrongly.
    Corrected,
    /// Adjusted or issued: nobody knows where it is.
    Lost,
    /// Adjusted or issued: somebody took it.
    Stolen,
    /// Adjusted or issued: it is broken.
    Damaged,
    /// Adjusted or issued: its time is over.
    Expired,
    /// Transformed: metal was melted.
    Melted,
    /// Transformed: one lot became several.
    Split,
    /// Transformed: several lots became one.
    Merged,
    /// Transformed: parts became a whole.
    Assembled,
    /// Transformed: a whole became parts.
    Disassembled,
    /// Reversed: it should not have been done.
    Mistaken,
}

/// Movements that were made at once. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_entry")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockEntryId,
    /// Short number given by the database, with gaps.
    pub number: i64,
    /// What sort of thing was done.
    pub kind: Kind,
    /// Why.
    pub reason: Reason,
    /// The paper behind it, such as a delivery note.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub note: Option<String>,
    /// When it happened.
    pub effective_at: DateTime<Utc>,
    /// When goldshop heard of it.
    pub recorded_at: DateTime<Utc>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
    /// The entry that it undoes.
    pub reverses_id: Option<StockEntryId>,
    /// How many movements it has.
    pub lines: i32,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
