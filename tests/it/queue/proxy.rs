//! A way to Redis that can swallow connections: they stay open, but nothing comes through any more,
//! as when a firewall forgets them or the other machine loses its power. It counts them, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

pub(super) struct Proxy {
    url: Url,
    /// The number of times that connections were swallowed.
    swallowed: Arc<watch::Sender<u32>>,
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Forwards a free port to the server at `url`.
    pub(super) async fn start(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let target = format!("{}:{}", url.host().unwrap(), url.port().unwrap_or(6379));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (swallowed, accepted) = (Arc::new(watch::Sender::new(0)), Arc::default());
        let accepting = tokio::spawn(accept(
            listener,
            target,
            Arc::clone(&swallowed),
            Arc::clone(&accepted),
        ));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        Self {
            url,
            swallowed,
            accepted,
            accepting,
        }
    }

    /// The same server, through the proxy.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// How many connections were opened so far.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Silences every connection that is open now; later ones work.
    pub(super) fn swallow_what_is_open(&self) {
        self.swallowed.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: String,
    swallowed: Arc<watch::Sender<u32>>,
    accepted: Arc<AtomicUsize>,
) {
    loop {
        let (near, _) = listener.accept().await.unwrap();
        accepted.fetch_add(1, Ordering::SeqCst);
        let far = TcpStream::connect(&target).await.unwrap();
        tokio::spawn(forward(near, far, swallowed.subscribe()));
    }
}

async fn forward(mut near: TcpStream, mut far: TcpStream, mut swallowed: watch::Receiver<u32>) {
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        // Both ends stay open for as long as the test runs.
        Ok(()) = swallowed.changed() => std::future::pending().await,
    }
}
