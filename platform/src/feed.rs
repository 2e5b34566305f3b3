//! Fetching a document from an address that the settings name, such as rates of metals: over TLS, in bounded time, of bounded size, and from nowhere else.

use std::{fmt, time::Duration};

use reqwest::{Client, Response, header, redirect};
use url::{Host, Url};

/// How long it may take until there is a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long it may take altogether.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Longest document, in bytes.
const SIZE_MAX: usize = 256 * 1024;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It would travel where others can change it.
    #[error("an address of {0} is not https; plain http is for this machine alone")]
    Insecure(String),
    /// The other side is away, or does not keep to HTTP.
    #[error("the source does not answer: {0}")]
    Away(#[source] reqwest::Error),
    /// It answers otherwise, also when it says that the document is elsewhere.
    #[error("the source answers {0}")]
    Refused(u16),
    /// The document is too long.
    #[error("the source's answer is longer than {SIZE_MAX} bytes")]
    TooLong,
}

impl From<reqwest::Error> for FeedError {
    /// Without the address, which may hold a key: what fails is written into logs and shown with jobs.
    fn from(error: reqwest::Error) -> Self {
        Self::Away(error.without_url())
    }
}

/// Where a document is fetched from.
#[derive(Clone)]
pub struct Feed {
    client: Client,
    url: Url,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

impl Feed {
    /// From this address: https, or http on this machine.
    ///
    /// # Errors
    /// When it is another, or there can be no client.
    pub fn new(url: &Url) -> Result<Self, FeedError> {
        if url.scheme() != "https" && !is_here(url) {
            return Err(FeedError::Insecure(url.scheme().to_owned()));
        }
        // A provider that is installed already is as good.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .timeout(TIME_MAX)
            .build()?;
        Ok(Self {
            client,
            url: url.clone(),
        })
    }

    /// The document.
    ///
    /// # Errors
    /// When there is none, or it is too long.
    pub async fn fetch(&self) -> Result<Vec<u8>, FeedError> {
        let request = self.client.get(self.url.clone());
        let response = request
            .header(header::ACCEPT, "application/json")
            .send()
            .await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FeedError::Refused(response.status().as_u16()));
        }
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, FeedError> {
    let mut document = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if document.len() + piece.len() > SIZE_MAX {
            return Err(FeedError::TooLong);
        }
        document.extend_from_slice(&piece);
    }
    Ok(document)
}

/// Whether the address is this machine's own, told by its text alone.
fn is_here(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_leaves_this_machine() {
        for (url, allowed) in [
            ("https://rates.example.com/gold", true),
            ("http://127.0.0.1:8080/gold", true),
            ("http://localhost/gold", true),
            ("http://[::1]/gold", true),
            ("http://rates.example.com/gold", false),
            ("http://localhost.example.com/gold", false),
            ("http://10.0.0.1/gold", false),
            ("ftp://127.0.0.1/gold", false),
        ] {
            let feed = Feed::new(&url.parse().unwrap());
            assert_eq!(feed.is_ok(), allowed, "{url}");
        }
    }

    #[tokio::test]
    async fn an_address_is_in_no_error() {
        let insecure = Feed::new(&"http://rates.example.com/?key=hidden".parse().unwrap());
        assert!(!insecure.unwrap_err().to_string().contains("hidden"));
        // Nobody listens there: the port is let go of at once.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/?key=hidden", free.local_addr().unwrap());
        drop(free);
        let feed = Feed::new(&url.parse().unwrap()).unwrap();
        let away = feed.fetch().await.unwrap_err();
        let told = format!("{away} {away:?}");
        assert!(!told.contains("hidden"), "{told}");
    }
}
