//! Stock locations: the object and its queries.

pub mod filter;
pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, Object, OneofObject, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    location::{Location as Row, LocationFilter},
};
use entity::id::LocationId;

pub use filter::LocationWhere;
pub use mutation::LocationMutation;

use super::{
    category::Category,
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{LocationAncestorsOf, LocationCategoriesOf, LocationChildrenOf, load, preload},
    page::{self, Connection},
    translation::{self, Translation},
};

/// What sort of place a location is. The last six are virtual: no places in the shop, but the other side of every movement. What
/// suppliers have given is missing there.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::location::Kind")]
pub enum LocationKind {
    /// A whole shop, or a branch of it.
    Shop,
    /// A floor, or a room.
    Floor,
    /// A case in which things are shown.
    Showcase,
    /// What lies in a case or a safe, and is carried about.
    Tray,
    /// A safe.
    Safe,
    /// A store that customers do not see.
    Storage,
    /// Virtual: where things come from that are bought.
    Supplier,
    /// Virtual: where things go to that are sold.
    Customer,
    /// Virtual: where things come from that were found, and go to that were counted too many.
    Adjustment,
    /// Virtual: where things go to that are lost or broken.
    Loss,
    /// Virtual: where things are on their way from one shop to another.
    Transit,
    /// Virtual: where things go to that are used up in making others, and those come from.
    Production,
}

/// A place where stock lies: a node of the tree of locations.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Location {
    /// Opaque id.
    pub id: ID,
    /// What people write on it: unique, upper case.
    code: String,
    /// Name in the viewer's language.
    name: String,
    /// What sort of place it is.
    kind: LocationKind,
    /// Whether it is no place in the shop, but the other side of movements.
    is_virtual: bool,
    /// Id of the location above; none for a root.
    parent_id: Option<ID>,
    /// How many locations are above it; 0 for a root.
    depth: i32,
    /// Order among its siblings, from 0.
    position: i32,
    /// Whether less than nothing may lie in it. Always so in virtual ones.
    negative_allowed: bool,
    /// The most that may lie in it at once, in units of stock, of all items together and without what lies below it; null when there is no
    /// such bound.
    capacity: Option<Decimal>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Since when it is closed, so that nothing is moved into it or out of it; none while it is open.
    archived_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: LocationId,
    #[graphql(skip)]
    row_parent_id: Option<LocationId>,
    #[graphql(skip)]
    translations: entity::translations::Translations,
}

impl Location {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            number: _,
            parent_id,
            path,
            code,
            name,
            kind,
            is_virtual,
            position,
            negative_allowed,
            capacity,
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            code,
            name: name.in_locale(ctx.viewer().locale.as_str()).to_owned(),
            kind: kind.into(),
            is_virtual,
            parent_id: parent_id.map(GlobalId::encode),
            depth: i32::try_from(path.depth()).unwrap_or(i32::MAX),
            position,
            negative_allowed,
            capacity: capacity.map(|capacity| Decimal(capacity.normalize())),
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
            row_id: id,
            row_parent_id: parent_id,
            translations: name,
        }
    }
}

#[ComplexObject]
impl Location {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.translations)
    }

    /// The location above; none for a root.
    async fn parent(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.row_parent_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Self::new(ctx, row)))
    }

    /// The locations above, root first.
    #[graphql(complexity = "cost::rows(30, child_complexity)")]
    async fn ancestors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Self>> {
        let rows = load(ctx, LocationAncestorsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(|row| Self::new(ctx, row)).collect())
    }

    /// The locations directly below that are open, in their order. `locations(where: {parentId: …, includeArchived: true})` has the closed
    /// ones, too.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Self>> {
        let key = LocationChildrenOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(page, EmptyFields, |row| {
            Self::new(ctx, row)
        }))
    }

    /// Only items of these categories, and of those below them, may lie in it and in what is below it; everything when there are none. A
    /// location further above may be kept for others: then an item has to fit both. Needs `catalogue.read`.
    #[graphql(
        guard = "Needs(Permission::CatalogueRead)",
        complexity = "cost::rows(10, child_complexity)"
    )]
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = load(ctx, LocationCategoriesOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(|row| Category::new(ctx, row)).collect())
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
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("parent") {
        preload(ctx, rows.clone().filter_map(|row| row.parent_id)).await?;
    }
    if is_selected("ancestors") {
        preload(ctx, rows.clone().map(|row| LocationAncestorsOf(row.id))).await?;
    }
    if is_selected("categories") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, rows.clone().map(|row| LocationCategoriesOf(row.id))).await?;
    }
    if is_selected("children") {
        let ids = rows.map(|row| row.id);
        let keys = LocationChildrenOf::selected(&selected.field("children"), ids)?;
        preload(ctx, keys).await?;
    }
    Ok(())
}

/// How to name one location: by exactly one of these.
#[derive(OneofObject)]
pub enum LocationBy {
    /// Its id.
    Id(ID),
    /// What people write on it, in capitals or not.
    Code(String),
    /// Its key in somebody else's system.
    ExternalReference(String),
}

/// Queries about locations.
#[derive(Default)]
pub struct LocationQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl LocationQuery {
    /// One stock location; null when there is none such. Needs `stock.read`.
    async fn location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: LocationBy,
    ) -> async_graphql::Result<Option<Location>> {
        let (domain, viewer) = (ctx.domain().locations(), ctx.viewer());
        let row = match by {
            LocationBy::Id(id) => match LocationId::parse("by.id", &id) {
                Ok(id) => domain.find(viewer, id).await,
                Err(refusal) => Err(refusal.into()),
            },
            LocationBy::Code(code) => domain.find_by_code(viewer, &code).await,
            LocationBy::ExternalReference(reference) => {
                domain.find_by_external_reference(viewer, &reference).await
            }
        };
        Ok(row.or_graphql(viewer)?.map(|row| Location::new(ctx, row)))
    }

    /// Stock locations in pages, by creation; the virtual ones that every shop has come first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn locations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all that are open without.", name = "where")] filter: Option<
            LocationWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Location>> {
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter: LocationFilter = filter.or_graphql(ctx.viewer())?;
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .locations()
            .page(ctx.viewer(), &filter, &args)
            .await
            .or_graphql(ctx.viewer())?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, |row| {
            Location::new(ctx, row)
        }))
    }
}
