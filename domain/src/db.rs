//! The connection pool, and what its errors mean.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, sqlx};

use crate::error::{Error, Refusal, Result};

/// How long a connection may be idle until it is tried before it is used.
pub(crate) const PING_AFTER: Duration = Duration::from_secs(5);

/// How long a connection may be idle until it is closed.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(600);

/// How long PostgreSQL may take to say that it is there.
const PING_MAX: Duration = Duration::from_secs(2);

/// How long the answer of one connection is believed of the others.
const BELIEVED: Duration = Duration::from_secs(1);

/// How to reach PostgreSQL.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// Shown in `pg_stat_activity`.
    pub application_name: &'static str,
    /// How many connections at most, those that only read included; at least 2.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL works on one statement.
    pub statement_timeout: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            url: _,
            application_name,
            max_connections,
            acquire_timeout,
            statement_timeout,
        } = self;
        f.debug_struct("Settings")
            .field("application_name", application_name)
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("statement_timeout", statement_timeout)
            .finish_non_exhaustive()
    }
}

/// A pool that connects when it is first used, so that a program can start before its database does.
pub(crate) fn pool(settings: &Settings) -> Result<DatabaseConnection> {
    let connect = connect_options(settings)?;
    let pulse = Arc::new(Pulse::default());
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections((settings.max_connections / 2).max(1))
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_MAX)
        // A ping before each use would be a round trip per statement. A connection that has been idle may have been cut off.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > PING_AFTER {
                    ping(connection).await?;
                }
                Ok(true)
            })
        })
        .after_release(move |connection, _| {
            let pulse = Arc::clone(&pulse);
            Box::pin(async move { pulse.take(connection).await })
        })
        .connect_lazy_with(connect);
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// When PostgreSQL last answered.
///
/// sqlx tries every connection that comes back, and waits for the answer without a limit. A connection whose other end vanished without
/// a word would hold its place in the pool until the kernel gives it up, a quarter of an hour later, and a pool full of them would answer
/// nobody. So it is tried here first, with a limit; as long as PostgreSQL is there, once a second is enough.
#[derive(Debug, Default)]
struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    async fn take(&self, connection: &mut sqlx::PgConnection) -> sqlx::Result<bool> {
        if !self.is_fresh() {
            ping(connection).await?;
            *self.last() = Some(Instant::now());
        }
        Ok(true)
    }

    fn is_fresh(&self) -> bool {
        self.last().is_some_and(|last| last.elapsed() < BELIEVED)
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether PostgreSQL still answers over this connection.
pub(crate) async fn ping(connection: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    let answer = tokio::time::timeout(PING_MAX, sqlx::Connection::ping(connection)).await;
    answer.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}

/// Options for one connection.
pub(crate) fn connect_options(settings: &Settings) -> Result<sqlx::postgres::PgConnectOptions> {
    use sqlx::ConnectOptions as _;
    let options: sqlx::postgres::PgConnectOptions = settings
        .url
        .parse()
        .map_err(|_error: sqlx::Error| Error::internal("the database URL cannot be understood"))?;
    let timeout = settings.statement_timeout.as_millis().to_string();
    Ok(options
        .application_name(settings.application_name)
        .options([
            ("statement_timeout", timeout.as_str()),
            // A process that froze or whose machine is gone must not hold its locks for long.
            ("idle_in_transaction_session_timeout", "30s"),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "30s"),
            // Our statements take milliseconds; compiling one takes more.
            ("jit", "off"),
            // A page of an index or a table costs on a solid-state disk, or in memory, what any other page costs.
            ("random_page_cost", "1.1"),
        ])
        .statement_cache_capacity(256)
        .disable_statement_logging())
}

/// Whether trying again later may help: no connection, a server going down or up, a deadlock, a statement over its time.
pub(crate) fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::Database(database)) => {
            database.code().is_some_and(|code| is_transient(&code))
        }
        Some(error) => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_)
        ),
        None => false,
    }
}

/// SQLSTATE classes 08 (connection), 53 (resources), 57 (operator intervention), 40 (rollback); a session that was ended for being idle,
/// a lock that was not to be had, a server that takes no writes just now.
fn is_transient(code: &str) -> bool {
    if matches!(code, "25006" | "25P03" | "55P03") {
        return true;
    }
    ["08", "53", "57", "40"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// The constraint that a statement broke.
pub(crate) fn broken_constraint(error: &DbErr) -> Option<&str> {
    match sqlx_error(error)? {
        sqlx::Error::Database(database) => database.constraint(),
        _ => None,
    }
}

/// The constraint that a statement broke, and the details that were told with it.
pub(crate) fn broken(error: &DbErr) -> Option<(String, Option<String>)> {
    let sqlx::Error::Database(database) = sqlx_error(error)? else {
        return None;
    };
    let postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    let detail = postgres.and_then(|error| error.detail()).map(str::to_owned);
    Some((database.constraint()?.to_owned(), detail))
}

/// Turns a broken constraint into a refusal that a person understands; other errors stay what they are.
pub(crate) fn refuse_if_broken(error: DbErr, refusals: &[(&str, Refusal)]) -> Error {
    let refusal = broken_constraint(&error)
        .and_then(|broken| {
            refusals
                .iter()
                .find(|(constraint, _)| *constraint == broken)
        })
        .map(|(_, refusal)| refusal.clone());
    refusal.map_or_else(|| error.into(), Error::from)
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// An error of a statement that did not go through SeaORM.
pub(crate) fn from_sqlx(error: sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}
