//! Somebody who has been recognised, and how.

use std::net::{IpAddr, Ipv4Addr};

use domain::{Error, Viewer, viewer::Identity};
use platform::session::{SessionId, SessionToken};
use secrecy::SecretString;

/// How somebody showed who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Not at all.
    None,
    /// With a session cookie.
    Session(SessionToken),
    /// With an API token.
    Token(SecretString),
}

/// Most characters kept of what a client calls itself.
const USER_AGENT_MAX: usize = 256;

/// Who is calling, how we know, and from where.
#[derive(Clone, Debug)]
pub struct Caller {
    credential: Credential,
    viewer: Viewer,
    address: Option<IpAddr>,
    user_agent: String,
}

impl Caller {
    pub(super) fn new(
        credential: Credential,
        viewer: Viewer,
        address: Option<IpAddr>,
        user_agent: &str,
    ) -> Self {
        Self {
            credential,
            viewer,
            address,
            user_agent: user_agent.chars().take(USER_AGENT_MAX).collect(),
        }
    }

    /// How we know who it is.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Who it is, as the domain sees it.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Where they are; callers without a network address all count as one.
    pub(super) fn address(&self) -> IpAddr {
        self.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// What their browser or program calls itself.
    pub(super) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The session, for what only a person who has logged in may do: a program with a token that was stolen must not be able to make
    /// itself a new one, or to look into sessions.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when there is none.
    pub fn require_session(&self) -> domain::Result<SessionId> {
        match &self.credential {
            Credential::Session(token) => Ok(token.id()),
            Credential::None | Credential::Token(_) => Err(Error::Unauthenticated),
        }
    }

    /// Whether all that they may do may be done by `now`, too.
    pub(super) fn may_do_no_more_than(&self, now: &Viewer) -> bool {
        match &self.viewer.identity {
            Identity::User(known) => known
                .permissions
                .iter()
                .all(|permission| now.require(permission).is_ok()),
            Identity::Anonymous | Identity::System(_) => true,
        }
    }
}
