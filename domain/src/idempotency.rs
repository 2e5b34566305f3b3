//! A request that is sent again changes nothing again.
//!
//! The key is claimed and the answer kept in the very transaction that makes the change. Whoever comes with the same key meanwhile
//! waits on the claim's row until that transaction has ended, and then finds its answer, or the way free when it was rolled back.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    audit,
    error::{Code, Error, Refusal, Result},
    sql::statement,
    text,
    viewer::Viewer,
};

/// Longest key, in characters.
const KEY_MAX: usize = 255;

/// What became of a claim.
pub(crate) enum Claimed<T> {
    /// The change is still to be made.
    Now(Claim),
    /// It was made before; this was the answer.
    Before(T),
}

/// The right to make a change, and the duty to keep its answer.
#[must_use = "the answer must be kept, or the next request with the key finds none"]
pub(crate) struct Claim(Option<Key>);

struct Key {
    actor: String,
    key: String,
}

/// Claims `key` for this viewer's `operation` with this `input`. Without a key there is nothing to claim. Each use case passes here, so the
/// transaction also hears why it is done.
pub(crate) async fn claim_in_tx<T: DeserializeOwned>(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    key: Option<&str>,
    operation: &'static str,
    input: &(impl Serialize + Sync),
    now: DateTime<Utc>,
) -> Result<Claimed<T>> {
    audit::reason_in_tx(tx, viewer).await?;
    let Some(key) = key else {
        return Ok(Claimed::Now(Claim(None)));
    };
    let key = Key {
        actor: viewer.key(),
        key: text::line("idempotencyKey", key, 1, KEY_MAX)?,
    };
    let hash = request_hash(operation, input)?;
    if insert_in_tx(tx, &key, operation, &hash, now).await? {
        return Ok(Claimed::Now(Claim(Some(key))));
    }
    answer_in_tx(tx, &key, operation, &hash)
        .await
        .map(Claimed::Before)
}

/// Whether the key was free. Waits for a transaction that has claimed it and not ended yet.
async fn insert_in_tx(
    tx: &DatabaseTransaction,
    key: &Key,
    operation: &str,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<bool> {
    let sql = "INSERT INTO idempotency (actor, key, operation, request_hash, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let values = [
        key.actor.as_str().into(),
        key.key.as_str().into(),
        operation.into(),
        hash.to_vec().into(),
        now.into(),
    ];
    Ok(tx
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected()
        == 1)
}

async fn answer_in_tx<T: DeserializeOwned>(
    tx: &DatabaseTransaction,
    key: &Key,
    operation: &str,
    hash: &[u8],
) -> Result<T> {
    let kept = entity::idempotency::Entity::find_by_id((key.actor.clone(), key.key.clone()))
        .one(tx)
        .await?;
    let kept = kept.ok_or_else(|| Error::internal("a claimed idempotency key has vanished"))?;
    if kept.operation != operation || kept.request_hash != hash {
        return Err(Refusal::new(Code::IdempotencyKeyReused, "idempotencyKey").into());
    }
    let answer = kept
        .answer
        .ok_or_else(|| Error::internal("a committed idempotency key has no answer"))?;
    Ok(serde_json::from_value(answer)?)
}

fn request_hash(operation: &str, input: &impl Serialize) -> Result<Vec<u8>> {
    let mut hash = Sha256::new();
    hash.update(operation);
    hash.update([0]);
    hash.update(serde_json::to_vec(input)?);
    Ok(hash.finalize().to_vec())
}

impl Claim {
    /// No key, and so nothing to keep.
    pub(crate) const NONE: Self = Self(None);

    /// Whose key it is, and the key, for a statement that keeps the answer where it makes the change; nulls without a key.
    pub(crate) fn into_parts(self) -> (Option<String>, Option<String>) {
        self.0.map(|key| (key.actor, key.key)).unzip()
    }

    /// Keeps the answer for whoever comes with the same key again.
    pub(crate) async fn keep_in_tx(
        self,
        tx: &DatabaseTransaction,
        answer: &(impl Serialize + Sync),
    ) -> Result<()> {
        let Some(key) = self.0 else { return Ok(()) };
        let sql = "UPDATE idempotency SET answer = $3 WHERE actor = $1 AND key = $2";
        let values = [
            key.actor.into(),
            key.key.into(),
            serde_json::to_value(answer)?.into(),
        ];
        tx.execute_raw(statement(sql, values)).await?;
        Ok(())
    }
}
