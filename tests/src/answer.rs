//! What the server answered, and what tests ask of it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer to a GraphQL request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The member `data`; null when there is none.
    pub data: Value,
    /// The member `errors`.
    pub errors: Vec<Value>,
}

/// An entry of a payload's `userErrors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// `STALE_VERSION` and so on.
    pub code: String,
    /// Where in the input, with dots between its segments.
    pub path: String,
    /// For people.
    pub message: String,
}

impl Answer {
    /// From what came over HTTP; a body that is no JSON object is an answer without data and errors.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        Self {
            status,
            headers,
            data: body["data"].take(),
            errors,
        }
    }

    /// `extensions.code` of the request's errors.
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        self.errors
            .iter()
            .map(|error| {
                error["extensions"]["code"]
                    .as_str()
                    .unwrap_or("without a code")
            })
            .collect()
    }

    /// The `userErrors` of all its payloads; they must have been selected with code and path at least.
    #[must_use]
    pub fn user_errors(&self) -> Vec<UserError> {
        let payloads = self.data.as_object().into_iter().flatten();
        let errors = payloads
            .filter_map(|(_, payload)| payload["userErrors"].as_array())
            .flatten();
        errors.map(user_error).collect()
    }

    /// The data of an answer without any error.
    ///
    /// # Panics
    /// When there was one.
    #[must_use]
    pub fn ok(self) -> Value {
        assert!(
            self.errors.is_empty() && self.user_errors().is_empty(),
            "refused: {self:#?}"
        );
        self.data
    }

    /// Codes and paths of the `userErrors` of an answer that has no other errors.
    ///
    /// # Panics
    /// When nothing was refused.
    #[must_use]
    pub fn refused(&self) -> Vec<(String, String)> {
        let refusals: Vec<_> = self
            .user_errors()
            .into_iter()
            .map(|error| (error.code, error.path))
            .collect();
        assert!(
            self.errors.is_empty() && !refusals.is_empty(),
            "not refused: {self:#?}"
        );
        refusals
    }
}

fn user_error(error: &Value) -> UserError {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let path = error["path"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    UserError {
        code: text("code"),
        path: path.collect::<Vec<_>>().join("."),
        message: text("message"),
    }
}
