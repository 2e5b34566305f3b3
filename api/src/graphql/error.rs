//! What becomes of the domain's errors: the only such match.
//!
//! Refusals travel in a mutation's payload. In a query there is no payload, so there they are errors of the field, with the same code.

use std::collections::BTreeMap;

use async_graphql::{Error, ErrorExtensions, Value, indexmap::IndexMap};
use domain::{Refusal, Viewer};

use crate::messages::message;

/// The GraphQL error for a domain error. Internals go to the log, with the request id, and nowhere else.
#[must_use]
pub fn to_graphql(viewer: &Viewer, error: &domain::Error) -> Error {
    match error {
        domain::Error::Unauthenticated => coded(viewer, "UNAUTHENTICATED", &BTreeMap::new()),
        domain::Error::Forbidden(permission) => {
            let params = [("permission", permission.code().to_owned())].into();
            coded(viewer, "FORBIDDEN", &params)
                .extend_with(|_, e| e.set("permission", permission.code()))
        }
        domain::Error::Refused(refusals) => refused(viewer, refusals),
        domain::Error::Unavailable(fault) => {
            tracing::warn!(request_id = viewer.request_id.as_deref(), error = %fault, "a service we need is not available");
            coded(viewer, "SERVICE_UNAVAILABLE", &BTreeMap::new())
        }
        domain::Error::Internal(fault) => internal(viewer, &**fault),
    }
}

/// A fault of ours.
pub fn internal(viewer: &Viewer, fault: &(dyn std::error::Error + Send + Sync)) -> Error {
    tracing::error!(request_id = viewer.request_id.as_deref(), error = %fault, "internal error");
    let request_id = viewer.request_id.clone().unwrap_or_default();
    coded(viewer, "INTERNAL", &[("requestId", request_id)].into())
}

/// The first refusal makes the error; all of them are in its `refusals`.
fn refused(viewer: &Viewer, refusals: &[Refusal]) -> Error {
    let Some(first) = refusals.first() else {
        return coded(viewer, "INTERNAL", &BTreeMap::new());
    };
    let all: Vec<_> = refusals
        .iter()
        .map(|refusal| described(viewer, refusal))
        .collect();
    let error = with_code(viewer, first.code.as_str(), sentence(viewer, first));
    error.extend_with(|_, e| {
        e.set("argument", first.path.join("."));
        e.set("refusals", Value::List(all.clone()));
    })
}

fn described(viewer: &Viewer, refusal: &Refusal) -> Value {
    let members = [
        ("code", refusal.code.as_str().to_owned()),
        ("argument", refusal.path.join(".")),
        ("message", sentence(viewer, refusal)),
    ];
    let members = members.map(|(name, text)| (async_graphql::Name::new(name), Value::from(text)));
    Value::Object(IndexMap::from_iter(members))
}

/// What a refusal says to people, in the viewer's language.
#[must_use]
pub fn sentence(viewer: &Viewer, refusal: &Refusal) -> String {
    crate::messages::sentence(viewer.locale, refusal)
}

/// An error with a stable code, a message in the viewer's language, and the request's id.
#[must_use]
pub fn coded(viewer: &Viewer, code: &str, params: &BTreeMap<&'static str, String>) -> Error {
    with_code(viewer, code, message(viewer.locale, code, params))
}

fn with_code(viewer: &Viewer, code: &str, text: String) -> Error {
    Error::new(text).extend_with(|_, e| {
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
        self.map_err(|error| to_graphql(viewer, &error))
    }
}

#[cfg(test)]
mod tests {
    use domain::Code;

    use super::*;

    #[test]
    fn several_refusals_are_all_told() {
        let refusals = vec![
            Refusal::new(Code::OutOfRange, "limit")
                .with("min", 1)
                .with("max", 9),
            Refusal::new(Code::InvalidFormat, "of.id")
                .with("value", "x")
                .with("expected", "Item"),
        ];
        let error = to_graphql(&Viewer::anonymous(), &domain::Error::Refused(refusals));
        let json = serde_json::to_value(error.extensions).unwrap_or_default();
        assert_eq!(error.message, "The number must be between 1 and 9.");
        assert_eq!(json["code"], "OUT_OF_RANGE");
        assert_eq!(json["argument"], "limit");
        assert_eq!(json["refusals"][0]["code"], "OUT_OF_RANGE");
        assert_eq!(json["refusals"][1]["argument"], "of.id");
        assert_eq!(json["refusals"][1]["message"], "“x” is not the id of Item.");
        assert_eq!(json["refusals"][2], serde_json::Value::Null);
    }
}
