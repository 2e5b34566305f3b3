//! Reads of the event log.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Batch, Event, Interest};
use crate::{
    error::{Error, Result},
    sql::{Sql, statement},
};

pub(super) async fn after(
    db: &impl ConnectionTrait,
    position: i64,
    limit: u64,
) -> Result<Vec<Event>> {
    use entity::event::{Column, Entity};
    let events = Entity::find()
        .filter(Column::Position.gt(position))
        .order_by_asc(Column::Position)
        .limit(limit);
    Ok(events.all(db).await?)
}

/// The newest position is read first: what gets one meanwhile is left for the next reading.
pub(super) async fn wanted(
    db: &impl ConnectionTrait,
    interest: &Interest,
    position: i64,
    limit: u64,
) -> Result<Batch> {
    let newest = newest(db).await?.max(position);
    let mut sql = Sql::new("SELECT * FROM event WHERE position > ");
    sql.bind(position).push(" AND position <= ").bind(newest);
    interest.narrow(&mut sql);
    sql.push(" ORDER BY position LIMIT ")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut events = Event::find_by_statement(sql.build()).all(db).await?;
    let is_cut = u64::try_from(events.len()).unwrap_or(u64::MAX) >= limit;
    let last = events.last().and_then(|event| event.position);
    events.retain(|event| interest.wants(event));
    Ok(Batch {
        events,
        position: last.filter(|_| is_cut).unwrap_or(newest),
        is_cut,
    })
}

pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<i64> {
    number(db, "SELECT COALESCE(max(position), 0) FROM event").await
}

pub(super) async fn oldest(db: &impl ConnectionTrait) -> Result<i64> {
    number(db, "SELECT COALESCE(min(position) - 1, 0) FROM event").await
}

/// Looked at before the sequencer's lock is asked for: most wake-ups find that another process was faster.
pub(super) async fn is_any_unsequenced(db: &impl ConnectionTrait) -> Result<bool> {
    Ok(number(
        db,
        "SELECT count(*) FROM (SELECT 1 FROM event WHERE position IS NULL LIMIT 1) fresh",
    )
    .await?
        > 0)
}

async fn number(db: &impl ConnectionTrait, sql: &'static str) -> Result<i64> {
    let row = db.query_one_raw(statement(sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("an aggregate gave no row"))?;
    Ok(row.try_get_by_index(0)?)
}
