//! Queries about items.

use async_graphql::{Context, ID, Lookahead, Object};
use domain::{
    Permission,
    item::{ItemSelection, ItemWithImage, OrderTerm},
    page::PageArgs,
};
use entity::id::ItemId;

use super::{
    Item,
    facet::{ItemFacet, ItemFacetInput, preload_named},
    filter::{ItemGroupBy, ItemOrder, ItemWhere},
    price, variant,
};
use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{BarcodesOf, ImagesOf, SchemaOf, StockOf, StockingOf, ValueOf, preload},
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
    selection: ItemSelection,
}

#[Object]
impl ItemList {
    /// How many items there are on all pages. Counted only when asked for.
    #[graphql(complexity = "cost::STATEMENT")]
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<TotalCount> {
        let items = ctx.domain().items();
        let count = items.count(ctx.viewer(), &self.selection).await;
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
                Ok(id) => find(ctx, id).await,
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

    /// The items that pass a filter and are found by words, in pages.
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
        #[graphql(
            desc = "Only items with all of these words, or words that begin so, in their names, tags and searchable attributes; or whose \
                          SKU or barcode begins so. Typos are forgiven."
        )]
        search: Option<String>,
        #[graphql(
            desc = "In which order; without, by relevance where words are looked for, else by creation."
        )]
        order_by: Option<Vec<ItemOrder>>,
        #[graphql(
            desc = "Lists what stands for several items instead of these: each template that fits itself, or has a variant that does. Items \
                          that are no variants stay."
        )]
        group_by: Option<ItemGroupBy>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Item, ItemList>> {
        let selection = ItemSelection {
            by_template: group_by == Some(ItemGroupBy::Template),
            ..selection(ctx, filter, search)?
        };
        let order: Vec<OrderTerm> = order_by.into_iter().flatten().map(Into::into).collect();
        let args = page::args(first, last, after, before);
        list(ctx, selection, &order, &args).await
    }

    /// How many of the items that pass a filter and are found by words have which value, to choose further. Each facet is counted without
    /// the conditions on itself that stand in `where` or its `AND`.
    #[graphql(complexity = "cost::FACETS + cost::rows(10, child_complexity)")]
    async fn item_facets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items; all in use without.", name = "where")] filter: Option<
            ItemWhere,
        >,
        #[graphql(desc = "Only items that are found by these words, as in `items`.")]
        search: Option<String>,
        #[graphql(
            desc = "Counted by what; without, by category, kind, price, tags, and the attributes that are declared to be facets."
        )]
        facets: Option<Vec<ItemFacetInput>>,
    ) -> async_graphql::Result<Vec<ItemFacet>> {
        let viewer = ctx.viewer();
        let selection = selection(ctx, filter, search)?;
        let requests = facets.map(|facets| facets.into_iter().map(Into::into).collect());
        let counted = ctx
            .domain()
            .items()
            .facets(viewer, &selection, requests)
            .await;
        let counted = counted.or_graphql(viewer)?;
        if ctx.look_ahead().field("values").exists() {
            preload_named(ctx, &counted).await?;
        }
        Ok(counted.into_iter().map(ItemFacet).collect())
    }

    /// What somebody may be about to type into a search: `prefix` with its last word completed, the most usual first.
    #[graphql(complexity = "cost::STATEMENT")]
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What has been typed so far.")] prefix: String,
        #[graphql(desc = "How many at most; 1 to 20, 10 without.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<String>> {
        let items = ctx.domain().items();
        let words = items.suggestions(ctx.viewer(), &prefix, first).await;
        words.or_graphql(ctx.viewer())
    }
}

/// The item, and its category when somebody asks for it: then its resolver finds it loaded.
async fn find(ctx: &Context<'_>, id: ItemId) -> domain::Result<Option<ItemWithImage>> {
    let (items, viewer) = (ctx.domain().items(), ctx.viewer());
    if !ctx.look_ahead().field("category").exists() {
        return items.find(viewer, id).await;
    }
    let Some(found) = items.find_in_category(viewer, id).await? else {
        return Ok(None);
    };
    let category = [(found.category.id, found.category)];
    ctx.loaders().feed_many(category).await;
    Ok(Some(found.item))
}

/// A page of items, with what the selected fields need.
pub(in crate::graphql) async fn list(
    ctx: &Context<'_>,
    selection: ItemSelection,
    order: &[OrderTerm],
    args: &PageArgs,
) -> async_graphql::Result<Connection<Item, ItemList>> {
    let items = ctx.domain().items();
    let rows = items.page(ctx.viewer(), &selection, order, args).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    for way in [&["edges", "node"][..], &["nodes"]] {
        let selected = way
            .iter()
            .fold(ctx.look_ahead(), |selected, field| selected.field(field));
        prefetch(ctx, selected, rows.edges.iter().map(|(_, row)| row)).await?;
    }
    Ok(page::connection(rows, ItemList { selection }, |row| {
        Item::new(ctx, row)
    }))
}

/// Which items a client asks for.
pub(super) fn selection(
    ctx: &Context<'_>,
    filter: Option<ItemWhere>,
    search: Option<String>,
) -> async_graphql::Result<ItemSelection> {
    let filter = filter.unwrap_or_default().parse();
    Ok(ItemSelection {
        filter: filter.map_err(Into::into).or_graphql(ctx.viewer())?,
        search,
        by_template: false,
    })
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
    let of_schema = ["attributes", "attributeValues", "options", "variantOptions"];
    if of_schema.into_iter().any(is_selected) {
        preload(ctx, categories().map(SchemaOf)).await?;
    }
    if is_selected("category") {
        // Sorted, so that the same rows are the same statement in whatever order they come.
        let mut sorted: Vec<_> = categories().collect();
        sorted.sort_unstable();
        preload(ctx, sorted).await?;
    }
    let ids = || rows.iter().map(|row| row.id);
    if is_selected("barcodes") {
        preload(ctx, ids().map(BarcodesOf)).await?;
    }
    if is_selected("images") {
        preload(ctx, ids().map(ImagesOf)).await?;
    }
    if ctx.viewer().require(Permission::StockRead).is_ok() {
        if is_selected("stock") {
            preload(ctx, ids().map(StockOf)).await?;
        }
        if is_selected("stocking") {
            preload(ctx, ids().map(StockingOf)).await?;
        }
    }
    if is_selected("stockValue") && ctx.viewer().require(Permission::CostRead).is_ok() {
        preload(ctx, ids().map(ValueOf)).await?;
    }
    variant::prefetch(ctx, &selected, &rows).await?;
    price::prefetch(ctx, selected, &rows).await
}
