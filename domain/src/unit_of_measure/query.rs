//! Reads of units.

use entity::{
    id::UnitOfMeasureId,
    unit_of_measure::{Column, Entity, Model as UnitOfMeasure},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::LockType,
};

use crate::{error::Result, sql::statement};

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<UnitOfMeasure>> {
    let units = Entity::find()
        .order_by_asc(Column::Dimension)
        .order_by_asc(Column::Code);
    Ok(units.all(db).await?)
}

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[UnitOfMeasureId],
) -> Result<Vec<UnitOfMeasure>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// Locked against changes, and against new items and attributes that refer to it: those hold its row.
pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: UnitOfMeasureId,
) -> Result<Option<UnitOfMeasure>> {
    Ok(Entity::find_by_id(id)
        .lock(LockType::Update)
        .one(tx)
        .await?)
}

/// Whether an item is counted in it, or an attribute is told in it. Asked with the unit locked.
pub(super) async fn is_in_use_in_tx(tx: &DatabaseTransaction, id: UnitOfMeasureId) -> Result<bool> {
    let sql = "SELECT 1 WHERE EXISTS (SELECT FROM item WHERE unit_id = $1) OR EXISTS (SELECT FROM attribute WHERE unit_id = $1)";
    Ok(tx
        .query_one_raw(statement(sql, [id.into()]))
        .await?
        .is_some())
}
