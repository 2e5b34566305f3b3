//! The one shape of every refusal: a status, a stable code and a sentence in the client's language, as a GraphQL
//! error list even outside GraphQL.

use std::collections::BTreeMap;

use poem::{
    Response,
    error::ResponseError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::json;

use super::{answer, context::RequestContext, reason::Reason};
use crate::messages;

/// A request that was refused before (or instead of) being executed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason:?} {params:?}")]
pub struct HttpError {
    status: StatusCode,
    reason: Reason,
    params: BTreeMap<&'static str, String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl HttpError {
    /// A refusal for this reason, whose message may need values.
    pub fn new(reason: Reason) -> Self {
        let status = reason.status();
        let headers = match status {
            StatusCode::UNAUTHORIZED => {
                vec![(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))]
            }
            // Trying again shortly is welcome.
            StatusCode::SERVICE_UNAVAILABLE => {
                vec![(header::RETRY_AFTER, HeaderValue::from_static("1"))]
            }
            _ => Vec::new(),
        };
        Self {
            status,
            reason,
            params: BTreeMap::new(),
            headers,
        }
    }

    /// The same refusal with a value that its message needs.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.insert(name, value.to_string());
        self
    }

    /// The same refusal with one more header in its answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same refusal with the methods that are allowed.
    #[must_use]
    pub fn allowing(self, methods: &'static str) -> Self {
        self.with("allow", methods)
            .with_header(header::ALLOW, HeaderValue::from_static(methods))
    }

    /// The refusal that belongs to a bare status, for errors that come from the router.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(Reason::NothingHere),
            status if status.is_client_error() => Self {
                status,
                ..Self::new(Reason::Unhandled)
            },
            _ => Self::new(Reason::Internal),
        }
    }

    /// Why it is refused.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What people read, in the language that the request asks for.
    pub(crate) fn sentence(&self, context: &RequestContext) -> String {
        let mut params = self.params.clone();
        params.insert("requestId", context.id().as_str().to_owned());
        messages::message(context.locale(), self.reason.message(), &params)
    }

    /// The refusal as a GraphQL error object.
    pub(crate) fn to_graphql(&self, context: &RequestContext) -> serde_json::Value {
        let extensions = json!({ "code": self.reason.code(), "requestId": context.id().as_str() });
        json!({ "message": self.sentence(context), "extensions": extensions })
    }

    /// The same refusal for clients who asked for plain `application/json`.
    pub(crate) fn for_plain_json(self) -> Self {
        let status = if self.reason.is_about_document() {
            StatusCode::OK
        } else {
            self.status
        };
        Self { status, ..self }
    }

    /// The answer, as `content_type`.
    pub(crate) fn into_response(
        self,
        content_type: &'static str,
        context: &RequestContext,
    ) -> Response {
        let body = json!({ "errors": [self.to_graphql(context)] }).to_string();
        let mut response = answer::bytes(self.status, content_type, body.into_bytes());
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl From<Reason> for HttpError {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl ResponseError for HttpError {
    fn status(&self) -> StatusCode {
        self.status
    }
}

#[cfg(test)]
mod tests {
    use domain::locale::Locale;
    use poem::Request;

    use super::*;

    fn context(accept_language: &str) -> RequestContext {
        let request = Request::builder().header(header::ACCEPT_LANGUAGE, accept_language);
        RequestContext::new(&request.finish(), 0)
    }

    fn is_persian(text: &str) -> bool {
        text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c))
    }

    #[test]
    fn every_refusal_is_told_in_the_language_that_was_asked_for() {
        for reason in Reason::ALL {
            let [english, persian] = ["en-GB,fa;q=0.5", "fa-IR,fa;q=0.9,en;q=0.8"]
                .map(|language| HttpError::new(*reason).to_graphql(&context(language)));
            for told in [&english, &persian] {
                assert_eq!(told["extensions"]["code"], reason.code(), "{reason:?}");
                assert_ne!(
                    told["message"],
                    reason.message(),
                    "{reason:?} has no message"
                );
            }
            assert!(!is_persian(&english["message"].to_string()), "{english}");
            assert!(is_persian(&persian["message"].to_string()), "{persian}");
        }
    }

    #[test]
    fn no_two_reasons_share_a_message() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.message()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn without_a_language_that_we_speak_it_is_the_usual_one() {
        for language in ["", "de"] {
            assert_eq!(context(language).locale(), Locale::default());
        }
    }

    #[test]
    fn values_are_in_the_sentence() {
        let error = HttpError::new(Reason::TooManyFiles).with("max", 3);
        assert_eq!(
            error.sentence(&context("en")),
            "A request may carry at most 3 files."
        );
    }
}
