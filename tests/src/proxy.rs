//! A way to PostgreSQL that writes down every statement that is executed, and that can be cut.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its proxy has to fail the test"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// A proxy in front of a PostgreSQL server. Ends when it is dropped.
#[derive(Debug)]
pub struct PostgresProxy {
    url: String,
    executed: Executed,
    /// Whether connections may be; all that are open end when it becomes false.
    is_open: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

/// The statements that were executed, oldest first.
type Executed = Arc<Mutex<Vec<String>>>;

impl PostgresProxy {
    /// A proxy to the server in `url`.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(url: &str) -> Self {
        let (before, rest) = url.split_once("://").expect("an address has a scheme");
        let (authority, path) = rest.split_once('/').expect("the address names a database");
        let (credentials, target) = authority
            .rsplit_once('@')
            .expect("the address names a role");
        let target = if target.contains(':') {
            target.to_owned()
        } else {
            format!("{target}:5432")
        };
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let (executed, is_open) = (Executed::default(), Arc::new(watch::Sender::new(true)));
        let accepting = tokio::spawn(accept(
            listener,
            target,
            Arc::clone(&executed),
            Arc::clone(&is_open),
        ));
        Self {
            url: format!("{before}://{credentials}@127.0.0.1:{port}/{path}"),
            executed,
            is_open,
            accepting,
        }
    }

    /// The same database, through the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has been executed since this was last asked.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.executed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is executed for this by somebody who asks: what the server does at its own pace is left out.
    pub async fn during<T>(&self, work: impl AsyncFnOnce() -> T) -> Vec<String> {
        let _before = self.take();
        work().await;
        let executed = self.take();
        executed.into_iter().filter(|sql| !sql.contains(" event")).collect()
    }

    /// Ends every connection, and each new one at once, until [`PostgresProxy::mend`].
    pub fn cut(&self) {
        self.is_open.send_replace(false);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for PostgresProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: String,
    executed: Executed,
    is_open: Arc<watch::Sender<bool>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        let mut open = is_open.subscribe();
        if *open.borrow()
            && let Ok(far) = TcpStream::connect(&target).await
        {
            let executed = Arc::clone(&executed);
            tokio::spawn(async move {
                tokio::select! {
                    _ = forward(near, far, executed) => {}
                    _ = open.wait_for(|open| !open) => {}
                }
            });
        }
    }
}

async fn forward(near: TcpStream, far: TcpStream, executed: Executed) -> std::io::Result<()> {
    let ((from_client, mut to_client), (mut from_server, to_server)) =
        (near.into_split(), far.into_split());
    tokio::select! {
        done = listen_in(from_client, to_server, executed) => done,
        done = copy(&mut from_server, &mut to_client) => done.map(drop),
    }
}

/// Passes messages on, one by one, as <https://www.postgresql.org/docs/current/protocol-message-formats.html> describes them.
async fn listen_in(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    executed: Executed,
) -> std::io::Result<()> {
    /// What a client says first when it would like TLS or GSSAPI; then it begins again.
    const WISHES: [u32; 2] = [80_877_103, 80_877_104];
    let mut statements = Statements::default();
    let mut has_begun = false;
    loop {
        let kind = if has_begun {
            Some(client.read_u8().await?)
        } else {
            None
        };
        let length = client.read_u32().await?;
        let mut body = vec![0; (length as usize).saturating_sub(4)];
        client.read_exact(&mut body).await?;
        match kind {
            Some(kind) => {
                if let Some(sql) = statements.executed(kind, &body) {
                    executed
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(sql);
                }
                server.write_u8(kind).await?;
            }
            None => {
                has_begun = !WISHES
                    .iter()
                    .any(|wish| body.starts_with(&wish.to_be_bytes()))
            }
        }
        server.write_u32(length).await?;
        server.write_all(&body).await?;
    }
}

/// What one connection has prepared, and bound last.
#[derive(Default)]
struct Statements {
    prepared: HashMap<String, String>,
    bound: String,
}

impl Statements {
    /// The SQL that this message executes, if it does.
    fn executed(&mut self, kind: u8, body: &[u8]) -> Option<String> {
        let mut texts = body
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned());
        let mut next = || texts.next().unwrap_or_default();
        match kind {
            b'P' => {
                self.prepared.insert(next(), next());
                None
            }
            b'B' => {
                let _portal = next();
                self.bound = next();
                None
            }
            b'E' => self.prepared.get(&self.bound).cloned(),
            b'Q' => Some(next()),
            _ => None,
        }
    }
}
