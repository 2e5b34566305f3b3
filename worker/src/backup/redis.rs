//! Redis as a file, as its own program writes it, and back: a server of our own reads the file, and what is of this installation is copied from it.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use domain::backup::Part;
use platform::config::ExposeSecret as _;
use redis::{Client, aio::MultiplexedConnection};
use tokio::task::spawn_blocking;

use super::{
    BackupError, Progress, Setup, address,
    part::{PartReader, PartWriter},
    program::{Running, pump},
};

/// What a file of Redis begins with.
const MAGIC: &[u8] = b"REDIS";
/// How much of its beginning is looked at, in bytes.
const HEAD: usize = 64;
/// How many keys are copied at once.
const KEYS: usize = 200;
/// How long a server of our own may take to read its file.
const START_MAX: Duration = Duration::from_secs(300);
/// How often it is looked whether it has.
const START_EVERY: Duration = Duration::from_millis(50);

/// What was dumped.
pub(super) struct Dumped {
    pub(super) part: Part,
    /// Version of Redis, as far as the file says it.
    pub(super) version: Option<String>,
}

/// Writes the file.
///
/// # Errors
/// When anything fails.
pub(super) async fn dump(
    setup: &Setup,
    folder: &Path,
    progress: &Arc<Progress>,
) -> Result<Dumped, BackupError> {
    let (arguments, variables) = address::redis(setup.redis_url.expose_secret())?;
    let mut command = setup.programs.command("redis-cli");
    command
        .args(arguments)
        .args(["--rdb", "-"])
        .env_remove("REDISCLI_AUTH")
        .envs(variables)
        .stdout(Stdio::piped());
    let mut running = Running::start("redis-cli", &mut command)?;
    let from = running.output()?;
    let writer = PartWriter::create(setup, folder, "redis", "redis.rdb", progress)?;
    let written = spawn_blocking(move || write(from, writer));
    let (ended, written) = tokio::join!(running.ended(), written);
    let written = written.map_err(BackupError::of("redis"))?;
    // Without a disk there is no file; that the program has lost its pipe then is no news.
    if written
        .as_ref()
        .is_ok_and(|(_, head)| head.starts_with(MAGIC))
        || written.is_ok()
    {
        ended?;
    }
    let (part, head) = written.map_err(BackupError::of("redis"))?;
    if !head.starts_with(MAGIC) {
        return Err(BackupError::about("redis", "what came is no file of Redis"));
    }
    Ok(Dumped {
        part,
        version: version(&head),
    })
}

fn write(from: impl io::Read, mut writer: PartWriter) -> io::Result<(Part, Vec<u8>)> {
    let mut head = Vec::new();
    pump(from, |piece| {
        let missing = HEAD.saturating_sub(head.len()).min(piece.len());
        head.extend_from_slice(piece.get(..missing).unwrap_or_default());
        writer.write_all(piece)
    })?;
    Ok((writer.finish()?, head))
}

/// The field `redis-ver`: a byte for its length, and the text.
fn version(head: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"redis-ver";
    let at = head.windows(NAME.len()).position(|found| found == NAME)?;
    let (length, rest) = head.get(at + NAME.len()..)?.split_first()?;
    let text = rest.get(..usize::from(*length))?;
    Some(std::str::from_utf8(text).ok()?.to_owned())
}

/// What is wrong with the file; nothing when Redis can read it.
///
/// # Errors
/// When it cannot be looked at.
pub(super) async fn check(
    setup: &Setup,
    folder: &Path,
    part: &Part,
) -> Result<String, BackupError> {
    let server = Server::start(setup, folder, part).await?;
    let mut connection = server.connect(0).await?;
    let info: String = redis::cmd("INFO")
        .arg("keyspace")
        .query_async(&mut connection)
        .await
        .map_err(BackupError::of("redis"))?;
    let databases = info.lines().filter(|line| line.starts_with("db"));
    let databases = databases.collect::<Vec<_>>().join("; ");
    Ok(if databases.is_empty() {
        "no keys".to_owned()
    } else {
        databases
    })
}

/// Puts the keys of this installation back; tells how many there were. Those of queues stay behind: PostgreSQL knows better what is to be done.
///
/// # Errors
/// When there are keys already and nobody has said that they may go, or anything fails.
pub(super) async fn restore(
    setup: &Setup,
    folder: &Path,
    part: &Part,
    overwrite: bool,
) -> Result<u64, BackupError> {
    let url = setup.redis_url.expose_secret();
    let client = Client::open(url)
        .map_err(|_error| BackupError::about("redis", "its address cannot be understood"))?;
    let number = client.get_connection_info().redis_settings().db();
    let mut target = client
        .get_multiplexed_async_connection()
        .await
        .map_err(BackupError::of("redis"))?;
    let (own, queues) = (
        format!("{}:*", setup.redis_prefix),
        format!("{{{}:*", setup.redis_prefix),
    );
    let is_used = each(&mut target, &own, async |_keys| Ok(false)).await? > 0;
    if is_used && !overwrite {
        let why = "Redis has keys of this installation already: say --overwrite to replace them";
        return Err(BackupError::Refused(why.to_owned()));
    }
    let server = Server::start(setup, folder, part).await?;
    let mut source = server.connect(number).await?;
    for pattern in [&own, &queues] {
        let mut deleting = target.clone();
        each(&mut target, pattern, async |keys| {
            redis::cmd("UNLINK")
                .arg(&keys)
                .exec_async(&mut deleting)
                .await?;
            Ok(true)
        })
        .await?;
    }
    let mut reading = source.clone();
    each(&mut source, &own, async |keys| {
        copy(&mut reading, &mut target, &keys).await?;
        Ok(true)
    })
    .await
}

