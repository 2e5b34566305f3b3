//! `api healthcheck`: asks the api of this machine whether requests may be sent to it. For whoever looks after containers, in
//! which there is no other program to ask with.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::state::StartError;

/// A little more than the health page takes at most.
const PATIENCE: Duration = Duration::from_secs(3);
const REQUEST: &[u8] =
    b"GET /api/health/readiness HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// How an answer begins that is as it should be.
const READY: &[u8] = b"HTTP/1.1 200 ";

/// Goes well when the api that listens on this address is ready.
///
/// # Errors
/// When nobody answers in time, or the answer is another one.
pub async fn run(listening: SocketAddr) -> Result<(), StartError> {
    match timeout(PATIENCE, is_ready(reachable(listening))).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("not ready".into()),
        Ok(Err(error)) => Err(error.into()),
        Err(_elapsed) => Err("no answer in time".into()),
    }
}

/// Who listens on all addresses is found on this machine's own.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let own: IpAddr = match listening.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(own, listening.port())
}

async fn is_ready(address: SocketAddr) -> io::Result<bool> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(REQUEST).await?;
    let mut beginning = [0; READY.len()];
    connection.read_exact(&mut beginning).await?;
    Ok(beginning == READY)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn against(answer: &'static str) -> Result<(), StartError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = [0; REQUEST.len()];
            client.read_exact(&mut request).await.unwrap();
            client.write_all(answer.as_bytes()).await.unwrap();
        });
        run(address).await
    }

    #[tokio::test]
    async fn only_who_is_ready_is_well() {
        assert!(against("HTTP/1.1 200 OK\r\n\r\n{}").await.is_ok());
        let refused = against("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        assert_eq!(refused.unwrap_err().to_string(), "not ready");
        assert!(against("HTTP/1.1").await.is_err());
    }

    #[tokio::test]
    async fn nobody_there_is_not_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(run(address).await.is_err());
    }

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        let asked = |listening: &str| reachable(listening.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(asked("[::]:8000"), "[::1]:8000");
        assert_eq!(asked("10.0.0.1:8000"), "10.0.0.1:8000");
    }
}
