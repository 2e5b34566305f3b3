//! Subscriptions: what happens, as it happens, from any position on.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, Scalar, ScalarType, SimpleObject, Subscription, Value};
use chrono::{DateTime, Utc};
use domain::{
    Code, Error,
    event::{Event, Interest, action},
    job::JobFilter,
};
use entity::id::{
    AccountId, CategoryId, ItemId, JobId, JournalEntryId, JournalHoldId, LocationId, MetalRateId,
    ScheduleId,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{
    books_event::{
        self, AccountFloorChangedEvent, DimensionValueChangedEvent, JournalHoldChangedEvent,
    },
    category::Category,
    context::ContextExt,
    error::{OrGraphql, to_graphql},
    id::GlobalId,
    item::{Item, query::prefetch},
    job::{Job, Queue, filter::JobWhere},
    journal::{
        JournalEntry,
        watch::{self, AccountBalanceChangedEvent},
    },
    location::Location,
    metal_rate::{self, Metal, MetalRate},
    page,
    schedule::Schedule,
    stock::report::LowStock,
};

/// A place in the one sequence of all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPosition(pub i64);

/// A place in the one sequence of all events, as a string of digits. Keep the last you saw; subscribe with it again, and you miss nothing.
#[Scalar]
impl ScalarType for EventPosition {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(async_graphql::InputValueError::expected_type(value));
        };
        text.parse().map(Self).map_err(|_not_a_number| {
            async_graphql::InputValueError::custom("not an event position")
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl EventPosition {
    /// Where an event is that has been given its place.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self(event.position.unwrap_or_default())
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
    /// The category it was done to (for `category.reorder` the one that is now the first among its siblings), as it is by now; null when
    /// many have changed at once (`category.import`): read the tree again.
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

/// The tree of stock locations has changed.
#[derive(SimpleObject)]
pub struct LocationTreeChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done, such as `location.move`. It was done to all that is below the location, too.
    action: String,
    /// The location it was done to, as it is by now.
    location: Location,
}

/// A metal rate was recorded.
#[derive(SimpleObject)]
pub struct MetalRateChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// The rate that was recorded. When it was back-dated, a later one may still be the one that holds: see `metalRateLatest`.
    metal_rate: MetalRate,
}

/// A schedule has changed, or one of its times has come.
#[derive(SimpleObject)]
pub struct ScheduleChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `schedule.create`, `schedule.update`, `schedule.pause`, `schedule.resume`, `schedule.delete`, `schedule.run`, or
    /// `schedule.fire` when a time has come.
    action: String,
    /// The schedule as it is by now; null when it was taken away.
    schedule: Option<Schedule>,
}

/// Stock was moved, is held for somebody, or not any more.
#[derive(SimpleObject)]
pub struct StockChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `stock.receive`, `stock.move`, `stock.issue`, `stock.adjust`, `stock.transform`, `stock.reverse`, `stock.reserve`,
    /// `stock.release`, `stock.expire`, `stock.landed_cost.add`, `stock.landed_cost.reverse`, `stock.recost` or `item_stocking.set`.
    action: String,
    /// Ids of the items that it was done to; null when they were very many.
    item_ids: Option<Vec<ID>>,
    /// Ids of the locations that it was done at; null when they or the items were very many, or it was done at none.
    location_ids: Option<Vec<ID>>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
}

/// An entry was posted to the books.
#[derive(SimpleObject)]
pub struct JournalPostedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `journal.post`, `journal.reverse`, `journal.import`, `journal.revalue`, `journal_draft.post`, `journal_hold.post`,
    /// `fiscal_year.close`, `fiscal_year.reopen`, or `stock.post` when it follows from what happened in stock.
    action: String,
    /// The entry.
    entry: JournalEntry,
}

/// After a change no more of an item is available than its reorder point.
#[derive(SimpleObject)]
pub struct LowStockEvent {
    /// Place in the sequence of the event after which it is so.
    position: EventPosition,
    /// How it is by now.
    low_stock: LowStock,
}

/// What happens, as it happens. With `after`, what happened behind that position comes first and nothing is left out. A subscription that
/// fails ends: subscribe again with the last position that you saw.
#[derive(Default)]
pub struct Subscriptions;

