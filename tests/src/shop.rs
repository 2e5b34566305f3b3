//! Things that many tests need in their shop before they begin.

#![expect(
    clippy::expect_used,
    reason = "a shop that cannot be furnished has to fail the test"
)]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{actor::Actor, answer::Answer};

/// The unit `piece`, which every database has. Global ids are the type's name and the UUID.
const PIECE: &str = "query { unitsOfMeasure { id code } }";

/// What is asked about a category after a mutation.
const CATEGORY: &str =
    "category { id parentId depth position name icon colour externalReference archivedAt version }";
/// What is asked about an item after a mutation.
const ITEM: &str = "item { id kind sku name description tracking price { amount currency } attributes tags barcodes \
    images { id state } primaryImage { id } externalReference archivedAt version category { id } unit { id } }";

/// What is asked about an attribute after a mutation.
const ATTRIBUTE: &str = "attribute { id name label type required unique min max default version retiredAt options { value label } } \
    report { checked invalid examples { sku errors { code path message } } }";

/// What is asked about a location after a mutation.
const LOCATION: &str = "location { id parent { id } code name kind isVirtual negativeAllowed capacity externalReference archivedAt version categories { id } }";

/// What is asked about a lot after a mutation.
const LOT: &str = "lot { id number kind state expiresOn fineness huid certificateNumber version }";

/// What is asked about a stock entry after a mutation.
const STOCK_ENTRY: &str = "entry { id number kind reason document effectiveAt recordedAt lines reverses { id } \
    movements(first: 100) { nodes { line quantity weight fineWeight item { id } lot { id number fineness } from { code } to { code } } } }";

/// What is asked about a landed cost after a mutation.
const LANDED_COST: &str = "landedCost { id number kind method amount document description effectiveAt lineCount isPending entry { id } reverses { id } \
    lines(first: 100) { nodes { line amount item { id } } } }";

/// What is asked about reservations after a mutation.
const RESERVATIONS: &str =
    "reservations { id quantity open state consumer document expiresAt version }";

/// What is asked about a transfer after a mutation.
const TRANSFER: &str = "transfer { id number state version lines { line requested picked sent sentWeight received receivedWeight missing \
    lot { number } } }";

/// What is asked about a count after a mutation.
const COUNT: &str = "count { id number state round version approvedByName entry { id number } progress { lines scans differing toRecount } }";

/// What is asked about a metal rate after a mutation.
const METAL_RATE: &str =
    "metalRate { id metal fineness currency pricePerGram effectiveAt source recordedAt }";

/// What is asked about a view after a mutation.
const SAVED_VIEW: &str = "savedView { id list name shared ownerName isOwn isDefault version content { ... on SavedItemList { arguments columns } } }";

/// What is asked about a unit after a mutation.
const UNIT: &str =
    "unitOfMeasure { id code name dimension numerator denominator spellings version }";

/// What is asked about many items after a mutation.
const ROWS: &str = "rows { row itemId item { sku version archivedAt } }";
/// What is asked about an import after it was asked for.
const IMPORT: &str =
    "itemImport { id phase mode matchBy policy dryRun bytes rowsRead job { id state } }";

/// What is asked about an account after a mutation.
const ACCOUNT: &str = "account { id code name kind normalSide isGroup commodity subsidiaryKind depth parent { id } archivedAt version }";

/// What is asked about an entry of the books after a mutation.
const JOURNAL_ENTRY: &str = "entry { id number date kind description document { type id } lineCount fiscalYear { name } reverses { id } \
    lines(first: 100) { nodes { line commodity debit credit quantity description account { id code } location { code } } } }";

/// What is asked about a period after a mutation.
const PERIOD: &str = "period { id name startsOn endsOn closedAt version }";

/// What is asked about a subsidiary account, a cost centre or a project after a mutation.
const DIMENSION_VALUE: &str = "dimensionValue { id kind code name archivedAt version }";

/// What is asked about a backup after a mutation.
const BACKUP: &str =
    "backup { id state isIncremental note name job { id state } verificationJob { id state } }";

/// What is asked about a fiscal year that was closed or opened again.
const YEAR_POSTED: &str =
    "fiscalYear { id name periods { closedAt } } entries { id number date kind lineCount }";

/// What is asked about a hold after a mutation.
const JOURNAL_DRAFT: &str = "draft { id state date kind description version lineCount endedAt entry { id } lines { nodes { line debit credit \
    commodity description account { code } } } }";
