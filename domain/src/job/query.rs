//! Reads of jobs.

use entity::{
    id::JobId,
    job::{Column, Entity, Model as Job, State},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult as _,
    QueryFilter, QuerySelect,
};

use super::{JobFilter, visible::Visible};
use crate::{
    error::Result,
    keyset::{Column as Key, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::Sql,
};

pub(super) async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Job>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[JobId],
    visible: Visible,
) -> Result<Vec<Job>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(visible.condition())
        .all(db)
        .await?)
}

pub(super) async fn by_ids_where(
    db: &impl ConnectionTrait,
    ids: &[JobId],
    visible: Visible,
    filter: &JobFilter,
) -> Result<Vec<Job>> {
    let mut sql = Sql::new("SELECT * FROM job WHERE id = ANY(");
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sql.bind(ids).push(") AND ");
    filter.push(&mut sql);
    visible.push(&mut sql);
    Ok(Job::find_by_statement(sql.build()).all(db).await?)
}

const ID: Key = Key {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &JobFilter,
    args: &PageArgs,
) -> Result<Page<Job>> {
    let list = List {
        columns: "*",
        from: "job",
        order: Order::newest_first(ID),
        filter: &|sql| filter.push(sql),
        cursor: &|job: &Job| Cursor(vec![job.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: JobId) -> Result<Option<Job>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// The job, when this attempt is its latest and still under way.
pub(super) async fn lock_attempt_in_tx(
    tx: &DatabaseTransaction,
    id: JobId,
    attempt: i32,
) -> Result<Option<Job>> {
    let job = lock_in_tx(tx, id).await?;
    Ok(job.filter(|job| job.state == State::Running && job.attempts == attempt))
}
