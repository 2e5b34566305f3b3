//! Finishes a GraphQL result: every error gets a stable code and the request id, and what was not meant for the
//! outside stays in the log.

use std::collections::BTreeMap;

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use serde::Serialize;

use crate::http::{context::RequestContext, error::HttpError, metrics::Outcome, reason::Reason};

/// Sentences of the engine about documents that are too demanding. They carry no code, so they are known by
/// their beginnings.
const TOO_COMPLEX: [&str; 4] = [
    "Query is nested too deep.",
    "Query is too complex.",
    "The recursion depth of the query",
    "The number of directives on the field",
];

/// Sentences of the engine about values that a scalar or validator refuses while a field is resolved.
const BAD_INPUT: [&str; 3] = [
    "Expected input type \"",
    "Failed to parse \"",
    "Invalid value for ",
];

/// A GraphQL result ready to be serialised.
pub(crate) struct Finished {
    response: Response,
    is_request_error: bool,
}

/// The serialised form. `data` is missing, not null, when nothing was executed.
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl Finished {
    /// Labels the errors of a result.
    pub(crate) fn new(mut response: Response, context: &RequestContext) -> Self {
        let is_request_error = !response.errors.is_empty()
            && response.data == Value::Null
            && response.errors.iter().all(|error| error.path.is_empty());
        for error in &mut response.errors {
            label(error, context);
        }
        Self {
            response,
            is_request_error,
        }
    }

    /// Whether the request was refused before any field was resolved: it did not validate, or its variables do
    /// not fit.
    pub(crate) fn is_request_error(&self) -> bool {
        self.is_request_error
    }

    /// How the operation ended, to be counted by.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::of(&self.response, self.is_request_error)
    }

    /// The errors, for protocols that send them without the rest.
    pub(crate) fn errors(&self) -> &[ServerError] {
        &self.response.errors
    }

    /// The headers that resolvers asked for, such as a session cookie.
    pub(crate) fn take_headers(&mut self) -> poem::http::HeaderMap {
        std::mem::take(&mut self.response.http_headers)
    }
}

impl Serialize for Finished {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = Wire {
            errors: &self.response.errors,
            data: (!self.is_request_error).then_some(&self.response.data),
            extensions: &self.response.extensions,
        };
        wire.serialize(serializer)
    }
}

fn label(error: &mut ServerError, context: &RequestContext) {
    let has_code = error
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.get("code").is_some());
    let code = if has_code {
        None
    } else {
        Some(missing_code(error, context))
    };
    let extensions = error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default);
    if let Some(code) = code {
        extensions.set("code", code);
    }
    extensions.set("requestId", context.id().as_str());
}

/// The code of an error that has none. A resolver's error without a code was never meant for the outside: its
/// text is logged and replaced.
fn missing_code(error: &mut ServerError, context: &RequestContext) -> &'static str {
    let begins_with_any = |beginnings: &[&str]| {
        beginnings
            .iter()
            .any(|beginning| error.message.starts_with(beginning))
    };
    if begins_with_any(&BAD_INPUT) && !error.path.is_empty() {
        return "BAD_USER_INPUT";
    }
    if error.path.is_empty() {
        return if begins_with_any(&TOO_COMPLEX) {
            "QUERY_TOO_COMPLEX"
        } else {
            "GRAPHQL_VALIDATION_FAILED"
        };
    }
    tracing::error!(error = error.message, path = ?error.path, "a resolver failed");
    error.message = HttpError::new(Reason::Internal).sentence(context);
    Reason::Internal.code()
}
