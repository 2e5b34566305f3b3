//! A way to PostgreSQL that writes down every statement that is executed, and that can be cut.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its proxy has to fail the test"
)]

use std::{
    collections::HashMap,
    io,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
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
    /// How often connections have been silenced.
    silenced: Arc<watch::Sender<u32>>,
    accepting: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug, Default)]
struct Record {
    units: Mutex<Vec<Vec<String>>>,
    /// After how many statements the way is cut; 0 when it is not to be.
    fuse: AtomicUsize,
}

/// What was executed, oldest first: single statements, and transactions from `BEGIN` to their end.
type Executed = Arc<Record>;

/// What the server executes at its own pace, when events have been written.
const OF_EVENTS: [&str; 5] = [
    "UPDATE event",
    "FROM event",
    "FROM \"event\"",
    "pg_notify(",
    "LISTEN ",
];

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
        let silenced = Arc::new(watch::Sender::new(0));
        let accepting = tokio::spawn(accept(
            listener,
            target,
            Arc::clone(&executed),
            Arc::clone(&is_open),
            Arc::clone(&silenced),
        ));
        Self {
            url: format!("{before}://{credentials}@127.0.0.1:{port}/{path}"),
            executed,
            is_open,
            silenced,
            accepting,
        }
    }

    /// The same database, through the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has been executed since this was last asked. A transaction counts when it has ended.
    pub fn take(&self) -> Vec<String> {
        self.take_units().concat()
    }

    fn take_units(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.executed.units())
    }

    /// What is executed for this by somebody who asks: what the server does at its own pace is left out.
    pub async fn during<T>(&self, work: impl AsyncFnOnce() -> T) -> Vec<String> {
        self.take_units();
        work().await;
        let is_of_events = |unit: &Vec<String>| {
            unit.iter()
                .any(|sql| OF_EVENTS.iter().any(|text| sql.contains(text)))
        };
        let units = self
            .take_units()
            .into_iter()
            .filter(|unit| !is_of_events(unit));
        units.flatten().collect()
    }

    /// Cuts the way in front of the `count`th statement from now on.
    pub fn cut_before(&self, count: usize) {
        self.executed.fuse.store(count, Ordering::SeqCst);
    }

    /// Ends every connection, and each new one at once, until [`PostgresProxy::mend`].
    pub fn cut(&self) {
        self.is_open.send_replace(false);
    }

    /// Every connection that is open now stays open, and nothing comes through it any more, as when the other machine loses its power.
    /// Later ones work.
    pub fn silence_what_is_open(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.cut_before(0);
        self.is_open.send_replace(true);
    }
}

impl Record {
    fn units(&self) -> MutexGuard<'_, Vec<Vec<String>>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this statement is the one in front of which the way is cut.
    fn burns_down(&self) -> bool {
        let before = self
            .fuse
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        before == Ok(1)
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
    silenced: Arc<watch::Sender<u32>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        let mut open = is_open.subscribe();
        if *open.borrow()
            && let Ok(far) = TcpStream::connect(&target).await
        {
            let (executed, is_open) = (Arc::clone(&executed), Arc::clone(&is_open));
            let mut silenced = silenced.subscribe();
            tokio::spawn(async move {
                // Kept when the select is over: a connection that fell silent stays open.
                let mut forwarding = pin!(forward(near, far, executed, is_open));
                let is_silenced = tokio::select! {
                    _ = &mut forwarding => false,
                    () = async { drop(open.wait_for(|open| !open).await) } => false,
                    silenced = silenced.changed() => silenced.is_ok(),
                };
                if is_silenced {
                    std::future::pending::<()>().await;
                }
            });
        }
    }
}

async fn forward(
    near: TcpStream,
    far: TcpStream,
    executed: Executed,
    is_open: Arc<watch::Sender<bool>>,
) -> io::Result<()> {
    // Messages are written in pieces: without this each statement waits 40 ms for an acknowledgement.
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((from_client, mut to_client), (mut from_server, to_server)) =
        (near.into_split(), far.into_split());
    tokio::select! {
        done = listen_in(from_client, to_server, &executed, &is_open) => done,
        done = copy(&mut from_server, &mut to_client) => done.map(drop),
    }
}

/// Passes messages on, one by one, as <https://www.postgresql.org/docs/current/protocol-message-formats.html> describes them.
async fn listen_in(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    executed: &Record,
    is_open: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut statements = Statements::default();
    pass_greeting(&mut client, &mut server).await?;
    loop {
        let kind = client.read_u8().await?;
        let body = read_body(&mut client).await?;
        if let Some(sql) = statements.executed(kind, &body) {
            if executed.burns_down() {
                is_open.send_replace(false);
                return Ok(());
            }
            executed.units().extend(statements.end_unit(sql));
        }
        server.write_u8(kind).await?;
        write_body(&mut server, &body).await?;
    }
}

/// The first message has no kind. A client that would like TLS or GSSAPI says so first, and then begins again.
async fn pass_greeting(client: &mut OwnedReadHalf, server: &mut OwnedWriteHalf) -> io::Result<()> {
    const WISHES: [u32; 2] = [80_877_103, 80_877_104];
    loop {
        let body = read_body(client).await?;
        write_body(server, &body).await?;
        if !WISHES
            .iter()
            .any(|wish| body.starts_with(&wish.to_be_bytes()))
        {
            return Ok(());
        }
    }
}

async fn read_body(client: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = usize::try_from(client.read_u32().await?).map_err(io::Error::other)?;
    let mut body = vec![0; length.saturating_sub(4)];
    client.read_exact(&mut body).await?;
    Ok(body)
}

async fn write_body(server: &mut OwnedWriteHalf, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    server.write_u32(length).await?;
    server.write_all(body).await
}

/// What one connection has prepared, bound last, and executed in a transaction that has not ended.
#[derive(Default)]
struct Statements {
    prepared: HashMap<String, String>,
    bound: String,
    transaction: Vec<String>,
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

    /// The statement, or the transaction that it ends.
    fn end_unit(&mut self, sql: String) -> Option<Vec<String>> {
        let ends = ["COMMIT", "ROLLBACK"].contains(&sql.as_str());
        if sql == "BEGIN" || !self.transaction.is_empty() {
            self.transaction.push(sql);
            ends.then(|| std::mem::take(&mut self.transaction))
        } else {
            Some(vec![sql])
        }
    }
}
