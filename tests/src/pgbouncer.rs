//! A PgBouncer in front of a PostgreSQL server, which gives a connection away after each transaction.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its pooler has to fail the test"
)]

use std::{
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::TcpStream;
use url::Url;

use crate::{
    postgres::{lend, service_user},
    redis::free_port,
    wait::until,
};

/// How long it may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A pooler on a port of its own. Killed on drop.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    process: Child,
    _directory: TempDir,
}

impl PgBouncer {
    /// In front of the server at `url`, into which it logs in as the role in it: with at most `connections` for each database.
    ///
    /// # Panics
    /// When there is no PgBouncer on this machine, or it does not start.
    pub async fn start(url: &str, connections: u32) -> Self {
        let directory = tempfile::tempdir().expect("the directory for temporary files is writable");
        let (port, file) = (free_port(), directory.path().join("pgbouncer.ini"));
        write(&file, &settings(url, port, connections));
        lend(directory.path());
        let mut command = Command::new(program());
        command
            .arg(&file)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // It refuses to run as root.
        if let Some((user, group)) = service_user() {
            command.uid(user).gid(group);
        }
        let process = command.spawn().expect("pgbouncer can be started");
        let bouncer = Self {
            port,
            process,
            _directory: directory,
        };
        until(START_LIMIT, "our own PgBouncer answers", async || {
            TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        bouncer
    }

    /// The address of this database behind it. Everybody is let in, as the role in the address of the server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://anybody@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `docs/operations/scaling.md` tells an operator to set, with nothing else about how connections are used.
fn settings(url: &str, port: u16, connections: u32) -> String {
    let url: Url = url.parse().expect("the address of a database is a URL");
    let host = url.host_str().unwrap_or("127.0.0.1");
    let server = url.port().unwrap_or(5432);
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    format!(
        "[databases]
* = host={host} port={server} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
max_client_conn = 200
pool_mode = transaction
default_pool_size = {connections}
server_reset_query = DEALLOCATE ALL
server_reset_query_always = 1
"
    )
}

/// It has a password in it.
fn write(file: &Path, text: &str) {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .expect("our own folder is writable");
    file.write_all(text.as_bytes())
        .expect("our own folder is writable");
}

/// Where `PGBOUNCER` says, in the path, or where Debian puts it.
fn program() -> PathBuf {
    if let Some(given) = std::env::var_os("PGBOUNCER") {
        return given.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("pgbouncer"));
    let mut all = in_path.chain([PathBuf::from("/usr/sbin/pgbouncer")]);
    all.find(|program| program.is_file())
        .expect("PgBouncer is installed")
}
