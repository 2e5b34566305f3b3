//! Landed cost: the object and its queries.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Lookahead, Object, SimpleObject,
    connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    landed_cost::{LandedCost as Row, LandedCostFilter, LandedCostLine as LineRow},
};
use entity::id::{ItemId, StockEntryId, StockLandedCostId};

pub use mutation::LandedCostMutation;

use super::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::{IsPending, LandedCostLinesOf, LandedCostReversalOf, load, load_all, preload},
    page::{self, Connection},
    stock::StockEntry,
};

/// What made a receipt cost more or less later.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::landed_cost::Kind")]
pub enum StockLandedCostKind {
    /// Bringing the goods here.
    Freight,
    /// Customs and taxes that are not given back.
    Duty,
    /// Insuring them on their way.
    Insurance,
    /// The goods themselves: a price that was known late, or a rebate.
    Price,
    /// Something else.
    Other,
}

/// How it is spread over the lines of the receipt. The parts are whole smallest units of the currency and add up to the amount.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::landed_cost::Method")]
pub enum StockLandedCostMethod {
    /// In proportion to what the goods cost: what was said, else what they were worth, and late prices.
    Value,
    /// To how many came, each line in its item's unit.
    Quantity,
    /// To what they weigh: on the scale, else what the lot or the item says.
    Weight,
    /// The same for each line.
    Equally,
}

/// Freight, duty, insurance or a late price, which a receipt bears from its moment on: it is a part of what is left of the goods, and of what
/// was sold has cost. It never changes; a mistake is undone by reversing it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockLandedCost {
    /// Opaque id.
    pub id: ID,
    /// Short number for people, ascending, with gaps.
    number: i64,
    /// What it was for.
    kind: StockLandedCostKind,
    /// How it was spread.
    method: StockLandedCostMethod,
    /// In the shop's currency; below 0 when the receipt became cheaper.
    amount: Decimal,
    /// The paper behind it, such as the carrier's invoice.
    document: Option<String>,
    /// What somebody has to say about it.
    description: Option<String>,
    /// When it arose. Whenever that was, it counts from the receipt on.
    effective_at: DateTime<Utc>,
    /// When goldshop heard of it.
    recorded_at: DateTime<Utc>,
    /// Who added it.
    actor_name: String,
    /// Over how many lines it was spread.
    line_count: i32,
    #[graphql(skip)]
    row_id: StockLandedCostId,
    #[graphql(skip)]
    entry_id: StockEntryId,
    #[graphql(skip)]
    reverses_id: Option<StockLandedCostId>,
}

impl StockLandedCost {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            number,
            entry_id,
            kind,
            method,
            amount,
            document,
            description,
            effective_at,
            recorded_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
            reverses_id,
            lines,
        } = row;
        Self {
            id: id.encode(),
            number,
            kind: kind.into(),
            method: method.into(),
            amount: Decimal::shown(amount),
            document,
            description,
            effective_at,
            recorded_at,
            actor_name,
            line_count: lines,
            row_id: id,
            entry_id,
            reverses_id,
        }
    }
}

#[ComplexObject]
impl StockLandedCost {
    /// The receipt. Needs `stock.read`.
    #[graphql(guard = "Needs(Permission::StockRead)")]
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<StockEntry>> {
        Ok(load(ctx, self.entry_id).await?.map(StockEntry::new))
    }

    /// What each line bears.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<StockLandedCostLine>> {
        let key = LandedCostLinesOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(
            page,
            EmptyFields,
            StockLandedCostLine::new,
        ))
    }

    /// Whether a worker is still to split it between what is left and what was sold, which it does within seconds. Until then it is not in what
    /// stock is worth, nor in the books.
    async fn is_pending(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        Ok(load(ctx, IsPending(self.row_id)).await?.unwrap_or_default())
    }

    /// What it undoes; null when it undoes none.
    async fn reverses(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.reverses_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Self::new))
    }

    /// What undid it; null as long as nothing has.
    async fn reversed_by(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let row = load(ctx, LandedCostReversalOf(self.row_id)).await?;
        Ok(row.flatten().map(Self::new))
    }
}

