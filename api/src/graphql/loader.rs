//! Loads rows that several resolvers of one request need, in one statement. A batch is one authorised call of the domain.
//!
//! What was loaded is kept only as long as nothing can have changed it under our hands: a use case and each batch of a subscription's
//! events begin with fresh loaders. Resolvers of lists know beforehand what their rows will ask for; they call [`preload`]
//! when the request selects it, so that the number of statements does not depend on which resolver happens to run first.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Context,
    dataloader::{DataLoader, HashMapCache, Loader},
};
use domain::{
    Domain, Viewer,
    account::{self, Account, AccountBalance, AccountFloor},
    attribute::Schema,
    category::{Category, TREE_MAX},
    cost::{Key as MovementKey, StockValue},
    count::CountProgress,
    currency::Currency,
    dimension::DimensionValue,
    item::{HistoryOf, ItemChanged, ItemImage, ItemMetal, ItemOption, ItemWithImage},
    job::{Job, JobFile},
    journal::{
        JournalAttachment, JournalDraftLine, JournalEntry, JournalHoldLine, JournalLine,
        RevaluationLine,
    },
    landed_cost::{LandedCost, LandedCostLine},
    location::Location,
    lot::{Lot, LotLevel},
    metal_rate::{Metal, MetalRate},
    money::Money,
    page::Page,
    period::{FiscalYear, Period},
    pricing::Pricing,
    schedule::Schedule,
    stock::{ItemStocking, StockEntry, StockMovement, StockTotal},
    transfer::StockTransferLine,
    unit_of_measure::UnitOfMeasure,
};
use entity::id::{
    AccountId, CategoryId, DimensionValueId, FiscalYearId, ItemId, JobId, JournalDraftId,
    JournalEntryId, JournalHoldId, LocationId, LotId, ScheduleId, StockCountId, StockEntryId,
    StockLandedCostId, StockTransferId, UnitOfMeasureId,
};

use super::{
    below::{PageBelow, alike},
    context::ContextExt,
};

/// Loads rows for one viewer.
#[derive(Clone)]
pub struct Loaders {
    domain: Domain,
    viewer: Viewer,
}

/// A loader with the rows it has loaded.
pub type RequestLoader = DataLoader<Loaders, HashMapCache>;

/// The loader of a request, which can be exchanged for one that has loaded nothing yet.
pub struct RequestLoaders {
    loaders: Loaders,
    current: Mutex<Arc<RequestLoader>>,
}

impl Loaders {
    /// Fresh loaders for one operation.
    #[must_use]
    pub fn fresh(domain: Domain, viewer: Viewer) -> RequestLoaders {
        let loaders = Self { domain, viewer };
        RequestLoaders {
            current: Mutex::new(loaders.clone().start()),
            loaders,
        }
    }

    /// A batch is never larger than the largest list, so a list's rows are always loaded in one statement.
    fn start(self) -> Arc<RequestLoader> {
        let loader = DataLoader::with_cache(self, tokio::spawn, HashMapCache::default());
        Arc::new(loader.max_batch_size(TREE_MAX))
    }
}

