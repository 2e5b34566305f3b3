//! `worker queues`: how queues stand, and letting them stand still.

use clap::{Args, Subcommand};
use domain::{Viewer, job::QueueStanding};
use platform::{config::Config, presence::Presence, redis::Redis};
use serde_json::json;
use worker::service::{StartError, context};

use super::{
    say,
    table::{say_json, say_table},
};

/// What is to be done with queues.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show how all queues stand, and which workers are at work.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stop a queue: no job of it begins, and what runs comes to its end.
    Pause {
        /// Which queue, such as `media`.
        queue: String,
        /// Why, for others who see it standing still.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a queue go on.
    Resume {
        /// Which queue, such as `media`.
        queue: String,
    },
    /// Try all jobs again that were given up; how many is said.
    Redrive {
        /// Only those of this queue, such as `media`.
        #[arg(long)]
        queue: Option<String>,
        /// Only those of this kind, such as `item.render_code`.
        #[arg(long)]
        kind: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does it.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let domain = context(config)?.domain;
    let (jobs, viewer) = (domain.jobs(), Viewer::system("command line"));
    match arguments.command {
        Command::List { json } => {
            let queues = jobs.queues(&viewer).await?;
            list(&queues, workers(config).await, json)
        }
        Command::Pause { queue, reason } => {
            jobs.pause(&viewer, &queue, reason.as_deref(), None).await?;
            say(&format!("{queue} stands still"));
            Ok(())
        }
        Command::Resume { queue } => {
            jobs.resume(&viewer, &queue, None).await?;
            say(&format!("{queue} goes on"));
            Ok(())
        }
        Command::Redrive { queue, kind, json } => {
            let (mut count, mut has_more) = (0, true);
            while has_more {
                let done = jobs
                    .redrive(&viewer, queue.as_deref(), kind.as_deref(), None)
                    .await?;
                count += done.count;
                has_more = done.has_more;
            }
            if json {
                return say_json(&json!({ "count": count }));
            }
            say(&format!("{count} jobs wait for their turn again"));
            Ok(())
        }
    }
}

/// The workers that are at work; none when Redis does not answer.
async fn workers(config: &Config) -> Option<Vec<String>> {
    let redis = Redis::connect(&config.redis).ok()?;
    let signs = Presence::new(redis).list().await.ok()?;
    Some(signs.into_iter().map(|sign| sign.worker).collect())
}

fn list(
    queues: &[QueueStanding],
    workers: Option<Vec<String>>,
    json: bool,
) -> Result<(), StartError> {
    if json {
        return say_json(&json!({ "queues": queues, "workers": workers }));
    }
    let names = [
        "QUEUE",
        "WAITING",
        "RUNNING",
        "FAILED",
        "DEAD",
        "DONE/MIN",
        "DONE/HOUR",
        "OLDEST",
        "PAUSED",
    ];
    let rows: Vec<_> = queues.iter().map(row).collect();
    say_table(names, &rows);
    match workers {
        Some(workers) => say(&format!("{} workers at work", workers.len())),
        None => say("Redis does not answer: it cannot be told which workers are at work"),
    }
    Ok(())
}

fn row(queue: &QueueStanding) -> [String; 9] {
    let QueueStanding {
        queue,
        waiting,
        running,
        failed,
        dead,
        oldest_at,
        succeeded_minute,
        succeeded_hour,
        died_minute: _,
        died_hour: _,
        paused_at,
        paused_by,
        paused_because,
    } = queue;
    let pause = paused_at.map(|at| {
        let by = paused_by.as_deref().unwrap_or_default();
        let because = paused_because.as_deref().unwrap_or_default();
        format!("{} {by}: {because}", at.to_rfc3339())
    });
    [
        queue.clone(),
        waiting.to_string(),
        running.to_string(),
        failed.to_string(),
        dead.to_string(),
        succeeded_minute.to_string(),
        succeeded_hour.to_string(),
        oldest_at.map_or_else(String::new, |at| at.to_rfc3339()),
        pause.unwrap_or_default(),
    ]
}
