//! What users and API tokens may do, believed for a few seconds.
//!
//! Both caches are bounded, and many who ask for the same at once cause one statement. Failures are not remembered.

use std::{sync::Arc, time::Duration};

use domain::{Domain, Error, locale::Locale, user::TokenAccess, viewer::Known};
use entity::id::UserId;
use moka::future::Cache;
use sha2::{Digest, Sha256};

/// Most users remembered, and most tokens: a few megabytes.
const ENTRIES_MAX: u64 = 10_000;

/// Tokens are remembered by their hashes, not by their secrets.
type TokenHash = [u8; 32];

pub(super) struct AccessCache {
    domain: Domain,
    users: Cache<UserId, Option<(Known, Locale)>>,
    tokens: Cache<TokenHash, Option<TokenAccess>>,
}

impl AccessCache {
    pub(super) fn new(domain: Domain, believed_for: Duration) -> Self {
        Self {
            domain,
            users: cache(believed_for),
            tokens: cache(believed_for),
        }
    }

    /// What the user may do; none when they may not log in (any more).
    pub(super) async fn known(&self, id: UserId) -> Result<Option<(Known, Locale)>, Arc<Error>> {
        self.users
            .try_get_with(id, self.domain.users().known(id))
            .await
    }

    /// What the token opens. Its expiry is the caller's to check.
    pub(super) async fn by_token(&self, secret: &str) -> Result<Option<TokenAccess>, Arc<Error>> {
        let hash = Sha256::digest(secret).into();
        self.tokens
            .try_get_with(hash, self.domain.users().by_token(secret))
            .await
    }

    /// Forgets what the user may do, because it has changed. Other processes believe it a few seconds longer.
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
