//! The connections that use cases work over, and what their errors mean.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, IsolationLevel, QueryResult, RuntimeErr, SqlxPostgresConnector, Statement,
    TransactionTrait as _, sqlx,
};

use crate::{
    error::{Error, Refusal, Result},
    observe::{self, Observer, PoolStanding},
};

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
    /// Whether a pooler stands at `url` and at the replicas, which keeps a connection of PostgreSQL's for no longer than a transaction.
    pub transaction_pooling: bool,
    /// Where PostgreSQL itself is, for listening; none when `url` says that already.
    pub direct_url: Option<String>,
    /// Replicas that queries may read from.
    pub read_urls: Vec<String>,
    /// How old the oldest write may be that a replica lacks; no longer than [`LAG_MAX`](crate::replica::LAG_MAX).
    pub replica_lag_max: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            url: _,
            application_name,
            max_connections,
            acquire_timeout,
            statement_timeout,
            transaction_pooling,
            direct_url: _,
            read_urls,
            replica_lag_max,
        } = self;
        f.debug_struct("Settings")
            .field("application_name", application_name)
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("statement_timeout", statement_timeout)
            .field("transaction_pooling", transaction_pooling)
            .field("replicas", &read_urls.len())
            .field("replica_lag_max", replica_lag_max)
            .finish_non_exhaustive()
    }
}

/// What every session of ours is set to, beside the time that a statement may take.
const SESSION: [(&str, &str); 3] = [
    // A process that froze or whose machine is gone must not hold its locks for long.
    ("idle_in_transaction_session_timeout", "30s"),
    // Our statements take milliseconds; compiling one takes more.
    ("jit", "off"),
    // A page of an index or a table costs on a solid-state disk, or in memory, what any other page costs.
    ("random_page_cost", "1.1"),
];

/// How the kernel finds out that the other end is gone. PostgreSQL refuses these where they cannot be had.
const KEEPALIVE: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "30s"),
];

/// What use cases work over: a pool for transactions, and for statements that are one by themselves.
///
/// Behind a pooler nothing outlasts a transaction: what is set at the beginning of a session is set in each transaction instead, and a
/// statement that would be one by itself gets one around it. For sqlx sends a statement to be parsed, waits, and only then sends the values:
/// without a transaction these are two, and the second may come to somebody else's connection.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    pool: DatabaseConnection,
    /// What each transaction begins with behind a pooler.
    settles: Option<Arc<str>>,
}

impl Db {
    /// Connects when it is first used, so that a program can start before its database does.
    pub(crate) fn new(settings: &Settings, observer: &Observer) -> Result<Self> {
        let mut pool = pool(settings)?;
        observer.watch(&mut pool, observe::Pool::Writes);
        Ok(Self {
            pool,
            settles: settings.transaction_pooling.then(|| settled(settings)),
        })
    }

    pub(crate) async fn begin(&self) -> std::result::Result<DatabaseTransaction, DbErr> {
        self.settle(self.pool.begin().await?).await
    }

    pub(crate) async fn begin_with_config(
        &self,
        isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> std::result::Result<DatabaseTransaction, DbErr> {
        self.settle(self.pool.begin_with_config(isolation, access).await?)
            .await
    }

    pub(crate) async fn ping(&self) -> std::result::Result<(), DbErr> {
        self.pool.ping().await
    }

    pub(crate) async fn close(self) -> std::result::Result<(), DbErr> {
        self.pool.close().await
    }

    /// How the pool stands.
    pub(crate) fn standing(&self) -> PoolStanding {
        let pool = self.pool.get_postgres_connection_pool();
        PoolStanding {
            pool: observe::Pool::Writes,
            max: pool.options().get_max_connections(),
            open: pool.size(),
            idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
            waits: None,
        }
    }

    async fn settle(
        &self,
        tx: DatabaseTransaction,
    ) -> std::result::Result<DatabaseTransaction, DbErr> {
        if let Some(settings) = &self.settles {
            tx.execute_unprepared(settings).await?;
        }
        Ok(tx)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> std::result::Result<ExecResult, DbErr> {
        if self.settles.is_none() {
            return self.pool.execute_raw(statement).await;
        }
        let tx = self.begin().await?;
        let done = tx.execute_raw(statement).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> std::result::Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(
        &self,
        statement: Statement,
    ) -> std::result::Result<Option<QueryResult>, DbErr> {
        if self.settles.is_none() {
            return self.pool.query_one_raw(statement).await;
        }
        let tx = self.begin().await?;
        let row = tx.query_one_raw(statement).await?;
        tx.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(
        &self,
        statement: Statement,
    ) -> std::result::Result<Vec<QueryResult>, DbErr> {
        if self.settles.is_none() {
            return self.pool.query_all_raw(statement).await;
        }
        let tx = self.begin().await?;
        let rows = tx.query_all_raw(statement).await?;
        tx.commit().await?;
        Ok(rows)
    }
}

/// The settings of a session as statements that hold for one transaction.
pub(crate) fn settled(settings: &Settings) -> Arc<str> {
    let timeout = settings.statement_timeout.as_millis();
    let mut text = format!("SET LOCAL statement_timeout = {timeout}");
    for (name, value) in SESSION {
        text.push_str(&format!("; SET LOCAL {name} = '{value}'"));
    }
    text.into()
}

fn pool(settings: &Settings) -> Result<DatabaseConnection> {
    let connect = connect_options(settings, &settings.url)?;
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

/// Options for one connection to this address, at which the pooler stands if there is one.
pub(crate) fn connect_options(
    settings: &Settings,
    url: &str,
) -> Result<sqlx::postgres::PgConnectOptions> {
    if settings.transaction_pooling {
        // A pooler refuses settings of a session, and what was prepared stays with a connection that is somebody else's next time.
        return Ok(options(settings, url)?
            .extra_float_digits(None::<i8>)
            .statement_cache_capacity(0));
    }
    session_options(settings, url)
}

/// Options for one connection of PostgreSQL's own, which stays the same for as long as it is open.
pub(crate) fn direct_options(settings: &Settings) -> Result<sqlx::postgres::PgConnectOptions> {
    let url = settings.direct_url.as_deref().unwrap_or(&settings.url);
    session_options(settings, url)
}

fn session_options(settings: &Settings, url: &str) -> Result<sqlx::postgres::PgConnectOptions> {
    let timeout = settings.statement_timeout.as_millis().to_string();
    Ok(options(settings, url)?
        .options([("statement_timeout", timeout.as_str())])
        .options(SESSION)
        .options(KEEPALIVE)
        .statement_cache_capacity(256))
}

fn options(settings: &Settings, url: &str) -> Result<sqlx::postgres::PgConnectOptions> {
    use sqlx::ConnectOptions as _;
    let options: sqlx::postgres::PgConnectOptions = url
        .parse()
        .map_err(|_error: sqlx::Error| Error::internal("the database URL cannot be understood"))?;
    Ok(options
        .application_name(settings.application_name)
        .disable_statement_logging())
}

/// Whether a statement took longer than it may.
pub(crate) fn is_over_its_time(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(database)) => {
            database.code().is_some_and(|code| code == "57014")
        }
        _ => false,
    }
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