const JOURNAL_HOLD: &str = "hold { id state description expiresAt endedAt version lines { line debit credit commodity account { code } \
    subsidiary { code } } }";

const QUEUE: &str = "queue { name waiting running failed dead pause { by reason } }";
const SCHEDULE: &str = "schedule { id name cron timeZone effectiveTimeZone errand enabled whenMissed allowOverlap nextAt lastTick version }";

/// Mutations by name: the type of their input, and what is asked of their payload.
const MUTATIONS: &[(&str, &str, &str)] = &[
    (
        "accountFloorClear",
        "AccountFloorClearInput",
        "floor { id version }",
    ),
    (
        "accountFloorSet",
        "AccountFloorSetInput",
        "floor { id commodity side amount version subsidiary { code } }",
    ),
    (
        "accountImport",
        "AccountImportInput",
        "accounts { id code kind parent { code } }",
    ),
    ("accountMove", "AccountMoveInput", ACCOUNT),
    (
        "accountRoleSet",
        "AccountRoleSetInput",
        "accountRole { role account { code } }",
    ),
    (
        "accountValuationSet",
        "AccountValuationSetInput",
        "accountValuation { account { code } valuationAccount { code } }",
    ),
    (
        "dimensionValueArchive",
        "DimensionValueArchiveInput",
        DIMENSION_VALUE,
    ),
    (
        "dimensionValueCreate",
        "DimensionValueCreateInput",
        DIMENSION_VALUE,
    ),
    (
        "dimensionValueRestore",
        "DimensionValueArchiveInput",
        DIMENSION_VALUE,
    ),
    (
        "dimensionValueUpdate",
        "DimensionValueUpdateInput",
        DIMENSION_VALUE,
    ),
    (
        "exchangeRateRecord",
        "ExchangeRateRecordInput",
        "exchangeRate { id commodity baseCurrency date rate source recordedAt actorName }",
    ),
    ("fiscalYearClose", "FiscalYearCloseInput", YEAR_POSTED),
    ("fiscalYearReopen", "FiscalYearReopenInput", YEAR_POSTED),
    (
        "journalAttachmentAdd",
        "JournalAttachmentAddInput",
        "attachment { id name mediaType bytes url actorName }",
    ),
    (
        "journalAttachmentRemove",
        "JournalAttachmentRemoveInput",
        "attachment { id name }",
    ),
    (
        "journalDraftCreate",
        "JournalDraftCreateInput",
        JOURNAL_DRAFT,
    ),
    (
        "journalDraftDiscard",
        "JournalDraftDiscardInput",
        JOURNAL_DRAFT,
    ),
    (
        "journalDraftPost",
        "JournalDraftPostInput",
        "draft { id state version entry { id } } entry { id number date kind description lines { nodes { line } } }",
    ),
    (
        "journalDraftUpdate",
        "JournalDraftUpdateInput",
        JOURNAL_DRAFT,
    ),
    (
        "journalRevalue",
        "JournalRevalueInput",
        "entry { id number date kind lineCount } accounts { account { code } commodity balance unvalued rate rateDate value carried difference \
         valuationAccount { code } }",
    ),
    ("journalHold", "JournalHoldInput", JOURNAL_HOLD),
    (
        "journalHoldPost",
        "JournalHoldPostInput",
        "hold { id state version entry { id } } entry { id number date }",
    ),
    ("journalHoldVoid", "JournalHoldVoidInput", JOURNAL_HOLD),
    ("accountArchive", "AccountArchiveInput", ACCOUNT),
    ("accountCreate", "AccountCreateInput", ACCOUNT),
    ("accountRestore", "AccountArchiveInput", ACCOUNT),
    (
        "accountTemplateApply",
        "AccountTemplateApplyInput",
        "accounts { id code kind normalSide isGroup commodity name nameTranslations { language text } parent { code } }",
    ),
    ("accountUpdate", "AccountUpdateInput", ACCOUNT),
    ("attributeCreate", "AttributeCreateInput", ATTRIBUTE),
    ("attributeUpdate", "AttributeUpdateInput", ATTRIBUTE),
    ("attributeRetire", "AttributeRetireInput", ATTRIBUTE),
    ("attributeRestore", "AttributeRestoreInput", ATTRIBUTE),
    (
        "auditVerify",
        "AuditVerifyInput",
        "verification { id finishedAt }",
    ),
    (
        "ledgerVerify",
        "LedgerVerifyInput",
        "ledgerVerification { id asOf finishedAt differenceCount differences { kind } job { id } }",
    ),
    ("backupCreate", "BackupCreateInput", BACKUP),
    ("backupVerify", "BackupVerifyInput", BACKUP),
    ("categoryCreate", "CategoryCreateInput", CATEGORY),
    ("categoryUpdate", "CategoryUpdateInput", CATEGORY),
    ("categoryMove", "CategoryMoveInput", CATEGORY),
    (
        "categoryReorder",
        "CategoryReorderInput",
        "categories { id position version }",
    ),
    ("categoryArchive", "CategoryArchiveInput", CATEGORY),
    ("categoryRestore", "CategoryArchiveInput", CATEGORY),
    ("itemCreate", "ItemCreateInput", ITEM),
    ("itemUpdate", "ItemUpdateInput", ITEM),
    ("itemArchive", "ItemArchiveInput", ITEM),
    ("itemRestore", "ItemArchiveInput", ITEM),
    (
        "itemImageUpload",
        "ItemImageUploadInput",
        "item { id version } image { id state width height mediaType } job { id }",
    ),
    ("itemImageRemove", "ItemImageRemoveInput", ITEM),
    ("itemImageReorder", "ItemImageReorderInput", ITEM),
    ("itemImageFocus", "ItemImageFocusInput", ITEM),
    (
        "itemImagesRegenerate",
        "ItemImagesRegenerateInput",
        "job { id kind state }",
    ),
    ("itemOptionsSet", "ItemOptionsSetInput", ITEM),
    (
        "itemVariantsGenerate",
        "ItemVariantsGenerateInput",
        "template { id version } created existing combinations { sku isNew item { id sku version } }",
    ),
    (
        "itemStockingSet",
        "ItemStockingSetInput",
        "stocking { isWeighed weightTolerance version }",
    ),
    ("itemsCreate", "ItemsCreateInput", ROWS),
    ("itemsUpdate", "ItemsUpdateInput", ROWS),
    ("itemsArchive", "ItemsArchiveInput", ROWS),
    ("itemsRestore", "ItemsArchiveInput", ROWS),
    ("itemImportCreate", "ItemImportCreateInput", IMPORT),
    (
        "itemExportCreate",
        "ItemExportCreateInput",
        "itemExport { id format rows job { id } }",
    ),
    (
        "journalImportCreate",
        "JournalImportCreateInput",
        "journalImport { id state format dryRun bytes job { id } }",
    ),
    (
        "reportExportCreate",
        "ReportExportCreateInput",
        "reportExport { id format rows job { id } }",
    ),
    (
        "fiscalYearCreate",
        "FiscalYearCreateInput",
        "fiscalYear { id name startsOn endsOn periods { id name startsOn endsOn closedAt version } }",
    ),
    (
        "jobCancel",
        "JobCancelInput",
        "job { id state cancelRequestedAt finishedAt }",
    ),
    (
        "jobEnqueue",
        "JobEnqueueInput",
        "isNew job { id kind queue state priority uniqueKey userId }",
    ),
    (
        "jobRetry",
        "JobRetryInput",
        "job { id state attempts maxAttempts error finishedAt }",
    ),
    ("journalPost", "JournalPostInput", JOURNAL_ENTRY),
    (
        "journalPostBulk",
        "JournalPostBulkInput",
        "entries { id number date fiscalYear { name } }",
    ),
    ("journalReverse", "JournalReverseInput", JOURNAL_ENTRY),
    (
        "codeBatchCreate",
        "CodeBatchCreateInput",
        "codeBatch { id subject format picture level hasLogo codeCount job { id kind state } }",
    ),
    (
        "labelSheetCreate",
        "LabelSheetCreateInput",
        "labelSheet { id kind layout itemCount labelCount job { id kind state } }",
    ),
    ("locationCreate", "LocationCreateInput", LOCATION),
    ("locationUpdate", "LocationUpdateInput", LOCATION),
    ("locationMove", "LocationMoveInput", LOCATION),
    ("locationArchive", "LocationArchiveInput", LOCATION),
    ("locationRestore", "LocationArchiveInput", LOCATION),
    ("lotUpdate", "LotUpdateInput", LOT),
    ("metalRateRecord", "MetalRateRecordInput", METAL_RATE),
    ("periodClose", "PeriodCloseInput", PERIOD),
    ("periodReopen", "PeriodReopenInput", PERIOD),
    (
        "deadLettersRedrive",
        "DeadLettersRedriveInput",
        "count hasMore",
    ),
    ("queuePause", "QueuePauseInput", QUEUE),
    ("queueResume", "QueueResumeInput", QUEUE),
    (
        "legalHoldSet",
        "LegalHoldSetInput",
        "legalHold { held reason version }",
    ),
    (
        "retentionPolicyUpdate",
        "RetentionPolicyUpdateInput",
        "retentionPolicy { subject keepDays minimumDays enabled version }",
    ),
    (
        "retentionRun",
        "RetentionRunInput",
        "retentionRun { id dryRun wasHeld finishedAt job { id state } }",
    ),
    ("savedViewCreate", "SavedViewCreateInput", SAVED_VIEW),
    ("savedViewUpdate", "SavedViewUpdateInput", SAVED_VIEW),
    ("savedViewDelete", "SavedViewDeleteInput", "deletedId"),
    (
        "savedViewDefaultSet",
        "SavedViewDefaultSetInput",
        SAVED_VIEW,
    ),
    ("scheduleCreate", "ScheduleCreateInput", SCHEDULE),
    ("scheduleUpdate", "ScheduleUpdateInput", SCHEDULE),
    ("schedulePause", "SchedulePauseInput", SCHEDULE),
    ("scheduleResume", "ScheduleResumeInput", SCHEDULE),
    ("scheduleDelete", "ScheduleDeleteInput", "deletedId"),
    (
        "scheduleRunNow",
        "ScheduleRunNowInput",
        "schedule { id name nextAt } job { id kind state }",
    ),
    (
        "shopSet",
        "ShopSetInput",
        "shop { currency timeZone version }",
    ),
    (
        "stockAccountsSet",
        "StockAccountsSetInput",
        "stockBooking { since version accounts { role account { code } category { id } location { code } } }",
    ),
    ("stockAdjust", "StockAdjustInput", STOCK_ENTRY),
    ("stockCountApprove", "StockCountApproveInput", COUNT),
    ("stockCountCancel", "StockCountCancelInput", COUNT),
    ("stockCountFinish", "StockCountFinishInput", COUNT),
    ("stockCountOpen", "StockCountOpenInput", COUNT),
    ("stockCountRecount", "StockCountRecountInput", COUNT),
    (
        "stockCountScan",
        "StockCountScanInput",
        "accepted count { id state version }",
    ),
    ("stockIssue", "StockIssueInput", STOCK_ENTRY),
    ("stockLandedCostAdd", "StockLandedCostAddInput", LANDED_COST),
    (
        "stockLandedCostReverse",
        "StockLandedCostReverseInput",
        LANDED_COST,
    ),
    ("stockMove", "StockMoveInput", STOCK_ENTRY),
    ("stockReceive", "StockReceiveInput", STOCK_ENTRY),
    (
        "stockReconcile",
        "StockReconcileInput",
        "reconciliation { id finishedAt }",
    ),
    (
        "stockReservationRelease",
        "StockReservationReleaseInput",
        "reservation { id quantity open state version }",
    ),
    ("stockReserve", "StockReserveInput", RESERVATIONS),
    ("stockReverse", "StockReverseInput", STOCK_ENTRY),
    ("stockTransform", "StockTransformInput", STOCK_ENTRY),
    ("stockTransferCancel", "StockTransferCancelInput", TRANSFER),
    ("stockTransferCreate", "StockTransferCreateInput", TRANSFER),
    ("stockTransferPick", "StockTransferPickInput", TRANSFER),
    (
        "stockTransferReceive",
        "StockTransferReceiveInput",
        TRANSFER,
    ),
    ("stockTransferSend", "StockTransferSendInput", TRANSFER),
    ("tagRename", "TagRenameInput", "tag changed complete"),
    ("unitOfMeasureCreate", "UnitOfMeasureCreateInput", UNIT),
    ("unitOfMeasureUpdate", "UnitOfMeasureUpdateInput", UNIT),
];

