//! Ids as clients see them: opaque, and of a type. An id of another type is an error that says so.

use async_graphql::{Context, ID};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Code, Refusal};
use entity::id::{
    AccountFloorId, AccountId, ApiTokenId, AttributeId, BackupId, CategoryId, CodeBatchId,
    DimensionValueId, ExchangeRateId, FiscalYearId, ItemExportId, ItemId, ItemImageId,
    ItemImportId, JobFileId, JobId, JournalAttachmentId, JournalDraftId, JournalEntryId,
    JournalHoldId, JournalImportId, LabelSheetId, LedgerVerificationId, LocationId, LotId,
    MetalRateId, PeriodId, ReportExportId, RetentionRunId, RoleId, SavedViewId, ScheduleId,
    StockCountId, StockEntryId, StockLandedCostId, StockReconciliationId, StockReservationId,
    StockTransferId, TrailVerificationId, UnitOfMeasureId, UserId,
};
use uuid::Uuid;

use super::{context::ContextExt as _, error::OrGraphql as _};

/// An id that clients see.
pub trait GlobalId: From<Uuid> + Copy {
    /// The GraphQL type it belongs to.
    const TYPE: &'static str;

    /// The id inside.
    fn uuid(self) -> Uuid;

    /// As clients see it.
    fn encode(self) -> ID {
        ID(URL_SAFE_NO_PAD.encode(format!("{}:{}", Self::TYPE, self.uuid().simple())))
    }

    /// From what a client sent for the input field at `path`.
    ///
    /// # Errors
    /// When it is no id, or one of another type.
    fn parse(path: &str, id: &ID) -> Result<Self, Refusal> {
        match decode(id) {
            Some((kind, uuid)) if kind == Self::TYPE => Ok(Self::from(uuid)),
            _ => Err(Refusal::new(Code::InvalidFormat, path)
                .with("value", shortened(id))
                .with("expected", Self::TYPE)),
        }
    }

    /// The same in a query or a subscription, where there is no payload that could tell what is wrong.
    ///
    /// # Errors
    /// When it is no id, or one of another type, as an error of the field.
    fn parse_or_graphql(ctx: &Context<'_>, path: &str, id: &ID) -> async_graphql::Result<Self> {
        let parsed = Self::parse(path, id).map_err(domain::Error::from);
        parsed.or_graphql(ctx.viewer())
    }

    /// The same as [`GlobalId::parse`], for ids in a list.
    ///
    /// # Errors
    /// The first that is wrong, with its index in the path.
    fn parse_all(path: &str, ids: &[ID]) -> Result<Vec<Self>, Refusal> {
        ids.iter()
            .enumerate()
            .map(|(index, id)| Self::parse(&format!("{path}.{index}"), id))
            .collect()
    }
}

/// The type and the id inside, when it is one of ours.
#[must_use]
pub fn decode(id: &ID) -> Option<(String, Uuid)> {
    if id.len() > 100 {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id.as_str()).ok()?).ok()?;
    let (kind, uuid) = text.split_once(':')?;
    Some((kind.to_owned(), Uuid::try_parse(uuid).ok()?))
}

/// What a client sent, bounded.
#[must_use]
pub fn shortened(id: &ID) -> String {
    id.chars().take(60).collect()
}

macro_rules! global_ids {
    ($($id:ident = $name:literal),+ $(,)?) => {$(
        impl GlobalId for $id {
            const TYPE: &'static str = $name;

            fn uuid(self) -> Uuid {
                self.0
            }
        }
    )+};
}

global_ids! {
    AccountFloorId = "AccountFloor",
    AccountId = "Account",
    ApiTokenId = "ApiToken",
    AttributeId = "Attribute",
    BackupId = "Backup",
    CategoryId = "Category",
    CodeBatchId = "CodeBatch",
    DimensionValueId = "DimensionValue",
    ExchangeRateId = "ExchangeRate",
    FiscalYearId = "FiscalYear",
    ItemExportId = "ItemExport",
    ItemId = "Item",
    ItemImageId = "ItemImage",
    ItemImportId = "ItemImport",
    JobFileId = "JobFile",
    JobId = "Job",
    JournalAttachmentId = "JournalAttachment",
    JournalDraftId = "JournalDraft",
    JournalEntryId = "JournalEntry",
    JournalHoldId = "JournalHold",
    JournalImportId = "JournalImport",
    LabelSheetId = "LabelSheet",
    LedgerVerificationId = "LedgerVerification",
    LocationId = "Location",
    LotId = "Lot",
    MetalRateId = "MetalRate",
    PeriodId = "Period",
    ReportExportId = "ReportExport",
    RetentionRunId = "RetentionRun",
    RoleId = "Role",
    SavedViewId = "SavedView",
    ScheduleId = "Schedule",
    StockCountId = "StockCount",
    StockEntryId = "StockEntry",
    StockLandedCostId = "StockLandedCost",
    StockReconciliationId = "StockReconciliation",
    StockReservationId = "StockReservation",
    StockTransferId = "StockTransfer",
    TrailVerificationId = "TrailVerification",
    UnitOfMeasureId = "UnitOfMeasure",
    UserId = "User",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_and_one_of_another_type_does_not() {
        let id = CategoryId(Uuid::from_u128(7));
        assert_eq!(CategoryId::parse("id", &id.encode()), Ok(id));
        assert!(ItemId::parse("id", &id.encode()).is_err_and(|r| r.code == Code::InvalidFormat));
        for text in ["", "1", "Category:7", &"x".repeat(10_000), "گ"] {
            assert!(
                CategoryId::parse("id", &ID(text.to_owned())).is_err(),
                "{text}"
            );
        }
    }
}
