//! The blob store against a real folder and a real S3 server on loopback, with and without TLS.

mod child;
mod contract;
mod fingerprint;
mod key;
mod local;
mod s3;
mod s3_server;
mod tls;

use super::BlobKey;

fn key(text: &str) -> BlobKey {
    text.parse().unwrap()
}

/// Bytes that differ from place to place, so that a part lost, doubled or swapped shows.
fn pattern(length: usize) -> Vec<u8> {
    (0u32..)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(length)
        .collect()
}
