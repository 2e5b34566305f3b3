//! Writes of users.

use chrono::{DateTime, Utc};
use entity::{
    id::UserId,
    user::{ActiveModel, Entity},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde::Serialize;

use super::{
    OWNER, Role, User, query,
    rules::{Account, Face},
};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Keeps others from giving, taking or disabling owners until the transaction ends.
pub(super) async fn lock_owner_role_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    let sql = "SELECT 1 FROM role WHERE code = $1 FOR NO KEY UPDATE";
    let locked = tx.query_one_raw(statement(sql, [OWNER.into()])).await?;
    locked
        .map(drop)
        .ok_or_else(|| Error::internal("there is no role for owners"))
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    face: Face,
    password_hash: String,
    roles: Vec<Role>,
) -> Result<Account> {
    let user = new_user(now, face);
    let row = row(&user, password_hash);
    let inserted = Entity::insert(row).exec_without_returning(tx).await;
    let taken = Refusal::new(Code::AlreadyTaken, "email").with("value", &user.email);
    inserted.map_err(|error| refuse_if_broken(error, &[("user_email_unique", taken)]))?;
    give_roles_in_tx(tx, user.id, &roles).await?;
    Ok(Account { user, roles })
}

fn new_user(now: DateTime<Utc>, face: Face) -> User {
    let Face {
        email,
        display_name,
        locale,
        roles: _,
    } = face;
    User {
        id: UserId(new_id(now)),
        email,
        display_name,
        locale: locale.to_owned(),
        disabled_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn row(user: &User, password_hash: String) -> ActiveModel {
    let User {
        id,
        email,
        display_name,
        locale,
        disabled_at,
        version,
        created_at,
        updated_at,
    } = user.clone();
    ActiveModel {
        id: Set(id),
        email: Set(email),
        display_name: Set(display_name),
        password_hash: Set(password_hash),
        credential_version: Set(1),
        locale: Set(locale),
        disabled_at: Set(disabled_at),
        version: Set(version),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
    }
}

/// Writes what is different; the user is locked.
pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    before: &Account,
    after: &Account,
) -> Result<()> {
    let user = &after.user;
    let sql = "UPDATE app_user SET display_name = $2, locale = $3, disabled_at = $4, version = $5, updated_at = $6,
                   credential_version = credential_version + ($4 IS NOT NULL AND disabled_at IS NULL)::integer
               WHERE id = $1";
    let (name, locale) = (
        user.display_name.as_str().into(),
        user.locale.as_str().into(),
    );
    let values = [
        user.id.into(),
        name,
        locale,
        user.disabled_at.into(),
        user.version.into(),
        user.updated_at.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    if before.roles != after.roles {
        let sql = "DELETE FROM user_role WHERE user_id = $1";
        tx.execute_raw(statement(sql, [user.id.into()])).await?;
        give_roles_in_tx(tx, user.id, &after.roles).await?;
    }
    Ok(())
}

async fn give_roles_in_tx(tx: &DatabaseTransaction, id: UserId, roles: &[Role]) -> Result<()> {
    let sql = "INSERT INTO user_role (user_id, role_id) SELECT $1, role_id FROM unnest($2) role_id";
    tx.execute_raw(statement(sql, [id.into(), uuids(&query::role_ids(roles))]))
        .await?;
    Ok(())
}

/// Puts `new` in the place of the hash `old` and gives the credential's new version; refused when somebody else was faster.
pub(super) async fn replace_password_in_tx(
    tx: &DatabaseTransaction,
    after: &Account,
    old: &str,
    new: String,
) -> Result<i32> {
    let user = &after.user;
    let sql = "UPDATE app_user SET password_hash = $3, credential_version = credential_version + 1, version = $4, updated_at = $5
               WHERE id = $1 AND password_hash = $2 RETURNING credential_version";
    let values = [
        user.id.into(),
        old.into(),
        new.into(),
        user.version.into(),
        user.updated_at.into(),
    ];
    let replaced = tx.query_one_raw(statement(sql, values)).await?;
    let row = replaced.ok_or_else(|| Refusal::new(Code::InvalidCredentials, "oldPassword"))?;
    Ok(row.try_get_by_index(0)?)
}

/// What the trail keeps of an account.
#[derive(Serialize)]
struct Recorded<'a> {
    #[serde(flatten)]
    user: &'a User,
    roles: Vec<&'a str>,
}

impl<'a> From<&'a Account> for Recorded<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            user: &account.user,
            roles: account
                .roles
                .iter()
                .map(|role| role.code.as_str())
                .collect(),
        }
    }
}

pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Account>,
    after: &Account,
) -> Result<()> {
    let (before, after) = (before.map(Recorded::from), Recorded::from(after));
    let aggregate_id = after.user.id.0;
    let change = Change {
        action,
        aggregate_type: "user",
        aggregate_id,
        before: before.as_ref(),
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
