//! Who is asking: the first argument of every use case.

use entity::id::{ApiTokenId, UserId};

use crate::{
    error::{Error, Result},
    locale::Locale,
    permission::{Permission, Permissions},
};

/// Who is asking, and on behalf of which request.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who it is.
    pub identity: Identity,
    /// Language of the messages they get.
    pub locale: Locale,
    /// The request that this is part of; carried into audit rows, events and jobs.
    pub request_id: Option<String>,
    /// Why they do it, as far as they have said; carried into audit rows.
    pub reason: Option<String>,
}

/// Who somebody is, as far as we know.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nobody has logged in.
    Anonymous,
    /// A person, or a program with that person's token.
    User(Known),
    /// Goldshop itself: which part of it.
    System(&'static str),
}

/// A user and what they may do at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which user.
    pub id: UserId,
    /// Their name at present.
    pub name: String,
    /// What they may do.
    pub permissions: Permissions,
    /// The API token that a program shows for them; none when they have logged in themselves.
    pub token: Option<ApiTokenId>,
}

impl Viewer {
    /// Somebody who has not logged in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            identity: Identity::Anonymous,
            locale: Locale::default(),
            request_id: None,
            reason: None,
        }
    }

    /// A part of goldshop that works on its own account. It may do everything.
    #[must_use]
    pub fn system(part: &'static str) -> Self {
        Self {
            identity: Identity::System(part),
            locale: Locale::default(),
            request_id: None,
            reason: None,
        }
    }

    /// The same viewer, on behalf of the request with this id.
    #[must_use]
    pub fn for_request(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// The same viewer, who does it for this reason.
    #[must_use]
    pub fn because(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// Goes on only when the viewer may do this.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody, [`Error::Forbidden`] for somebody who may not.
    pub fn require(&self, permission: Permission) -> Result<()> {
        match &self.identity {
            Identity::Anonymous => Err(Error::Unauthenticated),
            Identity::System(_) => Ok(()),
            Identity::User(user) if user.permissions.contains(permission) => Ok(()),
            Identity::User(_) => Err(Error::Forbidden(permission)),
        }
    }

    /// The user who is asking.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is nobody, or no person.
    pub fn require_user(&self) -> Result<&Known> {
        match &self.identity {
            Identity::User(user) => Ok(user),
            Identity::Anonymous | Identity::System(_) => Err(Error::Unauthenticated),
        }
    }

    /// The user who is asking, when they have logged in themselves: for what follows from being somebody, and not from a permission. An
    /// API token does only what it was made for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is nobody, no person, or a program with an API token.
    pub fn require_login(&self) -> Result<&Known> {
        self.require_user()
            .ok()
            .filter(|user| user.token.is_none())
            .ok_or(Error::Unauthenticated)
    }

    /// Goes on only when goldshop itself is asking: for what only its own parts do.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody. For a person [`Error::Internal`]: none of them is led here.
    pub fn require_system(&self) -> Result<()> {
        match &self.identity {
            Identity::System(_) => Ok(()),
            Identity::Anonymous => Err(Error::Unauthenticated),
            Identity::User(_) => Err(Error::internal(
                "a person asked for what only goldshop itself does",
            )),
        }
    }

    /// The user who is asking, when it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.require_user().ok().map(|user| user.id)
    }

    /// What tells this viewer from all others, for keys.
    pub(crate) fn key(&self) -> String {
        match &self.identity {
            Identity::Anonymous => "anonymous".into(),
            Identity::User(user) => format!("user:{}", user.id),
            Identity::System(part) => format!("system:{part}"),
        }
    }
}
