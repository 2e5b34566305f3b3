//! Users: who may log in, and what they may do.
//!
//! A user has roles, a role has permissions. Two rules hold whatever is changed: nobody gives permissions that they do not have
//! themselves, and there is always an owner who can log in, once there was one. Password hashes never leave this module.

mod access;
mod password;
mod query;
mod rules;
mod token;
mod write;

use entity::id::UserId;
use sea_orm::DatabaseTransaction;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use access::{Authenticated, LoginAccess, TokenAccess};
pub use entity::role::Model as Role;
pub use password::PasswordRules;
pub use query::User;
pub use token::{ApiToken, CreatedToken, NewApiToken, TOKEN_LIFE_MAX, TOKENS_MAX};

use crate::{
    Domain,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    locale::Locale,
    page::{Page, PageArgs},
    permission::Permission,
    version,
    viewer::Viewer,
};

/// The role that may do everything, and that somebody must always have.
pub const OWNER: &str = "owner";

/// A user who is there now.
#[derive(Clone, Debug, PartialEq)]
pub enum Bootstrapped {
    /// New, with the password that was given.
    Created(User),
    /// From before, with the password from before.
    Existed(User),
}

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Login name; upper and lower case are the same.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// The first password.
    pub password: SecretString,
    /// Language of the messages they get.
    pub locale: Locale,
    /// Codes of their roles, such as `clerk`.
    pub roles: Vec<String>,
}

/// What is to be different about a user. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// What others see.
    pub display_name: Option<String>,
    /// Language of the messages they get.
    pub locale: Option<Locale>,
    /// Codes of all their roles.
    pub roles: Option<Vec<String>>,
    /// Whether they may not log in, nor their API tokens be used.
    pub disabled: Option<bool>,
}

impl UserChange {
    /// Whether it is about what the user may do, not only about how they appear.
    fn is_about_access(&self) -> bool {
        self.roles.is_some() || self.disabled.is_some()
    }
}

/// Another password for oneself.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The present password.
    pub old: SecretString,
    /// The password from now on.
    pub new: SecretString,
}

/// A password that has been changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangedPassword {
    /// Whose it is.
    pub user: User,
    /// Which of their passwords it is, counted from 1. Only sessions that are begun with it go on.
    pub credential_version: i32,
}

/// Users, their roles and API tokens: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    pub(crate) domain: &'a Domain,
}

