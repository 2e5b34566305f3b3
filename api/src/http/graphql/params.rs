//! Reads a GraphQL request from a query string or a JSON body, as the GraphQL-over-HTTP specification wants it.

use std::collections::HashMap;

use async_graphql::{Request, Value, Variables};
use serde::{Deserialize, de::DeserializeOwned};

use super::super::{error::HttpError, media_type::is_utf8};

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
    let params = request.params::<QueryString>().map_err(|error| {
        HttpError::bad_request(format!("The query string cannot be read: {error}"))
    })?;
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
        return Err(HttpError::bad_request(
            "Batches are not supported: send one operation per request.",
        ));
    }
    let request = serde_json::from_slice::<Request>(body).map_err(|error| {
        HttpError::bad_request(format!(
            "The body is not a GraphQL request in JSON: {error}"
        ))
    })?;
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
        return Err(HttpError::unsupported_media_type(
            "Send application/json or, with files, multipart/form-data.",
        ));
    }
    let mut charsets = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    match charsets.all(|(_, charset)| is_utf8(charset)) {
        true => Ok(()),
        false => Err(HttpError::unsupported_media_type(
            "The charset must be UTF-8.",
        )),
    }
}

fn with_query(request: Request) -> Result<Request, HttpError> {
    if request.query.trim().is_empty() {
        return Err(HttpError::bad_request("The parameter `query` is missing."));
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
        HttpError::bad_request(format!(
            "The parameter `{name}` is not a JSON object: {error}"
        ))
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
        assert!(
            get("query=%7Ba%7D&variables=7")
                .unwrap_err()
                .to_string()
                .contains("`variables`")
        );
        assert!(
            get("query=%7Ba%7D&extensions=%5B%5D")
                .unwrap_err()
                .to_string()
                .contains("`extensions`")
        );
        assert!(get("").unwrap_err().to_string().contains("`query`"));
    }

    #[test]
    fn a_json_body_is_typed() {
        assert!(
            from_json(
                br#"{"query":"{a}","variables":null,"extensions":null,"operationName":null}"#
            )
            .is_ok()
        );
        for bad in [
            r#"{"query":7}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":{}}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
            r#"{"query":""}"#,
            r#"{}"#,
            r#""{a}""#,
            "{",
            "",
        ] {
            assert_eq!(
                from_json(bad.as_bytes()).unwrap_err().code(),
                "BAD_REQUEST",
                "{bad}"
            );
        }
    }

    #[test]
    fn batches_are_refused_clearly() {
        let error = from_json(br#" [{"query":"{a}"}]"#).unwrap_err();
        assert!(error.to_string().contains("Batches are not supported"));
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        assert!(expect_json(Some("application/json")).is_ok());
        assert!(expect_json(Some("Application/JSON; charset=\"UTF-8\"")).is_ok());
        for bad in [
            None,
            Some("text/plain"),
            Some("application/json; charset=latin1"),
            Some("application/jsonx"),
        ] {
            assert_eq!(
                expect_json(bad).unwrap_err().code(),
                "UNSUPPORTED_MEDIA_TYPE",
                "{bad:?}"
            );
        }
    }
}
