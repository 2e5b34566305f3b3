//! Reads of schedules, and of times that have come.

use chrono::{DateTime, Utc};
use entity::{
    id::ScheduleId,
    schedule::{Entity, Model},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryResult, QuerySelect,
};

use super::{Firing, Schedule};
use crate::{
    error::{Error, Result},
    keyset::{Column as Key, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

impl FromQueryResult for Schedule {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            row: Model::from_query_result(row, prefix)?,
            zone: row.try_get(prefix, "zone")?,
            next_at: row.try_get(prefix, "next_at")?,
            last_tick: row.try_get(prefix, "last_tick")?,
            last_job_id: row.try_get(prefix, "last_job_id")?,
        })
    }
}

/// Schedules that were not taken away.
fn present() -> Sql {
    Sql::new(
        "SELECT s.*, COALESCE(s.time_zone, h.time_zone) AS zone, t.next_at, t.last_tick, t.last_job_id
         FROM schedule s JOIN schedule_state t ON t.schedule_id = s.id CROSS JOIN shop h WHERE s.deleted_at IS NULL",
    )
}

pub(super) async fn find(db: &impl ConnectionTrait, id: ScheduleId) -> Result<Option<Schedule>> {
    let mut sql = present();
    sql.push(" AND s.id = ").bind(id);
    Ok(Schedule::find_by_statement(sql.build()).one(db).await?)
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[ScheduleId]) -> Result<Vec<Schedule>> {
    let mut sql = present();
    sql.push(" AND s.id = ANY(").bind(uuids(ids)).push(")");
    Ok(Schedule::find_by_statement(sql.build()).all(db).await?)
}

/// A schedule that is there.
pub(super) async fn get_in_tx(tx: &DatabaseTransaction, id: ScheduleId) -> Result<Schedule> {
    let found = find(tx, id).await?;
    found.ok_or_else(|| Error::internal("a schedule that was locked is not there"))
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Schedule>> {
    let mut sql = present();
    sql.push(" ORDER BY s.name, s.id");
    Ok(Schedule::find_by_statement(sql.build()).all(db).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: ScheduleId) -> Result<Option<Model>> {
    let row = Entity::find_by_id(id)
        .filter(entity::schedule::Column::DeletedAt.is_null())
        .lock_exclusive();
    Ok(row.one(tx).await?)
}

pub(super) async fn count_in_tx(tx: &DatabaseTransaction) -> Result<i64> {
    let sql = "SELECT count(*) FROM schedule WHERE deleted_at IS NULL";
    let row = tx.query_one_raw(statement(sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
    Ok(row.try_get_by_index(0)?)
}

/// Which have a time that has come, or none yet.
pub(super) async fn due(db: &impl ConnectionTrait) -> Result<Vec<ScheduleId>> {
    let sql = "SELECT s.id FROM schedule_state t JOIN schedule s ON s.id = t.schedule_id
               WHERE s.enabled AND (t.next_at IS NULL OR t.next_at <= now()) ORDER BY s.id";
    let rows = db.query_all_raw(statement(sql, [])).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// One of them, unless somebody else has it, or has had it. Both rows are locked, so that both are as they are now: nobody changes what is
/// said of it meanwhile.
pub(super) async fn take_in_tx(
    tx: &DatabaseTransaction,
    id: ScheduleId,
) -> Result<Option<Schedule>> {
    let mut sql = present();
    sql.push(" AND s.enabled AND (t.next_at IS NULL OR t.next_at <= now()) AND s.id = ")
        .bind(id)
        .push(" FOR UPDATE OF t SKIP LOCKED FOR SHARE OF s SKIP LOCKED");
    Ok(Schedule::find_by_statement(sql.build()).one(tx).await?)
}

/// What time it is.
pub(super) async fn clock_in_tx(tx: &DatabaseTransaction) -> Result<DateTime<Utc>> {
    let row = tx
        .query_one_raw(statement("SELECT clock_timestamp()", []))
        .await?;
    let row = row.ok_or_else(|| Error::internal("the database has no clock"))?;
    Ok(row.try_get_by_index(0)?)
}

/// Where the shop's hours are.
pub(super) async fn shop_zone(db: &impl ConnectionTrait) -> Result<String> {
    let sql = "SELECT time_zone FROM shop";
    let row = db.query_one_raw(statement(sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("there is no shop"))?;
    Ok(row.try_get_by_index(0)?)
}

pub(super) async fn firings(
    db: &impl ConnectionTrait,
    id: ScheduleId,
    args: &PageArgs,
) -> Result<Page<Firing>> {
    let list = List {
        columns: "*",
        from: "schedule_firing",
        order: Order::newest_first(Key {
            sql: "tick",
            cast: "timestamptz",
        }),
        filter: &|sql| {
            sql.push("schedule_id = ").bind(id);
        },
        cursor: &|firing: &Firing| Cursor(vec![firing.tick.to_rfc3339()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}
