//! Sessions of people who have logged in, kept in Redis. The person holds a random token; Redis only knows the
//! token's SHA-256, so that a copy of its data opens no session. A session ends when it is idle for too long,
//! when it is too old, or when it is revoked.
//!
//! Two kinds of key belong together and are only changed together, by scripts: `session:<id>` holds the record,
//! `sessions:<user>` is the set of a user's session ids, scored by when they end. Redis must not evict keys
//! (`maxmemory-policy noeviction`), or a forgotten set would hide sessions from [`Sessions::revoke_all`].

mod record;
mod scripts;
mod token;

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use self::{record::Record, scripts::SCRIPTS};
pub use self::{
    record::Session,
    token::{SessionId, SessionToken},
};
use crate::{
    config,
    redis::{Redis, RedisUnavailable},
};

/// Sessions that one user can have; one more ends the one that would have ended first.
pub const SESSIONS_PER_USER: usize = 50;

/// How far [`Session::last_seen`] may lag behind, so that not every request writes.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Who logs in, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user.
    pub user_id: Uuid,
    /// Which of the user's passwords was given.
    pub credential_version: i32,
    /// What the browser calls itself; its first 256 characters are kept.
    pub user_agent: &'a str,
    /// The client's address.
    pub address: IpAddr,
}

/// The sessions of all users. Clones share the Redis pool.
#[derive(Clone, Debug)]
pub struct Sessions {
    redis: Redis,
    idle: Duration,
    max: Duration,
}

impl Sessions {
    /// Sessions with the configured idle time and greatest age.
    #[must_use]
    pub fn new(redis: Redis, settings: &config::Auth) -> Self {
        Self {
            redis,
            idle: settings.session_idle,
            max: settings.session_max,
        }
    }

    /// Begins a session; the token is given out this once.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn create(
        &self,
        login: Login<'_>,
        now: DateTime<Utc>,
    ) -> Result<(SessionToken, Session), RedisUnavailable> {
        let token = SessionToken::random();
        let record = Record::new(login, now, now + self.max);
        let end = record.ends_at(self.idle);
        let mut script = SCRIPTS.create.key(self.session_key(&token.id()));
        script
            .key(self.user_key(login.user_id))
            .arg(record.to_json())
            .arg(token.id().as_str());
        script
            .arg(now.timestamp_millis())
            .arg(end.timestamp_millis());
        script
            .arg(self.redis.key("session", ""))
            .arg(SESSIONS_PER_USER);
        self.redis.run::<()>(&script).await?;
        let session = record.into_session(token.id());
        Ok((token, session))
    }

    /// The session that the token opens, if it has not ended. Being asked for keeps a session from becoming idle.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn find(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, RedisUnavailable> {
        let id = token.id();
        let command = redis::Cmd::get(self.session_key(&id));
        let json: Option<String> = self.redis.query(&command).await?;
        let Some(mut record) = json.and_then(|json| self.live(&json, now)) else {
            return Ok(None);
        };
        if now - record.last_seen >= TOUCH_INTERVAL {
            record.last_seen = now;
            self.touch(&id, &record, now).await?;
        }
        Ok(Some(record.into_session(id)))
    }

    /// The user's sessions that have not ended, the one used last first.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list(
        &self,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Vec<Session>, RedisUnavailable> {
        let mut script = SCRIPTS.list.key(self.user_key(user_id));
        script
            .arg(self.redis.key("session", ""))
            .arg(now.timestamp_millis());
        let found: Vec<(String, String)> = self.redis.run(&script).await?;
        let live = |(id, json): (String, String)| {
            Some(self.live(&json, now)?.into_session(SessionId::stored(id)))
        };
        let mut sessions: Vec<_> = found.into_iter().filter_map(live).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
        Ok(sessions)
    }

    /// Ends one session of the user. Tells whether there was one.
    ///
    /// # Errors
    /// When Redis does not answer; the session may then go on.
    pub async fn revoke(&self, user_id: Uuid, id: &SessionId) -> Result<bool, RedisUnavailable> {
        let mut script = SCRIPTS.revoke.key(self.session_key(id));
        script
            .key(self.user_key(user_id))
            .arg(id.as_str())
            .arg(user_id.to_string());
        self.redis.run(&script).await
    }

    /// Ends all sessions of the user and tells how many there were.
    ///
    /// # Errors
    /// When Redis does not answer; the sessions may then go on.
    pub async fn revoke_all(&self, user_id: Uuid) -> Result<usize, RedisUnavailable> {
        let mut script = SCRIPTS.revoke_all.key(self.user_key(user_id));
        script.arg(self.redis.key("session", ""));
        self.redis.run(&script).await
    }

    /// Writes when the session was last seen, unless it was revoked meanwhile.
    async fn touch(
        &self,
        id: &SessionId,
        record: &Record,
        now: DateTime<Utc>,
    ) -> Result<(), RedisUnavailable> {
        let end = record.ends_at(self.idle);
        let mut script = SCRIPTS.touch.key(self.session_key(id));
        script
            .key(self.user_key(record.user_id))
            .arg(record.to_json())
            .arg(id.as_str());
        script
            .arg(now.timestamp_millis())
            .arg(end.timestamp_millis());
        self.redis.run(&script).await
    }

    /// The record, if it can be read and the session has not ended.
    fn live(&self, json: &str, now: DateTime<Utc>) -> Option<Record> {
        Record::from_json(json).filter(|record| now < record.ends_at(self.idle))
    }

    fn session_key(&self, id: &SessionId) -> String {
        self.redis.key("session", id)
    }

    fn user_key(&self, user_id: Uuid) -> String {
        self.redis.key("sessions", user_id)
    }
}

#[cfg(test)]
mod tests;
