//! Logging in and out, and what one has to do with oneself.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{Code, Error, Refusal, Viewer, user::PasswordChange, viewer::Identity};
use platform::session::{self, SessionId};
use poem::http::{HeaderValue, header};
use secrecy::SecretString;

use super::{User, codes, context::AuthExt, roles_of};
use crate::{
    auth::Opened,
    graphql::{
        context::ContextExt,
        error::OrGraphql,
        payload::{UserError, settle},
    },
};

/// Somebody who has logged in, as they see themselves.
#[derive(SimpleObject)]
pub struct Me {
    /// Who it is.
    user: User,
    /// Codes of what this request may do, such as `catalogue.read`: with an API token, what both it and its user may do.
    permissions: Vec<&'static str>,
}

impl Me {
    async fn load(domain: &domain::Domain, viewer: &Viewer) -> domain::Result<Self> {
        let known = viewer.require_user()?;
        let row = domain
            .users()
            .find(viewer, known.id)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let roles = roles_of(domain, viewer, known.id).await?;
        Ok(Self {
            user: User::with_roles(roles, row),
            permissions: codes(&known.permissions),
        })
    }
}

/// A login that has not ended.
#[derive(SimpleObject)]
pub struct Session {
    /// Opaque id. It does not open the session.
    id: ID,
    /// Whether it is the one that asks.
    current: bool,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    last_seen_at: DateTime<Utc>,
    /// When it ends even if it is in use.
    expires_at: DateTime<Utc>,
    /// The network address of the login.
    address: String,
    /// What the browser called itself at the login, at most 256 characters.
    user_agent: String,
}

impl Session {
    fn new(current: &SessionId, row: session::Session) -> Self {
        let session::Session {
            id,
            user_id: _,
            credential_version: _,
            created_at,
            last_seen,
            expires_at,
            user_agent,
            address,
        } = row;
        Self {
            current: id == *current,
            id: ID(id.as_str().to_owned()),
            created_at,
            last_seen_at: last_seen,
            expires_at,
            address: address.to_string(),
            user_agent,
        }
    }
}

/// Queries about oneself.
#[derive(Default)]
pub struct SessionQuery;

#[Object]
impl SessionQuery {
    /// Who is asking; null when nobody has logged in, which is how a client finds out.
    async fn me(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Me>> {
        match ctx.viewer().identity {
            Identity::User(_) => Me::load(ctx.domain(), ctx.viewer())
                .await
                .map(Some)
                .or_graphql(ctx.viewer()),
            Identity::Anonymous | Identity::System(_) => Ok(None),
        }
    }

    /// One's own logins that have not ended, the one used last first; at most 50. Needs a login, an API token is not enough.
    #[graphql(complexity = "10 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        let current = ctx.caller().require_session().or_graphql(ctx.viewer())?;
        let rows = ctx
            .auth()
            .sessions(ctx.caller())
            .await
            .or_graphql(ctx.viewer())?;
        Ok(rows
            .into_iter()
            .map(|row| Session::new(&current, row))
            .collect())
    }
}

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// Login name.
    email: String,
    /// Password.
    #[graphql(secret)]
    password: String,
}

/// Which session ends.
#[derive(InputObject)]
pub struct SessionRevokeInput {
    /// One of one's own.
    id: ID,
}

/// Another password for oneself.
#[derive(InputObject)]
pub struct UserPasswordChangeInput {
    /// The present password.
    #[graphql(secret)]
    old_password: String,
    /// The password from now on: 10 to 128 characters unless the operator has set another minimum, and not the email.
    #[graphql(secret)]
    new_password: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of logging in.
#[derive(SimpleObject)]
pub struct LoginPayload {
    /// Who has logged in; null when it was refused.
    me: Option<Me>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of logging out.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of ending a session.
#[derive(SimpleObject)]
pub struct SessionRevokePayload {
    /// Which session has ended; null when it was refused.
    session_id: Option<ID>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of changing a password.
#[derive(SimpleObject)]
pub struct UserPasswordChangePayload {
    /// The user; null when it was refused.
    user: Option<User>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of logins.
#[derive(Default)]
pub struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Logs in with a password: the answer sets a session cookie, so it must be sent over HTTP. Needs no permission. Too many wrong
    /// passwords are answered with `THROTTLED`.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who logs in.")] input: LoginInput,
    ) -> async_graphql::Result<LoginPayload> {
        let (me, user_errors) = settle(ctx, login(ctx, input).await)?;
        Ok(LoginPayload { me, user_errors })
    }

    /// Ends the session and removes its cookie. Needs a login.
    async fn logout(&self, ctx: &Context<'_>) -> async_graphql::Result<LogoutPayload> {
        let (cookie, user_errors) = settle(ctx, ctx.auth().logout(ctx.caller()).await)?;
        set_cookie(ctx, cookie.flatten());
        Ok(LogoutPayload { user_errors })
    }

    /// Ends one of one's own sessions, for instance on a lost telephone. Needs a login.
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session ends.")] input: SessionRevokeInput,
    ) -> async_graphql::Result<SessionRevokePayload> {
        let (session_id, user_errors) = settle(ctx, revoke(ctx, input).await)?;
        Ok(SessionRevokePayload {
            session_id,
            user_errors,
        })
    }

    /// Changes one's own password. All one's sessions end; the answer sets the cookie of a new one or, when none can be begun just now,
    /// removes the old cookie: then log in with the new password. API tokens stay. Needs a login.
    async fn user_password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password and the next one.")] input: UserPasswordChangeInput,
    ) -> async_graphql::Result<UserPasswordChangePayload> {
        let (user, user_errors) = settle(ctx, change_password(ctx, input).await)?;
        Ok(UserPasswordChangePayload { user, user_errors })
    }
}

async fn login(ctx: &Context<'_>, input: LoginInput) -> domain::Result<Me> {
    let LoginInput { email, password } = input;
    let Opened { viewer, cookie } = ctx
        .auth()
        .login(ctx.caller(), &email, &SecretString::from(password))
        .await?;
    let me = Me::load(ctx.domain(), &viewer).await?;
    set_cookie(ctx, Some(cookie));
    Ok(me)
}

async fn revoke(ctx: &Context<'_>, input: SessionRevokeInput) -> domain::Result<ID> {
    let SessionRevokeInput { id } = input;
    ctx.caller().require_session()?;
    let session = SessionId::parse(&id).ok_or_else(|| Refusal::new(Code::InvalidFormat, "id"))?;
    let is_done = ctx.auth().revoke_session(ctx.caller(), &session).await?;
    if is_done {
        Ok(id)
    } else {
        Err(Refusal::new(Code::NotFound, "id").into())
    }
}

async fn change_password(
    ctx: &Context<'_>,
    input: UserPasswordChangeInput,
) -> domain::Result<User> {
    let UserPasswordChangeInput {
        old_password,
        new_password,
        idempotency_key,
    } = input;
    let change = PasswordChange {
        old: old_password.into(),
        new: new_password.into(),
    };
    let (user, cookie) = ctx
        .auth()
        .change_password(ctx.caller(), change, idempotency_key.as_deref())
        .await?;
    set_cookie(ctx, cookie);
    Ok(User::new(user))
}

fn set_cookie(ctx: &Context<'_>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        ctx.append_http_header(header::SET_COOKIE, cookie);
    }
}
