//! Sessions: how they begin and end.

use domain::{
    Error, Result, Viewer,
    user::{Authenticated, ChangedPassword, PasswordChange, User, UserChange},
};
use entity::id::UserId;
use platform::{
    redis::RedisUnavailable,
    session::{Login, Session, SessionId},
};
use poem::http::HeaderValue;
use secrecy::SecretString;

use super::{Auth, Caller, viewer};

/// A session that has just begun.
pub struct Opened {
    /// Whose it is.
    pub viewer: Viewer,
    /// The `Set-Cookie` value that lets the browser use it.
    pub cookie: HeaderValue,
}

/// Redis is a service we need.
pub(super) fn redis_fault(error: RedisUnavailable) -> Error {
    Error::Unavailable(error.into())
}

impl Auth {
    /// Begins a session, and ends the one that the caller has.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` or `THROTTLED` as refusals.
    pub async fn login(
        &self,
        caller: &Caller,
        email: &str,
        password: &SecretString,
    ) -> Result<Opened> {
        let users = self.0.domain.users();
        let attempt = users.authenticate(email, password);
        let Authenticated {
            user,
            credential_version,
        } = self
            .0
            .attempts
            .make(email, caller.address(), self.0.domain.now(), attempt)
            .await?;
        self.0.access.forget(user.id).await;
        self.end_session_of(caller).await?;
        self.open(caller, user.id, credential_version).await
    }

    /// Ends the caller's session. Gives the `Set-Cookie` value that removes its cookie.
    ///
    /// # Errors
    /// When the caller has none.
    pub async fn logout(&self, caller: &Caller) -> Result<Option<HeaderValue>> {
        caller.require_session()?;
        self.end_session_of(caller).await?;
        Ok(self.0.cookie.removal())
    }

    /// The caller's sessions, the one used last first.
    ///
    /// # Errors
    /// When the caller has not logged in.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        caller.require_session()?;
        let id = caller.viewer().require_user()?.id;
        self.0
            .sessions
            .list(id.0, self.0.domain.now())
            .await
            .map_err(redis_fault)
    }

    /// Ends one of the caller's sessions. Tells whether there was one.
    ///
    /// # Errors
    /// When the caller has not logged in.
    pub async fn revoke_session(&self, caller: &Caller, id: &SessionId) -> Result<bool> {
        caller.require_session()?;
        let user_id = caller.viewer().require_user()?.id;
        self.0
            .sessions
            .revoke(user_id.0, id)
            .await
            .map_err(redis_fault)
    }

    /// Changes the caller's password, ends all their sessions and begins a new one. Gives the `Set-Cookie` value that lets the browser use
    /// it.
    ///
    /// The old sessions are over with the commit, for they are of an earlier version of the credential; ending them in Redis only makes it
    /// felt at once in every process. So no failure after the commit undoes or hides the change: without a new session, the value removes
    /// the old one's cookie, and the person logs in with the new password.
    ///
    /// # Errors
    /// Those of [`domain::user::Users::change_password`], and `THROTTLED` after too many wrong old passwords.
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: PasswordChange,
        key: Option<&str>,
    ) -> Result<(User, Option<HeaderValue>)> {
        caller.require_session()?;
        let viewer = caller.viewer();
        let id = viewer.require_user()?.id;
        let users = self.0.domain.users();
        let attempt = users.change_password(viewer, change, self.0.passwords, key);
        let ChangedPassword {
            user,
            credential_version,
        } = self
            .0
            .attempts
            .make(
                &id.to_string(),
                caller.address(),
                self.0.domain.now(),
                attempt,
            )
            .await?;
        self.0.access.forget(id).await;
        self.end_all_sessions(id).await;
        let cookie = match self.open(caller, id, credential_version).await {
            Ok(opened) => Some(opened.cookie),
            Err(error) => {
                tracing::warn!(%error, user_id = %id, "no session could be begun with a new password");
                self.0.cookie.removal()
            }
        };
        Ok((user, cookie))
    }

    /// Changes a user, and makes it felt at once: in this process, and for somebody who is disabled everywhere.
    ///
    /// # Errors
    /// Those of [`domain::user::Users::update`].
    pub async fn update_user(
        &self,
        viewer: &Viewer,
        id: UserId,
        change: UserChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<User> {
        let user = self
            .0
            .domain
            .users()
            .update(viewer, id, change, expected_version, key)
            .await?;
        self.0.access.forget(id).await;
        if user.disabled_at.is_some() {
            self.end_all_sessions(id).await;
        }
        Ok(user)
    }

    /// The user is disabled or has another password already, so their sessions open nothing once that is noticed; when Redis fails it
    /// takes some seconds.
    async fn end_all_sessions(&self, id: UserId) {
        if let Err(error) = self.0.sessions.revoke_all(id.0).await {
            tracing::warn!(%error, user_id = %id, "a user's sessions that open nothing are left to expire");
        }
    }

    async fn end_session_of(&self, caller: &Caller) -> Result<()> {
        if let (Ok(id), Some(user_id)) = (caller.require_session(), caller.viewer().user_id()) {
            self.0
                .sessions
                .revoke(user_id.0, &id)
                .await
                .map_err(redis_fault)?;
        }
        Ok(())
    }

    /// Begins a session with the credential of this version. Should it be replaced this very moment, the session opens nothing.
    async fn open(&self, caller: &Caller, id: UserId, credential_version: i32) -> Result<Opened> {
        let access = self.0.domain.users().by_login(id).await?;
        let access = access
            .filter(|access| access.credential_version == credential_version)
            .ok_or(Error::Unauthenticated)?;
        let login = Login {
            user_id: id.0,
            credential_version,
            user_agent: caller.user_agent(),
            address: caller.address(),
        };
        let (token, _) = self
            .0
            .sessions
            .create(login, self.0.domain.now())
            .await
            .map_err(redis_fault)?;
        let cookie = self
            .0
            .cookie
            .holding(&token)
            .ok_or_else(|| Error::internal("a session cookie is no header value"))?;
        let request_id = caller.viewer().request_id.clone();
        Ok(Opened {
            viewer: viewer(access.user, access.locale).for_request(request_id),
            cookie,
        })
    }
}