impl Users<'_> {
    /// Creates a user.
    ///
    /// # Errors
    /// When a value is refused, the email is taken, a role does not exist, or grants what the viewer may not do.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewUser,
        passwords: PasswordRules,
        key: Option<&str>,
    ) -> Result<User> {
        viewer.require(Permission::UserManage)?;
        let face = rules::parse_new(&new, passwords)?;
        let hash = password::hash(&new.password).await?;
        let fingerprint = password::fingerprint(viewer, key, &new.password).await?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim =
            match claim_in_tx(&tx, viewer, key, "user.create", &(&face, fingerprint), now).await? {
                Claimed::Before(answer) => return Ok(answer),
                Claimed::Now(claim) => claim,
            };
        let roles = roles_in_tx(&tx, &face.roles).await?;
        rules::check_grant(viewer, &roles)?;
        let account = write::insert_in_tx(&tx, now, face, hash, roles).await?;
        write::record_in_tx(&tx, viewer, now, "user.create", None, &account).await?;
        claim.keep_in_tx(&tx, &account.user).await?;
        self.domain.commit(tx).await?;
        Ok(account.user)
    }

    /// Changes a user. Who has logged in may change their own name and language without permission.
    ///
    /// # Errors
    /// When a value is refused, there is no such user or role, somebody changed the user since `expected_version`, a role grants what
    /// the viewer may not do, the user may do more than the viewer, or nobody who can log in would be an owner.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: UserId,
        change: UserChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<User> {
        rules::authorise_change(viewer, id, &change)?;
        let is_about_access = change.is_about_access();
        let change = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "user.update",
            &(id, &change, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        if is_about_access {
            write::lock_owner_role_in_tx(&tx).await?;
        }
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let after = rules::changed(
            &before,
            &change,
            chosen_roles_in_tx(&tx, &change).await?,
            now,
        );
        rules::check_access(viewer, &before, &after)?;
        if before.is_active_owner()
            && !after.is_active_owner()
            && !query::has_other_owner_in_tx(&tx, id).await?
        {
            return Err(rules::last_owner(&change).into());
        }
        write::update_in_tx(&tx, &before, &after).await?;
        write::record_in_tx(&tx, viewer, now, "user.update", Some(&before), &after).await?;
        claim.keep_in_tx(&tx, &after.user).await?;
        self.domain.commit(tx).await?;
        Ok(after.user)
    }

    /// Gives the viewer another password. From then on their sessions are those of an earlier password, which whoever lets sessions in
    /// has to refuse. Their API tokens go on.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`] at `oldPassword` when that is wrong; refusals at `newPassword` when that will not do.
    pub async fn change_password(
        &self,
        viewer: &Viewer,
        change: PasswordChange,
        passwords: PasswordRules,
        key: Option<&str>,
    ) -> Result<ChangedPassword> {
        let id = viewer.require_login()?.id;
        let present = query::credential_of(&self.domain.db, id)
            .await?
            .ok_or(Error::Unauthenticated)?;
        rules::check_password("newPassword", passwords, &change.new, &present.email)?;
        // All hashing is done before the transaction begins: it waits for its turn, and would keep a connection waiting with it.
        let hash = password::replace(&change, &present.password_hash).await?;
        let fingerprint = password::fingerprint(viewer, key, &change.new).await?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "user.change_password",
            &(id, fingerprint),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let hash = hash.ok_or_else(|| Refusal::new(Code::InvalidCredentials, "oldPassword"))?;
        let before = lock_in_tx(&tx, id, None).await?;
        let after = rules::touched(&before, now);
        let credential_version =
            write::replace_password_in_tx(&tx, &after, &present.password_hash, hash).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "user.change_password",
            Some(&before),
            &after,
        )
        .await?;
        let changed = ChangedPassword {
            user: after.user,
            credential_version,
        };
        claim.keep_in_tx(&tx, &changed).await?;
        self.domain.commit(tx).await?;
        Ok(changed)
    }

    /// Makes sure that there is a user with this email, for the command line. One that is there stays as it is, password included.
    ///
    /// # Errors
    /// As [`Users::create`].
    pub async fn bootstrap(
        &self,
        viewer: &Viewer,
        new: NewUser,
        passwords: PasswordRules,
    ) -> Result<Bootstrapped> {
        viewer.require(Permission::UserManage)?;
        let email = rules::parse_email("email", &new.email)?;
        if let Some(user) = query::find_by_email(&self.domain.db, &email).await? {
            return Ok(Bootstrapped::Existed(user));
        }
        match self.create(viewer, new, passwords, None).await {
            Err(error) if rules::is_taken(&error) => {
                let user = query::find_by_email(&self.domain.db, &email).await?;
                let user =
                    user.ok_or_else(|| Error::internal("a user's email is taken by nobody"))?;
                Ok(Bootstrapped::Existed(user))
            }
            created => created.map(Bootstrapped::Created),
        }
    }

    /// The user with this id. Everybody may see themselves.
    ///
    /// # Errors
    /// When the viewer may not see users.
    pub async fn find(&self, viewer: &Viewer, id: UserId) -> Result<Option<User>> {
        rules::require_to_see(viewer, &[id])?;
        query::find(&self.domain.db, id).await
    }

    /// The users with these ids, in any order; those that do not exist are left out.
    ///
    /// # Errors
    /// When the viewer may not see users.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[UserId]) -> Result<Vec<User>> {
        rules::require_to_see(viewer, ids)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of all users, by email.
    ///
    /// # Errors
    /// When the viewer may not see users, or the page's arguments are wrong.
    pub async fn page(&self, viewer: &Viewer, args: &PageArgs) -> Result<Page<User>> {
        viewer.require(Permission::UserRead)?;
        query::page(&self.domain.reads, args).await
    }

    /// All roles, by code.
    ///
    /// # Errors
    /// When the viewer may not see users.
    pub async fn roles(&self, viewer: &Viewer) -> Result<Vec<Role>> {
        viewer.require(Permission::UserRead)?;
        query::roles(&self.domain.reads).await
    }

    /// Which of these users has which role, each user's by code.
    ///
    /// # Errors
    /// When the viewer may not see users.
    pub async fn roles_of(&self, viewer: &Viewer, ids: &[UserId]) -> Result<Vec<(UserId, Role)>> {
        rules::require_to_see(viewer, ids)?;
        query::roles_of(&self.domain.reads, ids).await
    }
}

/// The roles with these codes, all of which must exist.
async fn roles_in_tx(tx: &DatabaseTransaction, codes: &[String]) -> Result<Vec<Role>> {
    let roles = query::roles_by_code(tx, codes).await?;
    match codes
        .iter()
        .position(|code| !roles.iter().any(|role| role.code == *code))
    {
        Some(index) => Err(Refusal::new(Code::NotFound, &format!("roles.{index}")).into()),
        None => Ok(roles),
    }
}

async fn chosen_roles_in_tx(
    tx: &DatabaseTransaction,
    change: &rules::Change,
) -> Result<Option<Vec<Role>>> {
    match &change.roles {
        Some(codes) => roles_in_tx(tx, codes).await.map(Some),
        None => Ok(None),
    }
}

/// The user, locked, and of the version that is expected.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: UserId,
    expected_version: Option<i64>,
) -> Result<rules::Account> {
    let user = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(user.version, expected_version)?;
    let roles = query::roles_of(tx, &[id]).await?;
    Ok(rules::Account {
        user,
        roles: roles.into_iter().map(|(_, role)| role).collect(),
    })
}
