//! Users: the objects and their queries.

mod context;
pub mod login;
pub mod mutation;
pub mod token;

use std::collections::HashMap;

use async_graphql::{
    ComplexObject, Context, Enum, ID, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Viewer,
    page::Page,
    permission::Permissions,
    user::{Role as RoleRow, User as Row},
};
use entity::id::UserId;

pub use login::{LoginMutation, Me, Session, SessionQuery};
pub use mutation::UserMutation;
pub use token::{ApiToken, ApiTokenMutation, ApiTokenQuery};

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    id::GlobalId,
    page::{self, Connection},
    translation::{self, Translation},
};

/// A language of messages.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::locale::Locale")]
pub enum Locale {
    /// English.
    En,
    /// Persian.
    Fa,
}

/// A person who may log in.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// Opaque id.
    id: ID,
    /// Login name, in lower case.
    email: String,
    /// What others see.
    display_name: String,
    /// Language of the messages they get.
    locale: Locale,
    /// Since when they may not log in any more; none while they may.
    disabled_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When the user was created.
    created_at: DateTime<Utc>,
    /// When the user last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: UserId,
    #[graphql(skip)]
    loaded_roles: Option<Vec<RoleRow>>,
}

impl User {
    /// A user, whose roles are read when they are asked for.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            email,
            display_name,
            locale,
            disabled_at,
            version,
            created_at,
            updated_at,
        } = row;
        let locale = locale
            .parse::<domain::locale::Locale>()
            .unwrap_or_default()
            .into();
        let (row_id, loaded_roles) = (id, None);
        Self {
            id: id.encode(),
            email,
            display_name,
            locale,
            disabled_at,
            version,
            created_at,
            updated_at,
            row_id,
            loaded_roles,
        }
    }

    /// A user with roles that were read before.
    fn with_roles(roles: Vec<RoleRow>, row: Row) -> Self {
        Self {
            loaded_roles: Some(roles),
            ..Self::new(row)
        }
    }
}

#[ComplexObject]
impl User {
    /// Their roles, by code.
    #[graphql(complexity = "cost::rows(5, child_complexity)")]
    async fn roles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Role>> {
        let roles = match &self.loaded_roles {
            Some(roles) => roles.clone(),
            None => roles_of(ctx.domain(), ctx.viewer(), self.row_id)
                .await
                .or_graphql(ctx.viewer())?,
        };
        Ok(roles.into_iter().map(Role).collect())
    }
}

async fn roles_of(
    domain: &domain::Domain,
    viewer: &Viewer,
    id: UserId,
) -> domain::Result<Vec<RoleRow>> {
    let roles = domain.users().roles_of(viewer, &[id]).await?;
    Ok(roles.into_iter().map(|(_, role)| role).collect())
}

/// The roles of a page's users in one statement, when they are asked for.
async fn prefetch_roles(
    ctx: &Context<'_>,
    users: &Page<Row>,
) -> domain::Result<Option<HashMap<UserId, Vec<RoleRow>>>> {
    let asked = ctx.look_ahead();
    if !asked.field("edges").field("node").field("roles").exists()
        && !asked.field("nodes").field("roles").exists()
    {
        return Ok(None);
    }
    let ids: Vec<_> = users.edges.iter().map(|(_, user)| user.id).collect();
    let mut roles: HashMap<_, Vec<_>> = HashMap::new();
    for (id, role) in ctx.domain().users().roles_of(ctx.viewer(), &ids).await? {
        roles.entry(id).or_default().push(role);
    }
    Ok(Some(roles))
}

/// A named set of permissions that users are given.
pub struct Role(RoleRow);

/// A named set of permissions that users are given.
#[Object]
impl Role {
    /// Opaque id.
    async fn id(&self) -> ID {
        self.0.id.encode()
    }

    /// Stable name for programs, such as `owner`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Name in the viewer's language.
    async fn name(&self, ctx: &Context<'_>) -> &str {
        self.0.name.in_locale(ctx.viewer().locale.as_str())
    }

    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.0.name)
    }

    /// Codes of the permissions that it gives, such as `catalogue.read`.
    async fn permissions(&self) -> Vec<&'static str> {
        codes(&Permissions::from_codes(
            self.0.permissions.iter().map(String::as_str),
        ))
    }
}

/// Permissions as clients see them.
fn codes(permissions: &Permissions) -> Vec<&'static str> {
    permissions.iter().map(domain::Permission::code).collect()
}

/// Queries about users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// One user; null when there is none such. Needs `user.read`, except for oneself.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<User>> {
        let viewer = ctx.viewer();
        viewer.require_user().or_graphql(viewer)?;
        let id = UserId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx
            .domain()
            .users()
            .find(viewer, id)
            .await
            .or_graphql(viewer)?;
        Ok(row.map(User::new))
    }

    /// All users in pages, by email. Needs `user.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<User>> {
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .users()
            .page(ctx.viewer(), &args)
            .await
            .or_graphql(ctx.viewer())?;
        let roles = prefetch_roles(ctx, &rows).await.or_graphql(ctx.viewer())?;
        Ok(page::connection(rows, EmptyFields, |row| match &roles {
            Some(roles) => User::with_roles(roles.get(&row.id).cloned().unwrap_or_default(), row),
            None => User::new(row),
        }))
    }

    /// All roles, by code. Needs `user.read`.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn roles(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Role>> {
        let roles = ctx
            .domain()
            .users()
            .roles(ctx.viewer())
            .await
            .or_graphql(ctx.viewer())?;
        Ok(roles.into_iter().map(Role).collect())
    }
}
