//! Limits on uploaded pictures, which keep a hostile file from exhausting memory.

use serde::{Deserialize, Serialize};

use super::value::within;
use crate::image::Limits;

/// The section `image`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Largest file, in bytes.
    #[serde(deserialize_with = "within::<1024, 1_073_741_824, _, _>")]
    pub max_bytes: u64,
    /// Most pixels, width times height.
    #[serde(deserialize_with = "within::<1, 1_000_000_000, _, _>")]
    pub max_pixels: u64,
    /// Longest side, in pixels.
    #[serde(deserialize_with = "within::<1, 65_535, _, _>")]
    pub max_side: u32,
}

impl Image {
    /// The limits in the terms of the module that reads pictures.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let Self {
            max_bytes,
            max_pixels,
            max_side,
        } = *self;
        Limits {
            max_bytes,
            max_side,
            max_pixels,
        }
    }
}
