//! Any object by its id, after the Relay specification.

use async_graphql::{Context, ID, Interface, Object};
use domain::{Code, Error, Refusal};
use entity::id::{CategoryId, ItemId, JobId, LocationId, UnitOfMeasureId};

use super::{
    category::Category,
    context::ContextExt,
    cost,
    error::OrGraphql,
    id::{GlobalId, decode, shortened},
    item::Item,
    job::Job,
    loader::load,
    location::Location,
    unit_of_measure::UnitOfMeasure,
};

/// Anything that has an id.
#[expect(
    clippy::large_enum_variant,
    reason = "one of these lives for one answer"
)]
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Opaque id."))]
pub enum Node {
    /// A category.
    Category(Category),
    /// An item.
    Item(Item),
    /// A job.
    Job(Job),
    /// A stock location.
    Location(Location),
    /// A unit of measure.
    UnitOfMeasure(UnitOfMeasure),
}

/// Queries for anything.
#[derive(Default)]
pub struct NodeQuery;

/// Most ids of one query.
const NODES_MAX: usize = 100;

#[Object]
impl NodeQuery {
    /// The object with this id; null when there is none such.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The id of a category, an item, a job, a stock location or a unit of measure."
        )]
        id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        find(ctx, "id", &id).await
    }

    /// The objects with these ids, in their order; null for each that does not exist. At most 100.
    #[graphql(complexity = "cost::rows(ids.len(), child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Ids of categories, items, jobs, stock locations and units of measure, mixed as you like."
        )]
        ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        if ids.len() > NODES_MAX {
            return Err(Error::from(
                Refusal::new(Code::TooMany, "ids").with("max", NODES_MAX),
            ))
            .or_graphql(ctx.viewer());
        }
        futures_util::future::try_join_all(ids.iter().map(|id| find(ctx, "ids", id))).await
    }
}

async fn find(ctx: &Context<'_>, path: &str, id: &ID) -> async_graphql::Result<Option<Node>> {
    Ok(match decode(id) {
        Some((kind, uuid)) if kind == CategoryId::TYPE => load(ctx, CategoryId(uuid))
            .await?
            .map(|row| Node::Category(Category::new(ctx, row))),
        Some((kind, uuid)) if kind == ItemId::TYPE => load(ctx, ItemId(uuid))
            .await?
            .map(|row| Node::Item(Item::new(ctx, row))),
        Some((kind, uuid)) if kind == JobId::TYPE => load(ctx, JobId(uuid))
            .await?
            .map(|row| Node::Job(Job::new(row))),
        Some((kind, uuid)) if kind == LocationId::TYPE => load(ctx, LocationId(uuid))
            .await?
            .map(|row| Node::Location(Location::new(ctx, row))),
        Some((kind, uuid)) if kind == UnitOfMeasureId::TYPE => {
            let row = load(ctx, UnitOfMeasureId(uuid)).await?;
            row.map(|row| Node::UnitOfMeasure(UnitOfMeasure::new(ctx, row)))
        }
        _ => {
            let refusal = Refusal::new(Code::InvalidFormat, path).with("value", shortened(id));
            return Err(Error::from(refusal)).or_graphql(ctx.viewer());
        }
    })
}
