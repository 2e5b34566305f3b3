//! Compresses text answers that are long enough to gain from it, with brotli or gzip at their fastest levels.

use poem::{
    IntoResponse, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    web::{Compress, CompressionAlgo, CompressionLevel},
};

/// Shorter answers fit into one packet anyway.
const WORTH_IT: usize = 1400;

/// The best coding that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// `None` when the client accepts neither.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
        let wants = |name: &str| accepted.split(',').any(|coding| names(coding, name));
        wants("br")
            .then_some(Self::Brotli)
            .or_else(|| wants("gzip").then_some(Self::Gzip))
    }

    fn algorithm(self) -> CompressionAlgo {
        match self {
            Self::Brotli => CompressionAlgo::BR,
            Self::Gzip => CompressionAlgo::GZIP,
        }
    }
}

/// Whether one entry of `Accept-Encoding` names this coding and does not refuse it with a quality of zero.
fn names(entry: &str, name: &str) -> bool {
    let (coding, parameters) = entry.split_once(';').unwrap_or((entry, ""));
    let refused = parameters
        .trim()
        .strip_prefix("q=")
        .is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
    coding.trim().eq_ignore_ascii_case(name) && !refused
}

/// The same answer, compressed if that is possible and worth it. Only answers of known length are considered:
/// streams must not wait in a compressor's buffer.
pub(super) fn apply(mut response: Response, coding: Option<Coding>) -> Response {
    if !is_candidate(&response) {
        return response;
    }
    response.headers_mut().append(
        header::VARY,
        HeaderValue::from_name(header::ACCEPT_ENCODING),
    );
    match coding {
        Some(coding) => {
            weaken_etag(response.headers_mut());
            Compress::new(response, coding.algorithm())
                .with_quality(CompressionLevel::Fastest)
                .into_response()
        }
        None => response,
    }
}

fn is_candidate(response: &Response) -> bool {
    let headers = response.headers();
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    response.status() != StatusCode::PARTIAL_CONTENT
        && length.is_some_and(|length: usize| length >= WORTH_IT)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && response.content_type().is_some_and(is_text)
}

fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.ends_with("json")
        || essence.ends_with("javascript")
        || matches!(
            essence,
            "text/html" | "text/css" | "text/plain" | "image/svg+xml"
        )
}

/// The compressed bytes differ from the tagged ones, so the tag may only promise the same meaning.
fn weaken_etag(headers: &mut HeaderMap) {
    let strong = headers
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
        .filter(|tag| tag.starts_with('"'));
    if let Some(weak) = strong.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::answer;

    fn coding(accept: &str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        Coding::accepted(&headers)
    }

    fn encoding_of(response: Response) -> Option<String> {
        let response = apply(response, Some(Coding::Gzip));
        response.header("content-encoding").map(str::to_owned)
    }

    #[test]
    fn brotli_is_preferred_and_refusals_are_heard() {
        assert_eq!(coding("gzip, deflate, br"), Some(Coding::Brotli));
        assert_eq!(coding("GZIP;q=0.5"), Some(Coding::Gzip));
        assert_eq!(coding("br;q=0, gzip;q=0.0"), None);
        assert_eq!(coding("zstd"), None);
    }

    #[test]
    fn long_text_is_compressed() {
        let long = answer::bytes(StatusCode::OK, answer::JSON, vec![b' '; 5000]);
        assert_eq!(encoding_of(long).as_deref(), Some("gzip"));
    }

    #[test]
    fn short_text_images_and_streams_are_not() {
        let short = answer::bytes(StatusCode::OK, answer::JSON, vec![b' '; 100]);
        let image = answer::bytes(StatusCode::OK, "image/webp", vec![0; 5000]);
        let stream = Response::builder()
            .content_type("text/html")
            .body(poem::Body::from_vec(vec![b' '; 5000]));
        for response in [short, image, stream] {
            assert_eq!(encoding_of(response), None);
        }
    }

    #[test]
    fn a_compressed_answer_has_a_weak_tag() {
        let mut response = answer::bytes(StatusCode::OK, "image/svg+xml", vec![b' '; 5000]);
        response
            .headers_mut()
            .insert(header::ETAG, HeaderValue::from_static("\"abc\""));
        let response = apply(response, Some(Coding::Brotli));
        assert_eq!(response.header("etag"), Some("W/\"abc\""));
        assert_eq!(response.header("vary"), Some("accept-encoding"));
    }
}
