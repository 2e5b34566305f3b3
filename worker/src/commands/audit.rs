//! `worker audit-key` and `worker audit-verify`: the key that signs checkpoints of the trail, and the proof that nothing was changed behind its
//! back.

use std::path::PathBuf;

use clap::Args;
use domain::{
    Viewer,
    trail::{Checkpoints, Finding, Verdict, Verification},
};
use platform::{
    checkpoint::{PublicKey, SigningKey},
    config::Config,
};
use worker::service::{StartError, context};

use super::say;

/// What is compared besides.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A file of checkpoints that the seals are compared with; that of the settings, unless another one is named.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
    /// The file that verifies their signatures: `….pub` beside the key. That of the settings' key, unless another one is named.
    #[arg(long)]
    public_key: Option<PathBuf>,
}

/// Makes the key, unless it is there.
pub(crate) fn make_key(config: &Config) -> Result<(), StartError> {
    let path = config.worker.checkpoint_key_file.as_path();
    if path.as_os_str().is_empty() {
        return Err("worker.checkpoint_key_file names no file".into());
    }
    let key = if path.exists() {
        SigningKey::read(path)?
    } else {
        SigningKey::create(path)?
    };
    say(&format!("key {}: {}", key.public().id(), path.display()));
    Ok(())
}

/// Makes the proof; fails unless everything is as it should be.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let checkpoints = checkpoints(config, arguments)?;
    let domain = context(config)?.domain;
    let viewer = Viewer::system("command line");
    let mut state = Verification::default();
    let trail = domain.trail();
    while !state.is_done() {
        trail.verify_on(&viewer, &mut state, &checkpoints).await?;
    }
    tell(&state);
    match state.verdict() {
        Verdict::Whole => Ok(()),
        Verdict::Uncovered => Err("not everything is covered".into()),
        Verdict::Broken | Verdict::Unfinished => Err("the trail is broken".into()),
    }
}

fn checkpoints(config: &Config, arguments: Arguments) -> Result<Checkpoints, StartError> {
    let settings = &config.worker;
    let file = arguments
        .checkpoints
        .unwrap_or_else(|| settings.checkpoint_file.clone());
    if file.as_os_str().is_empty() {
        say("no checkpoints: seals that are gone from the end of the chain are not missed");
        return Ok(Checkpoints::new());
    }
    let key = match arguments.public_key {
        Some(path) => PublicKey::read(&path)?,
        None => SigningKey::read(&settings.checkpoint_key_file)?.public(),
    };
    Ok(key.checkpoints(&file)?)
}

fn tell(state: &Verification) {
    say(&format!(
        "{} seals, the last of {}; {} checkpoints fit",
        state.seals,
        state
            .sealed_at
            .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339()),
        state.checkpoints
    ));
    say(&format!(
        "{} sealed rows are as they were; {} were retired, {} of them by the policy; {} are not sealed yet",
        state.rows, state.retired, state.retired_by_policy, state.unsealed
    ));
    say(&format!(
        "{} rows are as their last change left them",
        state.present
    ));
    for missing in &state.missing {
        say(&format!("MISSING {}: {}", missing.table, missing.what));
    }
    if let Some(finding) = &state.finding {
        let Finding {
            wrong,
            table,
            key,
            seal,
        } = finding;
        let seal = seal.map_or_else(String::new, |seal| format!(", seal {seal}"));
        say(&format!("{wrong:?} {table} {key}{seal}"));
    }
}
