//! Loads rows that several resolvers of one request need, in one statement. A batch is one authorised call of the domain.
//!
//! Resolvers of lists know beforehand what their rows will ask for; they call [`prefetch_categories`] when the request selects it, so
//! that the number of statements does not depend on which resolver happens to run first.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context,
    dataloader::{DataLoader, HashMapCache, Loader},
};
use domain::{
    Domain, Viewer,
    category::Category,
    item::{ItemImage, ItemWithImage},
    job::Job,
    unit_of_measure::UnitOfMeasure,
};
use entity::id::{CategoryId, ItemId, JobId, UnitOfMeasureId};

use super::{
    context::ContextExt,
    error::{coded, internal},
};

/// All loaders of a request, for its viewer.
pub struct Loaders {
    domain: Domain,
    viewer: Viewer,
}

/// A loader with the rows it has loaded.
pub type RequestLoader = DataLoader<Loaders, HashMapCache>;

impl Loaders {
    /// Fresh loaders for one operation.
    #[must_use]
    pub fn fresh(domain: Domain, viewer: Viewer) -> RequestLoader {
        DataLoader::with_cache(Self { domain, viewer }, tokio::spawn, HashMapCache::default())
    }
}

/// A loader's error: shared by all who waited for the batch.
pub type LoadError = Arc<domain::Error>;

/// A batch's error for one of those who waited for it.
#[must_use]
pub fn to_graphql(viewer: &Viewer, error: &LoadError) -> async_graphql::Error {
    match &**error {
        domain::Error::Unauthenticated => coded(viewer, "UNAUTHENTICATED", &std::collections::BTreeMap::new()),
        domain::Error::Forbidden(permission) => super::error::to_graphql(viewer, domain::Error::Forbidden(*permission)),
        domain::Error::Unavailable(fault) => {
            tracing::warn!(request_id = viewer.request_id.as_deref(), error = %fault, "a service we need is not available");
            coded(viewer, "SERVICE_UNAVAILABLE", &std::collections::BTreeMap::new())
        }
        domain::Error::Refused(_) | domain::Error::Internal(_) => internal(viewer, &**error),
    }
}

/// The children of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChildrenOf(pub CategoryId);

/// The pictures of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImagesOf(pub ItemId);

/// The barcodes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarcodesOf(pub ItemId);

impl Loader<CategoryId> for Loaders {
    type Value = Category;
    type Error = LoadError;

    async fn load(&self, ids: &[CategoryId]) -> Result<HashMap<CategoryId, Category>, LoadError> {
        let rows = self.domain.categories().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
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

impl Loader<UnitOfMeasureId> for Loaders {
    type Value = UnitOfMeasure;
    type Error = LoadError;

    async fn load(&self, ids: &[UnitOfMeasureId]) -> Result<HashMap<UnitOfMeasureId, UnitOfMeasure>, LoadError> {
        let rows = self.domain.units_of_measure().by_ids(&self.viewer, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<ChildrenOf> for Loaders {
    type Value = Vec<Category>;
    type Error = LoadError;

    async fn load(&self, keys: &[ChildrenOf]) -> Result<HashMap<ChildrenOf, Vec<Category>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.categories().children_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| row.parent_id.map(ChildrenOf)))
    }
}

impl Loader<ImagesOf> for Loaders {
    type Value = Vec<ItemImage>;
    type Error = LoadError;

    async fn load(&self, keys: &[ImagesOf]) -> Result<HashMap<ImagesOf, Vec<ItemImage>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().images_of(&self.viewer, &ids).await?;
        Ok(grouped(keys, rows, |row| Some(ImagesOf(row.item_id))))
    }
}

impl Loader<BarcodesOf> for Loaders {
    type Value = Vec<String>;
    type Error = LoadError;

    async fn load(&self, keys: &[BarcodesOf]) -> Result<HashMap<BarcodesOf, Vec<String>>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.domain.items().barcodes_of(&self.viewer, &ids).await?;
        let rows = grouped(keys, rows, |row| Some(BarcodesOf(row.item_id)));
        Ok(rows.into_iter().map(|(key, rows)| (key, rows.into_iter().map(|row| row.barcode).collect())).collect())
    }
}

/// Every key with its rows in the order they came, also when there are none.
fn grouped<K: Copy + Eq + std::hash::Hash, R>(keys: &[K], rows: Vec<R>, key: impl Fn(&R) -> Option<K>) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = keys.iter().map(|key| (*key, Vec::new())).collect();
    for row in rows {
        if let Some(group) = key(&row).and_then(|key| groups.get_mut(&key)) {
            group.push(row);
        }
    }
    groups
}

/// Loads the categories of rows that are about to be asked for them, in one statement.
pub async fn prefetch_categories(ctx: &Context<'_>, mut ids: Vec<CategoryId>) -> async_graphql::Result<()> {
    ids.sort_unstable();
    ids.dedup();
    let rows = ctx.domain().categories().by_ids(ctx.viewer(), &ids).await;
    let rows = rows.map_err(|error| super::error::to_graphql(ctx.viewer(), error))?;
    ctx.loaders().feed_many(rows.into_iter().map(|row| (row.id, row))).await;
    Ok(())
}
