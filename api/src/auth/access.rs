//! What users and API tokens may do, believed for a few seconds.
//!
//! Both caches are bounded, and many who ask for the same at once cause one statement. Failures are not remembered.

use std::{sync::Arc, time::Duration};

use domain::{
    Domain, Error,
    user::{LoginAccess, TokenAccess},
};
use entity::id::UserId;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::metrics::Lookups;

/// Most users remembered, and most tokens: a few megabytes.
const ENTRIES_MAX: u64 = 10_000;

/// Tokens are remembered by their hashes, not by their secrets.
type TokenHash = [u8; 32];

pub(super) struct AccessCache {
    domain: Domain,
    lookups: [Lookups; 2],
    users: Cache<UserId, Option<LoginAccess>>,
    tokens: Cache<TokenHash, Option<TokenAccess>>,
}

impl AccessCache {
    /// `lookups` counts what is known of users, and of tokens.
    pub(super) fn new(domain: Domain, believed_for: Duration, lookups: [Lookups; 2]) -> Self {
        Self {
            domain,
            lookups,
            users: cache(believed_for),
            tokens: cache(believed_for),
        }
    }

    /// What a session of the user opens that was begun with this version of their credential; none when they may not log in (any more),
    /// or have changed their password since.
    ///
    /// A session that is newer than what we believe proves that we are behind, for its version was read from the database: a password
    /// changed elsewhere does not lock its owner out here. One that is older than the truth is let in for no longer than we believe
    /// anything, and that only if Redis has missed its end.
    pub(super) async fn by_session(
        &self,
        id: UserId,
        credential_version: i32,
    ) -> Result<Option<LoginAccess>, Arc<Error>> {
        let mut access = self.by_login(id).await?;
        if access
            .as_ref()
            .is_some_and(|access| access.credential_version < credential_version)
        {
            self.forget(id).await;
            access = self.by_login(id).await?;
        }
        Ok(access.filter(|access| access.credential_version == credential_version))
    }

    async fn by_login(&self, id: UserId) -> Result<Option<LoginAccess>, Arc<Error>> {
        let [lookups, _] = &self.lookups;
        let users = self.domain.users();
        let entry = self.users.entry(id);
        let found = entry.or_try_insert_with(users.by_login(id)).await?;
        lookups.count(found.is_fresh());
        Ok(found.into_value())
    }

    /// What the token opens. Its expiry is the caller's to check.
    pub(super) async fn by_token(&self, secret: &str) -> Result<Option<TokenAccess>, Arc<Error>> {
        let hash = Sha256::digest(secret).into();
        let [_, lookups] = &self.lookups;
        let users = self.domain.users();
        let entry = self.tokens.entry(hash);
        let found = entry.or_try_insert_with(users.by_token(secret)).await?;
        lookups.count(found.is_fresh());
        Ok(found.into_value())
    }

    /// Forgets what the user may do, because it has changed. Other processes believe it for at most the configured seconds longer, and so
    /// does this one if a statement under way has read it before the change.
    pub(super) async fn forget(&self, id: UserId) {
        self.users.invalidate(&id).await;
    }
}

fn cache<K, V>(believed_for: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(ENTRIES_MAX)
        .time_to_live(believed_for)
        .build()
}
