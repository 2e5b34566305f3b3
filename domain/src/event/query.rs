//! Reads of the event log.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Event;
use crate::{
    error::{Error, Result},
    sql::statement,
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
