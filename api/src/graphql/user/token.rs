//! API tokens: what clients see of them and do with them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    permission::Permissions,
    user::{ApiToken as Row, CreatedToken, NewApiToken},
};
use entity::id::ApiTokenId;
use secrecy::ExposeSecret;

use super::{codes, context::AuthExt};
use crate::graphql::{
    context::ContextExt,
    error::OrGraphql,
    id::GlobalId,
    payload::{UserError, settle},
};

/// A token with which programs act for a user, as `Authorization: Bearer`. Its secret is not part of it.
#[derive(SimpleObject)]
pub struct ApiToken {
    /// Opaque id.
    id: ID,
    /// What it is for.
    name: String,
    /// Codes of what it may do, as far as its user may do it, too.
    permissions: Vec<&'static str>,
    /// From then on it is refused.
    expires_at: DateTime<Utc>,
    /// When it was taken back.
    revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<Row> for ApiToken {
    fn from(row: Row) -> Self {
        let Row {
            id,
            user_id: _,
            name,
            permissions,
            expires_at,
            revoked_at,
            created_at,
        } = row;
        let permissions = codes(&Permissions::from_codes(
            permissions.iter().map(String::as_str),
        ));
        Self {
            id: id.encode(),
            name,
            permissions,
            expires_at,
            revoked_at,
            created_at,
        }
    }
}

/// Queries about API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// One's own API tokens that can be used, the newest first; at most 100. Needs a login, an API token is not enough.
    #[graphql(complexity = "20 * child_complexity")]
    async fn api_tokens(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ApiToken>> {
        ctx.caller().require_session().or_graphql(ctx.viewer())?;
        let rows = ctx
            .domain()
            .users()
            .tokens(ctx.viewer())
            .await
            .or_graphql(ctx.viewer())?;
        Ok(rows.into_iter().map(ApiToken::from).collect())
    }
}

/// A token to be, for oneself.
#[derive(InputObject)]
pub struct ApiTokenCreateInput {
    /// What it is for.
    name: String,
    /// Codes of what it may do: at least one, and only what one may do oneself.
    permissions: Vec<String>,
    /// From then on it is refused: at most 365 days ahead.
    expires_at: DateTime<Utc>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Which token is taken back.
#[derive(InputObject)]
pub struct ApiTokenRevokeInput {
    /// The token.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of making an API token.
#[derive(SimpleObject)]
pub struct ApiTokenCreatePayload {
    /// The token; null when it was refused.
    api_token: Option<ApiToken>,
    /// What a program sends as `Authorization: Bearer`. It is shown this once, and null when the request was made before with the same
    /// idempotency key: then revoke the token and make another.
    secret: Option<String>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of taking an API token back.
#[derive(SimpleObject)]
pub struct ApiTokenRevokePayload {
    /// The token; null when it was refused.
    api_token: Option<ApiToken>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token for oneself. Needs a login, an API token is not enough, and the permissions that it gets.
    async fn api_token_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to be.")] input: ApiTokenCreateInput,
    ) -> async_graphql::Result<ApiTokenCreatePayload> {
        let (created, user_errors) = settle(ctx, create(ctx, input).await)?;
        let (token, secret) = created.map_or((None, None), |CreatedToken { token, secret }| {
            (Some(token), secret)
        });
        let secret = secret.map(|secret| secret.expose_secret().to_owned());
        Ok(ApiTokenCreatePayload {
            api_token: token.map(ApiToken::from),
            secret,
            user_errors,
        })
    }

    /// Takes an API token back: it is refused at once, or after the few seconds for which a server believes what it has read. One's own
    /// need a login, though a token may take itself back; all others need `user.manage`.
    async fn api_token_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which token.")] input: ApiTokenRevokeInput,
    ) -> async_graphql::Result<ApiTokenRevokePayload> {
        let (row, user_errors) = settle(ctx, revoke(ctx, input).await)?;
        Ok(ApiTokenRevokePayload {
            api_token: row.map(ApiToken::from),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: ApiTokenCreateInput) -> domain::Result<CreatedToken> {
    let ApiTokenCreateInput {
        name,
        permissions,
        expires_at,
        idempotency_key,
    } = input;
    ctx.caller().require_session()?;
    let new = NewApiToken {
        name,
        permissions: parse_permissions(&permissions)?,
        expires_at,
    };
    ctx.domain()
        .users()
        .create_token(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn revoke(ctx: &Context<'_>, input: ApiTokenRevokeInput) -> domain::Result<Row> {
    let ApiTokenRevokeInput {
        id,
        idempotency_key,
    } = input;
    ctx.viewer().require_user()?;
    let id = ApiTokenId::parse("id", &id)?;
    ctx.domain()
        .users()
        .revoke_token(ctx.viewer(), id, idempotency_key.as_deref())
        .await
}

fn parse_permissions(codes: &[String]) -> Result<Permissions, Refusal> {
    let parse = |(index, code): (usize, &String)| {
        let unknown = || Refusal::new(Code::NotFound, &format!("permissions.{index}"));
        Permission::from_code(code).ok_or_else(unknown)
    };
    codes.iter().enumerate().map(parse).collect()
}
