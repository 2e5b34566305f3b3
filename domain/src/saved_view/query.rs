//! Reads of views.

use entity::{
    id::{SavedViewId, UserId},
    saved_view::{Entity, List, Model},
};
use sea_orm::{
    ActiveEnum, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryResult, QuerySelect,
};

use super::{SavedView, rules::Counts};
use crate::{
    error::{Error, Result},
    sql::{Sql, statement},
};

impl FromQueryResult for SavedView {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            row: Model::from_query_result(row, prefix)?,
            owner: row.try_get(prefix, "owner")?,
            is_default: row.try_get(prefix, "is_default")?,
        })
    }
}

/// Views as a user sees them.
fn shown_to(user: UserId) -> Sql {
    let mut sql = Sql::new(
        "SELECT v.*, u.display_name AS owner, d.view_id IS NOT NULL AS is_default
         FROM saved_view v JOIN app_user u ON u.id = v.user_id
         LEFT JOIN saved_view_default d ON d.view_id = v.id AND d.user_id = ",
    );
    sql.bind(user).push(" WHERE ");
    sql
}

/// Those that they see: what they have made, and what is shared.
fn seen_by(user: UserId) -> Sql {
    let mut sql = shown_to(user);
    sql.push("(v.shared OR v.user_id = ")
        .bind(user)
        .push(") AND ");
    sql
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    user: UserId,
    id: SavedViewId,
) -> Result<Option<SavedView>> {
    let mut sql = seen_by(user);
    sql.push("v.id = ").bind(id);
    Ok(SavedView::find_by_statement(sql.build()).one(db).await?)
}

/// A view that is there, whoever may see it.
pub(super) async fn get_in_tx(
    tx: &DatabaseTransaction,
    user: UserId,
    id: SavedViewId,
) -> Result<SavedView> {
    let mut sql = shown_to(user);
    sql.push("v.id = ").bind(id);
    let view = SavedView::find_by_statement(sql.build()).one(tx).await?;
    view.ok_or_else(|| Error::internal("a view that was written is not there"))
}

pub(super) async fn all(
    db: &impl ConnectionTrait,
    user: UserId,
    list: List,
) -> Result<Vec<SavedView>> {
    let mut sql = seen_by(user);
    sql.push("v.list = ")
        .bind(list.to_value())
        .push(" ORDER BY v.name, v.id");
    Ok(SavedView::find_by_statement(sql.build()).all(db).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: SavedViewId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

pub(super) async fn counts_in_tx(
    tx: &DatabaseTransaction,
    user: UserId,
    list: List,
) -> Result<Counts> {
    let sql = "SELECT (SELECT count(*) FROM saved_view WHERE user_id = $1 AND list = $2),
                      (SELECT count(*) FROM saved_view WHERE shared AND list = $2)";
    let row = tx
        .query_one_raw(statement(sql, [user.into(), list.to_value().into()]))
        .await?
        .ok_or_else(|| Error::internal("a count gave no row"))?;
    Ok(Counts {
        own: row.try_get_by_index(0)?,
        shared: row.try_get_by_index(1)?,
    })
}
