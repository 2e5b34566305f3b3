//! `worker schedules`: what is done by itself, for whoever is at the machine.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use domain::{
    Domain, Viewer,
    page::PageArgs,
    schedule::{Firing, Schedule},
};
use platform::config::Config;
use serde_json::{Value, json};
use worker::service::{StartError, context};

use super::{
    say,
    tell::{done, table},
};

/// How many times to come, and how many that have come, are shown.
const SHOWN: i32 = 5;

/// What is to be done with schedules.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Say it as JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List all.
    List,
    /// Show one, with its next times and its last ones.
    Show(Target),
    /// Let one rest.
    Pause(Target),
    /// Let one go on.
    Resume(Target),
    /// Do it now, beside its times.
    Run(Target),
}

#[derive(Args)]
struct Target {
    /// Which one: its name, as the list has it.
    name: String,
}

/// Does it.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let Arguments {
        json: as_json,
        command,
    } = arguments;
    let domain = context(config)?.domain;
    let viewer = Viewer::system("command line");
    let (schedules, by) = (domain.schedules(), &viewer);
    match command {
        Command::List => list(&done(schedules.all(by).await)?, as_json),
        Command::Show(target) => {
            let schedule = find(&domain, by, &target).await?;
            show(&domain, by, &schedule, as_json).await?;
        }
        Command::Pause(target) => {
            let id = find(&domain, by, &target).await?.row.id;
            let schedule = done(schedules.enable(by, id, false, None, None).await)?;
            list(&[schedule], as_json);
        }
        Command::Resume(target) => {
            let id = find(&domain, by, &target).await?.row.id;
            let schedule = done(schedules.enable(by, id, true, None, None).await)?;
            list(&[schedule], as_json);
        }
        Command::Run(target) => {
            let id = find(&domain, by, &target).await?.row.id;
            let (_, job) = done(schedules.run_now(by, id, None).await)?;
            if as_json {
                say(&json!({ "job": job }).to_string());
            } else {
                say(&format!("job {job}"));
            }
        }
    }
    Ok(())
}

async fn find(domain: &Domain, viewer: &Viewer, target: &Target) -> Result<Schedule, StartError> {
    let all = done(domain.schedules().all(viewer).await)?;
    let found = all
        .into_iter()
        .find(|schedule| schedule.row.name == target.name);
    found.ok_or_else(|| format!("there is no schedule {:?}", target.name).into())
}

fn list(schedules: &[Schedule], as_json: bool) {
    if as_json {
        let all: Vec<_> = schedules.iter().map(as_value).collect();
        say(&Value::from(all).to_string());
        return;
    }
    let rows = schedules.iter().map(|schedule| {
        let row = &schedule.row;
        [
            row.name.clone(),
            row.cron.clone(),
            schedule.zone.clone(),
            moment(
                schedule.next_at,
                if row.enabled { "soon" } else { "paused" },
            ),
            moment(schedule.last_tick, "never"),
        ]
    });
    table(["NAME", "CRON", "TIME ZONE", "NEXT", "LAST"], rows);
}

async fn show(
    domain: &Domain,
    viewer: &Viewer,
    schedule: &Schedule,
    as_json: bool,
) -> Result<(), StartError> {
    let schedules = domain.schedules();
    let next = done(schedules.upcoming(schedule, SHOWN))?;
    let args = PageArgs {
        first: Some(SHOWN),
        ..PageArgs::default()
    };
    let page = done(schedules.firings(viewer, schedule.row.id, &args).await)?;
    let last: Vec<Firing> = page.edges.into_iter().map(|(_, firing)| firing).collect();
    if as_json {
        let mut value = as_value(schedule);
        value["next_runs"] = json!(next);
        value["firings"] = json!(last);
        say(&value.to_string());
        return Ok(());
    }
    list(std::slice::from_ref(schedule), false);
    for time in next {
        say(&format!("comes {}", time.to_rfc3339()));
    }
    let rows = last.into_iter().map(|firing| {
        [
            firing.tick.to_rfc3339(),
            format!("{:?}", firing.outcome).to_lowercase(),
            firing.job_id.map_or_else(String::new, |id| id.to_string()),
            moment(firing.missed_since, ""),
        ]
    });
    table(["CAME", "OUTCOME", "JOB", "MISSED SINCE"], rows);
    Ok(())
}

fn as_value(schedule: &Schedule) -> Value {
    let row = &schedule.row;
    json!({
        "id": row.id,
        "name": row.name,
        "cron": row.cron,
        "time_zone": schedule.zone,
        "errand": row.errand,
        "enabled": row.enabled,
        "when_missed": row.when_missed,
        "allow_overlap": row.allow_overlap,
        "next_at": schedule.next_at,
        "last_tick": schedule.last_tick,
        "last_job": schedule.last_job_id,
    })
}

fn moment(time: Option<DateTime<Utc>>, otherwise: &str) -> String {
    time.map_or_else(|| otherwise.to_owned(), |time| time.to_rfc3339())
}
