//! Subscriptions: what happens, as it happens, from any position on.

use async_graphql::{Context, ID, Scalar, ScalarType, SimpleObject, Subscription, Value};
use domain::{
    Code, Error,
    event::{Event, Kind},
};
use entity::id::{CategoryId, ItemId, JobId};
use futures_util::{Stream, TryStreamExt};

use super::{
    category::Category,
    context::ContextExt,
    error::{OrGraphql, to_graphql},
    id::GlobalId,
    item::Item,
    job::Job,
};

/// A place in the one sequence of all events. Keep the last you saw; subscribe with it again, and you miss nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPosition(pub i64);

#[Scalar]
impl ScalarType for EventPosition {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(async_graphql::InputValueError::expected_type(value)) };
        text.parse().map(Self).map_err(|_not_a_number| async_graphql::InputValueError::custom("not an event position"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An item has changed.
#[derive(SimpleObject)]
pub struct ItemChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done, such as `item.update`.
    action: String,
    /// The item as it is by now; null when many have changed at once (`item.import`): read your lists again.
    item: Option<Item>,
}

/// The category tree has changed.
#[derive(SimpleObject)]
pub struct CategoryTreeChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done, such as `category.move`.
    action: String,
    /// The category it was done to, as it is by now; null when many have changed at once (`category.import`): read the tree again.
    category: Option<Category>,
}

/// A job has got on.
#[derive(SimpleObject)]
pub struct JobProgressEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// The job as it is by now.
    job: Job,
}

/// All subscriptions.
#[derive(Default)]
pub struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// Items that change, and new ones. Needs `catalogue.read`.
    async fn item_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only this item.")] item_id: Option<ID>,
        #[graphql(desc = "Only items directly in this category.")] category_id: Option<ID>,
        #[graphql(desc = "What happened behind this position comes first; without, only what happens from now on.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<ItemChangedEvent>> + use<'ctx>> {
        let viewer = ctx.viewer();
        let item = item_id.map(|id| ItemId::parse("itemId", &id)).transpose().map_err(Error::from).or_graphql(viewer)?;
        let category = category_id.map(|id| CategoryId::parse("categoryId", &id)).transpose().map_err(Error::from).or_graphql(viewer)?;
        let wanted = move |event: &Event| {
            let of_many = action(event) == "item.import";
            let of_item = item.is_none_or(|id| id.0 == event.aggregate_id);
            let of_category = category.is_none_or(|id| event.payload.get("categoryId").and_then(|id| id.as_str()) == Some(&id.to_string()));
            of_many || of_item && of_category
        };
        let events = events(ctx, Kind::ItemChanged, after, wanted).await?;
        Ok(events.and_then(move |event| async move {
            let row = ctx.domain().items().find(ctx.viewer(), ItemId(event.aggregate_id)).await.or_graphql(ctx.viewer())?;
            Ok(ItemChangedEvent { position: position(&event), action: action(&event).to_owned(), item: row.map(|row| Item::new(ctx, row)) })
        }))
    }

    /// Every change of the category tree. Needs `catalogue.read`.
    async fn category_tree_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "What happened behind this position comes first; without, only what happens from now on.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<CategoryTreeChangedEvent>> + use<'ctx>> {
        let events = events(ctx, Kind::CategoryTreeChanged, after, |_| true).await?;
        Ok(events.and_then(move |event| async move {
            let row = ctx.domain().categories().find(ctx.viewer(), CategoryId(event.aggregate_id)).await.or_graphql(ctx.viewer())?;
            let category = row.map(|row| Category::new(ctx, row));
            Ok(CategoryTreeChangedEvent { position: position(&event), action: action(&event).to_owned(), category })
        }))
    }

    /// How jobs get on. Needs `job.read`.
    async fn job_progress<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only this job.")] job_id: Option<ID>,
        #[graphql(desc = "What happened behind this position comes first; without, only what happens from now on.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<JobProgressEvent>> + use<'ctx>> {
        let job = job_id.map(|id| JobId::parse("jobId", &id)).transpose().map_err(Error::from).or_graphql(ctx.viewer())?;
        let wanted = move |event: &Event| job.is_none_or(|id| id.0 == event.aggregate_id);
        let events = events(ctx, Kind::JobChanged, after, wanted).await?;
        Ok(events.and_then(move |event| async move {
            let job = ctx.domain().jobs().get(ctx.viewer(), JobId(event.aggregate_id)).await.or_graphql(ctx.viewer())?;
            Ok(JobProgressEvent { position: position(&event), job: Job::new(job) })
        }))
    }
}

/// Events of one kind that are wanted, for a viewer who may see them.
async fn events<'ctx>(
    ctx: &'ctx Context<'ctx>,
    kind: Kind,
    after: Option<EventPosition>,
    wanted: impl Fn(&Event) -> bool + Send + 'ctx,
) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Event>> + 'ctx> {
    let viewer = ctx.viewer();
    viewer.require(kind.permission()).or_graphql(viewer)?;
    let events = ctx.events().subscribe(after.map(|EventPosition(position)| position)).await.map_err(|error| refused(ctx, error))?;
    let wanted = move |event: &Event| event.kind == kind.as_str() && wanted(event);
    Ok(events.map_err(|error| to_graphql(viewer, error)).try_filter(move |event| std::future::ready(wanted(event))))
}

/// A position that is no longer, or was never, one.
fn refused(ctx: &Context<'_>, error: Error) -> async_graphql::Error {
    match &error {
        Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == Code::NotFound) => {
            super::error::coded(ctx.viewer(), "EVENT_POSITION_EXPIRED", &std::collections::BTreeMap::new())
        }
        Error::Refused(_) => super::error::coded(ctx.viewer(), "EVENT_POSITION_UNKNOWN", &std::collections::BTreeMap::new()),
        _ => to_graphql(ctx.viewer(), error),
    }
}

fn position(event: &Event) -> EventPosition {
    EventPosition(event.position.unwrap_or_default())
}

fn action(event: &Event) -> &str {
    event.payload.get("action").and_then(|action| action.as_str()).unwrap_or_default()
}
