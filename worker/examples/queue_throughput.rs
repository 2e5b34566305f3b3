//! Measures how fast the queue takes and runs tasks that do nothing.
//!
//! `REDIS_URL=redis://127.0.0.1 cargo run --release -p worker --example queue_throughput -- [tasks] [concurrency]`
//!
//! It uses a queue of its own under the prefix `throughput` and leaves nothing behind but counters.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::{BoxDynError, Data, WorkerBuilder, WorkerBuilderExt, WorkerError};
use uuid::Uuid;
use worker::queue::{NewTask, Queue, Settings};

async fn count(_payload: u64, done: Data<Arc<AtomicU64>>) {
    done.fetch_add(1, Ordering::Relaxed);
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let concurrency: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let client = redis::Client::open(std::env::var("REDIS_URL")?)?;
    let queue = Queue::new(client, "throughput", "jobs")?;

    let start = Instant::now();
    push(&queue, tasks).await?;
    report("pushed", tasks, start.elapsed());

    let start = Instant::now();
    run(&queue, tasks, concurrency).await?;
    report("ran and acknowledged", tasks, start.elapsed());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "any unique id will do")]
async fn push(queue: &Queue, tasks: u64) -> Result<(), BoxDynError> {
    let tasks: Vec<NewTask<u64>> = (0..tasks)
        .map(|payload| NewTask {
            id: Uuid::now_v7(),
            payload,
            run_at: None,
            priority: 0,
            max_attempts: 3,
        })
        .collect();
    queue.push(&tasks).await?;
    Ok(())
}

async fn run(queue: &Queue, tasks: u64, concurrency: usize) -> Result<(), BoxDynError> {
    let settings = Settings {
        concurrency,
        retention: Duration::from_secs(1),
        ..Settings::default()
    };
    let done = Arc::new(AtomicU64::new(0));
    let all_done = {
        let done = Arc::clone(&done);
        async move {
            while done.load(Ordering::Relaxed) < tasks {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok::<(), WorkerError>(())
        }
    };
    WorkerBuilder::new("throughput")
        .backend(queue.backend::<u64>(settings)?)
        .data(done)
        .catch_panic()
        .concurrency(concurrency)
        .build(count)
        .run_until(all_done)
        .await?;
    Ok(())
}

fn report(what: &str, tasks: u64, elapsed: Duration) {
    let per_second = u128::from(tasks) * 1000 / elapsed.as_millis().max(1);
    println!("{what} {tasks} tasks in {elapsed:.2?}: {per_second} per second");
}