/// The document of a mutation of the catalogue, of rates or of jobs.
///
/// # Panics
/// When there is none of this name here.
#[must_use]
pub fn document(mutation: &str) -> String {
    let known = MUTATIONS.iter().find(|(name, ..)| *name == mutation);
    let (name, input, payload) = known.expect("a mutation that is known here");
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{ {payload} userErrors {{ code path message params {{ name value }} }} }} }}"
    )
}

/// A text in English, as inputs take it.
#[must_use]
pub fn english(text: &str) -> Value {
    json!([{"language": "en", "text": text}])
}

impl Actor {
    /// Asks for a mutation of the catalogue, of rates or of jobs, by its name.
    pub async fn change(&self, mutation: &str, input: Value) -> Answer {
        self.gql(&document(mutation), json!({"input": input})).await
    }

    /// The payload of a mutation of the catalogue, of rates or of jobs that must succeed.
    ///
    /// # Panics
    /// When there is any error.
    pub async fn done(&self, mutation: &str, input: Value) -> Value {
        self.change(mutation, input).await.ok()[mutation].take()
    }

    /// Codes and paths of the `userErrors` of a mutation of the catalogue, of rates or of jobs that must be refused.
    ///
    /// # Panics
    /// When it is not refused.
    pub async fn not_done(&self, mutation: &str, input: Value) -> Vec<(String, String)> {
        self.change(mutation, input).await.refused()
    }

