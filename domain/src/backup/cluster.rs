//! Databases as a whole: made, filled by somebody else, renamed, dropped. Whoever does so logs in as a role that may create databases, into
//! `postgres`, where nothing is kept.

use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection,
    postgres::PgConnectOptions,
};

use super::facts::Server;
use crate::{
    db::from_sqlx,
    error::{Error, Result},
};

/// The database to log into for whoever makes others.
const MAINTENANCE: &str = "postgres";

/// How often it is tried to do something to a database that somebody is still leaving; PostgreSQL itself waits for five seconds each time.
const TRIES: usize = 5;
/// How long to wait in between.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// A server on which databases can be made.
#[derive(Debug)]
pub struct Cluster {
    connection: PgConnection,
}

pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    url.parse()
        .map_err(|_error: sqlx::Error| Error::internal("the database URL cannot be understood"))
}

/// A connection that is patient: nobody waits for what is done over it.
pub(super) async fn connect(url: &str, name: &'static str) -> Result<PgConnection> {
    let options = options(url)?.application_name(name);
    PgConnection::connect_with(&patient(options))
        .await
        .map_err(from_sqlx)
}

fn patient(options: PgConnectOptions) -> PgConnectOptions {
    options.disable_statement_logging().options([
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("jit", "off"),
    ])
}

impl Cluster {
    /// Connects to the server of this address.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn connect(url: &str) -> Result<Self> {
        let options = options(url)?
            .database(MAINTENANCE)
            .application_name("goldshop-restore");
        let connection = PgConnection::connect_with(&patient(options))
            .await
            .map_err(from_sqlx)?;
        Ok(Self { connection })
    }

    /// Whether there is such a database.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn has(&mut self, database: &str) -> Result<bool> {
        let found =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(database);
        found
            .fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)
    }

    /// Makes an empty database that keeps texts as this one did.
    ///
    /// # Errors
    /// When there is one already, or the role may not.
    pub async fn create(&mut self, database: &str, like: &Server) -> Result<()> {
        let sql = "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', $1::text, $2::text, $3::text, $4::text)";
        let Server {
            encoding,
            collate,
            ctype,
            ..
        } = like;
        let sql = sqlx::query_scalar(sql)
            .bind(database)
            .bind(encoding)
            .bind(collate)
            .bind(ctype);
        let sql: String = sql
            .fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)?;
        self.run(sql).await
    }

    /// Drops a database, and cuts off whoever is connected to it. One that is not there counts as dropped.
    ///
    /// # Errors
    /// When the role may not.
    pub async fn drop(&mut self, database: &str) -> Result<()> {
        self.once_left(database, "DROP DATABASE IF EXISTS %I", [database, ""])
            .await
    }

    /// Puts a database into the place of another, which is dropped: that one stays as it is until the new one is there.
    ///
    /// # Errors
    /// When the role may not.
    pub async fn replace(&mut self, old: &str, new: &str, aside: &str) -> Result<()> {
        self.run_on("ALTER DATABASE %I ALLOW_CONNECTIONS false", [old, ""])
            .await?;
        let renamed = self
            .once_left(old, "ALTER DATABASE %I RENAME TO %I", [old, aside])
            .await;
        if let Err(error) = renamed {
            self.run_on("ALTER DATABASE %I ALLOW_CONNECTIONS true", [old, ""])
                .await?;
            return Err(error);
        }
        let renamed = self
            .once_left(new, "ALTER DATABASE %I RENAME TO %I", [new, old])
            .await;
        if let Err(error) = renamed {
            self.run_on("ALTER DATABASE %I RENAME TO %I", [aside, old])
                .await?;
            self.run_on("ALTER DATABASE %I ALLOW_CONNECTIONS true", [old, ""])
                .await?;
            return Err(error);
        }
        self.drop(aside).await
    }

    /// Does something to a database that nobody may be connected to. Those of our own roles are cut off, and need a moment to leave. PostgreSQL's own
    /// processes it sends away itself; `WITH (FORCE)` would fail when it meets one, for whoever is no superuser.
    async fn once_left(
        &mut self,
        database: &str,
        template: &'static str,
        names: [&str; 2],
    ) -> Result<()> {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = $1 AND usesysid IS NOT NULL AND pg_has_role(usesysid, 'MEMBER') AND pid <> pg_backend_pid()";
        let mut tries = 0;
        loop {
            let cut = sqlx::query(cut).bind(database);
            cut.execute(&mut self.connection).await.map_err(from_sqlx)?;
            match self.run_on(template, names).await {
                Err(_) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    /// Marks a database as in use for as long as this lives.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn hold(&mut self, database: &str) -> Result<bool> {
        let held = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(database);
        held.fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)
    }

    /// Drops databases whose names begin so and that nobody holds: somebody who made one has died.
    ///
    /// # Errors
    /// When the server fails, or one cannot be dropped.
    pub async fn sweep(&mut self, prefix: &str) -> Result<()> {
        let names = sqlx::query_scalar(
            "SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1) AND pg_has_role(datdba, 'MEMBER')",
        );
        let names: Vec<String> = names
            .bind(prefix)
            .fetch_all(&mut self.connection)
            .await
            .map_err(from_sqlx)?;
        for name in names {
            if self.hold(&name).await? {
                self.drop(&name).await?;
                let let_go =
                    sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))").bind(&name);
                let_go
                    .execute(&mut self.connection)
                    .await
                    .map_err(from_sqlx)?;
            }
        }
        Ok(())
    }

    /// A statement about databases, which cannot be parameters.
    async fn run_on(&mut self, template: &'static str, names: [&str; 2]) -> Result<()> {
        let [one, other] = names;
        let sql = sqlx::query_scalar("SELECT format($1, $2::text, $3::text)")
            .bind(template)
            .bind(one)
            .bind(other);
        let sql: String = sql
            .fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)?;
        self.run(sql).await
    }

    async fn run(&mut self, sql: String) -> Result<()> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.connection)
            .await;
        done.map(drop).map_err(from_sqlx)
    }
}

/// Whether there is nothing of anybody's in the database at this address.
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn is_empty(url: &str) -> Result<bool> {
    let mut connection = connect(url, "goldshop-restore").await?;
    let sql = "SELECT NOT EXISTS (
                   SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
                     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";
    let empty = sqlx::query_scalar(sql)
        .fetch_one(&mut connection)
        .await
        .map_err(from_sqlx)?;
    connection.close().await.map_err(from_sqlx)?;
    Ok(empty)
}