/// What happens, as it happens. With `after`, what happened behind that position comes first and nothing is left out. A subscription that
/// fails ends: subscribe again with the last position that you saw.
#[Subscription]
impl Subscriptions {
    /// Items that change, and new ones. Needs `catalogue.read`.
    async fn item_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only this item.")] item_id: Option<ID>,
        #[graphql(desc = "Only items directly in this category, and those that leave it.")]
        category_id: Option<ID>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<ItemChangedEvent>> + use<'ctx>,
    > {
        let item = item_id.map(|id| ItemId::parse_or_graphql(ctx, "itemId", &id));
        let item = item.transpose()?;
        let category = category_id.map(|id| CategoryId::parse_or_graphql(ctx, "categoryId", &id));
        let category = category.transpose()?;
        let events = events(ctx, Interest::Items { item, category }, after).await?;
        Ok(resolved(events.and_then(move |events| items(ctx, events))))
    }

    /// Every change of the category tree. Needs `catalogue.read`.
    async fn category_tree_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<CategoryTreeChangedEvent>> + use<'ctx>,
    > {
        let events = events(ctx, Interest::CategoryTree, after).await?;
        Ok(resolved(
            events.and_then(move |events| categories(ctx, events)),
        ))
    }

    /// How jobs get on. Needs `job.read`; who has logged in without it hears of the jobs that they have caused.
    async fn job_progress<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only this job.")] job_id: Option<ID>,
        #[graphql(
            desc = "Only jobs that pass this filter, as they are by the time the event is handed out.",
            name = "where"
        )]
        filter: Option<JobWhere>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<JobProgressEvent>> + use<'ctx>,
    > {
        let job = job_id.map(|id| JobId::parse_or_graphql(ctx, "jobId", &id));
        let job = job.transpose()?;
        let filter = filter.unwrap_or_default().parse();
        let filter = filter.and_then(|filter| filter.check().map(|()| filter));
        let filter = filter.map_err(Error::from).or_graphql(ctx.viewer())?;
        let events = events(ctx, Interest::Jobs { job }, after).await?;
        Ok(resolved(events.and_then(move |events| {
            let filter = filter.clone();
            async move { jobs(ctx, events, &filter).await }
        })))
    }

    /// How the queues of jobs stand: at once, and whenever something about them has changed, at most once a second. Needs `job.read`.
    async fn queues_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Vec<Queue>>> + use<'ctx>>
    {
        let viewer = ctx.viewer();
        let changes = ctx.queues().changes(viewer).or_graphql(viewer)?;
        Ok(resolved(changes.map(move |change| {
            let standing = change.or_graphql(viewer)?;
            Ok(vec![Queue::all(&standing)])
        })))
    }

    /// Every change of the tree of stock locations. Needs `stock.read`.
    async fn location_tree_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<LocationTreeChangedEvent>> + use<'ctx>,
    > {
        let events = events(ctx, Interest::LocationTree, after).await?;
        Ok(resolved(
            events.and_then(move |events| locations(ctx, events)),
        ))
    }

    /// Metal rates that are recorded. Needs `catalogue.read`.
    async fn metal_rate_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only of this metal.")] metal: Option<Metal>,
        #[graphql(desc = "Only in this currency: an ISO 4217 code.")] currency: Option<String>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<MetalRateChangedEvent>> + use<'ctx>,
    > {
        let filter = metal_rate::filter(metal, currency.as_deref()).or_graphql(ctx.viewer())?;
        let events = events(ctx, Interest::MetalRates(filter), after).await?;
        Ok(resolved(
            events.and_then(move |events| metal_rates(ctx, events)),
        ))
    }

    /// Schedules that change, and their times that have come. Needs `job.read`.
    async fn schedule_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<ScheduleChangedEvent>> + use<'ctx>,
    > {
        let events = events(ctx, Interest::Schedules, after).await?;
        Ok(resolved(
            events.and_then(move |events| schedules(ctx, events)),
        ))
    }

    /// Stock that is moved, held for somebody, or let go: whoever shows levels asks for them again. Needs `stock.read`.
    async fn stock_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only of this item.")] item_id: Option<ID>,
        #[graphql(desc = "Only at this location.")] location_id: Option<ID>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<StockChangedEvent>> + use<'ctx>,
    > {
        let item = item_id.map(|id| ItemId::parse_or_graphql(ctx, "itemId", &id));
        let item = item.transpose()?;
        let location = location_id.map(|id| LocationId::parse_or_graphql(ctx, "locationId", &id));
        let location = location.transpose()?;
        let events = events(ctx, Interest::Stock { item, location }, after).await?;
        Ok(resolved(events.and_then(async |events| {
            Ok(events.iter().map(stock).collect::<Vec<_>>())
        })))
    }

    /// Entries that are posted to the books. Needs `books.read`.
    async fn journal_posted<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only with a line of this account.")] account_id: Option<ID>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<JournalPostedEvent>> + use<'ctx>,
    > {
        let account = account_id.map(|id| AccountId::parse_or_graphql(ctx, "accountId", &id));
        let account = account.transpose()?;
        let events = events(ctx, Interest::Journal { account }, after).await?;
        Ok(resolved(
            events.and_then(move |events| entries(ctx, events)),
        ))
    }

    /// What accounts may not fall below, whenever it is set or taken away. Needs `books.read`.
    async fn account_floor_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only of this account.")] account_id: Option<ID>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<AccountFloorChangedEvent>> + use<'ctx>,
    > {
        let account = account_id.map(|id| AccountId::parse("accountId", &id));
        let account = account.transpose().map_err(Error::from);
        let interest = Interest::AccountFloors {
            account: account.or_graphql(ctx.viewer())?,
        };
        let events = events(ctx, interest, after).await?;
        Ok(resolved(
            events.and_then(move |events| books_event::floors(ctx, events)),
        ))
    }

    /// Subsidiary accounts, cost centres and projects that change, and new ones. Needs `books.read`.
    async fn dimension_value_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<DimensionValueChangedEvent>> + use<'ctx>,
    > {
        let events = events(ctx, Interest::DimensionValues, after).await?;
        Ok(resolved(events.and_then(move |events| {
            books_event::dimension_values(ctx, events)
        })))
    }

    /// What is held of what is going to be posted, and what becomes of it. Needs `books.read`.
    async fn journal_hold_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Only this hold.")] hold_id: Option<ID>,
        #[graphql(
            desc = "What happened behind this position comes first; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<JournalHoldChangedEvent>> + use<'ctx>,
    > {
        let hold = hold_id.map(|id| JournalHoldId::parse("holdId", &id));
        let hold = hold.transpose().map_err(Error::from);
        let interest = Interest::JournalHolds {
            hold: hold.or_graphql(ctx.viewer())?,
        };
        let events = events(ctx, interest, after).await?;
        Ok(resolved(
            events.and_then(move |events| books_event::holds(ctx, events)),
        ))
    }

    /// What accounts have, whenever something is posted to them: of a group, each account in it that was posted to. Needs `books.read`.
    async fn account_balance_changed<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(desc = "Which accounts and groups: from 1 to 100.")] account_ids: Vec<ID>,
        #[graphql(
            desc = "What happened behind this position comes first, as it is by now; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<
        impl Stream<Item = async_graphql::Result<AccountBalanceChangedEvent>> + use<'ctx>,
    > {
        let watched = Arc::new(watch::watched(ctx, &account_ids).await?);
        let events = events(ctx, watched.interest(), after).await?;
        Ok(resolved(events.and_then(move |events| {
            let watched = Arc::clone(&watched);
            async move { watch::balances(ctx, &watched, events).await }
        })))
    }

    /// Items that run out: after each change to their stock those of which no more is available than their reorder point. Needs `stock.read`.
    async fn low_stock<'ctx>(
        &self,
        ctx: &'ctx Context<'ctx>,
        #[graphql(
            desc = "What happened behind this position comes first, as it is by now; without, only what happens from now on."
        )]
        after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<LowStockEvent>> + use<'ctx>>
    {
        let interest = Interest::Stock {
            item: None,
            location: None,
        };
        let events = events(ctx, interest, after).await?;
        Ok(resolved(
            events.and_then(move |events| running_out(ctx, events)),
        ))
    }
}

