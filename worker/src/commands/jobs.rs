//! `worker jobs`: what operators ask of jobs, and do to them.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand, ValueEnum};
use domain::{
    Viewer,
    filter::TextFilter,
    job::{Job, JobFilter, Jobs, State},
    page::PageArgs,
};
use entity::id::JobId;
use platform::config::Config;
use uuid::Uuid;
use worker::service::{StartError, context};

use super::{
    refused, say,
    table::{say_json, say_table},
};

/// What is to be done with jobs.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List jobs, newest first.
    List(ListArguments),
    /// Show all there is to know of a job.
    Show {
        /// The job, by its UUID, as in logs.
        id: Uuid,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Try jobs again that were given up.
    Retry(ManyArguments),
    /// Cancel jobs that wait, and have those stopped that run.
    Cancel(ManyArguments),
}

#[derive(Args)]
struct ListArguments {
    /// Only jobs that are in this state; may be given several times.
    #[arg(long, value_enum)]
    state: Vec<StateName>,
    /// Only jobs of this kind, such as `item.render_code`.
    #[arg(long)]
    kind: Option<String>,
    /// Only jobs of this queue, such as `media`.
    #[arg(long)]
    queue: Option<String>,
    /// How many, at most 100.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=100))]
    first: i32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ManyArguments {
    /// The jobs, by their UUIDs, as in logs.
    #[arg(required = true)]
    ids: Vec<Uuid>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Where a job is in its life.
#[derive(Clone, Copy, ValueEnum)]
enum StateName {
    Queued,
    Running,
    Succeeded,
    Failed,
    Dead,
    Cancelled,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Queued => Self::Queued,
            StateName::Running => Self::Running,
            StateName::Succeeded => Self::Succeeded,
            StateName::Failed => Self::Failed,
            StateName::Dead => Self::Dead,
            StateName::Cancelled => Self::Cancelled,
        }
    }
}

/// Does it.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<ExitCode, StartError> {
    let domain = context(config)?.domain;
    let (jobs, viewer) = (domain.jobs(), Viewer::system("command line"));
    match arguments.command {
        Command::List(arguments) => list(jobs, &viewer, arguments).await?,
        Command::Show { id, json } => {
            let job = jobs.get(&viewer, JobId(id)).await?;
            if json {
                say_json(&job)?;
            } else {
                let schedule = match job.schedule_id {
                    Some(id) => domain.schedules().find(&viewer, id).await?,
                    None => None,
                };
                show(&job, schedule.map(|schedule| schedule.row.name));
            }
        }
        Command::Retry(ManyArguments { ids, json }) => {
            let retry = async |id| jobs.retry(&viewer, id, None).await;
            return each(&ids, json, retry).await;
        }
        Command::Cancel(ManyArguments { ids, json }) => {
            let cancel = async |id| jobs.cancel(&viewer, id, None).await;
            return each(&ids, json, cancel).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(jobs: Jobs<'_>, viewer: &Viewer, arguments: ListArguments) -> Result<(), StartError> {
    let ListArguments {
        state,
        kind,
        queue,
        first,
        json,
    } = arguments;
    let equal = |text| TextFilter {
        eq: Some(text),
        ..TextFilter::default()
    };
    let states = state.into_iter().map(State::from);
    let filter = JobFilter {
        state_in: Some(states.collect::<Vec<_>>()).filter(|states| !states.is_empty()),
        kind: kind.map(equal),
        queue: queue.map(equal),
        schedule_in: None,
    };
    let args = PageArgs {
        first: Some(first),
        ..PageArgs::default()
    };
    let page = jobs.page(viewer, &filter, &args).await?;
    let rows: Vec<_> = page.edges.into_iter().map(|(_, job)| job).collect();
    if json {
        return say_json(&rows);
    }
    say_jobs(&rows);
    Ok(())
}

/// Does something to each of these jobs. What is refused of one keeps nothing from the others.
async fn each(
    ids: &[Uuid],
    json: bool,
    change: impl AsyncFn(JobId) -> domain::Result<Job>,
) -> Result<ExitCode, StartError> {
    let (mut changed, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for id in ids {
        match change(JobId(*id)).await {
            Ok(job) => changed.push(job),
            Err(error @ domain::Error::Refused(_)) => code = refused(&format!("{id}: "), &error),
            Err(error) => return Err(error.into()),
        }
    }
    if json {
        say_json(&changed)?;
    } else {
        say_jobs(&changed);
    }
    Ok(code)
}

fn say_jobs(jobs: &[Job]) {
    let names = [
        "ID", "KIND", "QUEUE", "STATE", "ATTEMPTS", "DONE", "CREATED", "CAUSE", "ERROR",
    ];
    let rows: Vec<_> = jobs.iter().map(row).collect();
    say_table(names, &rows);
}

fn row(job: &Job) -> [String; 9] {
    let error = job.error.as_deref().unwrap_or_default();
    [
        job.id.to_string(),
        job.kind.clone(),
        job.queue.clone(),
        state(job),
        format!("{}/{}", job.attempts, job.max_attempts),
        format!("{}%", job.progress),
        time(job.created_at),
        cause(job),
        error.lines().next().unwrap_or_default().to_owned(),
    ]
}

/// What caused it, as near as is known: `worker jobs show` has all of it.
fn cause(job: &Job) -> String {
    let schedule = job.schedule_id.map(|id| format!("schedule {id}"));
    let user = job.user_id.map(|id| format!("user {id}"));
    let request = job.request_id.as_ref().map(|id| format!("request {id}"));
    schedule.or(user).or(request).unwrap_or_default()
}

/// As in the database, and as one asks for it here.
fn state(job: &Job) -> String {
    let state = serde_json::to_value(job.state).ok();
    let state = state.as_ref().and_then(|state| state.as_str());
    let state = state.unwrap_or_default();
    if job.state == State::Running && job.cancel_requested_at.is_some() {
        format!("{state}, to be cancelled")
    } else {
        state.to_owned()
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn show(job: &Job, schedule: Option<String>) {
    let Job {
        id,
        kind,
        queue,
        payload,
        state: _,
        attempts,
        max_attempts,
        progress,
        message,
        version: _,
        error,
        result,
        priority,
        unique_key,
        request_id,
        user_id,
        schedule_id,
        tick,
        cancel_requested_at,
        relayed_at,
        created_at,
        started_at,
        finished_at,
    } = job;
    let of = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            say(&format!("{name:15} {value}"));
        }
    };
    of("id", Some(id.to_string()));
    of("kind", Some(kind.clone()));
    of("queue", Some(queue.clone()));
    of("state", Some(state(job)));
    of("attempts", Some(format!("{attempts} of {max_attempts}")));
    of("progress", Some(format!("{progress}%")));
    of("message", message.clone());
    of("error", error.clone());
    of("result", result.as_ref().map(ToString::to_string));
    of("payload", Some(payload.to_string()));
    of("priority", Some(priority.to_string()));
    of("unique key", unique_key.clone());
    of("request", request_id.clone());
    of("user", user_id.map(|id| id.to_string()));
    let name = schedule.map_or_else(String::new, |name| format!(" ({name})"));
    of("schedule", schedule_id.map(|id| format!("{id}{name}")));
    of("tick", tick.map(time));
    of("created", Some(time(*created_at)));
    of("handed over", relayed_at.map(time));
    of("started", started_at.map(time));
    of("to be cancelled", cancel_requested_at.map(time));
    of("finished", finished_at.map(time));
}
