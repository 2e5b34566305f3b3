//! Imports of items from a file.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemImportId, JobId, UserId};

macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])+ $variant),+ }
    )+};
}

texts! {
    /// How a file is written.
    Format {
        /// A table with a line of headers.
        Csv,
        /// A JSON object a line.
        JsonLines,
    }
    /// What becomes of items that are there already.
    Mode {
        /// They stay as they are, and a row that wants them otherwise is refused.
        CreateOnly,
        /// They become what the row says.
        Upsert,
    }
    /// What tells which item a row is about.
    MatchBy {
        /// Its SKU.
        Sku,
        /// Its key in somebody else's system.
        ExternalReference,
    }
    /// What becomes of the other rows when some are refused.
    Policy {
        /// Nothing is written.
        RejectAll,
        /// They are written.
        RejectFailedRows,
    }
    /// How far an import has got.
    Phase {
        /// Every row is looked at, and nothing is written.
        Check,
        /// Rows are written.
        Write,
        /// All rows are dealt with.
        Done,
        /// Some row was refused, so that nothing was written.
        Rejected,
    }
}

/// An import of items from a file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_import")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ItemImportId,
    /// The job that does it.
    pub job_id: JobId,
    /// Where the file is in the private part of the blob store, until the import is finished.
    pub blob_key: String,
    /// Length of the file in bytes.
    pub byte_size: i64,
    /// How it is written; none when its content shall tell.
    pub format: Option<Format>,
    /// What becomes of items that are there already.
    pub mode: Mode,
    /// What tells which item a row is about.
    pub match_by: MatchBy,
    /// What becomes of the other rows when some are refused.
    pub policy: Policy,
    /// Whether everything is only looked at.
    pub dry_run: bool,
    /// Whether codes of new items are drawn.
    pub draw_codes: bool,
    /// Language of what is told about rows.
    pub locale: String,
    /// Who asked for it.
    pub user_id: Option<UserId>,
    /// How far it has got.
    pub phase: Phase,
    /// How many rows of the file have been dealt with in this phase, the line of headers included.
    pub next_row: i64,
    /// Rows with values that were looked at: the sum of the four below.
    pub rows_read: i64,
    /// Items that are new, or would be.
    pub created: i64,
    /// Items that have changed, or would have.
    pub updated: i64,
    /// Items that are as their row says already.
    pub unchanged: i64,
    /// Rows that were refused.
    pub failed: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
