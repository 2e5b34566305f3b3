//! What happens to floors, holds and dimensions of the books, as those hear of it who listen.

use std::collections::HashMap;

use async_graphql::{Context, SimpleObject};
use domain::event::{Event, action};
use entity::id::{AccountId, DimensionValueId, JournalHoldId};

use super::{
    account::Account, context::ContextExt, dimension::DimensionValue, error::OrGraphql,
    event::EventPosition, journal::hold::JournalHold,
};

/// What an account, or one of its subsidiary accounts, may not fall below was set, or taken away.
#[derive(SimpleObject)]
pub struct AccountFloorChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `account.floor_set` or `account.floor_clear`.
    action: String,
    /// The account, with the floors that it has by now.
    account: Account,
}

/// A subsidiary account, cost centre or project has changed, or is new.
#[derive(SimpleObject)]
pub struct DimensionValueChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `dimension_value.create`, `dimension_value.update`, `dimension_value.archive` or `dimension_value.restore`.
    action: String,
    /// The subsidiary account, cost centre or project as it is by now.
    dimension_value: DimensionValue,
}

/// Something is held that is going to be posted, or not any more.
#[derive(SimpleObject)]
pub struct JournalHoldChangedEvent {
    /// The event's place in the sequence.
    position: EventPosition,
    /// What was done: `journal_hold.hold`, `journal_hold.post`, `journal_hold.void` or `journal_hold.expire`.
    action: String,
    /// The hold as it is by now.
    hold: JournalHold,
}

/// The account is named by the event: a floor that was taken away is nowhere else.
pub async fn floors(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<AccountFloorChangedEvent>> {
    let named = |event: &Event| -> Option<AccountId> {
        let named = event.payload.get("account")?.clone();
        serde_json::from_value(named).ok()
    };
    let ids: Vec<_> = events.iter().filter_map(named).collect();
    let rows = ctx.domain().accounts().by_ids(ctx.viewer(), &ids).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    let changed = events.iter().filter_map(|event| {
        let row = rows.get(&named(event)?)?;
        Some(AccountFloorChangedEvent {
            position: EventPosition::of(event),
            action: action(event).to_owned(),
            account: Account::new(ctx, row.clone()),
        })
    });
    Ok(changed.collect())
}

/// Values of dimensions are never taken away: each event has its own.
pub async fn dimension_values(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<DimensionValueChangedEvent>> {
    let ids: Vec<_> = events
        .iter()
        .map(|event| DimensionValueId(event.aggregate_id))
        .collect();
    let rows = ctx.domain().dimensions().by_ids(ctx.viewer(), &ids).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let changed = events.iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(DimensionValueChangedEvent {
            position: EventPosition::of(event),
            action: action(event).to_owned(),
            dimension_value: DimensionValue::new(ctx, row.clone()),
        })
    });
    Ok(changed.collect())
}

/// Holds are never taken away, either.
pub async fn holds(
    ctx: &Context<'_>,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<JournalHoldChangedEvent>> {
    let ids: Vec<_> = events
        .iter()
        .map(|event| JournalHoldId(event.aggregate_id))
        .collect();
    let journal = ctx.domain().journal();
    let rows = journal.holds_by_ids(ctx.viewer(), &ids).await;
    let rows = rows.or_graphql(ctx.viewer())?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let changed = events.iter().filter_map(|event| {
        let row = rows.get(&event.aggregate_id)?;
        Some(JournalHoldChangedEvent {
            position: EventPosition::of(event),
            action: action(event).to_owned(),
            hold: JournalHold::new(row.clone()),
        })
    });
    Ok(changed.collect())
}
