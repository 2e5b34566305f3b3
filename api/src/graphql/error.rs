//! What becomes of the domain's errors: the only such match.
//!
//! Refusals travel in a mutation's payload. In a query there is no payload, so there they are errors of the field, with the same code.

use std::collections::BTreeMap;

use async_graphql::{Error, ErrorExtensions, Value};
use domain::{Refusal, Viewer};

use crate::messages::message;

/// The GraphQL error for a domain error. Internals go to the log, with the request id, and nowhere else.
#[must_use]
pub fn to_graphql(viewer: &Viewer, error: domain::Error) -> Error {
    match error {
        domain::Error::Unauthenticated => coded(viewer, "UNAUTHENTICATED", &BTreeMap::new()),
        domain::Error::Forbidden(permission) => {
            let params = [("permission", permission.code().to_owned())].into();
            coded(viewer, "FORBIDDEN", &params).extend_with(|_, e| e.set("permission", permission.code()))
        }
        domain::Error::Refused(refusals) => refused(viewer, &refusals),
        domain::Error::Unavailable(fault) => {
            tracing::warn!(request_id = viewer.request_id.as_deref(), error = %fault, "a service we need is not available");
            coded(viewer, "SERVICE_UNAVAILABLE", &BTreeMap::new())
        }
        domain::Error::Internal(fault) => internal(viewer, &*fault),
    }
}

/// A fault of ours.
pub fn internal(viewer: &Viewer, fault: &(dyn std::error::Error + Send + Sync)) -> Error {
    tracing::error!(request_id = viewer.request_id.as_deref(), error = %fault, "internal error");
    let request_id = viewer.request_id.clone().unwrap_or_default();
    coded(viewer, "INTERNAL", &[("requestId", request_id)].into())
}

/// The first refusal makes the error; there is one in nearly all queries.
fn refused(viewer: &Viewer, refusals: &[Refusal]) -> Error {
    let Some(Refusal { code, path, params }) = refusals.first() else { return coded(viewer, "INTERNAL", &BTreeMap::new()) };
    let error = coded(viewer, code.as_str(), params);
    error.extend_with(|_, e| e.set("argument", Value::from(path.join("."))))
}

/// An error with a stable code, a message in the viewer's language, and the request's id.
#[must_use]
pub fn coded(viewer: &Viewer, code: &str, params: &BTreeMap<&'static str, String>) -> Error {
    Error::new(message(viewer.locale, code, params)).extend_with(|_, e| {
        e.set("code", code);
        if let Some(request_id) = &viewer.request_id {
            e.set("requestId", request_id.as_str());
        }
    })
}

/// Turns a domain result into a GraphQL result.
pub trait OrGraphql<T> {
    /// The value, or the GraphQL error for this viewer.
    ///
    /// # Errors
    /// The domain's error, translated.
    fn or_graphql(self, viewer: &Viewer) -> async_graphql::Result<T>;
}

impl<T> OrGraphql<T> for domain::Result<T> {
    fn or_graphql(self, viewer: &Viewer) -> async_graphql::Result<T> {
        self.map_err(|error| to_graphql(viewer, error))
    }
}