    /// Id of the unit of measure with this code.
    ///
    /// # Panics
    /// When there is none such.
    pub async fn unit(&self, code: &str) -> String {
        let data = self.ok(PIECE, json!({})).await;
        let units = data["unitsOfMeasure"].as_array().expect("a list");
        let unit = units
            .iter()
            .find(|unit| unit["code"] == code)
            .expect("the unit exists");
        text(&unit["id"])
    }

    /// Id of a new category with this English name.
    pub async fn category(&self, name: &str, parent: Option<&str>) -> String {
        let input = json!({"name": english(name), "parentId": parent});
        let data = self.ok(CATEGORY_CREATE, json!({"input": input})).await;
        text(&data["categoryCreate"]["category"]["id"])
    }

    /// Id of a new location with this code and kind, below another.
    pub async fn location(&self, code: &str, kind: &str, parent: Option<&str>) -> String {
        let input = json!({"code": code, "name": english(code), "kind": kind, "parentId": parent});
        text(&self.done("locationCreate", input).await["location"]["id"])
    }

    /// Id of a new item that is counted in pieces and kept so: `NONE`, `LOT` or `SERIAL`.
    pub async fn item_kept(&self, sku: &str, category: &str, tracking: &str) -> String {
        let unit = self.unit("piece").await;
        let input = json!({"sku": sku, "name": english(sku), "categoryId": category, "unitId": unit, "tracking": tracking});
        text(&self.done("itemCreate", input).await["item"]["id"])
    }

