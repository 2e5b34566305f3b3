//! `worker backups`: which backups there are, here or as copies in another store.

use clap::Args;
use platform::config::Config;
use serde_json::json;
use worker::{
    backup::{copies, list},
    service::StartError,
};

use super::{
    backup::{exit, setup},
    say,
    table::say_table,
};

/// Which ones, and how they are told.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The copies in the store that GOLDSHOP_BACKUP__COPY_BUCKET names.
    #[arg(long)]
    remote: bool,
    /// Say them as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Lists them, oldest first, also those that are not whole.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let Arguments { remote, json } = arguments;
    let setup = setup(config)?;
    let found = if remote {
        copies::list(&setup).await
    } else {
        list::here(&setup)
    };
    let found = found.map_err(exit)?;
    if json {
        let backups: Vec<_> = found.iter().map(as_json).collect();
        say(&json!({ "backups": backups }).to_string());
        return Ok(());
    }
    let rows: Vec<_> = found.iter().map(row).collect();
    say_table(["BACKUP", "BEGUN", "BYTES", "PARENT", "STATE"], &rows);
    Ok(())
}

fn as_json(found: &list::Found) -> serde_json::Value {
    let manifest = found.manifest.as_ref();
    json!({
        "backup": found.name,
        "createdAt": manifest.map(|manifest| manifest.created_at),
        "bytes": manifest.map(|manifest| manifest.bytes()),
        "parent": manifest.and_then(|manifest| manifest.parent.as_ref()),
        "fault": found.fault,
    })
}

fn row(found: &list::Found) -> [String; 5] {
    let cell = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let manifest = found.manifest.as_ref();
    [
        found.name.clone(),
        cell(manifest.map(|manifest| manifest.created_at.format("%F %T").to_string())),
        cell(manifest.map(|manifest| manifest.bytes().to_string())),
        cell(manifest.and_then(|manifest| manifest.parent.clone())),
        found.fault.clone().unwrap_or_else(|| "whole".to_owned()),
    ]
}
