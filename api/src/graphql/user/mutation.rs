//! What clients can do to users.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::user::{NewUser, UserChange};
use entity::id::UserId;

use super::{Locale, User, context::AuthExt};
use crate::graphql::{
    context::ContextExt,
    id::GlobalId,
    payload::{UserError, settle},
};

/// A user to be.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Login name; upper and lower case are the same. ASCII only.
    email: String,
    /// What others see.
    display_name: String,
    /// The first password: 10 to 128 characters unless the operator has set another minimum, and not the email.
    #[graphql(secret)]
    password: String,
    /// Language of the messages they get.
    #[graphql(default_with = "Locale::En")]
    locale: Locale,
    /// Codes of their roles, such as `clerk`. Only roles that grant no more than you may do yourself.
    roles: Vec<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What is to be different about a user. What is not given stays.
#[derive(InputObject)]
pub struct UserUpdateInput {
    /// Which user.
    id: ID,
    /// What others see.
    display_name: Option<String>,
    /// Language of the messages they get.
    locale: Option<Locale>,
    /// Codes of all their roles.
    roles: Option<Vec<String>>,
    /// Whether they may not log in any more, nor their API tokens be used.
    disabled: Option<bool>,
    /// Refuse when the user's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! user_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The user; null when it was refused.
            user: Option<User>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<domain::user::User>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { user: row.map(User::new), user_errors })
            }
        }
    )+};
}

user_payloads! {
    /// What became of creating a user.
    UserCreatePayload,
    /// What became of changing a user.
    UserUpdatePayload,
}

/// Mutations of users.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Creates a user. Needs `user.manage`, and every permission that the roles grant.
    async fn user_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to be.")] input: UserCreateInput,
    ) -> async_graphql::Result<UserCreatePayload> {
        UserCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes a user. Needs `user.manage` and, to change roles or disable, every permission that the user has before and after; one's
    /// own name and language need a login only, but an API token is not enough. The last owner cannot be disabled or lose the role.
    async fn user_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user, and what is to be different.")] input: UserUpdateInput,
    ) -> async_graphql::Result<UserUpdatePayload> {
        UserUpdatePayload::of(ctx, update(ctx, input).await)
    }
}

async fn create(ctx: &Context<'_>, input: UserCreateInput) -> domain::Result<domain::user::User> {
    let UserCreateInput {
        email,
        display_name,
        password,
        locale,
        roles,
        idempotency_key,
    } = input;
    let new = NewUser {
        email,
        display_name,
        password: password.into(),
        locale: locale.into(),
        roles,
    };
    ctx.domain()
        .users()
        .create(
            ctx.viewer(),
            new,
            ctx.auth().passwords(),
            idempotency_key.as_deref(),
        )
        .await
}

async fn update(ctx: &Context<'_>, input: UserUpdateInput) -> domain::Result<domain::user::User> {
    let UserUpdateInput {
        id,
        display_name,
        locale,
        roles,
        disabled,
        expected_version,
        idempotency_key,
    } = input;
    ctx.viewer().require_user()?;
    let id = UserId::parse("id", &id)?;
    let change = UserChange {
        display_name,
        locale: locale.map(Into::into),
        roles,
        disabled,
    };
    ctx.auth()
        .update_user(
            ctx.viewer(),
            id,
            change,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}
