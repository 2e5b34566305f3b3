//! Applies migrations while no other program does.
//!
//! SeaORM's migrator takes no lock: two programs that start together on an empty database both create its tables, and one fails.

use std::time::Duration;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr, Statement,
    },
};

use crate::{Migrator, capture, grants};

/// Any number will do, as long as nobody else locks it.
const LOCK: i64 = 0x676f_6c64_7368_6f70;

/// Shops are open meanwhile: whoever wants a table comes behind a migration that waits for it, so it does not wait for long. One that needs
/// longer for a reason says so itself.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '3s'";

/// How often it is tried again after others were in the way, and after how long.
const ATTEMPTS: usize = 30;
const PAUSE: Duration = Duration::from_secs(2);

/// Brings the database at `url` up to date, has changes of its tables kept, grants the application's role what it needs, and tells how many migrations that took.
///
/// # Errors
/// When the database cannot be reached, the role is not there or may do too much, a migration fails, others hold what it needs for minutes, or
/// another program migrates for longer than five.
pub async fn up(url: &str, app_role: &str) -> Result<usize, DbErr> {
    let db = connect(url).await?;
    let pending = async {
        wait_for_lock(&db).await?;
        db.execute_unprepared(LOCK_TIMEOUT).await?;
        // Before anything is changed.
        grants::check(&db, app_role).await?;
        let pending = Migrator::get_pending_migrations(&db).await?.len();
        apply_patiently(&db, app_role).await?;
        Ok(pending)
    }
    .await;
    db.close().await?;
    pending
}

/// What is done already is not done again, so it may be repeated: a migration that gave way is rolled back.
async fn apply_patiently(db: &DatabaseConnection, app_role: &str) -> Result<(), DbErr> {
    for _ in 1..ATTEMPTS {
        match apply(db, app_role).await {
            Err(error) if is_in_the_way(&error) => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
    apply(db, app_role).await
}

async fn apply(db: &DatabaseConnection, app_role: &str) -> Result<(), DbErr> {
    Migrator::up(db, None).await?;
    capture::apply(db).await?;
    grants::apply(db, app_role).await
}

/// Whether somebody else held a lock for too long, or wanted ours while we wanted theirs.
fn is_in_the_way(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(&*code, "55P03" | "40P01"))
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