/// Goes through all keys of a pattern, some at a time; as long as it is told to. Tells how many it has met.
async fn each(
    connection: &mut MultiplexedConnection,
    pattern: &str,
    mut take: impl AsyncFnMut(Vec<Vec<u8>>) -> redis::RedisResult<bool>,
) -> Result<u64, BackupError> {
    let (mut cursor, mut met) = (0_u64, 0);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(KEYS);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan
            .query_async(connection)
            .await
            .map_err(BackupError::of("redis"))?;
        met += keys.len() as u64;
        let goes_on = keys.is_empty() || take(keys).await.map_err(BackupError::of("redis"))?;
        cursor = next;
        if cursor == 0 || !goes_on {
            return Ok(met);
        }
    }
}

async fn copy(
    source: &mut MultiplexedConnection,
    target: &mut MultiplexedConnection,
    keys: &[Vec<u8>],
) -> redis::RedisResult<()> {
    let mut asked = redis::pipe();
    for key in keys {
        asked.cmd("DUMP").arg(key).cmd("PTTL").arg(key);
    }
    let found: Vec<redis::Value> = asked.query_async(source).await?;
    let mut put = redis::pipe();
    for (key, found) in keys.iter().zip(found.chunks(2)) {
        // Its time may have ended meanwhile.
        if let [redis::Value::BulkString(value), redis::Value::Int(left)] = found {
            let left = (*left).max(0);
            put.cmd("RESTORE")
                .arg(key)
                .arg(left)
                .arg(value)
                .arg("REPLACE")
                .ignore();
        }
    }
    put.exec_async(target).await
}

/// A server of our own that has read the file. It listens to nobody else, keeps nothing, and ends with this.
struct Server {
    socket: PathBuf,
    _running: Running,
    _folder: Scratch,
}

/// A folder that goes.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "cannot be cleaned up");
        }
    }
}

impl Server {
    async fn start(setup: &Setup, folder: &Path, part: &Part) -> Result<Self, BackupError> {
        let scratch = scratch()?;
        let (reader, path) = (
            PartReader::open(setup, folder, part)?,
            scratch.0.join("dump.rdb"),
        );
        let written = spawn_blocking(move || {
            let mut file = std::fs::File::create_new(path)?;
            pump(reader, |piece| file.write_all(piece))
        });
        written
            .await
            .map_err(BackupError::of("redis"))?
            .map_err(BackupError::of("redis"))?;
        let socket = scratch.0.join("socket");
        let mut command = setup.programs.command("redis-server");
        command
            .args([
                "--port",
                "0",
                "--daemonize",
                "no",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dbfilename",
                "dump.rdb",
                "--databases",
                "128",
            ])
            .args([
                "--dir",
                &scratch.0.to_string_lossy(),
                "--unixsocket",
                &socket.to_string_lossy(),
                "--unixsocketperm",
                "700",
            ])
            .stdout(Stdio::piped());
        let mut running = Running::start("redis-server", &mut command)?;
        let said = running.output()?;
        let said = spawn_blocking(move || {
            let mut last = String::new();
            let all = io::BufReader::new(said);
            io::BufRead::lines(all)
                .map_while(Result::ok)
                .for_each(|line| last = line);
            last
        });
        let server = Self {
            socket,
            _running: running,
            _folder: scratch,
        };
        tokio::select! {
            // It says why before it ends.
            last = said => Err(BackupError::about("redis", format!("the file cannot be read: {}", last.unwrap_or_default()))),
            ready = server.ready() => ready.map(|()| server),
        }
    }

    async fn ready(&self) -> Result<(), BackupError> {
        let ready = async {
            loop {
                if let Ok(mut connection) = self.connect(0).await
                    && redis::cmd("PING").exec_async(&mut connection).await.is_ok()
                {
                    return;
                }
                tokio::time::sleep(START_EVERY).await;
            }
        };
        let ready = tokio::time::timeout(START_MAX, ready).await;
        ready.map_err(|_elapsed| {
            BackupError::about(
                "redis",
                "a server that was to read the file does not answer",
            )
        })
    }

    async fn connect(&self, number: i64) -> Result<MultiplexedConnection, BackupError> {
        let url = format!("redis+unix://{}?db={number}", self.socket.display());
        let client = Client::open(url).map_err(BackupError::of("redis"))?;
        client
            .get_multiplexed_async_connection()
            .await
            .map_err(BackupError::of("redis"))
    }
}

/// A folder that only we can look into, with a short name: the path of a socket may have 107 bytes.
fn scratch() -> Result<Scratch, BackupError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let id = domain::clock::new_id(domain::clock::Clock::now(&domain::clock::SystemClock));
    let path = std::env::temp_dir().join(format!("goldshop-{}", id.simple()));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&path)
        .map_err(BackupError::at(&path))?;
    Ok(Scratch(path))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_is_in_the_head() {
        assert_eq!(
            version(b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits").as_deref(),
            Some("7.0.15")
        );
        assert_eq!(version(b"REDIS0010"), None);
        assert_eq!(version(b"REDIS0010\xfa\x09redis-ver\xff7"), None);
    }
}
