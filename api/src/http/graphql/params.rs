//! Reads a GraphQL request from a query string or a JSON body, as the GraphQL-over-HTTP specification wants it.

use std::collections::HashMap;

use async_graphql::{Request, Value, Variables};
use serde::{Deserialize, de::DeserializeOwned};

use super::super::{error::HttpError, media_type::is_utf8, reason::Reason};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Reads the parameters of a GET request.
///
/// # Errors
/// 400, when one has the wrong form or there is no query.
pub(super) fn from_query_string(request: &poem::Request) -> Result<Request, HttpError> {
    let params = request
        .params::<QueryString>()
        .map_err(|error| HttpError::new(Reason::QueryStringMalformed).with("error", error))?;
    let mut parsed = Request::new(params.query.unwrap_or_default());
    parsed.operation_name = params.operation_name.filter(|name| !name.is_empty());
    parsed.variables = json_object::<Variables>("variables", params.variables)?;
    parsed.extensions.0 = json_object::<HashMap<String, Value>>("extensions", params.extensions)?;
    with_query(parsed)
}

/// Reads the JSON body of a POST request, or the `operations` of a multipart request.
///
/// # Errors
/// 400, when it is not JSON, is a batch, has a parameter of the wrong type or no query.
pub(super) fn from_json(body: &[u8]) -> Result<Request, HttpError> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Reason::Batch.into());
    }
    let request = serde_json::from_slice::<Request>(body)
        .map_err(|error| HttpError::new(Reason::BodyMalformed).with("error", error))?;
    with_query(request)
}

/// Checks that a POST body is JSON in UTF-8.
///
/// # Errors
/// 415, when it is something else or does not say what it is.
pub(super) fn expect_json(content_type: Option<&str>) -> Result<(), HttpError> {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Reason::NotJson.into());
    }
    let mut charsets = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    match charsets.all(|(_, charset)| is_utf8(charset)) {
        true => Ok(()),
        false => Err(Reason::NotUtf8.into()),
    }
}

fn with_query(request: Request) -> Result<Request, HttpError> {
    if request.query.trim().is_empty() {
        return Err(Reason::QueryMissing.into());
    }
    Ok(request)
}

fn json_object<T: DeserializeOwned + Default>(
    name: &str,
    text: Option<String>,
) -> Result<T, HttpError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(T::default());
    };
    let parsed = serde_json::from_str::<Option<T>>(&text);
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        HttpError::new(Reason::ParameterMalformed)
            .with("name", name)
            .with("error", error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str) -> Result<Request, HttpError> {
        let uri = format!("/api/graphql?{query}").parse().unwrap();
        from_query_string(&poem::Request::builder().uri(uri).finish())
    }

    #[test]
    fn a_query_string_is_read_whole() {
        let request = get("query=query+Q%7Ba%7D&operationName=Q&variables=%7B%22a%22%3A1%7D&extensions=%7B%22k%22%3A2%7D").unwrap();
        assert_eq!(request.query, "query Q{a}");
        assert_eq!(request.operation_name.as_deref(), Some("Q"));
        assert_eq!(request.variables.into_value().to_string(), "{a: 1}");
        assert_eq!(request.extensions.0.get("k"), Some(&Value::from(2)));
    }

    #[test]
    fn empty_and_null_parameters_are_as_if_absent() {
        let request = get("query=%7Ba%7D&operationName=&variables=null&extensions=").unwrap();
        assert!(request.operation_name.is_none() && request.variables.is_empty());
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, name) in [
            ("query=%7Ba%7D&variables=7", "variables"),
            ("query=%7Ba%7D&extensions=%5B%5D", "extensions"),
        ] {
            let error = get(query).unwrap_err();
            assert_eq!(error.reason(), Reason::ParameterMalformed);
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_eq!(get("").unwrap_err().reason(), Reason::QueryMissing);
    }

    #[test]
    fn a_json_body_is_typed() {
        assert!(
            from_json(
                br#"{"query":"{a}","variables":null,"extensions":null,"operationName":null}"#
            )
            .is_ok()
        );
        for (bad, reason) in [
            (r#"{"query":7}"#, Reason::BodyMalformed),
            (r#"{"query":"{a}","variables":[]}"#, Reason::BodyMalformed),
            (
                r#"{"query":"{a}","operationName":{}}"#,
                Reason::BodyMalformed,
            ),
            (r#"{"query":"{a}","extensions":"x"}"#, Reason::BodyMalformed),
            (r#"{"query":""}"#, Reason::QueryMissing),
            (r#"{}"#, Reason::QueryMissing),
            (r#""{a}""#, Reason::BodyMalformed),
            ("{", Reason::BodyMalformed),
            ("", Reason::BodyMalformed),
        ] {
            assert_eq!(
                from_json(bad.as_bytes()).unwrap_err().reason(),
                reason,
                "{bad}"
            );
        }
    }

    #[test]
    fn batches_are_refused_clearly() {
        let error = from_json(br#" [{"query":"{a}"}]"#).unwrap_err();
        assert_eq!(error.reason(), Reason::Batch);
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        assert!(expect_json(Some("application/json")).is_ok());
        assert!(expect_json(Some("Application/JSON; charset=\"UTF-8\"")).is_ok());
        for (bad, reason) in [
            (None, Reason::NotJson),
            (Some("text/plain"), Reason::NotJson),
            (Some("application/json; charset=latin1"), Reason::NotUtf8),
            (Some("application/jsonx"), Reason::NotJson),
        ] {
            assert_eq!(expect_json(bad).unwrap_err().reason(), reason, "{bad:?}");
        }
    }
}
