//! Up to a thousand items at once.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{
    Error, Permission, Refusal,
    item::{BulkOutcome, RowArchive, RowUpdate},
};
use entity::id::ItemId;

use super::{
    context::ContextExt,
    cost,
    guard::Needs,
    id::GlobalId,
    item::{
        Item,
        input::{ItemChanges, ItemValues},
        query::prefetch,
    },
    loader::{load, load_all},
    payload::{UserError, settle},
};

/// What becomes of the other rows when some are refused.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item_import::Policy", name = "BulkPolicy")]
pub enum BulkPolicy {
    /// Nothing is done.
    RejectAll,
    /// They are done.
    RejectFailedRows,
}

/// Items to be.
#[derive(InputObject)]
pub struct ItemsCreateInput {
    /// At most 1,000.
    rows: Vec<ItemValues>,
    /// What becomes of the other rows when some are refused.
    #[graphql(default_with = "BulkPolicy::RejectAll")]
    policy: BulkPolicy,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A change of one item among many. What is not given stays; null clears.
#[derive(InputObject)]
pub struct ItemsUpdateRow {
    /// Which item.
    id: ID,
    /// What is to be different.
    #[graphql(flatten)]
    changes: ItemChanges,
    /// Refuse when the item's version is another.
    expected_version: Option<i64>,
}

/// Changes of many items.
#[derive(InputObject)]
pub struct ItemsUpdateInput {
    /// At most 1,000, each of another item.
    rows: Vec<ItemsUpdateRow>,
    /// What becomes of the other rows when some are refused.
    #[graphql(default_with = "BulkPolicy::RejectAll")]
    policy: BulkPolicy,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One item among many that shall be put away, or brought back.
#[derive(InputObject)]
pub struct ItemsArchiveRow {
    /// Which item.
    id: ID,
    /// Refuse when the item's version is another.
    expected_version: Option<i64>,
}

/// Items to be put away, or brought back.
#[derive(InputObject)]
pub struct ItemsArchiveInput {
    /// At most 1,000, each of another item.
    rows: Vec<ItemsArchiveRow>,
    /// What becomes of the other rows when some are refused.
    #[graphql(default_with = "BulkPolicy::RejectAll")]
    policy: BulkPolicy,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A row that is done.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemsRow {
    /// Its index among the rows, from 0.
    row: usize,
    /// Id of its item.
    item_id: ID,
    #[graphql(skip)]
    id: ItemId,
}

#[ComplexObject]
impl ItemsRow {
    /// Its item, as it is by now; null when you may not see the catalogue.
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        if ctx.viewer().require(Permission::CatalogueRead).is_err() {
            return Ok(None);
        }
        Ok(load(ctx, self.id).await?.map(|row| Item::new(ctx, row)))
    }
}

macro_rules! payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        #[graphql(complex)]
        pub struct $name {
            /// What is wrong with rows, each path beginning with `rows` and the index; empty when all are done.
            user_errors: Vec<UserError>,
            #[graphql(skip)]
            done: Vec<(usize, ItemId)>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<BulkOutcome>) -> async_graphql::Result<Self> {
                let (outcome, mut user_errors) = settle(ctx, result)?;
                let BulkOutcome { done, refusals } = outcome.unwrap_or_default();
                let refusals = refusals.into_iter().map(|refusal| UserError::new(ctx.viewer(), refusal));
                user_errors.extend(refusals);
                Ok(Self { user_errors, done })
            }
        }

        #[ComplexObject]
        impl $name {
            /// The rows that are done, in their order.
            #[graphql(complexity = "cost::rows(100, child_complexity)")]
            async fn rows(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ItemsRow>> {
                rows(ctx, &self.done).await
            }
        }
    )+};
}

payloads! {
    /// What became of creating items.
    ItemsCreatePayload,
    /// What became of changing items.
    ItemsUpdatePayload,
    /// What became of putting items away.
    ItemsArchivePayload,
    /// What became of bringing items back.
    ItemsRestorePayload,
}