impl RequestLoaders {
    /// The present loader.
    #[must_use]
    pub fn current(&self) -> Arc<RequestLoader> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what was loaded: it may have changed.
    pub fn renew(&self) {
        let fresh = self.loaders.clone().start();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

/// Loads a row, or the rows of a key, together with those that other resolvers ask for.
///
/// # Errors
/// The domain's error, translated.
pub async fn load<K>(
    ctx: &Context<'_>,
    key: K,
) -> async_graphql::Result<Option<<Loaders as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = LoadError>,
{
    let loaded = ctx.loaders().load_one(key).await;
    loaded.map_err(|error| super::error::to_graphql(ctx.viewer(), &error))
}

/// Loads all that rows are about to ask for, in one statement and at once: if they asked one by one, they would wait for one another, and a
/// batch would end whenever its time is up.
///
/// # Errors
/// The domain's error, translated.
pub async fn preload<K>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> async_graphql::Result<()>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = LoadError>,
{
    let loader = ctx.loaders();
    let loaded = loader.get_cached_values();
    let mut met = HashSet::new();
    let is_missing = |key: &K| !loaded.contains_key(key) && met.insert(key.clone());
    let missing: Vec<K> = keys.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    match loader.loader().load(&missing).await {
        Ok(rows) => loader.feed_many(rows).await,
        Err(error) => return Err(super::error::to_graphql(ctx.viewer(), &error)),
    }
    Ok(())
}

/// The same, for somebody who needs them at once.
///
/// # Errors
/// The domain's error, translated.
pub async fn load_all<K>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> async_graphql::Result<HashMap<K, <Loaders as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = LoadError>,
{
    let keys: Vec<K> = keys.into_iter().collect();
    preload(ctx, keys.iter().cloned()).await?;
    let mut loaded = ctx.loaders().get_cached_values();
    Ok(keys
        .into_iter()
        .filter_map(|key| loaded.remove_entry(&key))
        .collect())
}

/// A loader's error: shared by all who waited for the batch.
pub type LoadError = Arc<domain::Error>;

/// The children of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChildrenOf(pub CategoryId);

/// The categories above a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AncestorsOf(pub CategoryId);

/// The attributes of a category, those that it inherits included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SchemaOf(pub CategoryId);

/// The pictures of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImagesOf(pub ItemId);

/// The files of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FilesOf(pub JobId);

/// The barcodes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarcodesOf(pub ItemId);

/// What is known of the metal of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetalOf(pub ItemId);

/// How an item is priced whose price is not fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PricingOf(pub ItemId);

/// In what the variants of an item differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionsOf(pub ItemId);

/// How many variants of an item are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariantCountOf(pub ItemId);

/// A page of the variants of an item.
pub type VariantsOf = PageBelow<ItemId>;

/// A page of the locations directly below a location.
pub type LocationChildrenOf = PageBelow<LocationId>;

/// The locations above a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocationAncestorsOf(pub LocationId);

/// The categories that a location is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocationCategoriesOf(pub LocationId);

/// Where something of a lot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LotLevelsOf(pub LotId);

/// A page of the movements of an entry.
pub type MovementsOf = PageBelow<StockEntryId>;

/// The entry that undid an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReversalOf(pub StockEntryId);

/// A page of the landed costs of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LandedCostsOf(pub PageBelow<StockEntryId>);

/// A page of the lines of a landed cost.
pub type LandedCostLinesOf = PageBelow<StockLandedCostId>;

/// The landed cost that undid a landed cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LandedCostReversalOf(pub StockLandedCostId);

/// Whether a landed cost is still to be taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IsPending(pub StockLandedCostId);

/// A page of the lines of an entry of the books.
pub type JournalLinesOf = PageBelow<JournalEntryId>;

/// A page of the lines of a draft.
pub type JournalDraftLinesOf = PageBelow<JournalDraftId>;

/// The entry of the books that undid an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JournalReversalOf(pub JournalEntryId);

/// The lines of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldLinesOf(pub JournalHoldId);

/// The files of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentsOf(pub JournalEntryId);

/// The files of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DraftAttachmentsOf(pub JournalDraftId);

/// What was kept of a revaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RevaluationLinesOf(pub JournalEntryId);

/// What an account may not fall below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FloorsOf(pub AccountId);

/// What an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BalanceOf {
    /// Which account, or group.
    pub account: AccountId,
    /// Of what, and when.
    pub of: account::BalanceOf,
}

/// The periods of a fiscal year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeriodsOf(pub FiscalYearId);

/// What there is of an item altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StockOf(pub ItemId);

/// The lines of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferLinesOf(pub StockTransferId);

/// What there is of an item has cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueOf(pub ItemId);

/// By how much a movement changed what the shop has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MovementValue(pub MovementKey);

/// Whether the values of an entry's movements may become others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IsProvisional(pub StockEntryId);

/// How far a count has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountProgressOf(pub StockCountId);

/// How an item is kept in stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StockingOf(pub ItemId);

/// The rate of a metal in a currency that holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatestRate {
    /// Of which metal.
    pub metal: Metal,
    /// In which currency.
    pub currency: Currency,
}

impl Loader<CategoryId> for Loaders {
    type Value = Category;
    type Error = LoadError;

