//! The seam to authentication: what a request shows, and what the rest of the program makes of it.

use std::{future::Future, sync::Arc};

use async_graphql::Request;
use poem::http::{HeaderMap, HeaderValue, header};

use super::{context::RequestContext, error::HttpError, reason::Reason};

/// The credentials that came with a request or with `connection_init`.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    headers: &'a HeaderMap,
    authorization: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    pub(crate) fn new(headers: &'a HeaderMap) -> Self {
        let authorization = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        Self {
            headers,
            authorization,
        }
    }

    /// The same, with the `authorization` that a WebSocket client put in its first message, if it did.
    pub(crate) fn with_authorization(mut self, authorization: Option<&'a str>) -> Self {
        self.authorization = authorization.or(self.authorization);
        self
    }

    /// The whole `Authorization` value.
    pub fn authorization(&self) -> Option<&'a str> {
        self.authorization
    }

    /// The token of an `Authorization: Bearer` value.
    pub fn bearer(&self) -> Option<&'a str> {
        let (scheme, token) = self.authorization?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// What the client calls itself; empty when it does not say.
    pub fn user_agent(&self) -> &'a str {
        let value = self.headers.get(header::USER_AGENT);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The cookie of this name, exactly as it was sent.
    pub fn cookie(&self, name: &str) -> Option<&'a str> {
        let values = self.headers.get_all(header::COOKIE).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

/// Why a credential did not lead to an identity.
#[derive(Debug, Clone)]
pub enum AuthFailure {
    /// The credential is wrong, expired or revoked. The value, if any, is sent as `Set-Cookie` so that a
    /// browser drops a dead session and its next request is anonymous.
    Unauthenticated(Option<HeaderValue>),
    /// The store that would know does not answer.
    Unavailable,
}

impl From<AuthFailure> for HttpError {
    /// 401 for both JSON media types: the request was not executed, so it has no GraphQL result.
    fn from(failure: AuthFailure) -> Self {
        let refusal = Self::new(Reason::CredentialInvalid);
        match failure {
            AuthFailure::Unauthenticated(None) => refusal,
            AuthFailure::Unauthenticated(Some(cookie)) => {
                refusal.with_header(header::SET_COOKIE, cookie)
            }
            AuthFailure::Unavailable => Self::new(Reason::Unavailable),
        }
    }
}

/// Why a caller may not send files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadRefusal {
    /// Nobody is logged in.
    Unauthenticated,
    /// Somebody is, but may not do this.
    Forbidden,
}

impl From<UploadRefusal> for HttpError {
    /// 401 and 403: the body was not even read.
    fn from(refusal: UploadRefusal) -> Self {
        match refusal {
            UploadRefusal::Unauthenticated => Self::new(Reason::UploadByNobody),
            UploadRefusal::Forbidden => Self::new(Reason::UploadForbidden),
        }
    }
}

/// Turns credentials into an identity, and an identity into what resolvers need.
pub trait Authenticate: Clone + Send + Sync + 'static {
    /// Who is calling; anonymous is an identity too.
    type Identity: Send + Sync + 'static;

    /// Finds out who is calling: once per HTTP request, once per WebSocket (at `connection_init`).
    ///
    /// # Errors
    /// [`AuthFailure`], when a credential was given and does not hold or cannot be checked.
    fn authenticate(
        &self,
        credentials: Credentials<'_>,
        context: &Arc<RequestContext>,
    ) -> impl Future<Output = Result<Self::Identity, AuthFailure>> + Send;

    /// Whether the identity still holds. Asked every heartbeat of a WebSocket or event stream, and before each
    /// operation of a WebSocket; `Unauthenticated` ends it, `Unavailable` only refuses the operation.
    ///
    /// # Errors
    /// [`AuthFailure`], when the credential has expired or was revoked, or cannot be checked.
    fn still_valid(
        &self,
        identity: &Self::Identity,
    ) -> impl Future<Output = Result<(), AuthFailure>> + Send;

    /// Goes on when the caller may send files at all. Asked before a multipart body is read.
    ///
    /// # Errors
    /// [`UploadRefusal`], when they may not.
    fn may_upload(&self, identity: &Self::Identity) -> Result<(), UploadRefusal>;

    /// Puts the viewer, fresh loaders and so on into a request. Called for every operation, also on a
    /// long-lived WebSocket, so that no loader outlives its operation.
    fn prepare(
        &self,
        request: Request,
        identity: &Self::Identity,
        context: &Arc<RequestContext>,
    ) -> Request;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn bearer_is_read_without_regard_to_case() {
        let headers = headers(&[("authorization", "bEaReR  abc ")]);
        assert_eq!(Credentials::new(&headers).bearer(), Some("abc"));
    }

    #[test]
    fn other_schemes_are_not_bearer() {
        let headers = headers(&[("authorization", "Basic abc")]);
        assert_eq!(Credentials::new(&headers).bearer(), None);
        assert_eq!(
            Credentials::new(&headers).authorization(),
            Some("Basic abc")
        );
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(&[
            ("cookie", "xsession=1; session=a=b"),
            ("cookie", "theme=dark"),
        ]);
        let credentials = Credentials::new(&headers);
        assert_eq!(credentials.cookie("session"), Some("a=b"));
        assert_eq!(credentials.cookie("theme"), Some("dark"));
        assert_eq!(credentials.cookie("sess"), None);
    }

    #[test]
    fn what_a_client_says_of_itself_may_be_missing() {
        let named = headers(&[("user-agent", "curl/8")]);
        assert_eq!(Credentials::new(&named).user_agent(), "curl/8");
        assert_eq!(Credentials::new(&headers(&[])).user_agent(), "");
    }

    #[test]
    fn the_first_message_wins_over_the_handshake() {
        let headers = headers(&[("authorization", "Bearer old")]);
        let credentials = Credentials::new(&headers);
        assert_eq!(
            credentials.with_authorization(Some("Bearer new")).bearer(),
            Some("new")
        );
        assert_eq!(credentials.with_authorization(None).bearer(), Some("old"));
    }
}
