//! The connections that single reading statements go over.
//!
//! sqlx's own pool sends a message to PostgreSQL, and waits for the answer, each time a connection comes back: it may hold the rest of a
//! transaction. What reads one statement at a time leaves nothing behind, and with two statements a request those messages were a
//! quarter of all the work. So reads have a pool without them ([ADR 7](../docs/adr/0007-a-pool-for-reads.md)). A connection that was
//! dropped in the middle of a statement, or has met an error of its own, is closed instead of given to the next. PostgreSQL refuses
//! to write over these connections, so that nobody mistakes them for the others.
//!
//! Which server a statement is read from is decided here and nowhere else: it is the primary, unless the domain is one that
//! [`Domain::reading_after`](crate::Domain::reading_after) has given a [`Way`] ([ADR 39](../docs/adr/0039-replicas-and-poolers.md)).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
    sqlx::{
        self, AssertSqlSafe, Connection as _, PgConnection, Postgres,
        postgres::{PgConnectOptions, PgRow},
        query::Query,
    },
};
use sea_query_sqlx::SqlxValues;

use crate::{
    db::{self, PING_AFTER, Settings},
    observe::{self, Observer, PoolStanding, Waits},
    replica::Way,
};

/// Where single statements are read: from the primary, or from the replica that is on the way. Clones share pools and way.
#[derive(Clone)]
pub(crate) struct Reads {
    primary: Pool,
    way: Option<Arc<Way>>,
    keeps_plans: bool,
}

/// How many rows are wanted.
#[derive(Clone, Copy)]
enum Wanted {
    One,
    All,
}

impl Reads {
    /// The primary, to which is connected when it is first used.
    pub(crate) fn new(settings: &Settings, observer: &Observer) -> crate::Result<Self> {
        let primary = Pool::new(settings, &settings.url, settings.acquire_timeout)?;
        Ok(Self {
            primary: primary.told(observe::Pool::Reads, observer),
            way: None,
            keeps_plans: true,
        })
    }

    /// The same, reading from whatever is on this way.
    pub(crate) fn on(&self, way: Way) -> Self {
        Self {
            way: Some(Arc::new(way)),
            ..self.clone()
        }
    }

    /// The same pool, for statements that are planned anew each time. How many rows a filter will find depends on its values, and so does
    /// the best plan; one that is kept for all statements of the same text is made without them.
    pub(crate) fn planned_anew(&self) -> Self {
        Self {
            keeps_plans: false,
            ..self.clone()
        }
    }

    /// How the primary's pool stands.
    pub(crate) fn standing(&self) -> PoolStanding {
        self.primary.standing()
    }

    /// The same for what has to be the newest: whoever is on a way leaves it for good, so that nothing that is read later is older.
    pub(crate) fn newest(&self) -> &Self {
        if let Some(way) = &self.way {
            way.leave();
        }
        self
    }

    /// Reads from the replica on the way, if there is one. What it does not answer, the primary does, which knows more than any replica: only
    /// what has taken too long is not begun once more.
    async fn rows(&self, statement: Statement, wanted: Wanted) -> Result<Vec<PgRow>, DbErr> {
        let keeps_plans = self.keeps_plans;
        if let Some((way, replica)) = self.way.as_ref().and_then(|way| way.replica()) {
            let asked = replica.pool().rows(statement.clone(), keeps_plans, wanted);
            match replica.unless_lost(asked).await {
                Some(Ok(rows)) => return Ok(rows),
                Some(Err(error)) if db::is_over_its_time(&error) => return Err(error),
                Some(Err(error)) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    replica = replica.number(),
                    "a replica has not answered"
                ),
                None => {}
            }
            way.leave();
        }
        self.primary.rows(statement, keeps_plans, wanted).await
    }
}

/// A pool of connections to one server that only read. Clones share it.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: bb8::Pool<Manager>,
    max: u32,
    /// What each statement begins with behind a pooler.
    begins: Option<Arc<str>>,
    /// What the pool is for those who are told of its statements.
    name: observe::Pool,
    observer: Observer,
}

impl Pool {
    /// Connects to this address when it is first used; nobody waits for a connection longer than `patience`.
    pub(crate) fn new(settings: &Settings, url: &str, patience: Duration) -> crate::Result<Self> {
        let options = db::connect_options(settings, url)?;
        let begins: Option<Arc<str>> = settings
            .transaction_pooling
            .then(|| format!("BEGIN READ ONLY; {}", db::settled(settings)).into());
        let options = match &begins {
            Some(_) => options,
            None => options.options([("default_transaction_read_only", "on")]),
        };
        let max = settings.max_connections.div_ceil(2);
        let connections = bb8::Pool::builder()
            .max_size(max)
            // What its process in PostgreSQL had at hand a moment ago, the one that was used last still has.
            .queue_strategy(bb8::QueueStrategy::Lifo)
            .connection_timeout(patience)
            .idle_timeout(Some(db::IDLE_MAX))
            .build_unchecked(Manager(options));
        Ok(Self {
            connections,
            max,
            begins,
            name: observe::Pool::Reads,
            observer: Observer::default(),
        })
    }