    async fn load(&self, ids: &[CategoryId]) -> Result<HashMap<CategoryId, Category>, LoadError> {
        let rows = self.domain.categories().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<AccountId> for Loaders {
    type Value = Account;
    type Error = LoadError;

    async fn load(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>, LoadError> {
        let rows = self.domain.accounts().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<HoldLinesOf> for Loaders {
    type Value = Vec<JournalHoldLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[HoldLinesOf],
    ) -> Result<HashMap<HoldLinesOf, Vec<JournalHoldLine>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.journal().hold_lines(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(HoldLinesOf(row.hold_id))))
    }
}

impl Loader<FloorsOf> for Loaders {
    type Value = Vec<AccountFloor>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[FloorsOf],
    ) -> Result<HashMap<FloorsOf, Vec<AccountFloor>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.accounts().floors_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(FloorsOf(row.account_id))))
    }
}

impl Loader<BalanceOf> for Loaders {
    type Value = Vec<AccountBalance>;
    type Error = LoadError;

    /// A statement for each day and subsidiary account that is asked about.
    async fn load(
        &self,
        keys: &[BalanceOf],
    ) -> Result<HashMap<BalanceOf, Vec<AccountBalance>>, LoadError> {
        let mut asked: HashMap<account::BalanceOf, Vec<AccountId>> = HashMap::new();
        for key in keys {
            asked.entry(key.of).or_default().push(key.account);
        }
        let mut balances: HashMap<BalanceOf, Vec<AccountBalance>> = HashMap::new();
        for (of, accounts) in asked {
            let rows = self.domain.accounts();
            let rows = rows.balances_of(&self.viewer, &accounts, of).await?;
            for row in rows {
                let account = row.account_id;
                let key = BalanceOf { account, of };
                balances.entry(key).or_default().push(row);
            }
        }
        Ok(balances)
    }
}

impl Loader<DimensionValueId> for Loaders {
    type Value = DimensionValue;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[DimensionValueId],
    ) -> Result<HashMap<DimensionValueId, DimensionValue>, LoadError> {
        let rows = self.domain.dimensions().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<FiscalYearId> for Loaders {
    type Value = FiscalYear;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[FiscalYearId],
    ) -> Result<HashMap<FiscalYearId, FiscalYear>, LoadError> {
        let rows = self.domain.periods();
        let rows = rows.years_by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<PeriodsOf> for Loaders {
    type Value = Vec<Period>;
    type Error = LoadError;

    async fn load(&self, keys: &[PeriodsOf]) -> Result<HashMap<PeriodsOf, Vec<Period>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.periods().periods_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| {
            Some(PeriodsOf(row.fiscal_year_id))
        }))
    }
}

impl Loader<JournalEntryId> for Loaders {
    type Value = JournalEntry;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[JournalEntryId],
    ) -> Result<HashMap<JournalEntryId, JournalEntry>, LoadError> {
        let rows = self.domain.journal().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<JournalReversalOf> for Loaders {
    type Value = Option<JournalEntry>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[JournalReversalOf],
    ) -> Result<HashMap<JournalReversalOf, Option<JournalEntry>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.journal();
        let rows = rows.reversals_of(&self.viewer, &ids).await?;
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, None)).collect();
        for row in rows {
            if let Some(id) = row.reverses_id {
                found.insert(JournalReversalOf(id), Some(row));
            }
        }
        Ok(found)
    }
}

impl Loader<JournalLinesOf> for Loaders {
    type Value = Page<JournalLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[JournalLinesOf],
    ) -> Result<HashMap<JournalLinesOf, Page<JournalLine>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let entries: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let journal = self.domain.journal();
            let pages = journal.lines_of(&self.viewer, &entries, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<AttachmentsOf> for Loaders {
    type Value = Vec<(JournalEntryId, JournalAttachment)>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AttachmentsOf],
    ) -> Result<HashMap<AttachmentsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let journal = self.domain.journal();
        let rows = journal.attachments_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |(entry, _)| {
            Some(AttachmentsOf(*entry))
        }))
    }
}

