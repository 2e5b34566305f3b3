//! Decides about times of schedules that have come. Any number of workers may do so at once.

use std::time::Duration;

use domain::{
    Domain, Viewer,
    schedule::{Firing, Outcome},
};
use entity::id::ScheduleId;
use tokio_util::sync::CancellationToken;

use crate::looks::Looks;

/// How often it is looked for them: nothing has to wake a worker, for what is changed comes a minute later at the earliest.
const EVERY: Duration = Duration::from_secs(1);

/// Looks for them until `stop`. What fails is tried again by the next look, and holds none of the others up.
pub async fn run(domain: Domain, stop: CancellationToken) {
    let viewer = Viewer::system("schedule");
    let mut looks = Looks::new(EVERY, stop);
    while looks.next().await {
        match domain.schedules().due(&viewer).await {
            Ok(due) => {
                for id in due {
                    fire(&domain, &viewer, id).await;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for schedules that are due"),
        }
    }
}

async fn fire(domain: &Domain, viewer: &Viewer, id: ScheduleId) {
    match domain.schedules().fire(viewer, id).await {
        Ok(Some(firing)) => tell(&firing),
        Ok(None) => {}
        Err(error) => tracing::error!(schedule = %id, %error, "cannot do what is due"),
    }
}

fn tell(firing: &Firing) {
    let (schedule, tick) = (firing.schedule_id, firing.tick);
    match firing.outcome {
        Outcome::Fired | Outcome::Requested => tracing::info!(
            %schedule, %tick, job_id = firing.job_id.map(|id| id.to_string()), "a schedule has made a job"
        ),
        Outcome::Missed => {
            tracing::warn!(%schedule, %tick, "nobody was at work when a schedule was due");
        }
        Outcome::Overlapped => {
            tracing::warn!(%schedule, %tick, "a schedule was due while its last job was not finished");
        }
    }
}
