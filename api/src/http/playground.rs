//! The playground: GraphiQL with its documentation explorer and subscriptions, all of it part of this program.
//! Nothing is loaded from anywhere else, so it works in a closed network and under a strict
//! Content-Security-Policy.

use poem::{
    Endpoint, Request, Response, Result,
    http::{HeaderValue, Method, header},
};

use super::{answer, error::HttpError, reason::Reason};

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Scripts and fonts come from us alone. CodeMirror sets styles on elements, so styles may be inline;
/// GraphiQL's fonts are data URLs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// A file of the playground. Files of others have their version in their name and may be cached for ever; ours
/// have not.
struct Asset {
    name: &'static str,
    versioned: bool,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $versioned:literal, $content_type:expr) => {
        Asset {
            name: $name,
            versioned: $versioned,
            content_type: $content_type,
            content: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/assets/playground/",
                $name
            )),
        }
    };
}

const ASSETS: [Asset; 6] = [
    asset!("react-18.3.1.min.js", true, JAVASCRIPT),
    asset!("react-dom-18.3.1.min.js", true, JAVASCRIPT),
    asset!("graphiql-4.1.2.min.js", true, JAVASCRIPT),
    asset!("graphiql-4.1.2.min.css", true, CSS),
    asset!("start.js", false, JAVASCRIPT),
    asset!("page.css", false, CSS),
];

const PAGE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/playground/index.html"
));

/// The page itself. It names the current versions of its files, so it is never cached.
pub(super) fn page() -> Response {
    let mut response = answer::embedded("text/html; charset=utf-8", PAGE);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Serves the files of the page.
pub(super) struct AssetEndpoint;

impl Endpoint for AssetEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = HttpError::new(Reason::MethodNotAllowed);
            return Err(refusal.allowing("GET, HEAD").into());
        }
        let name = request.uri().path().rsplit('/').next().unwrap_or_default();
        let asset = ASSETS
            .iter()
            .find(|asset| asset.name == name)
            .ok_or_else(|| HttpError::new(Reason::NothingHere))?;
        Ok(serve(asset))
    }
}

fn serve(asset: &Asset) -> Response {
    let mut response = answer::embedded(asset.content_type, asset.content);
    let caching = if asset.versioned {
        IMMUTABLE
    } else {
        REVALIDATE
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, caching);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_file_and_nothing_from_elsewhere() {
        let page = std::str::from_utf8(PAGE).unwrap();
        for asset in &ASSETS {
            assert!(
                page.contains(&format!("\"/api/playground/assets/{}\"", asset.name)),
                "{}",
                asset.name
            );
        }
        assert!(
            !page.contains("://"),
            "the page must load nothing from another host"
        );
        assert!(
            !page.contains("<script>"),
            "the policy forbids inline scripts"
        );
    }
}
