//! The kinds of place where the programs run.

use serde::{Deserialize, Serialize};

/// Where the programs run.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A developer's machine.
    Development,
    /// A test run.
    Test,
    /// Real people's data.
    Production,
}

impl Environment {
    /// Whether cookies may only travel over HTTPS; development is served over plain HTTP.
    #[must_use]
    pub fn secure_cookies(self) -> bool {
        self != Self::Development
    }
}
