//! Reads of policies, of the hold, and of runs.

use entity::{
    id::RetentionRunId,
    retention_hold, retention_policy, retention_result,
    retention_run::{Entity, Model as Run},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Hold, Outcome, Policy, Subject};
use crate::{
    error::{Error, Result},
    keyset::{Column as Key, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
};

pub(super) async fn policies(db: &impl ConnectionTrait) -> Result<Vec<Policy>> {
    use retention_policy::{Column, Entity};
    Ok(Entity::find().order_by_asc(Column::Subject).all(db).await?)
}

pub(super) async fn policy(db: &impl ConnectionTrait, subject: Subject) -> Result<Policy> {
    let policy = retention_policy::Entity::find_by_id(subject)
        .one(db)
        .await?;
    policy.ok_or_else(|| Error::internal("a subject without a policy"))
}

pub(super) async fn lock_policy_in_tx(
    tx: &DatabaseTransaction,
    subject: Subject,
) -> Result<Policy> {
    let policy = retention_policy::Entity::find_by_id(subject).lock_exclusive();
    let policy = policy.one(tx).await?;
    policy.ok_or_else(|| Error::internal("a subject without a policy"))
}

pub(super) async fn hold(db: &impl ConnectionTrait) -> Result<Hold> {
    let hold = retention_hold::Entity::find_by_id(true).one(db).await?;
    hold.ok_or_else(|| Error::internal("there is nothing that says whether all is held"))
}

/// Waits until nobody is removing anything.
pub(super) async fn lock_hold_in_tx(tx: &DatabaseTransaction) -> Result<Hold> {
    let hold = retention_hold::Entity::find_by_id(true).lock_exclusive();
    let hold = hold.one(tx).await?;
    hold.ok_or_else(|| Error::internal("there is nothing that says whether all is held"))
}

/// Keeps the hold as it is until the transaction ends.
pub(super) async fn share_hold_in_tx(tx: &DatabaseTransaction) -> Result<Hold> {
    let hold = retention_hold::Entity::find_by_id(true).lock_shared();
    let hold = hold.one(tx).await?;
    hold.ok_or_else(|| Error::internal("there is nothing that says whether all is held"))
}

pub(super) async fn find(db: &impl ConnectionTrait, id: RetentionRunId) -> Result<Option<Run>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: RetentionRunId) -> Result<Run> {
    let run = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    run.ok_or_else(|| Error::internal("a run that nobody asked for"))
}

pub(super) async fn outcomes(
    db: &impl ConnectionTrait,
    runs: &[RetentionRunId],
) -> Result<Vec<Outcome>> {
    use retention_result::{Column, Entity};
    Ok(Entity::find()
        .filter(Column::RunId.is_in(runs.iter().copied()))
        .order_by_asc(Column::RunId)
        .order_by_asc(Column::Subject)
        .all(db)
        .await?)
}

pub(super) async fn page(db: &impl ConnectionTrait, args: &PageArgs) -> Result<Page<Run>> {
    let list = List {
        columns: "*",
        from: "retention_run",
        order: Order::newest_first(Key {
            sql: "id",
            cast: "uuid",
        }),
        filter: &|sql| {
            sql.push("true");
        },
        cursor: &|run: &Run| Cursor(vec![run.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}
