//! Fingerprints against known hashes.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};

use super::pattern;
use crate::blob::{Fingerprint, InvalidFingerprint};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_fingerprint_is_the_sha_256() {
    assert_eq!(Fingerprint::of_bytes(b"").to_string(), EMPTY);
    assert_eq!(EMPTY.parse(), Ok(Fingerprint::of_bytes(b"")));
    assert_eq!(Fingerprint::of_bytes(b"").as_bytes()[..2], [0xe3, 0xb0]);
}

#[tokio::test]
async fn a_file_has_the_fingerprint_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for length in [0, 1, 128 * 1024, 128 * 1024 + 1, 3_000_000] {
        std::fs::write(&path, pattern(length)).unwrap();
        let of_file = Fingerprint::of_file(&path).await.unwrap();
        let expected = Fingerprint::of_bytes(&pattern(length));
        assert_eq!(of_file, expected, "{length} bytes");
        let mut open = File::open(&path).unwrap();
        open.seek(SeekFrom::End(0)).unwrap();
        let of_open = Fingerprint::of_open(open).await.unwrap();
        assert_eq!(of_open, expected, "{length} bytes, already read to the end");
    }
    let missing = Fingerprint::of_file(&folder.path().join("none")).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn only_64_lower_case_digits_are_parsed() {
    let upper = EMPTY.to_uppercase();
    let long = format!("{EMPTY}00");
    for text in [
        "",
        "e3",
        &EMPTY[1..],
        &EMPTY[2..],
        &upper,
        &long,
        &EMPTY.replace('e', "g"),
    ] {
        assert_eq!(
            text.parse::<Fingerprint>(),
            Err(InvalidFingerprint),
            "{text}"
        );
    }
}
