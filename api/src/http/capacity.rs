//! Caps the number of requests in work, so that a flood is refused quickly instead of slowing everybody down.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Request, Response, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{error::HttpError, reason::Reason};

/// A shared number of places. Clones share the places.
#[derive(Clone, Debug)]
pub(crate) struct Capacity(Arc<Semaphore>);

impl Capacity {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// A place, held until the permit is dropped; `None` when all are taken.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// An endpoint that takes a place for each request until its response begins.
pub(crate) struct Limited<E> {
    inner: E,
    capacity: Capacity,
}

impl<E> Limited<E> {
    pub(crate) fn new(inner: E, capacity: Capacity) -> Self {
        Self { inner, capacity }
    }
}

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let Some(_place) = self.capacity.enter() else {
            return Err(HttpError::new(Reason::TooManyRequests).into());
        };
        self.inner
            .call(request)
            .await
            .map(IntoResponse::into_response)
    }
}
