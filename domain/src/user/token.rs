//! API tokens: with one, a program does for a user some of what the user may do.
//!
//! The secret is shown once and kept as SHA-256; 256 random bits need no salt and no slow hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::{
    api_token::{ActiveModel, Column, Entity},
    id::{ApiTokenId, UserId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DerivePartialModel,
    EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Users, query, rules};
use crate::{
    audit::{self, Change},
    clock::new_id,
    error::{Code, Error, Refusal, Refusals, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::{Permission, Permissions},
    sql::statement,
    text::{self, NAME_MAX},
    viewer::Viewer,
};

/// What every secret begins with, so that people and scanners recognise one.
const PREFIX: &str = "gst_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Longest life of a token.
pub const TOKEN_LIFE_MAX: TimeDelta = TimeDelta::days(365);
/// Most usable tokens of one user.
pub const TOKENS_MAX: u64 = 100;

/// A token with which programs act for a user. Its secret is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct ApiToken {
    /// Identity.
    pub id: ApiTokenId,
    /// For whom the token acts.
    pub user_id: UserId,
    /// What the owner calls it.
    pub name: String,
    /// Permission codes; the token can do what both it and its user may do.
    pub permissions: Vec<String>,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A token to be, for oneself.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// What it is for.
    pub name: String,
    /// What it may do: at least one thing, and only what the viewer may do.
    pub permissions: Permissions,
    /// From then on it is refused: at most a year ahead.
    pub expires_at: DateTime<Utc>,
}

/// A token that has just been made.
#[derive(Clone, Debug)]
pub struct CreatedToken {
    /// The token.
    pub token: ApiToken,
    /// What a program shows to use it. It is given out once: none when the request was made before with the same idempotency key.
    pub secret: Option<SecretString>,
}

impl Users<'_> {
    /// Makes an API token for the viewer, who must have logged in: a token makes no other.
    ///
    /// # Errors
    /// When a value is refused, the viewer may not do what the token is to do, or has a hundred usable tokens already.
    pub async fn create_token(
        &self,
        viewer: &Viewer,
        new: NewApiToken,
        key: Option<&str>,
    ) -> Result<CreatedToken> {
        let user_id = viewer.require_login()?.id;
        new.permissions
            .iter()
            .try_for_each(|permission| viewer.require(permission))?;
        let now = self.domain.now();
        let new = parse_new(new, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "api_token.create", &new, now).await? {
            Claimed::Before(token) => {
                return Ok(CreatedToken {
                    token,
                    secret: None,
                });
            }
            Claimed::Now(claim) => claim,
        };
        // Tokens are counted under the user's lock.
        query::lock_in_tx(&tx, user_id)
            .await?
            .ok_or(Error::Unauthenticated)?;
        if usable(user_id, now).count(&tx).await? >= TOKENS_MAX {
            return Err(Refusal::new(Code::TooMany, "")
                .with("max", TOKENS_MAX)
                .into());
        }
        let secret = new_secret();
        let token = insert_in_tx(&tx, now, user_id, new, &secret).await?;
        record_in_tx(&tx, viewer, now, "api_token.create", None, &token).await?;
        claim.keep_in_tx(&tx, &token).await?;
        self.domain.commit(tx).await?;
        Ok(CreatedToken {
            token,
            secret: Some(secret),
        })
    }

    /// Takes an API token back: one's own, or anybody's with [`Permission::UserManage`]. A program without it takes back only the token it
    /// shows. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is no such token, or it is not the viewer's to take back.
    pub async fn revoke_token(
        &self,
        viewer: &Viewer,
        id: ApiTokenId,
        key: Option<&str>,
    ) -> Result<ApiToken> {
        if viewer.require(Permission::UserManage).is_err() {
            viewer.require_user()?;
        }
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "api_token.revoke", &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id).await?;
        let before = before.filter(|token| rules::may_revoke(viewer, token));
        let before = before.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        let token = revoke_in_tx(&tx, viewer, now, before).await?;
        claim.keep_in_tx(&tx, &token).await?;
        self.domain.commit(tx).await?;
        Ok(token)
    }

    /// The viewer's API tokens that can be used, the newest first: at most a hundred.
    ///
    /// # Errors
    /// When the viewer has not logged in.
    pub async fn tokens(&self, viewer: &Viewer) -> Result<Vec<ApiToken>> {
        let id = viewer.require_login()?.id;
        let found = usable(id, self.domain.now())
            .order_by_desc(Column::Id)
            .limit(TOKENS_MAX);
        Ok(found.into_partial_model().all(&self.domain.db).await?)
    }
}

/// A token's values that will do.
#[derive(Debug, Serialize)]
struct Parsed {
    name: String,
    permissions: Vec<&'static str>,
    expires_at: DateTime<Utc>,
}