/// Batches of events for a viewer who may hear of them. What was loaded for an earlier batch is forgotten: it may have changed.
async fn events<'ctx>(
    ctx: &'ctx Context<'ctx>,
    interest: Interest,
    after: Option<EventPosition>,
) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Vec<Event>>> + 'ctx> {
    let viewer = ctx.viewer();
    let after = after.map(|EventPosition(position)| position);
    let batches = ctx
        .events()
        .subscribe(viewer, interest, after)
        .await
        .map_err(|error| refused(ctx, &error))?;
    Ok(batches.map(move |batch| {
        ctx.renew_loaders();
        batch.map_err(|error| refused(ctx, &error))
    }))
}

/// A position that is no longer, or was never, one.
fn refused(ctx: &Context<'_>, error: &Error) -> async_graphql::Error {
    let code = match error {
        Error::Refused(refusals)
            if refusals
                .iter()
                .any(|refusal| refusal.code == Code::NotFound) =>
        {
            "EVENT_POSITION_EXPIRED"
        }
        Error::Refused(_) => "EVENT_POSITION_UNKNOWN",
        _ => return to_graphql(ctx.viewer(), error),
    };
    super::error::coded(ctx.viewer(), code, &BTreeMap::new())
}

/// The events one by one. The first error is the last thing that comes, so that nobody goes on without what failed.
fn resolved<T>(
    batches: impl Stream<Item = async_graphql::Result<Vec<T>>>,
) -> impl Stream<Item = async_graphql::Result<T>> {
    let events = batches
        .map_ok(|events| stream::iter(events.into_iter().map(Ok)))
        .try_flatten();
    stream::unfold(Some(Box::pin(events)), |running| async move {
        let mut running = running?;
        let event = running.next().await?;
        let running = event.is_ok().then_some(running);
        Some((event, running))
    })
}