/// What a line of a receipt bears.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockLandedCostLine {
    /// Which line of the receipt, from 1.
    line: i32,
    /// How much, in the shop's currency.
    amount: Decimal,
    #[graphql(skip)]
    item_id: ItemId,
}

impl StockLandedCostLine {
    fn new(row: LineRow) -> Self {
        let LineRow {
            landed_cost_id: _,
            line,
            entry_id: _,
            item_id,
            amount,
        } = row;
        Self {
            line,
            amount: Decimal::shown(amount),
            item_id,
        }
    }
}

#[ComplexObject]
impl StockLandedCostLine {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }
}

/// Which landed costs. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockLandedCostWhere {
    /// Of this receipt.
    entry_id: Option<ID>,
    /// With a line of this item.
    item_id: Option<ID>,
    /// Of one of these kinds. An empty list matches nothing.
    kinds: Option<Vec<StockLandedCostKind>>,
    /// That arose then or later.
    from: Option<DateTime<Utc>>,
    /// That arose before then.
    until: Option<DateTime<Utc>>,
}

impl StockLandedCostWhere {
    fn parse(self) -> Result<LandedCostFilter, Refusal> {
        let Self {
            entry_id,
            item_id,
            kinds,
            from,
            until,
        } = self;
        let entry = entry_id.map(|id| StockEntryId::parse("where.entryId", &id));
        let item = item_id.map(|id| ItemId::parse("where.itemId", &id));
        Ok(LandedCostFilter {
            entry_id: entry.transpose()?,
            item_id: item.transpose()?,
            kinds: kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            from,
            until,
        })
    }
}

/// Queries about landed cost.
#[derive(Default)]
pub struct LandedCostQuery;

#[Object(guard = "Needs(Permission::CostRead)")]
impl LandedCostQuery {
    /// One landed cost; null when there is none such. Needs `cost.read`.
    async fn stock_landed_cost(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockLandedCost>> {
        let viewer = ctx.viewer();
        let id = StockLandedCostId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().landed_costs().by_ids(viewer, &[id]).await;
        let rows = rows.or_graphql(viewer)?;
        prefetch(ctx, &ctx.look_ahead(), rows.iter()).await?;
        Ok(rows.into_iter().next().map(StockLandedCost::new))
    }

    /// Landed costs in pages, those that arose last first. Needs `cost.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_landed_costs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockLandedCostWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockLandedCost>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let use_cases = ctx.domain().landed_costs();
        let rows = use_cases.page(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            prefetch(ctx, &selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockLandedCost::new))
    }
}

/// Where a list selects its rows.
fn nodes<'a>(list: &Lookahead<'a>) -> [Lookahead<'a>; 2] {
    [list.field("edges").field("node"), list.field("nodes")]
}

/// Loads what is selected of these besides themselves.
pub(super) async fn prefetch<'a>(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("entry") && ctx.viewer().require(Permission::StockRead).is_ok() {
        preload(ctx, rows.clone().map(|row| row.entry_id)).await?;
    }
    if is_selected("reverses") {
        preload(ctx, rows.clone().filter_map(|row| row.reverses_id)).await?;
    }
    if is_selected("reversedBy") {
        preload(ctx, rows.clone().map(|row| LandedCostReversalOf(row.id))).await?;
    }
    if is_selected("isPending") {
        preload(ctx, rows.clone().map(|row| IsPending(row.id))).await?;
    }
    let lines = selected.field("lines");
    if lines.exists() {
        let keys = LandedCostLinesOf::selected(&lines, rows.map(|row| row.id))?;
        let pages = load_all(ctx, keys).await?;
        let is_of_item = |lines: &Lookahead<'_>| lines.field("item").exists();
        if nodes(&lines).iter().any(is_of_item)
            && ctx.viewer().require(Permission::CatalogueRead).is_ok()
        {
            let rows = pages.values().flat_map(|page| &page.edges);
            preload(ctx, rows.map(|(_, line)| line.item_id)).await?;
        }
    }
    Ok(())
}
