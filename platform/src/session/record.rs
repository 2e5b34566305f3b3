//! What is kept of a session.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Login, SessionId};

/// Longest kept name of a browser, in characters.
const USER_AGENT_LIMIT: usize = 256;

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session without opening it.
    pub id: SessionId,
    /// Who logged in.
    pub user_id: Uuid,
    /// Which of the user's passwords was given. Whoever knows the present one has to compare: here a session outlives its password.
    pub credential_version: i32,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    pub last_seen: DateTime<Utc>,
    /// When it ends even if it is in use.
    pub expires_at: DateTime<Utc>,
    /// What the browser called itself at the login, at most 256 characters.
    pub user_agent: String,
    /// Where the login came from.
    pub address: IpAddr,
}

/// A session as Redis holds it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Record {
    pub(super) user_id: Uuid,
    pub(super) credential_version: i32,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_seen: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) user_agent: String,
    pub(super) address: IpAddr,
}

impl Record {
    pub(super) fn new(login: Login<'_>, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        Self {
            user_id: login.user_id,
            credential_version: login.credential_version,
            created_at: now,
            last_seen: now,
            expires_at,
            user_agent: login.user_agent.chars().take(USER_AGENT_LIMIT).collect(),
            address: login.address,
        }
    }

    /// When the session ends if it is not used again.
    pub(super) fn ends_at(&self, idle: Duration) -> DateTime<Utc> {
        self.expires_at.min(self.last_seen + idle)
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// A record that cannot be read opens nothing: the person logs in again.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        let read = serde_json::from_str(json);
        read.inspect_err(|error| tracing::warn!(%error, "a session record cannot be read"))
            .ok()
    }

    pub(super) fn into_session(self, id: SessionId) -> Session {
        let Self {
            user_id,
            credential_version,
            created_at,
            last_seen,
            expires_at,
            user_agent,
            address,
        } = self;
        Session {
            id,
            user_id,
            credential_version,
            created_at,
            last_seen,
            expires_at,
            user_agent,
            address,
        }
    }
}
