//! Somebody who asks the server: nobody in particular, or a user with a session or an API token.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot ask has to fail the test"
)]

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SET_COOKIE},
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::{answer::Answer, subscription::Subscription};

/// Longest wait for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Somebody who asks the server at one address.
#[derive(Clone, Debug)]
pub struct Actor {
    client: Client,
    server: String,
    headers: HeaderMap,
}

impl Actor {
    /// Nobody, at the server whose pages are below `server` (`http://127.0.0.1:12345`).
    ///
    /// # Panics
    /// When no HTTP client can be made.
    #[must_use]
    pub fn anonymous(server: &str) -> Self {
        // The client wants to know how to speak TLS, though it never will.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(ANSWER_LIMIT).no_proxy().build();
        let headers = HeaderMap::from_iter([(
            ACCEPT,
            HeaderValue::from_static("application/graphql-response+json"),
        )]);
        Self {
            client: client.expect("an HTTP client needs nothing"),
            server: server.to_owned(),
            headers,
        }
    }

    /// The same, with an API token.
    #[must_use]
    pub fn with_token(&self, secret: &str) -> Self {
        self.with_header(AUTHORIZATION.as_str(), &format!("Bearer {secret}"))
    }

    /// The same, with an `Accept-Language`.
    #[must_use]
    pub fn speaking(&self, language: &str) -> Self {
        self.with_header(ACCEPT_LANGUAGE.as_str(), language)
    }

    /// The same, with another header in each request.
    ///
    /// # Panics
    /// When it is not a header.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut actor = self.clone();
        let name: reqwest::header::HeaderName = name.parse().expect("the name of a header");
        actor
            .headers
            .insert(name, value.parse().expect("the value of a header"));
        actor
    }

    /// The same, at another server.
    #[must_use]
    pub fn at(&self, server: &str) -> Self {
        Self {
            server: server.to_owned(),
            ..self.clone()
        }
    }

    /// The same, with the session that a login with this password begins.
    ///
    /// # Panics
    /// When the login is refused, or sets no cookie.
    pub async fn logged_in(&self, email: &str, password: &str) -> Self {
        let answer = self
            .gql(LOGIN, json!({"email": email, "password": password}))
            .await;
        let cookie = answer
            .headers
            .get(SET_COOKIE)
            .and_then(|cookie| cookie.to_str().ok())
            .map(str::to_owned);
        let _me = answer.ok();
        let cookie = cookie.expect("a login sets a cookie");
        let pair = cookie.split(';').next().unwrap_or_default();
        self.with_header(COOKIE.as_str(), pair)
    }

    /// Address of the server asked.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The headers that go with each request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Asks.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn gql(&self, document: &str, variables: Value) -> Answer {
        let body = json!({"query": document, "variables": variables});
        self.send(self.post().json(&body))
            .await
            .expect("the server answers")
    }

    /// Asks; fails when the server cannot be reached or breaks the connection.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub async fn try_gql(&self, document: &str, variables: Value) -> reqwest::Result<Answer> {
        let body = json!({"query": document, "variables": variables});
        self.send(self.post().json(&body)).await
    }

    /// Asks for what must succeed, and returns the data.
    ///
    /// # Panics
    /// When there is any error.
    pub async fn ok(&self, document: &str, variables: Value) -> Value {
        self.gql(document, variables).await.ok()
    }

    /// Asks for what must be refused, and returns codes and paths of the `userErrors`.
    ///
    /// # Panics
    /// When it is not refused.
    pub async fn refused(&self, document: &str, variables: Value) -> Vec<(String, String)> {
        self.gql(document, variables).await.refused()
    }

    /// Uploads one file after the GraphQL multipart request specification, as the variable `input.file`.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn upload(&self, document: &str, variables: Value, file: File) -> Answer {
        self.upload_as("file", document, variables, file).await
    }

    /// The same, as another field of the variable `input`.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn upload_as(
        &self,
        field: &str,
        document: &str,
        variables: Value,
        file: File,
    ) -> Answer {
        let mut variables = variables;
        variables["input"][field] = Value::Null;
        let operations = json!({"query": document, "variables": variables}).to_string();
        let part = Part::bytes(file.bytes)
            .file_name(file.name)
            .mime_str(&file.content_type);
        let form = Form::new()
            .text("operations", operations)
            .text(
                "map",
                json!({"0": [format!("variables.input.{field}")]}).to_string(),
            )
            .part("0", part.expect("a media type"));
        // A form can be sent by any page; this header cannot.
        let request = self
            .post()
            .header("graphql-require-preflight", "1")
            .multipart(form);
        self.send(request).await.expect("the server answers")
    }

    /// Subscribes over a WebSocket. Give `after` in order to miss nothing.
    ///
    /// # Panics
    /// When the connection is refused.
    pub async fn subscribe(&self, document: &str, variables: Value) -> Subscription {
        Subscription::start(&self.server, &self.headers, document, variables).await
    }

    /// A request to the GraphQL endpoint, to be filled by the test.
    pub fn post(&self) -> RequestBuilder {
        self.client
            .post(format!("{}/api/graphql", self.server))
            .headers(self.headers.clone())
    }

    /// A request for a page or file. `path` is either below the server's address or an address itself.
    pub fn get(&self, path: &str) -> RequestBuilder {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.server)
        } else {
            path.to_owned()
        };
        self.client.get(url).headers(self.headers.clone())
    }

    /// Sends a request that was made with [`Actor::post`].
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer::new(status, headers, &response.bytes().await?))
    }
}

/// A file to be uploaded.
#[derive(Clone, Debug)]
pub struct File {
    /// Its content.
    pub bytes: Vec<u8>,
    /// What the client calls it.
    pub name: String,
    /// What the client says it is.
    pub content_type: String,
}

const LOGIN: &str = "mutation($email: String!, $password: String!) {
    login(input: {email: $email, password: $password}) { me { user { id } } userErrors { code path } }
}";
