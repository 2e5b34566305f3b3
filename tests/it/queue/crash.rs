//! Worker processes that are killed or frozen. The process is this test's own binary, told by the environment
//! to run the same test as a worker.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use apalis::prelude::{BoxDynError, Data, WorkerBuilder, WorkerBuilderExt, WorkerError};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tests::redis::RedisSpace;
use worker::queue::{RedisBackend, Run, Settings};

use super::support::{Act, Job, Rig, quick, task};

const PREFIX: &str = "QUEUE_TEST_WORKER_PREFIX";

fn settings() -> Settings {
    Settings {
        concurrency: 2,
        lease: Duration::from_secs(3),
        ..quick()
    }
}

/// A worker in a process of its own. Killed on drop.
struct Process(Child);

impl Process {
    fn start(rig: &Rig) -> Self {
        let this_test = std::thread::current().name().unwrap().to_owned();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &this_test, "--nocapture"])
            .env(PREFIX, rig.space.prefix())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In the child process: works for ever and never returns. In the test itself: does nothing.
async fn be_a_worker_if_told() {
    let Ok(prefix) = std::env::var(PREFIX) else {
        return;
    };
    let rig = Rig::in_space(RedisSpace::with_prefix(
        &std::env::var("REDIS_URL").unwrap(),
        prefix,
    ));
    let backend: RedisBackend<Job> = rig.queue.backend(settings()).unwrap();
    let diary = Diary::of(&rig).await;
    let worker = WorkerBuilder::new("process")
        .backend(backend)
        .data(diary)
        .catch_panic()
        .concurrency(2)
        .build(handle);
    worker.run_until(for_ever()).await.unwrap();
}

/// Lists in Redis of what started and what ended, for both processes to write and to read.
#[derive(Clone)]
struct Diary {
    connection: MultiplexedConnection,
    key: String,
}

impl Diary {
    async fn of(rig: &Rig) -> Self {
        Self {
            connection: rig.connection().await,
            key: format!("{}:diary", rig.space.prefix()),
        }
    }

    async fn write(&self, kind: &str, job: &Job, run: Run) {
        let entry = format!("{} #{}", job.name, run.attempt);
        let key = format!("{}:{kind}", self.key);
        self.connection
            .clone()
            .rpush::<_, _, ()>(key, entry)
            .await
            .unwrap();
    }

    async fn read(&self, kind: &str) -> Vec<String> {
        let key = format!("{}:{kind}", self.key);
        let mut entries: Vec<String> = self.connection.clone().lrange(key, 0, -1).await.unwrap();
        entries.sort();
        entries
    }
}

async fn handle(job: Job, run: Run, diary: Data<Diary>) -> Result<(), BoxDynError> {
    diary.write("begun", &job, run).await;
    if let Act::Sleep { ms } = job.act {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    diary.write("ended", &job, run).await;
    Ok(())
}

fn for_ever() -> std::future::Pending<Result<(), WorkerError>> {
    std::future::pending()
}

/// Starts a second worker in this process.
fn start_heir(rig: &Rig, diary: Diary) -> tokio::task::JoinHandle<Result<(), WorkerError>> {
    let backend: RedisBackend<Job> = rig.queue.backend(settings()).unwrap();
    let worker = WorkerBuilder::new("heir")
        .backend(backend)
        .data(diary)
        .catch_panic()
        .concurrency(2)
        .build(handle);
    tokio::spawn(worker.run_until(for_ever()))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_only_the_tasks_in_flight_run_again() {
    be_a_worker_if_told().await;
    let rig = Rig::new();
    let diary = Diary::of(&rig).await;
    for name in ["done 1", "done 2", "done 3", "done 4"] {
        rig.push(&[task(name, Act::Succeed)]).await;
    }
    rig.push(&[
        task("cut 1", Act::Sleep { ms: 5000 }),
        task("cut 2", Act::Sleep { ms: 5000 }),
    ])
    .await;
    rig.push(&[task("later", Act::Succeed)]).await;

    let process = Process::start(&rig);
    rig.until("both long tasks have begun", async |_| {
        diary.read("begun").await.len() == 6
    })
    .await;
    rig.until("the short ones are acknowledged", async |rig| {
        rig.stats().await.leased == 2
    })
    .await;
    drop(process);
    let killed = Instant::now();

    let heir = start_heir(&rig, diary.clone());
    rig.until("both are taken over", async |_| {
        diary.read("begun").await.len() == 9
    })
    .await;
    assert!(
        killed.elapsed() < settings().lease + Duration::from_secs(10),
        "{:?}",
        killed.elapsed()
    );
    rig.until_empty().await;
    assert_eq!(
        diary.read("begun").await,
        [
            "cut 1 #1",
            "cut 1 #2",
            "cut 2 #1",
            "cut 2 #2",
            "done 1 #1",
            "done 2 #1",
            "done 3 #1",
            "done 4 #1",
            "later #1"
        ]
    );
    heir.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stalls_past_its_lease_is_fenced() {
    be_a_worker_if_told().await;
    let rig = Rig::new();
    let diary = Diary::of(&rig).await;
    rig.push(&[task("contested", Act::Sleep { ms: 9000 })])
        .await;
    let process = Process::start(&rig);
    rig.until("it has begun", async |_| {
        diary.read("begun").await.len() == 1
    })
    .await;

    process.signal("-STOP");
    let heir = start_heir(&rig, diary.clone());
    rig.until("it is taken over", async |_| {
        diary.read("begun").await.len() == 2
    })
    .await;
    process.signal("-CONT");

    rig.until("the stalled attempt is refused", async |rig| {
        rig.stats().await.fenced == 1
    })
    .await;
    rig.until_empty().await;
    assert_eq!(diary.read("begun").await, ["contested #1", "contested #2"]);
    assert_eq!(diary.read("ended").await, ["contested #2"]);
    assert_eq!(rig.stats().await.dead, 0);
    heir.abort();
}
