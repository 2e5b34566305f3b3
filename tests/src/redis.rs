//! Redis for tests: a key prefix of one's own on the shared server, and whole servers of one's own to break.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its server has to fail the test"
)]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Client, RedisResult};
use uuid::Uuid;

/// How long a server of our own may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A prefix on a Redis server that no other test uses. Every key that contains it is deleted on drop.
#[derive(Debug)]
pub struct RedisSpace {
    url: String,
    client: Client,
    prefix: String,
}

impl RedisSpace {
    /// A space on the shared server of the tests, whose address is in `REDIS_URL`.
    #[must_use]
    pub fn shared() -> Self {
        let url =
            std::env::var("REDIS_URL").expect("REDIS_URL names the Redis server of the tests");
        Self::on(&url)
    }

    /// A space on the server at `url`.
    #[must_use]
    pub fn on(url: &str) -> Self {
        Self::with_prefix(url, format!("test-{}", unique()))
    }

    /// A space that another process has opened: same server, same prefix.
    #[must_use]
    pub fn with_prefix(url: &str, prefix: String) -> Self {
        let client = Client::open(url).expect("the address of Redis is well-formed");
        Self {
            url: url.to_owned(),
            client,
            prefix,
        }
    }

    /// The client of the server.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The prefix that every key of the test has to contain.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The address of the server, with its password: the client's own idea of it would be without.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn delete_keys(&self) -> RedisResult<()> {
        let mut connection = self
            .client
            .get_connection_with_timeout(Duration::from_secs(1))?;
        let mut cursor = 0_u64;
        loop {
            let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(format!("*{}*", self.prefix))
                .arg("COUNT")
                .arg(1000)
                .query(&mut connection)?;
            if !keys.is_empty() {
                redis::cmd("UNLINK").arg(keys).exec(&mut connection)?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

impl Drop for RedisSpace {
    fn drop(&mut self) {
        // The server may be gone on purpose; then so are the keys.
        let _ = self.delete_keys();
    }
}

/// A Redis server for one test, on a free port, that has given every write to the kernel before it answers: its own death
/// loses nothing, and no test waits for a slow disk. Killed on drop.
pub struct RedisServer {
    port: u16,
    directory: PathBuf,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    pub async fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("redis-{}", unique()));
        std::fs::create_dir_all(&directory).expect("the directory for temporary files is writable");
        let mut server = Self {
            port: free_port(),
            directory,
            process: None,
        };
        server.resume().await;
        server
    }

    /// The address of the server; it stays the same over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself, and then there is nothing to kill.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Kills the server and takes away all that it has kept: it comes back empty.
    ///
    /// # Panics
    /// When its files cannot be removed.
    pub fn lose(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.directory).expect("its files are ours");
        std::fs::create_dir_all(&self.directory)
            .expect("the directory for temporary files is writable");
    }

    /// Stops the server's process in its tracks: connections stay open, nothing is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("the server runs");
        let status = Command::new("kill")
            .args([signal, &process.id().to_string()])
            .status();
        assert!(status.expect("kill is installed").success());
    }

    /// Starts the server again with the data it had, and waits until it answers.
    pub async fn resume(&mut self) {
        let program = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let process = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"])
            .arg("--dir")
            .arg(&self.directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.process = Some(process);
        self.wait_until_it_answers().await;
    }

    async fn wait_until_it_answers(&self) {
        let client = Client::open(self.url()).expect("our own address is well-formed");
        let start = Instant::now();
        while !answers(&client).await {
            assert!(
                start.elapsed() < START_LIMIT,
                "redis-server on port {} does not answer",
                self.port
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // What cannot be removed is in the directory for temporary files.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

async fn answers(client: &Client) -> bool {
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return false;
    };
    redis::cmd("PING").exec_async(&mut connection).await.is_ok()
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests that run at the same time must not meet"
)]
fn unique() -> Uuid {
    Uuid::now_v7()
}