impl Loader<DraftAttachmentsOf> for Loaders {
    type Value = Vec<JournalAttachment>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[DraftAttachmentsOf],
    ) -> Result<HashMap<DraftAttachmentsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let journal = self.domain.journal();
        let rows = journal.draft_attachments_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| {
            row.draft_id.map(DraftAttachmentsOf)
        }))
    }
}

impl Loader<RevaluationLinesOf> for Loaders {
    type Value = Vec<RevaluationLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[RevaluationLinesOf],
    ) -> Result<HashMap<RevaluationLinesOf, Vec<RevaluationLine>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let journal = self.domain.journal();
        let rows = journal.revaluation_lines(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| {
            Some(RevaluationLinesOf(row.entry_id))
        }))
    }
}

impl Loader<JournalDraftLinesOf> for Loaders {
    type Value = Page<JournalDraftLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[JournalDraftLinesOf],
    ) -> Result<HashMap<JournalDraftLinesOf, Page<JournalDraftLine>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let drafts: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let journal = self.domain.journal();
            let pages = journal.draft_lines_of(&self.viewer, &drafts, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<ItemId> for Loaders {
    type Value = ItemWithImage;
    type Error = LoadError;

    async fn load(&self, ids: &[ItemId]) -> Result<HashMap<ItemId, ItemWithImage>, LoadError> {
        let rows = self.domain.items().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.item.id, row)).collect())
    }
}

impl Loader<JobId> for Loaders {
    type Value = Job;
    type Error = LoadError;

    async fn load(&self, ids: &[JobId]) -> Result<HashMap<JobId, Job>, LoadError> {
        let rows = self.domain.jobs().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<ScheduleId> for Loaders {
    type Value = Schedule;
    type Error = LoadError;

    async fn load(&self, ids: &[ScheduleId]) -> Result<HashMap<ScheduleId, Schedule>, LoadError> {
        let rows = self.domain.schedules().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.row.id, row)).collect())
    }
}

impl Loader<FilesOf> for Loaders {
    type Value = Vec<JobFile>;
    type Error = LoadError;

    async fn load(&self, keys: &[FilesOf]) -> Result<HashMap<FilesOf, Vec<JobFile>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.jobs().files_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(FilesOf(row.job_id))))
    }
}

impl Loader<UnitOfMeasureId> for Loaders {
    type Value = UnitOfMeasure;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[UnitOfMeasureId],
    ) -> Result<HashMap<UnitOfMeasureId, UnitOfMeasure>, LoadError> {
        let rows = self
            .domain
            .units_of_measure()
            .by_ids(&self.viewer, ids)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<ChildrenOf> for Loaders {
    type Value = Vec<Category>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ChildrenOf],
    ) -> Result<HashMap<ChildrenOf, Vec<Category>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self
            .domain
            .categories()
            .children_of(&self.viewer, &ids)
            .await?;
        Ok(grouped(keys, rows, |row| row.parent_id.map(ChildrenOf)))
    }
}

impl Loader<AncestorsOf> for Loaders {
    type Value = Vec<Category>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AncestorsOf],
    ) -> Result<HashMap<AncestorsOf, Vec<Category>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self
            .domain
            .categories()
            .ancestors_of(&self.viewer, &ids)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, above)| (AncestorsOf(id), above))
            .collect())
    }
}

impl Loader<SchemaOf> for Loaders {
    type Value = Arc<Schema>;
    type Error = LoadError;

    async fn load(&self, keys: &[SchemaOf]) -> Result<HashMap<SchemaOf, Arc<Schema>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let schemas = self
            .domain
            .attributes()
            .schemas_of(&self.viewer, &ids)
            .await?;
        Ok(schemas
            .into_iter()
            .map(|(id, schema)| (SchemaOf(id), schema))
            .collect())
    }
}

impl Loader<ImagesOf> for Loaders {
    type Value = Vec<ItemImage>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ImagesOf],
    ) -> Result<HashMap<ImagesOf, Vec<ItemImage>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().images_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(ImagesOf(row.item_id))))
    }
}

impl Loader<BarcodesOf> for Loaders {
    type Value = Vec<String>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[BarcodesOf],
    ) -> Result<HashMap<BarcodesOf, Vec<String>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().barcodes_of(&self.viewer, &ids).await?;
        let rows = grouped(keys, rows, |row| Some(BarcodesOf(row.item_id)));
        Ok(rows
            .into_iter()
            .map(|(key, rows)| (key, rows.into_iter().map(|row| row.barcode).collect()))
            .collect())
    }
}

