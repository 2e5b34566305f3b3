//! Gives a route its name for logs and metrics, so that they are labelled by pattern and never by raw path.

use poem::{Endpoint, Request, Result};

use super::context::RequestContext;

/// An endpoint that writes its route's name into the [`RequestContext`].
pub struct Named<E> {
    route: &'static str,
    inner: E,
}

impl<E> Named<E> {
    /// Names `inner` after its route.
    pub fn new(route: &'static str, inner: E) -> Self {
        Self { route, inner }
    }
}

impl<E: Endpoint> Endpoint for Named<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        RequestContext::of(&request).set_route(self.route);
        self.inner.call(request).await
    }
}
