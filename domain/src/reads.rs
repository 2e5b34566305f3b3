//! The connections that single reading statements go over.
//!
//! sqlx's own pool sends a message to PostgreSQL, and waits for the answer, each time a connection comes back: it may hold the rest of a
//! transaction. What reads one statement at a time leaves nothing behind, and with two statements a request those messages were a
//! quarter of all the work. So reads have a pool without them ([ADR 7](../docs/adr/0007-a-pool-for-reads.md)). A connection that was
//! dropped in the middle of a statement, or has met an error of its own, is closed instead of given to the next. PostgreSQL refuses
//! to write over these connections, so that nobody mistakes them for the others.

use std::{fmt, time::Instant};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
    sqlx::{
        self, Connection as _, PgConnection, Postgres, postgres::PgConnectOptions, query::Query,
    },
};
use sea_query_sqlx::SqlxValues;

use crate::{
    db::{self, PING_AFTER, Settings},
    observe::{Observer, Pool, PoolStanding, Waits},
};

/// A pool of connections that only read. Clones share it.
#[derive(Clone)]
pub(crate) struct Reads {
    pool: bb8::Pool<Manager>,
    max: u32,
    keeps_plans: bool,
    observer: Observer,
}

impl Reads {
    /// A pool that connects when it is first used.
    pub(crate) fn new(settings: &Settings, observer: &Observer) -> crate::Result<Self> {
        let max = settings.max_connections.div_ceil(2);
        let options =
            db::connect_options(settings)?.options([("default_transaction_read_only", "on")]);
        let pool = bb8::Pool::builder()
            .max_size(max)
            // What its process in PostgreSQL had at hand a moment ago, the one that was used last still has.
            .queue_strategy(bb8::QueueStrategy::Lifo)
            .connection_timeout(settings.acquire_timeout)
            .idle_timeout(Some(db::IDLE_MAX))
            .build_unchecked(Manager(options));
        Ok(Self {
            pool,
            max,
            keeps_plans: true,
            observer: observer.clone(),
        })
    }

    /// The same pool, for statements that are planned anew each time. How many rows a filter will find depends on its values, and so does
    /// the best plan; one that is kept for all statements of the same text is made without them.
    pub(crate) fn planned_anew(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            max: self.max,
            keeps_plans: false,
            observer: self.observer.clone(),
        }
    }

    /// How the pool stands.
    pub(crate) fn standing(&self) -> PoolStanding {
        let state = self.pool.state();
        PoolStanding {
            pool: Pool::Reads,
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

    fn query(&self, statement: Statement) -> Query<'static, Postgres, SqlxValues> {
        let Statement {
            sql,
            values,
            db_backend: _,
        } = statement;
        let values = values.unwrap_or(Values(Vec::new()));
        sqlx::query_with(sqlx::AssertSqlSafe(sql), SqlxValues(values)).persistent(self.keeps_plans)
    }

    async fn connection(&self) -> Result<bb8::PooledConnection<'_, Manager>, DbErr> {
        self.pool.get().await.map_err(|error| match error {
            bb8::RunError::User(error) => conn_error(error),
            bb8::RunError::TimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        })
    }
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
        observer: &Observer,
        statement: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DbErr> {
        self.is_broken = true;
        let begun = Instant::now();
        let result = statement(&mut self.inner).await;
        self.is_broken = !matches!(result, Ok(_) | Err(sqlx::Error::Database(_)));
        self.last_used = Instant::now();
        observer.tell(Pool::Reads, self.last_used - begun, result.is_err());
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
        let mut connection = self.connection().await?;
        let query = self.query(statement);
        let done = connection.during(&self.observer, async |connection| {
            query.execute(connection).await
        });
        Ok(done.await?.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut connection = self.connection().await?;
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        let done = connection.during(&self.observer, async |connection| {
            sql.execute(connection).await
        });
        Ok(done.await?.into())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut connection = self.connection().await?;
        let query = self.query(statement);
        let row = connection.during(&self.observer, async |connection| {
            query.fetch_optional(connection).await
        });
        Ok(row.await?.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut connection = self.connection().await?;
        let query = self.query(statement);
        let rows = connection.during(&self.observer, async |connection| {
            query.fetch_all(connection).await
        });
        Ok(rows.await?.into_iter().map(Into::into).collect())
    }
}

fn conn_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