impl Loader<HistoryOf> for Loaders {
    type Value = Page<ItemChanged>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[HistoryOf],
    ) -> Result<HashMap<HistoryOf, Page<ItemChanged>>, LoadError> {
        let pages = self.domain.items().history_of(&self.viewer, keys).await?;
        Ok(keys.iter().copied().zip(pages).collect())
    }
}

impl Loader<MetalOf> for Loaders {
    type Value = Option<ItemMetal>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[MetalOf],
    ) -> Result<HashMap<MetalOf, Option<ItemMetal>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().metal_of(&self.viewer, &ids).await?;
        let rows = rows.into_iter().map(|row| (MetalOf(row.item_id), row));
        Ok(each(keys, rows))
    }
}

impl Loader<PricingOf> for Loaders {
    type Value = Option<Pricing>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[PricingOf],
    ) -> Result<HashMap<PricingOf, Option<Pricing>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().pricing_of(&self.viewer, &ids).await?;
        let rows = rows.into_iter().map(|(id, row)| (PricingOf(id), row));
        Ok(each(keys, rows))
    }
}

impl Loader<OptionsOf> for Loaders {
    type Value = Vec<ItemOption>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OptionsOf],
    ) -> Result<HashMap<OptionsOf, Vec<ItemOption>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().options_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(OptionsOf(row.template_id))))
    }
}

impl Loader<VariantCountOf> for Loaders {
    type Value = Option<i64>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[VariantCountOf],
    ) -> Result<HashMap<VariantCountOf, Option<i64>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let items = self.domain.items();
        let rows = items.variant_counts_of(&self.viewer, &ids).await?;
        let rows = rows
            .into_iter()
            .map(|(id, count)| (VariantCountOf(id), count));
        Ok(each(keys, rows))
    }
}

impl Loader<VariantsOf> for Loaders {
    type Value = Page<ItemWithImage>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[VariantsOf],
    ) -> Result<HashMap<VariantsOf, Page<ItemWithImage>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let templates: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let items = self.domain.items();
            let pages = items.variants_of(&self.viewer, &templates, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<LocationId> for Loaders {
    type Value = Location;
    type Error = LoadError;

    async fn load(&self, ids: &[LocationId]) -> Result<HashMap<LocationId, Location>, LoadError> {
        let rows = self.domain.locations().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<LocationChildrenOf> for Loaders {
    type Value = Page<Location>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LocationChildrenOf],
    ) -> Result<HashMap<LocationChildrenOf, Page<Location>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let parents: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let locations = self.domain.locations();
            let pages = locations.children_of(&self.viewer, &parents, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<LocationAncestorsOf> for Loaders {
    type Value = Vec<Location>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LocationAncestorsOf],
    ) -> Result<HashMap<LocationAncestorsOf, Vec<Location>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let locations = self.domain.locations();
        let rows = locations.ancestors_of(&self.viewer, &ids).await?;
        Ok(rows
            .into_iter()
            .map(|(id, above)| (LocationAncestorsOf(id), above))
            .collect())
    }
}

impl Loader<LocationCategoriesOf> for Loaders {
    type Value = Vec<Category>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LocationCategoriesOf],
    ) -> Result<HashMap<LocationCategoriesOf, Vec<Category>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let locations = self.domain.locations();
        let rows = locations.categories_of(&self.viewer, &ids).await?;
        let mut kept: HashMap<_, Vec<_>> = keys.iter().map(|key| (*key, Vec::new())).collect();
        for (id, category) in rows {
            kept.entry(LocationCategoriesOf(id))
                .or_default()
                .push(category);
        }
        Ok(kept)
    }
}

impl Loader<LotId> for Loaders {
    type Value = Lot;
    type Error = LoadError;

