//! Settings of the log.

use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error},
};

use super::value::as_text;
use crate::telemetry::LogLevel;

/// The section `telemetry`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// How much is logged.
    #[serde(deserialize_with = "log_level", serialize_with = "as_text")]
    pub level: LogLevel,
    /// How a line of the log looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty in development, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

fn log_level<'de, D: Deserializer<'de>>(input: D) -> Result<LogLevel, D::Error> {
    String::deserialize(input)?.parse().map_err(Error::custom)
}
