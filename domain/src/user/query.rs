//! Reads of users and roles. Only two of them see password hashes.

use chrono::{DateTime, Utc};
use entity::{
    id::{RoleId, UserId},
    role, user,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DerivePartialModel, EntityTrait,
    FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};

use super::{OWNER, Role};
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{statement, uuids},
};

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DerivePartialModel)]
#[sea_orm(entity = "user::Entity")]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// Login name, in lower case.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// Language of the messages they get (`en`, `fa`).
    pub locale: String,
    /// Since when they may not log in any more.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// When the user last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a password is compared with.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "user::Entity")]
pub(super) struct Credential {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) password_hash: String,
    pub(super) credential_version: i32,
}

/// All columns of [`User`], as `SELECT` needs them.
const COLUMNS: &str =
    "id, email, display_name, locale, disabled_at, version, created_at, updated_at";

pub(super) async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>> {
    Ok(user::Entity::find_by_id(id)
        .into_partial_model()
        .one(db)
        .await?)
}

pub(super) async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<User>> {
    Ok(user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .into_partial_model()
        .one(db)
        .await?)
}

/// The credential of a user who may log in.
pub(super) async fn credential_by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Option<Credential>> {
    let found = user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .filter(user::Column::DisabledAt.is_null());
    Ok(found.into_partial_model().one(db).await?)
}

/// The credential of a user who may log in.
pub(super) async fn credential_of(
    db: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<Credential>> {
    let found = user::Entity::find_by_id(id).filter(user::Column::DisabledAt.is_null());
    Ok(found.into_partial_model().one(db).await?)
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[UserId]) -> Result<Vec<User>> {
    let sql = "SELECT id, email, display_name, locale, disabled_at, version, created_at, updated_at FROM app_user WHERE id = ANY($1)";
    Ok(User::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: UserId) -> Result<Option<User>> {
    Ok(user::Entity::find_by_id(id)
        .lock_exclusive()
        .into_partial_model()
        .one(tx)
        .await?)
}

pub(super) async fn page(db: &impl ConnectionTrait, args: &PageArgs) -> Result<Page<User>> {
    let email = Term {
        column: Column {
            sql: "email",
            cast: "text",
        },
        descending: false,
    };
    let list = List {
        columns: COLUMNS,
        from: "app_user",
        order: Order::new(
            vec![email],
            Column {
                sql: "id",
                cast: "uuid",
            },
        ),
        filter: &|sql| {
            sql.push("true");
        },
        cursor: &|user: &User| Cursor(vec![user.email.clone(), user.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

pub(super) async fn roles(db: &impl ConnectionTrait) -> Result<Vec<Role>> {
    Ok(role::Entity::find()
        .order_by_asc(role::Column::Code)
        .all(db)
        .await?)
}

/// The roles that have one of these codes, by code.
pub(super) async fn roles_by_code(
    db: &impl ConnectionTrait,
    codes: &[String],
) -> Result<Vec<Role>> {
    let found = role::Entity::find()
        .filter(role::Column::Code.is_in(codes))
        .order_by_asc(role::Column::Code);
    Ok(found.all(db).await?)
}

/// A role and one of those who have it.
#[derive(FromQueryResult)]
struct Given {
    user_id: UserId,
    #[sea_orm(nested)]
    role: Role,
}

pub(super) async fn roles_of(
    db: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<Vec<(UserId, Role)>> {
    let sql =
        "SELECT given.user_id, role.* FROM user_role given JOIN role ON role.id = given.role_id
               WHERE given.user_id = ANY($1) ORDER BY given.user_id, role.code";
    let given = Given::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?;
    Ok(given
        .into_iter()
        .map(|given| (given.user_id, given.role))
        .collect())
}

/// Whether somebody else is an owner and may log in.
pub(super) async fn has_other_owner_in_tx(tx: &DatabaseTransaction, id: UserId) -> Result<bool> {
    let sql = "SELECT 1 FROM app_user owner
               JOIN user_role given ON given.user_id = owner.id
               JOIN role ON role.id = given.role_id
               WHERE role.code = $1 AND owner.disabled_at IS NULL AND owner.id <> $2 LIMIT 1";
    Ok(tx
        .query_one_raw(statement(sql, [OWNER.into(), id.into()]))
        .await?
        .is_some())
}

/// The ids of roles, for a statement that gives them all at once.
pub(super) fn role_ids(roles: &[Role]) -> Vec<RoleId> {
    roles.iter().map(|role| role.id).collect()
}
