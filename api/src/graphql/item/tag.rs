//! Tags: those there are, and another name for one.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    item::{Tag as Row, TagRenamed},
};

use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    payload::{UserError, settle},
};

/// A label that items have.
#[derive(SimpleObject)]
pub struct Tag {
    /// The label.
    name: String,
    /// How many items in use have it.
    count: i64,
    /// Whether they were counted; of a usual label the number is an estimate.
    exact: bool,
}

impl From<Row> for Tag {
    fn from(Row { tag, count, exact }: Row) -> Self {
        Self {
            name: tag,
            count,
            exact,
        }
    }
}

/// Queries about tags.
#[derive(Default)]
pub struct TagQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl TagQuery {
    /// Labels that items have, the most usual first: of the first hundred that PostgreSQL takes to be usual.
    #[graphql(complexity = "cost::FACETS")]
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only those that begin so, whatever the case and whether letters and digits are Arabic or Persian."
        )]
        prefix: Option<String>,
        #[graphql(desc = "How many at most; 1 to 50, 10 without.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<Tag>> {
        let prefix = prefix.unwrap_or_default();
        let items = ctx.domain().items();
        let tags = items.tags(ctx.viewer(), &prefix, first).await;
        let tags = tags.or_graphql(ctx.viewer())?;
        Ok(tags.into_iter().map(Into::into).collect())
    }
}

/// Another name for a tag.
#[derive(InputObject)]
pub struct TagRenameInput {
    /// What it is called.
    from: String,
    /// What it shall be called. When there is such a tag already, both become one.
    to: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of renaming a tag.
#[derive(SimpleObject)]
pub struct TagRenamePayload {
    /// What it is called now; null when it was refused.
    tag: Option<String>,
    /// How many items were changed.
    changed: usize,
    /// Whether no item has the old tag any more. At most 5,000 items are changed at once, in the order of their creation: ask again, with
    /// another idempotency key, until it is so.
    complete: bool,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of tags.
#[derive(Default)]
pub struct TagMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl TagMutation {
    /// Gives a tag another name on all items that have it, archived ones included, or makes it one with another tag. Needs
    /// `catalogue.write`.
    async fn tag_rename(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tag, and its other name.")] input: TagRenameInput,
    ) -> async_graphql::Result<TagRenamePayload> {
        let TagRenameInput {
            from,
            to,
            idempotency_key,
        } = input;
        let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
        let renamed = items.rename_tag(ctx.viewer(), &from, &to, key).await;
        let (renamed, user_errors) = settle(ctx, renamed)?;
        let (tag, changed, complete) = renamed.map_or(
            (None, 0, false),
            |TagRenamed {
                 tag,
                 count,
                 is_complete,
             }| (Some(tag), count, is_complete),
        );
        Ok(TagRenamePayload {
            tag,
            changed,
            complete,
            user_errors,
        })
    }
}
