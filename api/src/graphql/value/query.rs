//! What clients can ask of costs.

use async_graphql::{Context, ID, InputObject, Object, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{Permission, Refusal, cost::ValueFilter};
use entity::id::{CategoryId, ItemId};

use super::{StockValue, StockValueTotal};
use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::preload,
    page::{self, Connection},
};

/// Which items. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockValueWhere {
    /// These. An empty list matches nothing.
    item_ids: Option<Vec<ID>>,
    /// In this category or below it.
    category_id: Option<ID>,
}

impl StockValueWhere {
    fn parse(self) -> Result<ValueFilter, Refusal> {
        let Self {
            item_ids,
            category_id,
        } = self;
        let items = item_ids.map(|ids| ItemId::parse_all("where.itemIds", &ids));
        let category = category_id.map(|id| CategoryId::parse("where.categoryId", &id));
        Ok(ValueFilter {
            item_ids: items.transpose()?,
            category_id: category.transpose()?,
        })
    }
}

/// Queries about what stock has cost.
#[derive(Default)]
pub struct StockValueQuery;

#[Object(guard = "Needs(Permission::CostRead)")]
impl StockValueQuery {
    /// What stock has cost, item by item, or had at a moment of the past, in pages, by the creation of the items. Needs `cost.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn stock_values(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which items; all without.", name = "where")] filter: Option<
            StockValueWhere,
        >,
        #[graphql(desc = "As it was at this moment.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockValue>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let costs = ctx.domain().costs();
        let rows = costs.values(viewer, &filter, as_of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        let list = ctx.look_ahead();
        let nodes = [list.field("edges").field("node"), list.field("nodes")];
        if nodes.iter().any(|node| node.field("item").exists())
            && viewer.require(Permission::CatalogueRead).is_ok()
        {
            preload(ctx, rows.edges.iter().map(|(_, row)| row.item_id)).await?;
        }
        Ok(page::connection(rows, EmptyFields, |row| {
            StockValue::new(row, as_of)
        }))
    }

    /// What all stock has cost together, or had at a moment of the past. Needs `cost.read`.
    async fn stock_value_total(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which items; all without.", name = "where")] filter: Option<
            StockValueWhere,
        >,
        #[graphql(desc = "As it was at this moment.")] as_of: Option<DateTime<Utc>>,
    ) -> async_graphql::Result<StockValueTotal> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let total = ctx.domain().costs().total(viewer, &filter, as_of).await;
        Ok(StockValueTotal::new(total.or_graphql(viewer)?))
    }
}
