//! `worker images`: pictures of items, all at once.

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use domain::{
    Viewer,
    job::{Job, Jobs, State},
};
use entity::id::JobId;
use indicatif::{ProgressBar, ProgressStyle};
use platform::{config::Config, shutdown};
use tokio_util::sync::CancellationToken;
use worker::service::{StartError, context};

use super::{Exit, say, table::say_json};

/// How often is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The exit status of what somebody has taken back.
const CANCELLED: u8 = 4;

/// What is to be done with pictures.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make all renditions anew, and wait until they are made. A worker has to be at work. What is shown stays until there is something new;
    /// Ctrl-C takes the job back, and asking again goes through all pictures from the beginning.
    Regenerate {
        /// Only ask for it, or find it under way, and say which job it is.
        #[arg(long)]
        no_wait: bool,
        /// Say what became of it as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does it; fails unless the job ends well.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<ExitCode, StartError> {
    let Command::Regenerate { no_wait, json } = arguments.command;
    let stop = shutdown::on_signal()?;
    let domain = context(config)?.domain;
    let (jobs, viewer) = (domain.jobs(), Viewer::system("command line"));
    let id = domain.items().regenerate_images(&viewer, None).await?;
    let job = if no_wait {
        jobs.get(&viewer, id).await?
    } else {
        let shown = Shown::start(json);
        let ended = follow(jobs, &viewer, id, &stop, &shown).await;
        shown.end();
        ended?
    };
    if json {
        say_json(&job)?;
    } else {
        say(&line(&job));
    }
    verdict(&job, no_wait)
}

/// Waits for its end. A signal takes it back once, and then its end is waited for, too.
async fn follow(
    jobs: Jobs<'_>,
    viewer: &Viewer,
    id: JobId,
    stop: &CancellationToken,
    shown: &Shown,
) -> Result<Job, StartError> {
    let mut is_taken_back = false;
    loop {
        let job = jobs.get(viewer, id).await?;
        shown.show(&job);
        if job.finished_at.is_some() {
            return Ok(job);
        }
        if stop.is_cancelled() && !is_taken_back {
            is_taken_back = true;
            // When it has ended meanwhile, the next look says how.
            match jobs.cancel(viewer, id, None).await {
                Ok(_) | Err(domain::Error::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if is_taken_back {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            let _stopped = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
        }
    }
}

fn line(job: &Job) -> String {
    let state = match job.state {
        State::Queued => "waits for a worker",
        State::Running => "is being done",
        State::Failed => "has failed and will be tried again",
        State::Succeeded => "is done",
        State::Dead => "was given up",
        State::Cancelled => "was cancelled",
    };
    format!("job {} {state}", job.id)
}

fn verdict(job: &Job, no_wait: bool) -> Result<ExitCode, StartError> {
    match job.state {
        State::Succeeded => Ok(ExitCode::SUCCESS),
        State::Cancelled => Err(Exit::boxed(CANCELLED, "it was cancelled".to_owned())),
        State::Dead => {
            let why = job.error.as_deref().unwrap_or_default();
            Err(format!("it was given up: {why}").into())
        }
        State::Queued | State::Running | State::Failed if no_wait => Ok(ExitCode::SUCCESS),
        State::Queued | State::Running | State::Failed => Err("it has not ended".into()),
    }
}

/// What people see on a terminal while they wait.
struct Shown(Option<ProgressBar>);

impl Shown {
    fn start(json: bool) -> Self {
        if json || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(100);
        if let Ok(style) =
            ProgressStyle::with_template("{elapsed_precise} {bar:40} {percent}% {msg}")
        {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    fn show(&self, job: &Job) {
        if let Some(bar) = &self.0 {
            bar.set_position(u64::try_from(job.progress).unwrap_or_default());
            bar.set_message(match job.state {
                State::Queued => "waits for a worker",
                _ if job.cancel_requested_at.is_some() => "is being cancelled",
                _ => "",
            });
        }
    }

    fn end(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}
