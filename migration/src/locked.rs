//! Applies migrations while no other program does.
//!
//! SeaORM's migrator takes no lock: two programs that start together on an empty database both create its tables, and one fails.

use std::time::Duration;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement},
};

use crate::{Migrator, capture, grants};

/// Any number will do, as long as nobody else locks it.
const LOCK: i64 = 0x676f_6c64_7368_6f70;

/// Brings the database at `url` up to date, has changes of its tables kept, grants the application's role what it needs, and tells how many migrations that took.
///
/// # Errors
/// When the database cannot be reached, the role is not there or may do too much, a migration fails, or another program migrates for
/// longer than five minutes.
pub async fn up(url: &str, app_role: &str) -> Result<usize, DbErr> {
    let db = connect(url).await?;
    let pending = async {
        wait_for_lock(&db).await?;
        // Before anything is changed.
        grants::check(&db, app_role).await?;
        let pending = Migrator::get_pending_migrations(&db).await?.len();
        Migrator::up(&db, None).await?;
        capture::apply(&db).await?;
        grants::apply(&db, app_role).await?;
        Ok(pending)
    }
    .await;
    db.close().await?;
    pending
}

/// One connection: the lock belongs to it, and goes with it.
async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(1)
        .max_connections(1)
        .sqlx_logging(false)
        .set_application_name("goldshop-migration");
    Database::connect(options).await
}

/// Polls, and never waits inside PostgreSQL: a session that waits for a lock holds a snapshot, and `CREATE INDEX CONCURRENTLY` of
/// the one that has the lock would wait for that snapshot, for ever.
async fn wait_for_lock(db: &DatabaseConnection) -> Result<(), DbErr> {
    for _ in 0..1500 {
        if try_lock(db).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(DbErr::Custom(
        "another program has been migrating this database for five minutes".into(),
    ))
}

async fn try_lock(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let sql = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT pg_try_advisory_lock($1)",
        [LOCK.into()],
    );
    let row = db.query_one_raw(sql).await?;
    row.ok_or_else(|| DbErr::Custom("no answer from pg_try_advisory_lock".into()))?
        .try_get_by_index(0)
}
