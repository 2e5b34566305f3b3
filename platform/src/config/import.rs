//! Limits on files that are imported.

use serde::{Deserialize, Serialize};

use super::value::within;

/// The section `import`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Largest file, in bytes.
    #[serde(deserialize_with = "within::<1024, 1_073_741_824, _, _>")]
    pub max_bytes: u64,
}