/// What each of these events is about.
fn subjects<Id: GlobalId>(events: &[Event]) -> Vec<Id> {
    let ids = events.iter().map(|event| Id::from(event.aggregate_id));
    ids.collect()
}

async fn items(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<ItemChangedEvent>> {
    let ids: Vec<ItemId> = subjects(&events);
    let rows = ctx
        .domain()
        .items()
        .by_ids(ctx.viewer(), &ids)
        .await
        .or_graphql(ctx.viewer())?;
    prefetch(ctx, ctx.look_ahead().field("item"), &rows).await?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.item.id.0, row)).collect();
    let changed = events.into_iter().map(|event| ItemChangedEvent {
        position: EventPosition::of(&event),
        action: action(&event).to_owned(),
        item: rows
            .get(&event.aggregate_id)
            .map(|row| Item::new(ctx, row.clone())),
    });
    Ok(changed.collect())
}

async fn categories(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<CategoryTreeChangedEvent>> {
    let ids: Vec<CategoryId> = subjects(&events);
    let rows = ctx
        .domain()
        .categories()
        .by_ids(ctx.viewer(), &ids)
        .await
        .or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let changed = events.into_iter().map(|event| CategoryTreeChangedEvent {
        position: EventPosition::of(&event),
        action: action(&event).to_owned(),
        category: rows
            .get(&event.aggregate_id)
            .map(|row| Category::new(ctx, row.clone())),
    });
    Ok(changed.collect())
}

async fn entries(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<JournalPostedEvent>> {
    let ids: Vec<JournalEntryId> = subjects(&events);
    let rows = ctx.domain().journal().by_ids(ctx.viewer(), &ids).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let posted = events.iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(JournalPostedEvent {
            position: EventPosition::of(event),
            action: action(event).to_owned(),
            entry: JournalEntry::new(row.clone()),
        })
    });
    Ok(posted.collect())
}

/// An event of stock says itself what it concerns.
fn stock(event: &Event) -> StockChangedEvent {
    let ids = |list: &str| -> Option<Vec<uuid::Uuid>> {
        let named = event.payload.get(list)?.clone();
        serde_json::from_value(named).ok()
    };
    StockChangedEvent {
        position: EventPosition::of(event),
        action: action(event).to_owned(),
        item_ids: ids("items").map(|ids| ids.into_iter().map(|id| ItemId(id).encode()).collect()),
        location_ids: ids("locations")
            .map(|ids| ids.into_iter().map(|id| LocationId(id).encode()).collect()),
        recorded_at: event.created_at,
    }
}