    async fn load(&self, ids: &[LotId]) -> Result<HashMap<LotId, Lot>, LoadError> {
        let rows = self.domain.lots().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<LotLevelsOf> for Loaders {
    type Value = Vec<LotLevel>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LotLevelsOf],
    ) -> Result<HashMap<LotLevelsOf, Vec<LotLevel>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.lots().levels_of(&self.viewer, &ids).await?;
        let mut levels: HashMap<_, Vec<_>> = keys.iter().map(|key| (*key, Vec::new())).collect();
        for row in rows {
            levels.entry(LotLevelsOf(row.lot_id)).or_default().push(row);
        }
        Ok(levels)
    }
}

impl Loader<StockEntryId> for Loaders {
    type Value = StockEntry;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[StockEntryId],
    ) -> Result<HashMap<StockEntryId, StockEntry>, LoadError> {
        let rows = self
            .domain
            .stock()
            .entries_by_ids(&self.viewer, ids)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<ReversalOf> for Loaders {
    type Value = Option<StockEntry>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ReversalOf],
    ) -> Result<HashMap<ReversalOf, Option<StockEntry>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.stock().reversals_of(&self.viewer, &ids).await?;
        // None, too, is an answer that is kept.
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, None)).collect();
        for row in rows {
            if let Some(id) = row.reverses_id {
                found.insert(ReversalOf(id), Some(row));
            }
        }
        Ok(found)
    }
}

impl Loader<MovementsOf> for Loaders {
    type Value = Page<StockMovement>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[MovementsOf],
    ) -> Result<HashMap<MovementsOf, Page<StockMovement>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let entries: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let stock = self.domain.stock();
            let pages = stock.movements_of(&self.viewer, &entries, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<StockLandedCostId> for Loaders {
    type Value = LandedCost;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[StockLandedCostId],
    ) -> Result<HashMap<StockLandedCostId, LandedCost>, LoadError> {
        let rows = self.domain.landed_costs().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<LandedCostReversalOf> for Loaders {
    type Value = Option<LandedCost>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LandedCostReversalOf],
    ) -> Result<HashMap<LandedCostReversalOf, Option<LandedCost>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let landed_costs = self.domain.landed_costs();
        let rows = landed_costs.reversals_of(&self.viewer, &ids).await?;
        let rows = rows
            .into_iter()
            .filter_map(|row| Some((LandedCostReversalOf(row.reverses_id?), row)));
        Ok(each(keys, rows))
    }
}

impl Loader<IsPending> for Loaders {
    type Value = bool;
    type Error = LoadError;

    async fn load(&self, keys: &[IsPending]) -> Result<HashMap<IsPending, bool>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let pending = self
            .domain
            .landed_costs()
            .pending(&self.viewer, &ids)
            .await?;
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, false)).collect();
        found.extend(pending.into_iter().map(|id| (IsPending(id), true)));
        Ok(found)
    }
}

impl Loader<LandedCostsOf> for Loaders {
    type Value = Page<LandedCost>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LandedCostsOf],
    ) -> Result<HashMap<LandedCostsOf, Page<LandedCost>>, LoadError> {
        let below: Vec<_> = keys.iter().map(|key| key.0.clone()).collect();
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(&below) {
            let entries: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let landed_costs = self.domain.landed_costs();
            let pages = landed_costs
                .of_entries(&self.viewer, &entries, &args)
                .await?;
            let keys = keys.into_iter().cloned().map(LandedCostsOf);
            loaded.extend(keys.zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<LandedCostLinesOf> for Loaders {
    type Value = Page<LandedCostLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LandedCostLinesOf],
    ) -> Result<HashMap<LandedCostLinesOf, Page<LandedCostLine>>, LoadError> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (args, keys) in alike(keys) {
            let ids: Vec<_> = keys.iter().map(|key| key.parent).collect();
            let landed_costs = self.domain.landed_costs();
            let pages = landed_costs.lines_of(&self.viewer, &ids, &args).await?;
            loaded.extend(keys.into_iter().cloned().zip(pages));
        }
        Ok(loaded)
    }
}

impl Loader<StockOf> for Loaders {
    type Value = Option<StockTotal>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[StockOf],
    ) -> Result<HashMap<StockOf, Option<StockTotal>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.stock().totals_of(&self.viewer, &ids).await?;
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, None)).collect();
        found.extend(
            rows.into_iter()
                .map(|row| (StockOf(row.item_id), Some(row))),
        );
        Ok(found)
    }
}

