//! The schema: its roots put together, its limits set.

use async_graphql::{MergedObject, Schema as Built, SchemaBuilder};

use super::{
    account::{
        AccountChartMutation, AccountMutation, AccountQuery, AccountRoleQuery,
        AccountValuationMutation, AccountValuationQuery,
    },
    ageing::AgeingQuery,
    attribute::AttributeMutation,
    backup::{BackupMutation, BackupQuery},
    barcode::BarcodeQuery,
    category::{CategoryMutation, CategoryQuery},
    code_batch::{CodeBatchMutation, CodeBatchQuery},
    count::{CountApprovalMutation, CountMutation, CountQuery},
    dimension::{DimensionMutation, DimensionQuery},
    event::Subscriptions,
    exchange_rate::{ExchangeRateMutation, ExchangeRateQuery},
    item::{
        ItemMutation, ItemQuery, ItemVariantMutation,
        duplicate::ItemDuplicateQuery,
        tag::{TagMutation, TagQuery},
    },
    item_bulk::ItemBulkMutation,
    item_export::{ItemExportMutation, ItemExportQuery},
    item_import::{ItemImportMutation, ItemImportQuery},
    job::{JobMutation, JobQuery},
    journal::{
        JournalAttachmentMutation, JournalDraftMutation, JournalDraftQuery, JournalHoldMutation,
        JournalHoldQuery, JournalMutation, JournalQuery, JournalVerificationMutation,
        JournalVerificationQuery, RevaluationMutation, RevaluationQuery,
    },
    journal_import::{JournalImportMutation, JournalImportQuery},
    label::{LabelMutation, LabelQuery},
    landed_cost::{LandedCostMutation, LandedCostQuery},
    location::{LocationMutation, LocationQuery},
    lot::{LotMutation, LotQuery},
    metal_rate::{MetalRateMutation, MetalRateQuery},
    node::NodeQuery,
    period::{FiscalYearClosingMutation, FiscalYearMutation, PeriodMutation, PeriodQuery},
    report::ReportQuery,
    report_export::{ReportExportMutation, ReportExportQuery},
    reservation::{ReservationMutation, ReservationQuery},
    retention::{RetentionMutation, RetentionQuery},
    saved_view::{SavedViewMutation, SavedViewQuery},
    scan::ScanQuery,
    schedule::{ScheduleMutation, ScheduleQuery},
    series::StockTimeSeriesQuery,
    shop::{ShopMutation, ShopQuery},
    stock::{
        StockMutation, StockQuery, StockReconciliationMutation, StockReconciliationQuery,
        StockReportQuery,
    },
    stock_account::{StockAccountMutation, StockAccountQuery},
    trail::{TrailHistoryQuery, TrailVerificationMutation, TrailVerificationQuery},
    transfer::{TransferMutation, TransferQuery},
    unit_of_measure::{MeasureQuery, UnitOfMeasureMutation, UnitOfMeasureQuery},
    user::{ApiTokenMutation, ApiTokenQuery, LoginMutation, SessionQuery, UserMutation, UserQuery},
    value::StockValueQuery,
};

/// What operators ask about. Merged by itself: what is merged one by one lies deep in each other's types, deeper than the compiler goes.
#[derive(MergedObject, Default)]
pub struct OperationsQuery(JobQuery, RetentionQuery, ScheduleQuery);

/// What operators do.
#[derive(MergedObject, Default)]
pub struct OperationsMutation(JobMutation, RetentionMutation, ScheduleMutation);

/// All queries.
#[derive(MergedObject, Default)]
pub struct Query(
    OperationsQuery,
    AccountQuery,
    AgeingQuery,
    AccountRoleQuery,
    AccountValuationQuery,
    ApiTokenQuery,
    BackupQuery,
    BarcodeQuery,
    CategoryQuery,
    DimensionQuery,
    ExchangeRateQuery,
    ItemDuplicateQuery,
    ItemExportQuery,
    ItemImportQuery,
    ItemQuery,
    JournalDraftQuery,
    JournalImportQuery,
    JournalHoldQuery,
    JournalQuery,
    JournalVerificationQuery,
    CodeBatchQuery,
    LabelQuery,
    LandedCostQuery,
    LocationQuery,
    LotQuery,
    MeasureQuery,
    MetalRateQuery,
    NodeQuery,
    PeriodQuery,
    ReportExportQuery,
    ReportQuery,
    ReservationQuery,
    RevaluationQuery,
    SavedViewQuery,
    ScanQuery,
    SessionQuery,
    ShopQuery,
    StockAccountQuery,
    StockQuery,
    StockReconciliationQuery,
    StockReportQuery,
    StockTimeSeriesQuery,
    StockValueQuery,
    TagQuery,
    CountQuery,
    TrailHistoryQuery,
    TrailVerificationQuery,
    TransferQuery,
    UnitOfMeasureQuery,
    UserQuery,
);

/// All mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    OperationsMutation,
    AccountChartMutation,
    AccountMutation,
    AccountValuationMutation,
    ApiTokenMutation,
    AttributeMutation,
    BackupMutation,
    CategoryMutation,
    DimensionMutation,
    ExchangeRateMutation,
    ItemBulkMutation,
    ItemExportMutation,
    ItemImportMutation,
    ItemMutation,
    ItemVariantMutation,
    FiscalYearClosingMutation,
    FiscalYearMutation,
    JournalAttachmentMutation,
    JournalDraftMutation,
    JournalImportMutation,
    JournalHoldMutation,
    JournalMutation,
    JournalVerificationMutation,
    CodeBatchMutation,
    LabelMutation,
    LandedCostMutation,
    LocationMutation,
    LoginMutation,
    LotMutation,
    MetalRateMutation,
    PeriodMutation,
    ReportExportMutation,
    ReservationMutation,
    RevaluationMutation,
    SavedViewMutation,
    ShopMutation,
    StockAccountMutation,
    StockMutation,
    StockReconciliationMutation,
    TagMutation,
    CountApprovalMutation,
    CountMutation,
    TrailVerificationMutation,
    TransferMutation,
    UnitOfMeasureMutation,
    UserMutation,
);

/// The schema.
pub type Schema = Built<Query, Mutation, Subscriptions>;

/// The schema without its data: enough to print it.
#[must_use]
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscriptions> {
    Built::build(Query::default(), Mutation::default(), Subscriptions)
}

/// The contract as text, in a stable order.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items();
    builder().finish().sdl_with_options(options)
}