    /// The same, and this observer is told of its statements.
    pub(crate) fn told(mut self, name: observe::Pool, observer: &Observer) -> Self {
        self.name = name;
        self.observer = observer.clone();
        self
    }

    pub(crate) fn standing(&self) -> PoolStanding {
        let state = self.connections.state();
        PoolStanding {
            pool: self.name,
            max: self.max,
            open: state.connections,
            idle: state.idle_connections,
            waits: Some(Waits {
                direct: state.statistics.get_direct,
                waited: state.statistics.get_waited,
                timed_out: state.statistics.get_timed_out,
                time: state.statistics.get_wait_time,
            }),
        }
    }

    async fn rows(
        &self,
        statement: Statement,
        keeps_plans: bool,
        wanted: Wanted,
    ) -> Result<Vec<PgRow>, DbErr> {
        let mut connection = self.connection().await?;
        let query = query(statement, keeps_plans && self.begins.is_none());
        let begins = self.begins.clone();
        let rows = connection.during(self.told_of(), async |connection| {
            let is_alone = begin(connection, begins).await?;
            let rows = match wanted {
                Wanted::One => {
                    let row = query.fetch_optional(&mut *connection).await;
                    row.map(|row| row.into_iter().collect())
                }
                Wanted::All => query.fetch_all(&mut *connection).await,
            };
            end(connection, is_alone, rows).await
        });
        rows.await
    }

    async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut connection = self.connection().await?;
        let query = query(statement, self.begins.is_none());
        let begins = self.begins.clone();
        let done = connection.during(self.told_of(), async |connection| {
            let is_alone = begin(connection, begins).await?;
            let done = query.execute(&mut *connection).await;
            end(connection, is_alone, done).await
        });
        Ok(done.await?.into())
    }

    fn told_of(&self) -> (observe::Pool, &Observer) {
        (self.name, &self.observer)
    }

    async fn connection(&self) -> Result<bb8::PooledConnection<'_, Manager>, DbErr> {
        self.connections.get().await.map_err(|error| match error {
            bb8::RunError::User(error) => conn_error(error),
            bb8::RunError::TimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        })
    }
}

fn query(statement: Statement, keeps_plans: bool) -> Query<'static, Postgres, SqlxValues> {
    let Statement {
        sql,
        values,
        db_backend: _,
    } = statement;
    let values = values.unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values)).persistent(keeps_plans)
}

/// Begins the transaction that keeps a pooler from giving the connection away in the middle of a statement. Tells whether it has.
async fn begin(connection: &mut PgConnection, begins: Option<Arc<str>>) -> sqlx::Result<bool> {
    let Some(begins) = begins else {
        return Ok(false);
    };
    let begins = sqlx::raw_sql(AssertSqlSafe(begins));
    begins.execute(connection).await?;
    Ok(true)
}

/// Ends it, if there is one.
async fn end<T>(
    connection: &mut PgConnection,
    is_alone: bool,
    result: sqlx::Result<T>,
) -> sqlx::Result<T> {
    let ends = match &result {
        _ if !is_alone => return result,
        Ok(_) => "COMMIT",
        Err(sqlx::Error::Database(_)) => "ROLLBACK",
        // The connection will be closed, and the transaction with it.
        Err(_) => return result,
    };
    sqlx::raw_sql(ends).execute(connection).await?;
    result
}

/// How the pool makes connections, and which ones it keeps.
struct Manager(PgConnectOptions);

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = sqlx::Error;

    async fn connect(&self) -> sqlx::Result<Connection> {
        Ok(Connection {
            inner: PgConnection::connect_with(&self.0).await?,
            last_used: Instant::now(),
            is_broken: false,
        })
    }

    async fn is_valid(&self, connection: &mut Connection) -> sqlx::Result<()> {
        if connection.last_used.elapsed() > PING_AFTER {
            db::ping(&mut connection.inner).await?;
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken
    }
}

/// A connection of the pool.
struct Connection {
    inner: PgConnection,
    last_used: Instant,
    /// Whether a statement has been begun over it and has not come to a good end, or to one that PostgreSQL told of.
    is_broken: bool,
}

impl Connection {
    async fn during<T>(
        &mut self,
        (name, observer): (observe::Pool, &Observer),
        statement: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DbErr> {
        self.is_broken = true;
        let begun = Instant::now();
        let result = statement(&mut self.inner).await;
        self.is_broken = !matches!(result, Ok(_) | Err(sqlx::Error::Database(_)));
        self.last_used = Instant::now();
        observer.tell(name, self.last_used - begun, result.is_err());
        result.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reads")
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.primary.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut connection = self.primary.connection().await?;
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        let told = self.primary.told_of();
        let done = connection.during(told, async |connection| sql.execute(connection).await);
        Ok(done.await?.into())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let rows = self.rows(statement, Wanted::One).await?;
        Ok(rows.into_iter().next().map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.rows(statement, Wanted::All).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

fn conn_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
