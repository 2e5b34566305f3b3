//! Queries about items.

use async_graphql::{Context, ID, Lookahead, Object};
use domain::{
    Permission,
    item::{ItemFilter, ItemWithImage, OrderTerm},
};
use entity::id::ItemId;

use super::{
    Item,
    filter::{ItemOrder, ItemWhere},
    price,
};
use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{SchemaOf, prefetch_categories, preload},
    page::{self, Connection, TotalCount},
};

/// How to name one item: by exactly one of these.
#[derive(async_graphql::OneofObject)]
pub enum ItemBy {
    /// Its id.
    Id(ID),
    /// Its SKU.
    Sku(String),
    /// Its key in somebody else's system.
    ExternalReference(String),
}

/// What a list of items can tell beside its pages.
pub struct ItemList {
    filter: ItemFilter,
}

#[Object]
impl ItemList {
    /// How many items there are on all pages. Counted only when asked for.
    #[graphql(complexity = "cost::STATEMENT")]
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<TotalCount> {
        let count = ctx.domain().items().count(ctx.viewer(), &self.filter).await;
        Ok(count.or_graphql(ctx.viewer())?.into())
    }
}

/// Queries about items.
#[derive(Default)]
pub struct ItemQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ItemQuery {
    /// One item; null when there is none such.
    async fn item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: ItemBy,
    ) -> async_graphql::Result<Option<Item>> {
        let (domain, viewer) = (ctx.domain().items(), ctx.viewer());
        let row = match by {
            ItemBy::Id(id) => match ItemId::parse("by.id", &id) {
                Ok(id) => domain.find(viewer, id).await,
                Err(refusal) => Err(refusal.into()),
            },
            ItemBy::Sku(sku) => domain.find_by_sku(viewer, &sku).await,
            ItemBy::ExternalReference(reference) => {
                domain.find_by_external_reference(viewer, &reference).await
            }
        };
        let row = row.or_graphql(viewer)?;
        prefetch(ctx, ctx.look_ahead(), row.as_slice()).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// The items that pass a filter, in pages.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items; all in use without.", name = "where")] filter: Option<
            ItemWhere,
        >,
        #[graphql(desc = "In which order; by creation without.")] order_by: Option<Vec<ItemOrder>>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Item, ItemList>> {
        let viewer = ctx.viewer();
        let filter = filter
            .unwrap_or_default()
            .parse()
            .map_err(Into::into)
            .or_graphql(viewer)?;
        let order: Vec<OrderTerm> = order_by.into_iter().flatten().map(Into::into).collect();
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .items()
            .page(viewer, &filter, &order, &args)
            .await
            .or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            let selected = way
                .iter()
                .fold(ctx.look_ahead(), |selected, field| selected.field(field));
            prefetch(ctx, selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, ItemList { filter }, |row| {
            Item::new(ctx, row)
        }))
    }
}

/// Loads what the selected fields of these items need, before they ask one by one.
pub(in crate::graphql) async fn prefetch<'a>(
    ctx: &Context<'_>,
    selected: Lookahead<'_>,
    rows: impl IntoIterator<Item = &'a ItemWithImage>,
) -> async_graphql::Result<()> {
    let rows: Vec<_> = rows.into_iter().map(|row| &row.item).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let categories = || rows.iter().map(|row| row.category_id);
    let is_selected = |field| selected.field(field).exists();
    if is_selected("attributes") || is_selected("attributeValues") {
        preload(ctx, categories().map(SchemaOf)).await?;
    }
    if is_selected("category") {
        prefetch_categories(ctx, categories().collect()).await?;
    }
    price::prefetch(ctx, selected, &rows).await
}