/// The rows, whose items are loaded before they ask for them one by one.
async fn rows(ctx: &Context<'_>, done: &[(usize, ItemId)]) -> async_graphql::Result<Vec<ItemsRow>> {
    let may_see = ctx.viewer().require(Permission::CatalogueRead).is_ok();
    let selected = ctx.look_ahead().field("item");
    if may_see && selected.exists() {
        let items = load_all(ctx, done.iter().map(|(_, id)| *id)).await?;
        prefetch(ctx, selected, items.values()).await?;
    }
    let rows = done.iter().map(|(row, id)| ItemsRow {
        row: *row,
        item_id: id.encode(),
        id: *id,
    });
    Ok(rows.collect())
}

/// Mutations of many items.
#[derive(Default)]
pub struct ItemBulkMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl ItemBulkMutation {
    /// Creates up to 1,000 items; their QR codes are drawn in the background. Needs `catalogue.write`.
    async fn items_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items to be.")] input: ItemsCreateInput,
    ) -> async_graphql::Result<ItemsCreatePayload> {
        let ItemsCreateInput {
            rows,
            policy,
            idempotency_key,
        } = input;
        let rows = rows.into_iter().map(|row| refused(row.parse()));
        let rows = rows.collect::<domain::Result<_>>();
        let outcome = match rows {
            Ok(rows) => {
                let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
                items
                    .create_many(ctx.viewer(), rows, policy.into(), key)
                    .await
            }
            Err(error) => Err(error),
        };
        ItemsCreatePayload::of(ctx, outcome)
    }

    /// Changes up to 1,000 items. One that is so already stays as it is. Needs `catalogue.write`.
    async fn items_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items, and what is to be different.")] input: ItemsUpdateInput,
    ) -> async_graphql::Result<ItemsUpdatePayload> {
        let ItemsUpdateInput {
            rows,
            policy,
            idempotency_key,
        } = input;
        let rows = rows.into_iter().map(|row| refused(update(row)));
        let rows = rows.collect::<domain::Result<_>>();
        let outcome = match rows {
            Ok(rows) => {
                let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
                items
                    .update_many(ctx.viewer(), rows, policy.into(), key)
                    .await
            }
            Err(error) => Err(error),
        };
        ItemsUpdatePayload::of(ctx, outcome)
    }

    /// Puts up to 1,000 items away; they stay in everything that mentions them. Needs `catalogue.write`.
    async fn items_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items.")] input: ItemsArchiveInput,
    ) -> async_graphql::Result<ItemsArchivePayload> {
        let ItemsArchiveInput {
            rows,
            policy,
            idempotency_key,
        } = input;
        let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
        let outcome = items
            .archive_many(ctx.viewer(), archives(&rows), policy.into(), key)
            .await;
        ItemsArchivePayload::of(ctx, outcome)
    }

    /// Brings up to 1,000 items back. Needs `catalogue.write`.
    async fn items_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items.")] input: ItemsArchiveInput,
    ) -> async_graphql::Result<ItemsRestorePayload> {
        let ItemsArchiveInput {
            rows,
            policy,
            idempotency_key,
        } = input;
        let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
        let outcome = items
            .restore_many(ctx.viewer(), archives(&rows), policy.into(), key)
            .await;
        ItemsRestorePayload::of(ctx, outcome)
    }
}

/// A row, or what is wrong with it; anything else is about the request.
fn refused<T>(row: domain::Result<T>) -> domain::Result<Result<T, Vec<Refusal>>> {
    match row {
        Ok(row) => Ok(Ok(row)),
        Err(Error::Refused(refusals)) => Ok(Err(refusals)),
        Err(other) => Err(other),
    }
}

fn update(row: ItemsUpdateRow) -> domain::Result<RowUpdate> {
    let ItemsUpdateRow {
        id,
        changes,
        expected_version,
    } = row;
    Ok(RowUpdate {
        id: ItemId::parse("id", &id)?,
        change: changes.parse()?,
        expected_version,
    })
}

fn archives(rows: &[ItemsArchiveRow]) -> Vec<Result<RowArchive, Vec<Refusal>>> {
    let rows = rows.iter().map(archive);
    rows.map(|row| row.map_err(|refusal| vec![refusal]))
        .collect()
}

fn archive(row: &ItemsArchiveRow) -> Result<RowArchive, Refusal> {
    Ok(RowArchive {
        id: ItemId::parse("id", &row.id)?,
        expected_version: row.expected_version,
    })
}
