//! The name of a blob: parsed once, safe afterwards as a file path, an object name and a URL path.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::Fingerprint;

/// A key such as `original/3f/3f79…` that names one blob.
///
/// One to eight segments joined by `/`, each of 1 to 128 characters out of `a-z 0-9 . _ -`, none
/// beginning with a dot (so `..` cannot occur); at most 255 characters in all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey(String);

/// The text is not a [`BlobKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid blob key")]
pub struct InvalidKey;

const MAX_LENGTH: usize = 255;
const MAX_SEGMENTS: usize = 8;
const MAX_SEGMENT_LENGTH: usize = 128;

impl BlobKey {
    /// The key of a file as it was uploaded, named by its content: `original/<2 hex>/<sha256>`.
    #[must_use]
    pub fn original(content: &Fingerprint) -> Self {
        let hex = content.to_string();
        Self(format!("original/{}/{hex}", &hex[..2]))
    }

    /// The key of something made from an uploaded file:
    /// `rendition/<2 hex>/<sha256 of the original>/<name>.<extension>`.
    ///
    /// # Errors
    ///
    /// When `name` or `extension` holds a character that no key may hold.
    pub fn rendition(
        original: &Fingerprint,
        name: &str,
        extension: &str,
    ) -> Result<Self, InvalidKey> {
        let hex = original.to_string();
        format!("rendition/{}/{hex}/{name}.{extension}", &hex[..2]).parse()
    }

    /// The key of a file that somebody has attached to something, named by its content: `attachment/<2 hex>/<sha256>`.
    #[must_use]
    pub fn attachment(content: &Fingerprint) -> Self {
        let hex = content.to_string();
        Self(format!("attachment/{}/{hex}", &hex[..2]))
    }

    /// The key of a file that somebody has sent to be worked on: `import/<2 hex>/<id>`.
    #[must_use]
    pub fn import(id: Uuid) -> Self {
        let hex = id.simple().to_string();
        Self(format!("import/{}/{hex}", &hex[30..]))
    }

    /// The key of a file that a job makes for people: `job/<2 hex>/<id>/<attempt>/<number>`. Each attempt has keys of its own,
    /// so that one that was left behind never overwrites what a later one has made.
    #[must_use]
    pub fn of_job(job: Uuid, attempt: i32, number: u32) -> Self {
        let hex = job.simple().to_string();
        // A UUIDv7 begins with the time; its end is what spreads.
        Self(format!("job/{}/{hex}/{attempt}/{number}", &hex[30..]))
    }

    /// The same name in a later generation, `original/g2/…`: names that were retired are never used again. The first is the name itself.
    #[must_use]
    pub fn in_generation(self, generation: i32) -> Self {
        match self.0.split_once('/') {
            Some((room, rest)) if generation > 1 => Self(format!("{room}/g{generation}/{rest}")),
            _ => self,
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The media type that the key's ending stands for; `application/octet-stream` without a known
    /// ending, so an uploaded original is never served as something a browser would interpret.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self.0.rsplit_once('.').map(|(_, ending)| ending) {
            Some("webp") => "image/webp",
            Some("jpg") => "image/jpeg",
            Some("png") => "image/png",
            Some("gif") => "image/gif",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

impl FromStr for BlobKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let short = text.len() <= MAX_LENGTH && text.split('/').count() <= MAX_SEGMENTS;
        if short && text.split('/').all(is_segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKey)
        }
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    (1..=MAX_SEGMENT_LENGTH).contains(&segment.len())
        && !segment.starts_with('.')
        && segment.bytes().all(allowed)
}
