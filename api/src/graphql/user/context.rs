//! What resolvers about logins find in their request, beside what all find.

use async_graphql::Context;

use crate::auth::{Auth, Caller};

/// What resolvers about logins may use.
pub(super) trait AuthExt {
    /// Sessions.
    fn auth(&self) -> &Auth;
    /// Who is calling, and how we know.
    fn caller(&self) -> &Caller;
}

impl AuthExt for Context<'_> {
    fn auth(&self) -> &Auth {
        self.data_unchecked()
    }

    fn caller(&self) -> &Caller {
        self.data_unchecked()
    }
}