/// Most items that one batch of events is asked about; of an entry of very many lines `lowStock` is to be asked.
const LOW_MAX: usize = 100;

/// The items of these events that run out, each once, with the last event that names it.
async fn running_out(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<LowStockEvent>> {
    let mut named: BTreeMap<ItemId, EventPosition> = BTreeMap::new();
    for event in &events {
        let items = event.payload.get("items").cloned().unwrap_or_default();
        let items: Vec<ItemId> = serde_json::from_value(items).unwrap_or_default();
        named.extend(
            items
                .into_iter()
                .map(|item| (item, EventPosition::of(event))),
        );
    }
    let ids: Vec<_> = named.keys().copied().collect();
    let mut low = Vec::new();
    for ids in ids.chunks(LOW_MAX) {
        let args = page::args(i32::try_from(LOW_MAX).ok(), None, None, None);
        let stock = ctx.domain().stock();
        let page = stock.low(ctx.viewer(), Some(ids), &args).await;
        let page = page.or_graphql(ctx.viewer())?;
        low.extend(page.edges.into_iter().map(|(_, row)| row));
    }
    let mut low: Vec<_> = low
        .into_iter()
        .filter_map(|row| {
            Some(LowStockEvent {
                position: *named.get(&row.item_id)?,
                low_stock: LowStock::new(row),
            })
        })
        .collect();
    low.sort_by_key(|event| event.position.0);
    Ok(low)
}

/// Locations are never taken away: each event has its own.
async fn locations(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<LocationTreeChangedEvent>> {
    let ids: Vec<LocationId> = subjects(&events);
    let rows = ctx
        .domain()
        .locations()
        .by_ids(ctx.viewer(), &ids)
        .await
        .or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let changed = events.into_iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(LocationTreeChangedEvent {
            position: EventPosition::of(&event),
            action: action(&event).to_owned(),
            location: Location::new(ctx, row.clone()),
        })
    });
    Ok(changed.collect())
}

async fn schedules(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<ScheduleChangedEvent>> {
    let ids: Vec<ScheduleId> = subjects(&events);
    let rows = ctx.domain().schedules().by_ids(ctx.viewer(), &ids).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.row.id.0, row)).collect();
    let changed = events.into_iter().map(|event| ScheduleChangedEvent {
        position: EventPosition::of(&event),
        action: action(&event).to_owned(),
        schedule: rows.get(&event.aggregate_id).cloned().map(Schedule::new),
    });
    Ok(changed.collect())
}

/// Of a job that is no longer kept there is nothing to tell.
async fn jobs(
    ctx: &Context<'_>,
    events: Vec<Event>,
    filter: &JobFilter,
) -> async_graphql::Result<Vec<JobProgressEvent>> {
    let ids: Vec<JobId> = subjects(&events);
    let rows = ctx
        .domain()
        .jobs()
        .by_ids_where(ctx.viewer(), &ids, filter)
        .await
        .or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let progress = events.into_iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(JobProgressEvent {
            position: EventPosition::of(&event),
            job: Job::new(row.clone()),
        })
    });
    Ok(progress.collect())
}

/// Rates are never changed or taken away: each event has its own.
async fn metal_rates(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<MetalRateChangedEvent>> {
    let ids: Vec<MetalRateId> = subjects(&events);
    let rows = ctx
        .domain()
        .metal_rates()
        .by_ids(ctx.viewer(), &ids)
        .await
        .or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let recorded = events.into_iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(MetalRateChangedEvent {
            position: EventPosition::of(&event),
            metal_rate: MetalRate::new(row.clone()),
        })
    });
    Ok(recorded.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_error_is_the_last_thing_that_comes() {
        let batches = stream::iter([
            Ok(vec![1, 2]),
            Err(async_graphql::Error::new("the database is away")),
            Ok(vec![3]),
        ]);
        // The source goes on for ever: the end must not wait for its next event.
        let events = resolved(batches.chain(stream::pending()));
        let heard: Vec<_> = events.map(Result::ok).collect().await;
        assert_eq!(heard, [Some(1), Some(2), None]);
    }
}
