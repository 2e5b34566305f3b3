//! One id type per table, so that an item's id can never be passed where a category's is meant.
//!
//! Every id is a UUIDv7: sortable by creation time, made by the domain's id generator and never by the database.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            Serialize, Deserialize, DeriveValueType,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        // SeaORM asks every primary key for this; a UUID never comes from a number.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+};
}

id! {
    /// A place in the books to which amounts are posted, or a group of such.
    AccountId,
    /// What an account may not fall below.
    AccountFloorId,
    /// A token that lets a program act for a user.
    ApiTokenId,
    /// What a category says about its items.
    AttributeId,
    /// A backup of everything.
    BackupId,
    /// A node of the category tree.
    CategoryId,
    /// A batch of codes.
    CodeBatchId,
    /// A subsidiary account, a cost centre or a project.
    DimensionValueId,
    /// What a currency is worth on a day.
    ExchangeRateId,
    /// An export of items into a file.
    ItemExportId,
    /// A year of the books, with numbers of its own.
    FiscalYearId,
    /// What is sold or kept.
    ItemId,
    /// A picture of an item.
    ItemImageId,
    /// An import of items from a file.
    ItemImportId,
    /// A piece of background work.
    JobId,
    /// A file that a job has left behind.
    JobFileId,
    /// A file that belongs to an entry of the books.
    JournalAttachmentId,
    /// An entry of the books that is being prepared.
    JournalDraftId,
    /// What was posted to the books at once.
    JournalEntryId,
    /// An import of entries of the books from a file.
    JournalImportId,
    /// What is going to be posted.
    JournalHoldId,
    /// A sheet of labels to print.
    LabelSheetId,
    /// A proof that the books are what their lines make them.
    LedgerVerificationId,
    /// A place where stock lies.
    LocationId,
    /// Pieces of an item that belong together, or one piece.
    LotId,
    /// What a gram of metal costs.
    MetalRateId,
    /// A part of a fiscal year that is open or closed.
    PeriodId,
    /// A queue's standing still.
    QueuePauseId,
    /// An export of a report into a file.
    ReportExportId,
    /// A clearing up of what is old.
    RetentionRunId,
    /// A named set of permissions.
    RoleId,
    /// A list as somebody wants to see it again.
    SavedViewId,
    /// What is done by itself, and when.
    ScheduleId,
    /// A count of what lies at some places.
    StockCountId,
    /// Movements of stock that were made at once.
    StockEntryId,
    /// What made a receipt cost more or less later.
    StockLandedCostId,
    /// A proof that levels are the sums of movements.
    StockReconciliationId,
    /// Stock that is held for somebody.
    StockReservationId,
    /// Goods that go from one place to another.
    StockTransferId,
    /// A proof that nothing was changed behind the trail's back.
    TrailVerificationId,
    /// A unit in which quantities are counted or measured.
    UnitOfMeasureId,
    /// A person who logs in.
    UserId,
}
