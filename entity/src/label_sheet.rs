//! Sheets of labels.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{JobId, LabelSheetId};

/// A sheet of labels that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "label_sheet")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LabelSheetId,
    /// The job that draws it.
    pub job_id: JobId,
    /// What each label shows, on what, how often, in which language.
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// Ids of the items that get labels, in this order.
    pub item_ids: Vec<Uuid>,
    /// How many labels there are to be.
    pub label_count: i32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
