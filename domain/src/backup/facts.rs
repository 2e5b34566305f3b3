//! What can be counted of a database without knowing anything about it: how many rows each table has, and what the most important columns add
//! up to. Taken in the snapshot that a dump is made of, and again from what was restored.

use std::collections::BTreeMap;

use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use serde::{Deserialize, Serialize};

use super::cluster::connect;
use crate::{db::from_sqlx, error::Result};

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Rows of each table, by its name with its schema; each partition for itself.
    pub rows: BTreeMap<String, i64>,
    /// What columns add up to, by a name such as `journal.debit.IRR`, as PostgreSQL writes it.
    pub totals: BTreeMap<String, String>,
}

/// Which server a database is on, and how it keeps texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What the database is called.
    pub database: String,
    /// Version of PostgreSQL.
    pub version: String,
    /// Such as `UTF8`.
    pub encoding: String,
    /// How texts are ordered.
    pub collate: String,
    /// What letters are.
    pub ctype: String,
    /// Bytes on its disk.
    pub bytes: i64,
    /// The last migration; none of a database that is not goldshop's.
    pub migration: Option<String>,
}

/// One moment of a database, held for as long as this lives: others can read the same.
#[derive(Debug)]
pub struct Snapshot {
    connection: PgConnection,
    id: String,
    server: Server,
}

impl Snapshot {
    /// Takes one, of the database at this address.
    ///
    /// # Errors
    /// When the database does not answer, or refuses.
    pub async fn take(url: &str) -> Result<Self> {
        let mut connection = connect(url, "goldshop-backup").await?;
        // Who holds a moment is idle for as long as others read it. Processors are left to those.
        let begin = "SET max_parallel_workers_per_gather = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        sqlx::raw_sql(begin)
            .execute(&mut connection)
            .await
            .map_err(from_sqlx)?;
        let id = sqlx::query_scalar("SELECT pg_export_snapshot()");
        let id = id.fetch_one(&mut connection).await.map_err(from_sqlx)?;
        let server = server(&mut connection).await?;
        Ok(Self {
            connection,
            id,
            server,
        })
    }

    /// What it is called, for `pg_dump --snapshot`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which server it is of.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Counts everything, at that moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facts(&mut self) -> Result<Facts> {
        facts(&mut self.connection).await
    }

    /// Lets the moment go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(self) -> Result<()> {
        self.connection.close().await.map_err(from_sqlx)
    }
}

/// Counts everything in the database at this address.
///
/// # Errors
/// When the database does not answer, or refuses.
pub async fn of(url: &str) -> Result<Facts> {
    let mut connection = connect(url, "goldshop-backup").await?;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    sqlx::raw_sql(begin)
        .execute(&mut connection)
        .await
        .map_err(from_sqlx)?;
    let facts = facts(&mut connection).await?;
    connection.close().await.map_err(from_sqlx)?;
    Ok(facts)
}

async fn server(connection: &mut PgConnection) -> Result<Server> {
    let sql = "SELECT d.datname::text, current_setting('server_version'), pg_encoding_to_char(d.encoding)::text, d.datcollate::text,
                      d.datctype::text, pg_database_size(d.oid)
               FROM pg_database d WHERE d.datname = current_database()";
    let found = sqlx::query_as(sql).fetch_one(&mut *connection).await;
    let (database, version, encoding, collate, ctype, bytes) = found.map_err(from_sqlx)?;
    let migration = if is_there(connection, "seaql_migrations").await? {
        let sql = "SELECT max(version)::text FROM public.seaql_migrations";
        let last = sqlx::query_scalar(sql).fetch_one(connection).await;
        last.map_err(from_sqlx)?
    } else {
        None
    };
    Ok(Server {
        database,
        version,
        encoding,
        collate,
        ctype,
        bytes,
        migration,
    })
}

async fn is_there(connection: &mut PgConnection, table: &str) -> Result<bool> {
    let found =
        sqlx::query_scalar("SELECT to_regclass(format('public.%I', $1)) IS NOT NULL").bind(table);
    found.fetch_one(connection).await.map_err(from_sqlx)
}

/// Tables as a dump has them: those that extensions bring are theirs.
const TABLES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1";

/// The table that sums are taken of, and the statement: a name and a value a row.
const TOTALS: &[(&str, &str)] = &[
    (
        "journal_line",
        "SELECT s.name || '.' || l.commodity, trim_scale(s.value)::text
         FROM (SELECT commodity, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit, COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
               FROM public.journal_line GROUP BY commodity) l
         CROSS JOIN LATERAL (VALUES ('journal.debit', l.debit), ('journal.credit', l.credit)) s (name, value)",
    ),
    (
        "stock_level",
        "SELECT 'stock.' || s.name, trim_scale(s.value)::text
         FROM (SELECT COALESCE(sum(on_hand), 0) AS on_hand, COALESCE(sum(reserved), 0) AS reserved, COALESCE(sum(weight), 0) AS weight,
                      COALESCE(sum(fine_weight), 0) AS fine_weight FROM public.stock_level) l
         CROSS JOIN LATERAL (VALUES ('on_hand', l.on_hand), ('reserved', l.reserved), ('weight', l.weight), ('fine_weight', l.fine_weight)) s (name, value)",
    ),
    (
        "stock_value",
        "SELECT 'stock.value', trim_scale(COALESCE(sum(value), 0))::text FROM public.stock_value",
    ),
    (
        "trail_seal",
        "SELECT 'trail.seal', number || ' ' || encode(hash, 'hex') FROM (SELECT number, hash FROM public.trail_seal ORDER BY number DESC LIMIT 1) s",
    ),
];

async fn facts(connection: &mut PgConnection) -> Result<Facts> {
    let tables: Vec<String> = sqlx::query_scalar(TABLES)
        .fetch_all(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    let mut facts = Facts::default();
    for table in tables {
        // As the server itself has quoted it.
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM ONLY {table}"));
        let rows = sqlx::query_scalar(sql)
            .fetch_one(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        facts.rows.insert(table, rows);
    }
    for (table, sql) in TOTALS {
        if is_there(connection, table).await? {
            let totals: Vec<(String, String)> = sqlx::query_as(*sql)
                .fetch_all(&mut *connection)
                .await
                .map_err(from_sqlx)?;
            facts.totals.extend(totals);
        }
    }
    Ok(facts)
}
