//! Cross-origin rules for browsers. Configured origins may read answers and send cookies; to others an answer
//! carries no permission, which keeps their pages from reading it. (That their requests change nothing is
//! checked by the GraphQL endpoint.)

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

use crate::http::origin::Origins;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "accept, apollo-require-preflight, authorization, content-type, graphql-preflight, graphql-require-preflight, x-request-id, x-requested-with",
);
const READABLE_HEADERS: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("7200");
const TRUE: HeaderValue = HeaderValue::from_static("true");

pub(super) struct Cors {
    origins: Origins,
}

/// What the answer says to the page that asked.
pub(super) struct Grant {
    asked: bool,
    origin: Option<HeaderValue>,
}

impl Cors {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self {
            origins: Origins::new(allowed),
        }
    }

    pub(super) fn grant(&self, request: &Request) -> Grant {
        let origin = request.headers().get(header::ORIGIN);
        Grant {
            asked: origin.is_some(),
            origin: origin.filter(|origin| self.origins.lists(origin)).cloned(),
        }
    }

    /// The answer to a preflight request: 204 to a configured origin, 403 to any other. `None` for all other
    /// requests.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let origin = request.headers().get(header::ORIGIN)?;
        let asks = request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::default();
        if self.origins.lists(origin) {
            response.set_status(StatusCode::NO_CONTENT);
            allow_everything_we_offer(response.headers_mut());
        } else {
            response.set_status(StatusCode::FORBIDDEN);
        }
        Some(response)
    }
}

fn allow_everything_we_offer(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
}

impl Grant {
    pub(super) fn apply(self, response: &mut Response) {
        if !self.asked {
            return;
        }
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_name(header::ORIGIN));
        if let Some(origin) = self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE_HEADERS);
        }
    }
}
