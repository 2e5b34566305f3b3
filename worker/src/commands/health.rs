//! `worker healthcheck`: whether the worker of this machine is at work. For whoever looks after containers.

use platform::{config::Config, presence::Presence, redis::Redis};
use worker::service::{StartError, names_here};

/// Goes well when a worker of this machine has given a sign of life lately.
pub(crate) async fn run(config: &Config) -> Result<(), StartError> {
    let signs = Presence::new(Redis::connect(&config.redis)?).list().await?;
    let begin = names_here();
    if signs.iter().any(|sign| sign.worker.starts_with(&begin)) {
        Ok(())
    } else {
        Err("no worker of this machine has given a sign of life".into())
    }
}
