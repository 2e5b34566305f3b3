//! Counts of stock: the object and its queries.

pub mod line;
pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    count::{CountFilter, CountProgress as ProgressRow, StockCount as Row},
};
use entity::id::{CategoryId, LocationId, StockCountId, StockEntryId};

pub use line::{StockCountLine, StockCountLineWhere};
pub use mutation::{CountApprovalMutation, CountMutation};

use super::{
    category::Category,
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{CountProgressOf, load, preload},
    location::Location,
    page::{self, Connection},
    stock::StockEntry,
};

/// How far a count has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::count::State")]
pub enum StockCountState {
    /// People are scanning.
    Open,
    /// Nobody scans any more: what was found is compared with what should be there.
    Review,
    /// It was approved, and what differed was put right.
    Posted,
    /// It was given up.
    Cancelled,
}

/// A count of what lies at a location and below it. Goods may go on moving meanwhile: each line is about the moment of its last scan.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockCount {
    /// Opaque id.
    pub id: ID,
    /// Short number for people, ascending, with gaps. The entry that puts right what differs has the document `C-` and this number.
    number: i64,
    /// How far it has got.
    state: StockCountState,
    /// Whether what should be there is not shown as long as people count.
    is_blind: bool,
    /// What differs by more per cent of what should be there is better counted again.
    tolerance: Decimal,
    /// How often has been counted, the present round included.
    round: i32,
    /// What somebody has to say about it.
    note: Option<String>,
    /// Who opened it.
    opened_by_name: String,
    /// Who approved it; null as long as nobody has.
    approved_by_name: Option<String>,
    /// When it was approved.
    approved_at: Option<DateTime<Utc>>,
    /// When counting last came to an end.
    finished_at: Option<DateTime<Utc>>,
    /// Counts steps, not scans; send it back as `expectedVersion`.
    version: i64,
    /// When it was opened.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: StockCountId,
    #[graphql(skip)]
    location_id: LocationId,
    #[graphql(skip)]
    category_id: Option<CategoryId>,
    #[graphql(skip)]
    entry_id: Option<StockEntryId>,
}

impl StockCount {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            number,
            state,
            location_id,
            category_id,
            is_blind,
            tolerance,
            round,
            note,
            actor_kind: _,
            actor_id: _,
            actor_name,
            approver_kind: _,
            approver_id: _,
            approver_name,
            approved_at,
            entry_id,
            finished_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            number,
            state: state.into(),
            is_blind,
            tolerance: Decimal::shown(tolerance),
            round,
            note,
            opened_by_name: actor_name,
            approved_by_name: approver_name,
            approved_at,
            finished_at,
            version,
            created_at,
            updated_at,
            row_id: id,
            location_id,
            category_id,
            entry_id,
        }
    }
}

#[ComplexObject]
impl StockCount {
    /// What lies there, and below it when the count was opened, is counted.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.location_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }

    /// Only items of this category, and of those below it, are counted; null when all are. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        let Some(id) = self.category_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Category::new(ctx, row)))
    }

    /// What put right what differed; null when nothing did, or it was not approved.
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<StockEntry>> {
        let Some(id) = self.entry_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(StockEntry::new))
    }

    /// How far counting has got.
    #[graphql(complexity = "cost::FACETS + child_complexity")]
    async fn progress(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<StockCountProgress>> {
        let row = load(ctx, CountProgressOf(self.row_id)).await?;
        Ok(row.map(StockCountProgress::new))
    }

    /// What was counted, thing by thing and place by place. What nobody has scanned is among it as soon as counting has ended.
    #[graphql(complexity = "cost::OWN_STATEMENT + cost::page(first, last, child_complexity)")]
    async fn lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockCountLineWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockCountLine>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let counts = ctx.domain().counts();
        let rows = counts.lines(viewer, self.row_id, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            line::prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockCountLine::new))
    }
}

/// How far counting has got.
#[derive(SimpleObject)]
pub struct StockCountProgress {
    /// How many places the count is about.
    locations: i64,
    /// At how many of them something was scanned. An empty place has nothing to scan.
    locations_scanned: i64,
    /// How many lines there are.
    lines: i64,
    /// How many scans there were, in all rounds.
    scans: i64,
    /// At how many lines something other was found than should be there; null while people count blindly.
    differing: Option<i64>,
    /// At how many of them by more than the tolerance; null while people count blindly.
    to_recount: Option<i64>,
}

impl StockCountProgress {
    fn new(row: ProgressRow) -> Self {
        let ProgressRow {
            count_id: _,
            locations,
            locations_scanned,
            lines,
            scans,
            differing,
            to_recount,
        } = row;
        Self {
            locations,
            locations_scanned,
            lines,
            scans,
            differing,
            to_recount,
        }
    }
}

/// Which counts. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockCountWhere {
    /// In one of these states. An empty list matches nothing.
    states: Option<Vec<StockCountState>>,
    /// Opened for this location.
    location_id: Option<ID>,
}

impl StockCountWhere {
    fn parse(self) -> Result<CountFilter, Refusal> {
        let Self {
            states,
            location_id,
        } = self;
        let location = location_id.map(|id| LocationId::parse("where.locationId", &id));
        Ok(CountFilter {
            states: states.map(|states| states.into_iter().map(Into::into).collect()),
            location_id: location.transpose()?,
        })
    }
}

/// Queries about counts.
#[derive(Default)]
pub struct CountQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl CountQuery {
    /// One count; null when there is none such. Needs `stock.read`.
    async fn stock_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockCount>> {
        let viewer = ctx.viewer();
        let id = StockCountId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().counts().by_ids(viewer, &[id]).await;
        Ok(rows.or_graphql(viewer)?.pop().map(StockCount::new))
    }

    /// Counts in pages, newest first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockCountWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockCount>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().counts().page(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockCount::new))
    }
}

/// Loads what the query selects of these rows besides themselves; they are selected at the end of `way`.
async fn prefetch<'a>(
    ctx: &Context<'_>,
    way: &[&str],
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    let selected = way
        .iter()
        .fold(ctx.look_ahead(), |selected, field| selected.field(field));
    if selected.field("location").exists() {
        preload(ctx, rows.clone().map(|row| row.location_id)).await?;
    }
    if selected.field("category").exists()
        && ctx.viewer().require(Permission::CatalogueRead).is_ok()
    {
        preload(ctx, rows.clone().filter_map(|row| row.category_id)).await?;
    }
    if selected.field("entry").exists() {
        preload(ctx, rows.clone().filter_map(|row| row.entry_id)).await?;
    }
    if selected.field("progress").exists() {
        preload(ctx, rows.map(|row| CountProgressOf(row.id))).await?;
    }
    Ok(())
}
