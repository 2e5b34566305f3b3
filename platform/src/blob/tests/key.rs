//! Which texts are keys.

use super::key;
use crate::blob::{BlobKey, Fingerprint, InvalidKey};

#[test]
fn safe_texts_are_keys() {
    let longest_segment = "a".repeat(128);
    for text in [
        "a",
        "a/b",
        "original/3f/3f79",
        "a-b_c.d",
        "9",
        "1/2/3/4/5/6/7/8",
        &longest_segment,
    ] {
        assert_eq!(key(text).as_str(), text);
    }
}

#[test]
fn anything_that_could_leave_the_store_or_confuse_it_is_refused() {
    let long_segment = "a".repeat(129);
    let long = ["a".repeat(127), "b".repeat(128)].join("/");
    let texts = [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/.hidden",
        "a/..",
        "A",
        "a b",
        "a\\b",
        "a\0",
        "a#1",
        "a%2e",
        "ä",
        "a\n",
        "1/2/3/4/5/6/7/8/9",
        &long_segment,
        &long,
    ];
    for text in texts {
        assert_eq!(text.parse::<BlobKey>(), Err(InvalidKey), "{text:?}");
    }
}

#[test]
fn content_gives_the_key_its_name() {
    let print = Fingerprint::of_bytes(b"abc");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        BlobKey::original(&print).as_str(),
        format!("original/ba/{hex}")
    );
    let rendition = BlobKey::rendition(&print, "small", "webp").unwrap();
    assert_eq!(rendition.as_str(), format!("rendition/ba/{hex}/small.webp"));
    assert_eq!(BlobKey::rendition(&print, "../x", "webp"), Err(InvalidKey));
    assert_eq!(rendition.as_str().parse(), Ok(rendition));
}

#[test]
fn the_ending_tells_the_content_type() {
    let types = [
        ("a/b.webp", "image/webp"),
        ("a/b.jpg", "image/jpeg"),
        ("a/b.png", "image/png"),
        ("a/b.gif", "image/gif"),
        ("a/b.svg", "image/svg+xml"),
        ("a/b.html", "application/octet-stream"),
        ("a.svg/b", "application/octet-stream"),
        ("svg", "application/octet-stream"),
    ];
    for (text, content_type) in types {
        assert_eq!(key(text).content_type(), content_type, "{text}");
    }
}

#[test]
fn each_attempt_at_a_job_has_keys_of_its_own() {
    let job = uuid::Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_00ab_cdef);
    let key = BlobKey::of_job(job, 2, 1);
    assert_eq!(key.as_str(), "job/ef/01930000000070008000000000abcdef/2/1");
    assert_eq!(key.as_str().parse(), Ok(key.clone()));
    assert_ne!(key, BlobKey::of_job(job, 3, 1));
}

#[test]
fn a_later_generation_is_another_name_for_the_same() {
    let content = Fingerprint::of_bytes(b"x");
    let first = BlobKey::original(&content);
    assert_eq!(first.clone().in_generation(1), first);
    let third = first.clone().in_generation(3);
    let hex = content.to_string();
    assert_eq!(third.as_str(), format!("original/g3/{}/{hex}", &hex[..2]));
    assert_eq!(third.as_str().parse::<BlobKey>(), Ok(third.clone()));
    let rendition = BlobKey::rendition(&content, "small-2", "webp").unwrap();
    let rendition = rendition.in_generation(2);
    assert!(rendition.as_str().starts_with("rendition/g2/"));
    assert_eq!(rendition.content_type(), "image/webp");
}
