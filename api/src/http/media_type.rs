//! Content negotiation: which of our representations a client prefers.

use poem::http::{HeaderMap, header};

/// A representation of a GraphQL answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Representation {
    /// `application/graphql-response+json`, whose status tells about request errors.
    GraphQlResponse,
    /// `application/json`, answered with 200 whenever the request was well formed.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// `text/html`, the playground.
    Html,
}

impl Representation {
    /// The content type of a whole answer. Refusals of event streams and pages are plain JSON.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json | Self::EventStream | Self::Html => super::answer::JSON,
        }
    }
}

/// The offered representation that the `Accept` headers like best; the first one named wins among equals. No
/// header, `*/*` and `application/*` mean JSON. `None` when nothing fits.
pub(crate) fn negotiate(headers: &HeaderMap, offered: &[Representation]) -> Option<Representation> {
    let mut best: Option<(u16, Representation)> = None;
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Some(Representation::Json);
    }
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for (quality, representation) in ranges.filter_map(parse_range) {
        let better = best.is_none_or(|(known, _)| quality > known);
        if quality > 0 && better && offered.contains(&representation) {
            best = Some((quality, representation));
        }
    }
    best.map(|(_, representation)| representation)
}

/// One media range: its quality in thousandths and what it means here. A charset other than UTF-8 matches nothing.
fn parse_range(range: &str) -> Option<(u16, Representation)> {
    let mut parts = range.split(';').map(str::trim);
    let representation = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => Representation::GraphQlResponse,
        "application/json" | "application/*" | "*/*" => Representation::Json,
        "text/event-stream" => Representation::EventStream,
        "text/html" | "text/*" => Representation::Html,
        _ => return None,
    };
    let mut quality = 1000;
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value.trim()),
            "charset" if !is_utf8(value) => return None,
            _ => {}
        }
    }
    Some((quality, representation))
}

/// `0.8` is 800. What is not a quality at all counts as 1000.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded = format!("{fraction:0<3.3}");
    match (whole, padded.parse::<u16>()) {
        ("0", Ok(thousandths)) => thousandths,
        _ => 1000,
    }
}

/// Whether a `charset` parameter's value is UTF-8.
pub(crate) fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::{Representation::*, *};

    fn prefers(accept: &[&str]) -> Option<Representation> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        negotiate(&headers, &[GraphQlResponse, Json, EventStream, Html])
    }

    #[test]
    fn wildcards_and_silence_mean_json() {
        assert_eq!(prefers(&[]), Some(Json));
        assert_eq!(prefers(&["*/*"]), Some(Json));
        assert_eq!(prefers(&["application/*;q=0.1"]), Some(Json));
    }

    #[test]
    fn the_highest_quality_wins_and_then_the_first() {
        assert_eq!(
            prefers(&["application/json, application/graphql-response+json"]),
            Some(Json)
        );
        assert_eq!(
            prefers(&["application/json;q=0.9, application/graphql-response+json"]),
            Some(GraphQlResponse)
        );
        assert_eq!(
            prefers(&["application/json;q=0.25", "text/event-stream;q=0.3"]),
            Some(EventStream)
        );
    }

    #[test]
    fn a_browser_gets_a_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
        assert_eq!(prefers(&[browser]), Some(Html));
    }

    #[test]
    fn what_we_cannot_make_is_refused() {
        assert_eq!(prefers(&["image/png"]), None);
        assert_eq!(prefers(&["application/json;q=0"]), None);
        assert_eq!(prefers(&["application/json; charset=latin1"]), None);
    }

    #[test]
    fn only_offered_representations_count() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, "text/html, */*;q=0.8".parse().unwrap());
        assert_eq!(negotiate(&headers, &[GraphQlResponse, Json]), Some(Json));
    }

    #[test]
    fn charset_is_read_with_quotes_and_any_case() {
        assert_eq!(
            prefers(&["application/json; charset=\"UTF-8\""]),
            Some(Json)
        );
    }
}
