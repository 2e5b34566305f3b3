//! Which browser pages may use the API: the API's own origin and the configured ones.

use std::sync::Arc;

use poem::{
    Request,
    http::{HeaderValue, header},
};

/// The configured origins, normalised.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<[String]>);

impl Origins {
    pub(crate) fn new(allowed: &[String]) -> Self {
        Self(allowed.iter().map(|origin| normalise(origin)).collect())
    }

    /// Whether this `Origin` value is one of the configured ones.
    pub(crate) fn lists(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| {
            let origin = normalise(origin);
            self.0.contains(&origin)
        })
    }

    /// Whether the page behind the request may use cookies here. Requests without `Origin` do not come from a
    /// page of another site.
    pub(crate) fn admits(&self, request: &Request) -> bool {
        match request.headers().get(header::ORIGIN) {
            None => true,
            Some(origin) => is_own(origin, request) || self.lists(origin),
        }
    }
}

fn normalise(origin: &str) -> String {
    origin.trim().trim_end_matches('/').to_ascii_lowercase()
}

/// Whether the origin names the host that the request was sent to.
fn is_own(origin: &HeaderValue, request: &Request) -> bool {
    let Some(host) = host(request) else {
        return false;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let (scheme, port) = if origin.starts_with("https://") {
        ("https://", ":443")
    } else {
        ("http://", ":80")
    };
    let Some(authority) = origin.strip_prefix(scheme) else {
        return false;
    };
    authority.eq_ignore_ascii_case(host.strip_suffix(port).unwrap_or(host))
}

/// The authority of an HTTP/2 request, or the `Host` of an HTTP/1 request.
fn host(request: &Request) -> Option<&str> {
    let from_uri = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    from_uri.or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origin: Option<&str>, host: &str) -> bool {
        let origins = Origins::new(&["https://Shop.example/".to_owned()]);
        let mut request = Request::builder().header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        origins.admits(&request.finish())
    }

    #[test]
    fn no_origin_and_the_own_origin_are_admitted() {
        assert!(admits(None, "api.example"));
        assert!(admits(Some("https://api.example"), "api.example"));
        assert!(admits(Some("http://localhost:8000"), "localhost:8000"));
        assert!(admits(Some("https://api.example"), "api.example:443"));
    }

    #[test]
    fn configured_origins_are_admitted() {
        assert!(admits(Some("https://shop.example"), "api.example"));
    }

    #[test]
    fn strangers_are_not() {
        for stranger in [
            "https://evil.example",
            "https://api.example.evil.example",
            "https://evil.example/api.example",
            "http://shop.example",
            "http://localhost:9000",
            "null",
            "",
        ] {
            assert!(!admits(Some(stranger), "api.example"), "{stranger}");
        }
    }
}