impl Loader<ValueOf> for Loaders {
    type Value = Option<StockValue>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ValueOf],
    ) -> Result<HashMap<ValueOf, Option<StockValue>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.costs().values_of(&self.viewer, &ids).await?;
        // None, too, is an answer that is kept.
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, None)).collect();
        found.extend(
            rows.into_iter()
                .map(|row| (ValueOf(row.item_id), Some(row))),
        );
        Ok(found)
    }
}

impl Loader<MovementValue> for Loaders {
    type Value = Option<Money>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[MovementValue],
    ) -> Result<HashMap<MovementValue, Option<Money>>, LoadError> {
        let movements: Vec<_> = keys.iter().map(|key| key.0).collect();
        let costs = self.domain.costs();
        let mut values = costs.movement_values(&self.viewer, &movements).await?;
        Ok(keys
            .iter()
            .map(|key| (*key, values.remove(&key.0)))
            .collect())
    }
}

impl Loader<IsProvisional> for Loaders {
    type Value = bool;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[IsProvisional],
    ) -> Result<HashMap<IsProvisional, bool>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let provisional = self.domain.costs().provisional(&self.viewer, &ids).await?;
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, false)).collect();
        found.extend(provisional.into_iter().map(|id| (IsProvisional(id), true)));
        Ok(found)
    }
}

impl Loader<StockingOf> for Loaders {
    type Value = Option<ItemStocking>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[StockingOf],
    ) -> Result<HashMap<StockingOf, Option<ItemStocking>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.stock().stocking_of(&self.viewer, &ids).await?;
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, None)).collect();
        found.extend(
            rows.into_iter()
                .map(|row| (StockingOf(row.item_id), Some(row))),
        );
        Ok(found)
    }
}

impl Loader<TransferLinesOf> for Loaders {
    type Value = Vec<StockTransferLine>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[TransferLinesOf],
    ) -> Result<HashMap<TransferLinesOf, Vec<StockTransferLine>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.transfers().lines_of(&self.viewer, &ids).await?;
        let mut lines: HashMap<_, Vec<_>> = keys.iter().map(|key| (*key, Vec::new())).collect();
        for row in rows {
            let key = TransferLinesOf(row.transfer_id);
            lines.entry(key).or_default().push(row);
        }
        Ok(lines)
    }
}

impl Loader<CountProgressOf> for Loaders {
    type Value = CountProgress;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[CountProgressOf],
    ) -> Result<HashMap<CountProgressOf, CountProgress>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.counts().progress_of(&self.viewer, &ids).await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| (CountProgressOf(row.count_id), row))
            .collect())
    }
}

impl Loader<LatestRate> for Loaders {
    type Value = Option<MetalRate>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[LatestRate],
    ) -> Result<HashMap<LatestRate, Option<MetalRate>>, LoadError> {
        let wanted: Vec<_> = keys.iter().map(|key| (key.metal, key.currency)).collect();
        let rates = self.domain.metal_rates();
        let rows = rates.latest_of(&self.viewer, &wanted).await?;
        let rows = rows.into_iter().filter_map(|row| {
            let currency = Currency::parse("currency", &row.currency).ok()?;
            let metal = row.metal;
            Some((LatestRate { metal, currency }, row))
        });
        Ok(each(keys, rows))
    }
}

/// Every key with its row; also one that has none, or it would be looked for again and again.
fn each<K: Copy + Eq + Hash, R>(
    keys: &[K],
    rows: impl Iterator<Item = (K, R)>,
) -> HashMap<K, Option<R>> {
    let mut all: HashMap<K, Option<R>> = keys.iter().map(|key| (*key, None)).collect();
    all.extend(rows.map(|(key, row)| (key, Some(row))));
    all
}

/// Every key with its rows in the order they came, also when there are none.
fn grouped<K: Copy + Eq + Hash, R>(
    keys: &[K],
    rows: Vec<R>,
    key: impl Fn(&R) -> Option<K>,
) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = keys.iter().map(|key| (*key, Vec::new())).collect();
    for row in rows {
        if let Some(group) = key(&row).and_then(|key| groups.get_mut(&key)) {
            group.push(row);
        }
    }
    groups
}
