//! Who is calling: a person with a session cookie, a program with an API token, or nobody.
//!
//! A session is looked up in Redis for every request, so that one that was revoked is over at once. What its user may do, and what an
//! API token opens, is believed for a few seconds, so that most requests cost no statement. A credential that does not hold is
//! refused, never taken for nobody.

mod access;
mod attempts;
mod caller;
mod cookie;
mod login;

use std::sync::Arc;

use async_graphql::Request;
use domain::{
    Domain, Permission, Viewer,
    locale::Locale,
    user::PasswordRules,
    viewer::{Identity, Known},
};
use platform::{
    config::{self, Environment},
    redis::Redis,
    session::{SessionToken, Sessions},
};
use secrecy::ExposeSecret;

use self::{access::AccessCache, attempts::Attempts, cookie::SessionCookie};
pub use self::{
    caller::{Caller, Credential},
    login::Opened,
};
use crate::{
    graphql::{file::FileCount, loader::Loaders},
    http::{AuthFailure, Authenticate, Credentials, RequestContext, UploadRefusal},
    metrics::Lookups,
};

/// Finds out who is calling, and begins and ends sessions. Clones share everything.
#[derive(Clone)]
pub struct Auth(Arc<Parts>);

struct Parts {
    domain: Domain,
    sessions: Sessions,
    attempts: Attempts,
    access: AccessCache,
    cookie: SessionCookie,
    passwords: PasswordRules,
}

impl Auth {
    /// With sessions and attempts in `redis`, and users in `domain`. `lookups` counts what is known of users, and of tokens.
    #[must_use]
    pub fn new(
        domain: Domain,
        redis: Redis,
        settings: &config::Auth,
        environment: Environment,
        lookups: [Lookups; 2],
    ) -> Self {
        Self(Arc::new(Parts {
            sessions: Sessions::new(redis.clone(), settings),
            attempts: Attempts::new(redis, settings),
            access: AccessCache::new(domain.clone(), settings.credential_cache, lookups),
            cookie: SessionCookie::new(settings, environment),
            passwords: PasswordRules {
                min_length: settings.password_min_length,
            },
            domain,
        }))
    }

    /// Which new passwords will do.
    #[must_use]
    pub fn passwords(&self) -> PasswordRules {
        self.0.passwords
    }

    async fn by_token(&self, secret: &str) -> Result<(Credential, Viewer), AuthFailure> {
        let access = self.0.access.by_token(secret).await.map_err(unavailable)?;
        let access = access.filter(|access| self.0.domain.now() < access.expires_at);
        let access = access.ok_or(AuthFailure::Unauthenticated(None))?;
        Ok((
            Credential::Token(secret.into()),
            viewer(access.user, access.locale),
        ))
    }

    async fn by_cookie(&self, value: &str) -> Result<(Credential, Viewer), AuthFailure> {
        let token = SessionToken::parse(value).ok_or_else(|| self.session_is_over())?;
        let found = self.0.sessions.find(&token, self.0.domain.now()).await;
        let session = found
            .map_err(|error| unavailable(login::redis_fault(error)))?
            .ok_or_else(|| self.session_is_over())?;
        let access = self
            .0
            .access
            .by_session(session.user_id.into(), session.credential_version)
            .await
            .map_err(unavailable)?;
        let access = access.ok_or_else(|| self.session_is_over())?;
        Ok((
            Credential::Session(token),
            viewer(access.user, access.locale),
        ))
    }

    /// The browser is to drop its cookie: its next request comes from nobody.
    fn session_is_over(&self) -> AuthFailure {
        AuthFailure::Unauthenticated(self.0.cookie.removal())
    }
}

fn viewer(known: Known, locale: Locale) -> Viewer {
    Viewer {
        identity: Identity::User(known),
        locale,
        request_id: None,
        reason: None,
    }
}

/// Nobody can be let in while the store that would know does not answer.
fn unavailable(error: impl std::fmt::Display) -> AuthFailure {
    tracing::warn!(%error, "a credential cannot be checked");
    AuthFailure::Unavailable
}

impl Authenticate for Auth {
    type Identity = Caller;

    async fn authenticate(
        &self,
        credentials: Credentials<'_>,
        context: &Arc<RequestContext>,
    ) -> Result<Caller, AuthFailure> {
        let (credential, viewer) = if let Some(secret) = credentials.bearer() {
            self.by_token(secret).await?
        } else if credentials.authorization().is_some() {
            return Err(AuthFailure::Unauthenticated(None));
        } else if let Some(value) = credentials.cookie(self.0.cookie.name()) {
            self.by_cookie(value).await?
        } else {
            let (locale, nobody) = (context.locale(), Viewer::anonymous());
            (Credential::None, Viewer { locale, ..nobody })
        };
        let viewer = viewer
            .for_request(Some(context.id().as_str().to_owned()))
            .because(context.reason().map(str::to_owned));
        let (address, user_agent) = (context.client(), credentials.user_agent());
        Ok(Caller::new(credential, viewer, address, user_agent))
    }

    /// An identity holds as long as its credential opens at least what it opened at first.
    async fn still_valid(&self, caller: &Caller) -> Result<(), AuthFailure> {
        let (_, viewer) = match caller.credential() {
            Credential::None => return Ok(()),
            Credential::Token(secret) => self.by_token(secret.expose_secret()).await?,
            Credential::Session(token) => self.by_cookie(token.expose()).await?,
        };
        if caller.may_do_no_more_than(&viewer) {
            Ok(())
        } else {
            Err(AuthFailure::Unauthenticated(None))
        }
    }

    fn may_upload(&self, caller: &Caller) -> Result<(), UploadRefusal> {
        let viewer = caller.viewer();
        let allowed = viewer
            .require(Permission::CatalogueWrite)
            .or_else(|_not_of_the_catalogue| viewer.require(Permission::BooksPost));
        allowed.map_err(|error| match error {
            domain::Error::Unauthenticated => UploadRefusal::Unauthenticated,
            _ => UploadRefusal::Forbidden,
        })
    }

    fn prepare(
        &self,
        request: Request,
        caller: &Caller,
        _context: &Arc<RequestContext>,
    ) -> Request {
        let viewer = caller.viewer().clone();
        let loaders = Loaders::fresh(self.0.domain.clone(), viewer.clone());
        let files = FileCount(request.uploads.len());
        request
            .data(viewer)
            .data(loaders)
            .data(files)
            .data(caller.clone())
    }
}
