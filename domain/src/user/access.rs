//! How credentials lead to a user: by password, by an earlier login, by an API token.

use chrono::{DateTime, Utc};
use entity::id::{ApiTokenId, UserId};
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};
use secrecy::SecretString;

use super::{User, Users, password, query, rules, token};
use crate::{
    error::{Code, Error, Refusal, Result},
    locale::Locale,
    permission::Permissions,
    sql::statement,
    viewer::Known,
};

/// Somebody whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// Who it is.
    pub user: User,
    /// Which of their passwords it was, counted from 1: sessions end with the password they were begun with.
    pub credential_version: i32,
}

/// What a login opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAccess {
    /// The user, with all their permissions.
    pub user: Known,
    /// The user's language.
    pub locale: Locale,
    /// Which of their passwords is the present one, counted from 1.
    pub credential_version: i32,
}

/// What an API token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAccess {
    /// Its user, with the permissions that both they and the token have.
    pub user: Known,
    /// The user's language.
    pub locale: Locale,
    /// From then on it opens nothing. Whoever keeps this answer for a while has to look at the clock each time.
    pub expires_at: DateTime<Utc>,
}

impl Users<'_> {
    /// The user with this email and password. The version is read together with the hash, so that a password that is changed meanwhile is
    /// not taken for the present one later.
    ///
    /// Nothing tells an unknown email from a wrong password or a disabled user: neither the answer nor the time it takes. Throttling is
    /// the caller's.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`] when they do not belong together.
    pub async fn authenticate(&self, email: &str, given: &SecretString) -> Result<Authenticated> {
        let wrong = || Error::from(Refusal::new(Code::InvalidCredentials, ""));
        if password::is_too_long(given) {
            return Err(wrong());
        }
        let found = match rules::parse_email("email", email) {
            Ok(email) => query::credential_by_email(&self.domain.db, &email).await?,
            Err(_) => None,
        };
        let is_right = password::verify(
            given,
            found.as_ref().map(|found| found.password_hash.as_str()),
        )
        .await?;
        let found = found.filter(|_| is_right).ok_or_else(wrong)?;
        let user = query::find(&self.domain.db, found.id).await?;
        let user = user
            .filter(|user| user.disabled_at.is_none())
            .ok_or_else(wrong)?;
        Ok(Authenticated {
            user,
            credential_version: found.credential_version,
        })
    }

    /// What a login of the user opens at present; none when they may not log in (any more). One statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_login(&self, id: UserId) -> Result<Option<LoginAccess>> {
        let row = self
            .domain
            .reads
            .query_one_raw(statement(BY_LOGIN, [id.into()]))
            .await?;
        row.as_ref().map(login_access).transpose()
    }

    /// What the API token with this secret opens; none when it is unknown, expired or revoked, or its user may not log in. One statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_token(&self, secret: &str) -> Result<Option<TokenAccess>> {
        let Some(hash) = token::hash(secret) else {
            return Ok(None);
        };
        let values = [hash.into(), self.domain.now().into()];
        let row = self
            .domain
            .reads
            .query_one_raw(statement(BY_TOKEN, values))
            .await?;
        row.as_ref().map(token_access).transpose()
    }
}

const BY_LOGIN: &str = "
    SELECT u.id, u.display_name, u.locale, u.credential_version, ARRAY(
        SELECT DISTINCT permission FROM user_role given JOIN role ON role.id = given.role_id, unnest(role.permissions) permission
        WHERE given.user_id = u.id) AS permissions
    FROM app_user u WHERE u.id = $1 AND u.disabled_at IS NULL";

const BY_TOKEN: &str = "
    SELECT u.id, u.display_name, u.locale, t.id AS token_id, t.permissions AS scopes, t.expires_at, ARRAY(
        SELECT DISTINCT permission FROM user_role given JOIN role ON role.id = given.role_id, unnest(role.permissions) permission
        WHERE given.user_id = u.id) AS permissions
    FROM api_token t JOIN app_user u ON u.id = t.user_id
    WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND u.disabled_at IS NULL";

#[derive(FromQueryResult)]
struct KnownRow {
    id: UserId,
    display_name: String,
    locale: String,
    permissions: Vec<String>,
}

#[derive(FromQueryResult)]
struct TokenRow {
    token_id: ApiTokenId,
    scopes: Vec<String>,
    expires_at: DateTime<Utc>,
}

/// The user of a row, as somebody who has logged in.
fn known(row: &QueryResult) -> Result<(Known, Locale)> {
    let KnownRow {
        id,
        display_name,
        locale,
        permissions,
    } = KnownRow::from_query_result(row, "")?;
    let known = Known {
        id,
        name: display_name,
        permissions: parse(&permissions),
        token: None,
    };
    Ok((known, locale.parse().unwrap_or_default()))
}

fn login_access(row: &QueryResult) -> Result<LoginAccess> {
    let (user, locale) = known(row)?;
    Ok(LoginAccess {
        user,
        locale,
        credential_version: row.try_get("", "credential_version")?,
    })
}

fn token_access(row: &QueryResult) -> Result<TokenAccess> {
    let (mut user, locale) = known(row)?;
    let TokenRow {
        token_id,
        scopes,
        expires_at,
    } = TokenRow::from_query_result(row, "")?;
    user.permissions = user.permissions.intersection(&parse(&scopes));
    user.token = Some(token_id);
    Ok(TokenAccess {
        user,
        locale,
        expires_at,
    })
}

fn parse(codes: &[String]) -> Permissions {
    Permissions::from_codes(codes.iter().map(String::as_str))
}
