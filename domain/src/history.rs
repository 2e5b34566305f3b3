//! Whether the database is as far as this program needs it.
//!
//! Only what is missing counts. A database that is further has been migrated for the next release, which this one lives with
//! ([ADR 40](../docs/adr/0040-releases-side-by-side.md)).

use sea_orm::ConnectionTrait;

use crate::{error::Result, sql::statement};

/// Where the migrations of this release are registered. Their code is not for programs that serve, so it is their names alone that are taken from
/// there; a second list would be forgotten one day.
const REGISTRY: &str = include_str!("../../migration/src/lib.rs");

/// One row when there is a migration of ours that the database has not had.
const PENDING: &str = "
    SELECT 1 FROM unnest($1::text[]) n (version)
    WHERE NOT EXISTS (SELECT FROM public.seaql_migrations m WHERE m.version = n.version) LIMIT 1";

/// The names of all migrations that this program was built with, oldest first.
pub fn migrations() -> impl Iterator<Item = &'static str> {
    REGISTRY.lines().filter_map(|line| {
        let entry = line.trim().strip_prefix("Box::new(")?;
        entry.strip_suffix("::Migration),")
    })
}

/// Whether the database has had them all. Fails where it has never been migrated.
pub(crate) async fn is_up_to_date(db: &impl ConnectionTrait) -> Result<bool> {
    let names: Vec<String> = migrations().map(str::to_owned).collect();
    let missing = db.query_one_raw(statement(PENDING, [names.into()])).await?;
    Ok(missing.is_none())
}
