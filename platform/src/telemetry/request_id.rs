//! The id that ties together the lines of the log, the answer and the jobs of one request.

use std::fmt;

use uuid::Uuid;

/// Longest id that is taken from a client, in bytes.
const LENGTH_LIMIT: usize = 128;

/// The id of a request: 1 to 128 characters of `A-Za-z0-9._:-`, so that it is safe in a header, a log and a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// The id that `text` holds, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        let fits = (1..=LENGTH_LIMIT).contains(&text.len());
        (fits && text.chars().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The id that a client sent in its header, or a fresh one when it sent none that can be used.
    #[must_use]
    pub fn from_header(value: Option<&str>) -> Self {
        value.and_then(Self::parse).unwrap_or_else(Self::fresh)
    }

    /// A new id, a UUIDv7.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the id only names a request in the log; nothing is decided by it"
    )]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_clients_id_is_kept() {
        assert_eq!(RequestId::from_header(Some("Ab-9._:")).as_str(), "Ab-9._:");
        assert!(RequestId::parse(&"x".repeat(128)).is_some());
    }

    #[test]
    fn what_cannot_be_an_id_is_replaced() {
        for text in [
            "",
            "two words",
            "line\nbreak",
            "quote\"",
            "é",
            &"x".repeat(129),
        ] {
            assert!(RequestId::parse(text).is_none(), "{text:?}");
            let made = RequestId::from_header(Some(text));
            assert_eq!(
                uuid::Uuid::parse_str(made.as_str())
                    .unwrap()
                    .get_version_num(),
                7
            );
        }
        assert_ne!(RequestId::from_header(None), RequestId::from_header(None));
    }
}
