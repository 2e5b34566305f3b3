//! Asks for a permission before anything of a request is looked at. The use case asks for it again, and decides; but who may do nothing
//! shall not hear first what is wrong with their ids.

use async_graphql::{Context, Guard};
use domain::Permission;

use super::{context::ContextExt, error::OrGraphql};

/// Only for viewers with this permission.
pub struct Needs(pub Permission);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        ctx.viewer().require(self.0).or_graphql(ctx.viewer())
    }
}
