//! How single settings are read: each function turns a plain TOML value into the type that the programs use and
//! says in one sentence what is wrong with a value that does not fit.

use std::{fmt::Display, net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Serializer,
    de::{Deserialize, Deserializer, Error},
};
use url::Url;

/// Names that become part of a cookie or a Redis key are no longer than this.
const NAME_LIMIT: usize = 64;

/// What the URL of a PostgreSQL database starts with.
const POSTGRES: [&str; 2] = ["postgres", "postgresql"];

/// A whole number from `MIN` to `MAX`.
pub(super) fn within<'de, const MIN: i64, const MAX: i64, T, D>(input: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    let number = i64::deserialize(input)?;
    let allowed = (MIN..=MAX).contains(&number);
    let converted = T::try_from(number).ok().filter(|_| allowed);
    converted.ok_or_else(|| Error::custom(format!("must be from {MIN} to {MAX}, not {number}")))
}

/// A duration given as a whole number of seconds from `MIN` to `MAX`.
pub(super) fn seconds<'de, const MIN: i64, const MAX: i64, D>(
    input: D,
) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    within::<MIN, MAX, u64, D>(input).map(Duration::from_secs)
}

/// A duration given as a whole number of hours from `MIN` to `MAX`.
pub(super) fn hours<'de, const MIN: i64, const MAX: i64, D>(input: D) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    within::<MIN, MAX, u64, D>(input).map(|hours| Duration::from_secs(hours * 3600))
}

/// A duration given as a whole number of days from `MIN` to `MAX`.
pub(super) fn days<'de, const MIN: i64, const MAX: i64, D>(input: D) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    within::<MIN, MAX, u64, D>(input).map(|days| Duration::from_secs(days * 86_400))
}

/// The same number of seconds again.
pub(super) fn as_seconds<S: Serializer>(value: &Duration, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_u64(value.as_secs())
}

/// The same number of hours again.
pub(super) fn as_hours<S: Serializer>(value: &Duration, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_u64(value.as_secs() / 3600)
}

/// The same number of days again.
pub(super) fn as_days<S: Serializer>(value: &Duration, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_u64(value.as_secs() / 86_400)
}

/// As people read it.
pub(super) fn as_text<S: Serializer>(value: &impl Display, output: S) -> Result<S::Ok, S::Error> {
    output.collect_str(value)
}

/// A numeric address and a port.
pub(super) fn socket_address<'de, D: Deserializer<'de>>(input: D) -> Result<SocketAddr, D::Error> {
    parse_socket_address(&String::deserialize(input)?).map_err(Error::custom)
}

/// A numeric address and a port, or nothing for an empty string.
pub(super) fn optional_socket_address<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<SocketAddr>, D::Error> {
    match String::deserialize(input)?.as_str() {
        "" => Ok(None),
        text => parse_socket_address(text).map(Some).map_err(Error::custom),
    }
}

/// A name that may stand in a cookie or a Redis key.
pub(super) fn name<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let name = String::deserialize(input)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > NAME_LIMIT || !name.chars().all(allowed) {
        return Err(Error::custom(
            "must be 1 to 64 letters, digits, dots, hyphens or underscores",
        ));
    }
    Ok(name)
}

/// An `http` or `https` URL.
pub(super) fn web_url<'de, D: Deserializer<'de>>(input: D) -> Result<Url, D::Error> {
    parse_web_url(&String::deserialize(input)?).map_err(Error::custom)
}

/// An `http` or `https` URL, or nothing for an empty string.
pub(super) fn optional_web_url<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<Url>, D::Error> {
    match String::deserialize(input)?.as_str() {
        "" => Ok(None),
        text => parse_web_url(text).map(Some).map_err(Error::custom),
    }
}

/// A list of web origins (scheme, host, port and nothing else) or `*`.
pub(super) fn origins<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let given = Vec::<String>::deserialize(input)?;
    given
        .iter()
        .map(|text| parse_origin(text).map_err(Error::custom))
        .collect()
}

/// The URL of a PostgreSQL database; an empty one passes here, so that the default can be empty.
pub(super) fn postgres_url<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    service_url(input, &POSTGRES)
}

/// The URLs of PostgreSQL databases, none of them empty.
pub(super) fn postgres_urls<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Vec<SecretString>, D::Error> {
    let urls = Vec::<SecretString>::deserialize(input)?;
    let is_postgres = |url: &SecretString| !url.expose_secret().is_empty() && is_of(url, &POSTGRES);
    if urls.iter().all(is_postgres) {
        return Ok(urls);
    }
    Err(Error::custom(must_start_with(&POSTGRES)))
}

/// The URL of a Redis server; an empty one passes here, so that the default can be empty.
pub(super) fn redis_url<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    service_url(input, &["redis", "redis+unix", "unix"])
}

/// Its messages never repeat the URL, which may hold a password.
fn service_url<'de, D: Deserializer<'de>>(
    input: D,
    schemes: &[&str],
) -> Result<SecretString, D::Error> {
    let secret = SecretString::deserialize(input)?;
    if secret.expose_secret().is_empty() || is_of(&secret, schemes) {
        return Ok(secret);
    }
    Err(Error::custom(must_start_with(schemes)))
}

fn is_of(secret: &SecretString, schemes: &[&str]) -> bool {
    let known = |url: Url| schemes.contains(&url.scheme());
    Url::parse(secret.expose_secret()).is_ok_and(known)
}

fn must_start_with(schemes: &[&str]) -> String {
    format!(
        "must be a URL that starts with {}://",
        schemes.join(":// or ")
    )
}

fn parse_socket_address(text: &str) -> Result<SocketAddr, String> {
    let parsed = text.parse().ok();
    parsed.ok_or_else(|| {
        format!("must be a numeric address and a port such as 127.0.0.1:8000, not `{text}`")
    })
}

fn parse_web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    match (url.scheme(), url.username(), url.password()) {
        ("http" | "https", "", None) => Ok(url),
        ("http" | "https", ..) => Err("must not hold a user name or a password".to_owned()),
        (other, ..) => Err(format!("must be an http or https URL, not {other}")),
    }
}

fn parse_origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let origin = parse_web_url(text)?.origin().ascii_serialization();
    if text.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
        return Ok(origin);
    }
    Err(format!("`{text}` is not an origin; did you mean {origin}?"))
}