    /// Buys so many of an item, and puts them there.
    pub async fn receive(&self, item: &str, location: &str, quantity: i64) {
        let line = json!({"itemId": item, "toId": location, "quantity": quantity});
        let input = json!({"reason": "PURCHASED", "lines": [line]});
        self.done("stockReceive", input).await;
    }

    /// What lies of an item at a location: on hand, reserved, available, weight and fine weight; all 0 where there has never been any.
    pub async fn level(&self, item: &str, location: &str) -> [String; 5] {
        let query = "query($items: [ID!], $locations: [ID!]) { stockLevels(where: {itemIds: $items, locationIds: $locations}) { \
                     nodes { onHand reserved available weight fineWeight } } }";
        let variables = json!({"items": [item], "locations": [location]});
        let data = self.ok(query, variables).await;
        // There may be none.
        let level = &data["stockLevels"]["nodes"][0];
        ["onHand", "reserved", "available", "weight", "fineWeight"]
            .map(|name| level[name].as_str().unwrap_or("0").to_owned())
    }

    /// Id of a new item in this category.
    pub async fn item(&self, sku: &str, category: &str) -> String {
        let input = json!({"sku": sku, "name": [{"language": "en", "text": sku}], "categoryId": category, "unitId": self.unit("piece").await});
        let data = self.ok(ITEM_CREATE, json!({"input": input})).await;
        text(&data["itemCreate"]["item"]["id"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Creates a category.
pub const CATEGORY_CREATE: &str = "mutation($input: CategoryCreateInput!) {
    categoryCreate(input: $input) { category { id version depth position name } userErrors { code path message } }
}";

/// Creates an item.
pub const ITEM_CREATE: &str = "mutation($input: ItemCreateInput!) {
    itemCreate(input: $input) { item { id version sku name } userErrors { code path message } }
}";

/// The id that clients see for the row of this type with this UUID (32 hexadecimal digits).
#[must_use]
pub fn global_id(kind: &str, uuid: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{uuid}"))
}
