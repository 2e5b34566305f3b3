//! `worker retention`: clears up what is old, or only looks.

use clap::Args;
use domain::{
    Viewer,
    retention::{Outcome, Report},
};
use platform::config::Config;
use serde_json::json;
use worker::{
    jobs::run_retention::clear_up,
    service::{StartError, context},
};

use super::{
    say,
    tell::{done, table},
};

/// How it is done.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only look what would go.
    #[arg(long)]
    dry_run: bool,
    /// Say it as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Does it; fails when everything is held.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let Arguments { dry_run, json } = arguments;
    let context = context(config)?;
    let viewer = Viewer::system("command line");
    let begun = done(context.domain.retention().begin(&viewer, dry_run).await)?;
    let report = clear_up(&context, &viewer, None, begun.id).await?;
    tell(&report, json);
    if report.run.was_held {
        return Err("everything is held: not all was cleared up".into());
    }
    Ok(())
}

fn tell(report: &Report, as_json: bool) {
    let Report { run, outcomes } = report;
    if as_json {
        say(&json!({ "run": run, "outcomes": outcomes }).to_string());
        return;
    }
    let rows = outcomes.iter().map(|outcome| {
        let Outcome {
            run_id: _,
            subject,
            row_count,
            file_count,
            byte_count,
            found_count,
            found_bytes: _,
            older_than,
            oldest_kept,
        } = outcome;
        let day = |time: &Option<chrono::DateTime<chrono::Utc>>| {
            time.map_or_else(|| "-".to_owned(), |time| time.format("%F").to_string())
        };
        [
            format!("{subject:?}"),
            row_count.to_string(),
            file_count.to_string(),
            byte_count.to_string(),
            found_count.to_string(),
            day(older_than),
            day(oldest_kept),
        ]
    });
    let gone = if run.dry_run { "WOULD GO" } else { "GONE" };
    table(
        [
            "SUBJECT",
            gone,
            "FILES",
            "BYTES",
            "FOUND",
            "OLDER THAN",
            "OLDEST KEPT",
        ],
        rows,
    );
}
