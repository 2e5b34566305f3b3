//! The layer behind a real listener, and the simplest possible HTTP client, for tests that are about bytes on
//! the wire.

use std::{net::SocketAddr, time::Duration};

use poem::{
    Server,
    listener::TcpListener,
    listener::{Acceptor, Listener},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use super::fixture::App;

pub(super) struct Running {
    pub(super) address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Running {
    pub(super) async fn start(app: &App) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0")
            .into_acceptor()
            .await
            .unwrap();
        let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        let server = tokio::spawn(Server::new_with_acceptor(acceptor).run(app.endpoint()));
        Self { address, server }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request, each time on its own connection, as long as the answer is not the wanted one.
    pub(super) async fn ask_until(&self, request: &str, wanted: &str) {
        let asking = async {
            while !exchange(&mut self.connect().await, request.as_bytes(), "}")
                .await
                .contains(wanted)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), asking).await.unwrap();
    }
}

/// Sends bytes, reads until the answer holds `end`, and gives back all that came.
pub(super) async fn exchange(stream: &mut TcpStream, send: &[u8], end: &str) -> String {
    stream.write_all(send).await.unwrap();
    read_until(stream, end).await
}

pub(super) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut received = String::new();
    let mut buffer = [0; 4096];
    let reading = async {
        while !received.contains(end) {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the connection ended after {received:?}");
            received.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    };
    timeout(Duration::from_secs(30), reading).await.unwrap();
    received
}
