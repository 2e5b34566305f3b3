//! A PostgreSQL server for one test, to be stopped and started.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its server has to fail the test"
)]

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::{
    database::{as_owner, owner_url, role_in, server_url},
    wait::until,
};

/// How long the server may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A server on a port of its own with a migrated database. Killed on drop, its data removed.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    directory: TempDir,
    port: u16,
    process: Option<Child>,
    settings: Vec<String>,
}

/// What replicas are sent is kept while they are away.
const REPLICATED: [&str; 4] = [
    "fsync=off",
    "wal_level=replica",
    "max_wal_senders=4",
    "wal_keep_size=128MB",
];

/// Nothing here needs to survive the machine.
const QUICK: [&str; 3] = ["fsync=off", "wal_level=minimal", "max_wal_senders=0"];

impl PostgresServer {
    /// Creates a cluster, starts it and migrates its database.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn start() -> Self {
        Self::with_settings(&QUICK).await
    }

    /// The same, with these settings (`name=value`) and no others.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn with_settings(settings: &[&str]) -> Self {
        let mut server = Self::new(settings);
        server.create_cluster();
        server.resume().await;
        server.migrate().await;
        server
    }

    /// A server that may have replicas.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn with_replicas() -> Self {
        Self::with_settings(&REPLICATED).await
    }

    /// A streaming replica of this server, which must be one that may have them.
    ///
    /// # Panics
    /// When it cannot be copied, or the copy does not start.
    pub async fn replica(&self) -> Self {
        let mut replica = Self::new(&REPLICATED);
        lend(replica.directory.path());
        let mut command = replica.command("pg_basebackup");
        command.args(["--host", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--username", &role_in(&owner_url()), "--no-password"]);
        command.args(["--write-recovery-conf", "--wal-method", "stream"]);
        command.args(["--checkpoint", "fast", "--no-sync"]);
        let status = command
            .arg("--pgdata")
            .arg(replica.data())
            .status()
            .expect("pg_basebackup can be started");
        assert!(
            status.success(),
            "pg_basebackup failed in {}",
            replica.data().display()
        );
        replica.resume().await;
        replica
    }

    /// A server on a cluster that `fill` puts into an empty folder, such as one that is to be recovered.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub async fn on_cluster(fill: impl FnOnce(&Path)) -> Self {
        let mut server = Self::new(&["fsync=off"]);
        let data = server.data();
        std::fs::create_dir(&data).expect("the directory for temporary files is writable");
        fill(&data);
        lend(server.directory.path());
        server.resume().await;
        server
    }

    fn new(settings: &[&str]) -> Self {
        Self {
            programs: programs(),
            directory: tempfile::tempdir().expect("the directory for temporary files is writable"),
            port: crate::redis::free_port(),
            process: None,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
        }
    }

    /// The port that it listens on, of the loopback interface.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of its database for the application's role; it stays the same over restarts. The roles are called as those of the
    /// run are, and everybody is trusted.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(&role_in(&server_url()))
    }

    fn url_of(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/postgres", self.port)
    }

    async fn migrate(&self) {
        let (owner, role) = (as_owner(&self.url()), role_in(&server_url()));
        let mut admin = PgConnection::connect(&owner)
            .await
            .expect("our own PostgreSQL answers");
        admin
            .execute(AssertSqlSafe(format!("CREATE ROLE \"{role}\" LOGIN")))
            .await
            .expect("the owner of a cluster may create roles");
        migration::locked::up(&owner, &role)
            .await
            .expect("the migrations succeed on an empty database");
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.end("-QUIT");
    }

    /// Stops the server as an operator would: connections are cut, what was committed stays.
    pub fn stop(&mut self) {
        self.end("-INT");
    }

    /// Starts the server again and waits until it answers.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn resume(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        command.args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.process = Some(command.spawn().expect("postgres can be started"));
        let url = self.url_of(&role_in(&owner_url()));
        until(
            START_LIMIT,
            "our own PostgreSQL answers",
            async || match PgConnection::connect(&url).await {
                Ok(connection) => connection.close().await.is_ok(),
                Err(_) => false,
            },
        )
        .await;
    }

    fn create_cluster(&self) {
        if let Some((user, group)) = service_user() {
            chown(self.directory.path(), Some(user), Some(group))
                .expect("root may give a directory away");
        }
        let mut command = self.command("initdb");
        command.args([
            "--auth",
            "trust",
            "--username",
            &role_in(&owner_url()),
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-sync",
        ]);
        let status = command
            .arg("--pgdata")
            .arg(self.data())
            .status()
            .expect("initdb can be started");
        assert!(
            status.success(),
            "initdb failed in {}",
            self.data().display()
        );
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((user, group)) = service_user() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Kills the first process as the kernel would: none of those it has started has time to say anything.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill_hard(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("our own process can be killed");
        process.wait().expect("what was killed has ended");
        // Those notice by themselves; until then nobody may start on their data.
        let data = self.data().canonicalize().expect("its data is there");
        until(START_LIMIT, "nobody is left of the server", async || {
            !is_anybody_in(&data)
        })
        .await;
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself, and then there is nothing to end.
            let _ = Command::new("kill")
                .args([signal, &process.id().to_string()])
                .status();
            let _ = process.wait();
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process works in this folder, as all of a server work in the one with its data.
fn is_anybody_in(folder: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").expect("the kernel tells of its processes");
    processes
        .filter_map(|process| std::fs::read_link(process.ok()?.path().join("cwd")).ok())
        .any(|working| working == folder)
}

/// Gives a folder and all that is in it to the account that PostgreSQL runs as.
///
/// # Panics
/// When we are root and may not.
pub fn lend(folder: &Path) {
    let Some((user, group)) = service_user() else {
        return;
    };
    let given = Command::new("chown")
        .args(["-R", &format!("{user}:{group}")])
        .arg(folder)
        .status();
    assert!(
        given.is_ok_and(|status| status.success()),
        "root may give {} away",
        folder.display()
    );
}

/// Where `initdb` and `postgres` are: where `PG_BIN` says, in the path, or where Debian puts the newest.
fn programs() -> PathBuf {
    if let Some(given) = std::env::var_os("PG_BIN") {
        return given.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|directory| has_programs(directory));
    in_path.or_else(of_debian).expect("PostgreSQL is installed")
}

fn has_programs(directory: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|name| directory.join(name).is_file())
}

fn of_debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let directories = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    directories
        .filter(|directory| has_programs(directory))
        .max()
}

/// The account that root lends PostgreSQL; none when we are not root.
pub(crate) fn service_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let own = std::fs::metadata("/proc/self").ok()?.uid();
    if own != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| account(&accounts, name))
}

fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let fields = fields.find(|fields| fields.len() > 3 && fields[0] == name)?;
    Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
}