fn parse_new(new: NewApiToken, now: DateTime<Utc>) -> Result<Parsed> {
    let NewApiToken {
        name,
        permissions,
        expires_at,
    } = new;
    // As exact as the database keeps it, so that the answer is what is read later.
    let expires_at = expires_at.trunc_subsecs(6);
    let mut refusals = Refusals::default();
    let name = refusals.take(text::line("name", &name, 1, NAME_MAX));
    let permissions: Vec<_> = permissions.iter().map(Permission::code).collect();
    if permissions.is_empty() {
        refusals.push(Refusal::new(Code::Required, "permissions"));
    }
    let latest = now + TOKEN_LIFE_MAX;
    if expires_at <= now || expires_at > latest {
        refusals.push(
            Refusal::new(Code::OutOfRange, "expiresAt")
                .with("min", now.to_rfc3339())
                .with("max", latest.to_rfc3339()),
        );
    }
    refusals.into_result(name.map(|name| Parsed {
        name,
        permissions,
        expires_at,
    }))
}

fn new_secret() -> SecretString {
    format!(
        "{PREFIX}{}",
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>())
    )
    .into()
}

/// What is kept of a secret; none when it cannot be one.
pub(super) fn hash(secret: &str) -> Option<Vec<u8>> {
    let mut bytes = [0; SECRET_BYTES];
    let length = URL_SAFE_NO_PAD
        .decode_slice(secret.strip_prefix(PREFIX)?, &mut bytes)
        .ok()?;
    (length == SECRET_BYTES).then(|| Sha256::digest(secret).to_vec())
}

fn usable(user_id: UserId, now: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    user_id: UserId,
    new: Parsed,
    secret: &SecretString,
) -> Result<ApiToken> {
    let token_hash =
        hash(secret.expose_secret()).ok_or_else(|| Error::internal("a new secret is none"))?;
    let permissions = new.permissions.into_iter().map(str::to_owned).collect();
    let (name, expires_at) = (new.name, new.expires_at);
    let token = ApiToken {
        id: ApiTokenId(new_id(now)),
        user_id,
        name,
        permissions,
        expires_at,
        revoked_at: None,
        created_at: now,
    };
    Entity::insert(row(token.clone(), token_hash))
        .exec_without_returning(tx)
        .await?;
    Ok(token)
}

fn row(token: ApiToken, token_hash: Vec<u8>) -> ActiveModel {
    let ApiToken {
        id,
        user_id,
        name,
        permissions,
        expires_at,
        revoked_at,
        created_at,
    } = token;
    ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        name: Set(name),
        token_hash: Set(token_hash),
        permissions: Set(permissions),
        expires_at: Set(expires_at),
        revoked_at: Set(revoked_at),
        created_at: Set(created_at),
    }
}

async fn lock_in_tx(tx: &DatabaseTransaction, id: ApiTokenId) -> Result<Option<ApiToken>> {
    Ok(Entity::find_by_id(id)
        .lock_exclusive()
        .into_partial_model()
        .one(tx)
        .await?)
}

async fn revoke_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: ApiToken,
) -> Result<ApiToken> {
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    let after = ApiToken {
        revoked_at: Some(now),
        ..before.clone()
    };
    let sql = "UPDATE api_token SET revoked_at = $2 WHERE id = $1";
    tx.execute_raw(statement(sql, [after.id.into(), now.into()]))
        .await?;
    record_in_tx(tx, viewer, now, "api_token.revoke", Some(&before), &after).await?;
    Ok(after)
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&ApiToken>,
    after: &ApiToken,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "api_token",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(expires_at: DateTime<Utc>) -> NewApiToken {
        NewApiToken {
            name: "till".into(),
            permissions: Permissions::all(),
            expires_at,
        }
    }

    #[test]
    fn a_secret_is_recognised_and_never_twice_the_same() {
        let (one, other) = (new_secret(), new_secret());
        assert_eq!(one.expose_secret().len(), PREFIX.len() + 43);
        assert_ne!(hash(one.expose_secret()), hash(other.expose_secret()));
        assert!(hash(one.expose_secret()).is_some_and(|hash| hash.len() == 32));
        assert!(!format!("{one:?}").contains(one.expose_secret()));
    }

    #[test]
    fn what_cannot_be_a_secret_is_not_looked_up() {
        for text in [
            "",
            "gst_",
            "gst_short",
            &"A".repeat(47),
            &format!("gst_{}", "A".repeat(42)),
            &format!("gst_{}", "*".repeat(43)),
        ] {
            assert_eq!(hash(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_ends_within_a_year() {
        let now = DateTime::UNIX_EPOCH;
        for fits in [now + TimeDelta::seconds(1), now + TOKEN_LIFE_MAX] {
            assert!(parse_new(new(fits), now).is_ok(), "{fits}");
        }
        for wrong in [
            now,
            now - TimeDelta::seconds(1),
            now + TOKEN_LIFE_MAX + TimeDelta::milliseconds(1),
        ] {
            assert!(
                matches!(parse_new(new(wrong), now), Err(Error::Refused(r)) if r[0].code == Code::OutOfRange),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_token_has_a_name_and_something_to_do() {
        let now = DateTime::UNIX_EPOCH;
        let empty = NewApiToken {
            name: " ".into(),
            permissions: Permissions::default(),
            expires_at: now + TimeDelta::days(1),
        };
        let Err(Error::Refused(refused)) = parse_new(empty, now) else {
            panic!("an empty token was taken")
        };
        assert_eq!(
            refused.iter().map(|r| r.path.join(".")).collect::<Vec<_>>(),
            ["name", "permissions"]
        );
    }
}
