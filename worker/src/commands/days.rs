//! `worker days`: makes the days of time series anew, when they are not what they should be.

use domain::Viewer;
use platform::config::Config;
use worker::service::{StartError, context};

use super::say;

/// Does it. Whoever asks for time series meanwhile gets what there is, and is told that it is not all.
pub(crate) async fn run(config: &Config) -> Result<(), StartError> {
    let domain = context(config)?.domain;
    let viewer = Viewer::system("days");
    domain.series().rebuild(&viewer).await?;
    while domain.series().add(&viewer).await? {}
    say("the days of time series are made anew");
    Ok(())
}
