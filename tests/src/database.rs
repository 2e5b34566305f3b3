//! A database for each test, cloned from a template that is migrated once per run.
//!
//! The owner creates and migrates them, as in production, and looks behind the front door; goldshop itself logs in as the application's
//! role, which owns nothing.
//!
//! A run is one process. It holds an advisory lock on its number for as long as it lives, so that the next run can tell the leftovers
//! of a run that is over from the databases of one that goes on beside it.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot set up its database has to fail the test"
)]

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
        mpsc as reply,
    },
    time::Duration,
};

use sea_orm::sqlx::{
    self, AssertSqlSafe, Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions,
};
use tokio::sync::mpsc;
use url::Url;

/// What the names of all our databases start with; then come the run's number and the database's.
const PREFIX: &str = "goldshop_test_";

/// The address in `DATABASE_URL`: the role that the programs log in as.
///
/// # Panics
/// When it is not set.
#[must_use]
pub fn server_url() -> String {
    std::env::var("DATABASE_URL").expect(
        "DATABASE_URL must name a PostgreSQL server and the application's role; `make test` starts one",
    )
}

/// The address in `DATABASE_OWNER_URL`: a role that may create databases, and is a member of the application's, whose connections it ends
/// when it drops one.
///
/// # Panics
/// When it is not set.
#[must_use]
pub fn owner_url() -> String {
    std::env::var("DATABASE_OWNER_URL").expect(
        "DATABASE_OWNER_URL must name the server in DATABASE_URL and a role that may create databases; `make test` starts one",
    )
}

/// The role in an address.
///
/// # Panics
/// When it is not well-formed.
#[must_use]
pub fn role_in(url: &str) -> String {
    let url: Url = url.parse().expect("the address of a database is a URL");
    url.username().to_owned()
}

/// The same server and database for the role of the owner.
///
/// # Panics
/// When an address is not well-formed.
#[must_use]
pub fn as_owner(url: &str) -> String {
    let owner: Url = owner_url()
        .parse()
        .expect("the address of a database is a URL");
    let mut url: Url = url.parse().expect("the address of a database is a URL");
    url.set_username(owner.username())
        .and_then(|()| url.set_password(owner.password()))
        .expect("the address of a server has room for a role");
    url.into()
}

/// The same server and role, another database.
#[must_use]
pub fn with_database(url: &str, database: &str) -> String {
    let (base, options) = url
        .split_once('?')
        .map_or((url, None), |(base, options)| (base, Some(options)));
    let authority = base.find("://").map_or(0, |start| start + 3);
    let end = base[authority..]
        .find('/')
        .map_or(base.len(), |slash| authority + slash);
    let options = options
        .map(|options| format!("?{options}"))
        .unwrap_or_default();
    format!("{}/{database}{options}", &base[..end])
}

/// A migrated database that nobody else uses. Dropped with the test.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// Creates one.
    #[must_use]
    pub fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let server = server_url();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{:08x}_{number}", KEEPER.run);
        KEEPER.ask(Order::Create(name.clone()));
        Self {
            url: with_database(&server, &name),
            name,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, for the application's role.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its address, for the role that owns it.
    #[must_use]
    pub fn owner_url(&self) -> String {
        as_owner(&self.url)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        KEEPER.ask(Order::Drop(std::mem::take(&mut self.name)));
    }
}

/// A few connections to the database at `url`, for a test that looks behind the front door.
///
/// # Panics
/// When the address is not well-formed.
#[must_use]
pub fn pool(url: &str) -> PgPool {
    let options = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(10));
    options
        .connect_lazy(url)
        .expect("the address of the database is well-formed")
}

/// What the keeper is asked to do.
enum Order {
    Create(String),
    Drop(String),
}

/// The one who creates and drops databases: a thread with a connection of its own, because each test has a runtime that ends with it.
struct Keeper {
    run: u32,
    orders: mpsc::UnboundedSender<(Order, reply::Sender<sqlx::Result<()>>)>,
}

static KEEPER: LazyLock<Keeper> = LazyLock::new(Keeper::start);

impl Keeper {
    fn start() -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let run = rand::random();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .expect("the machine has room for another runtime")
                .block_on(keep(run, received));
        });
        Self { run, orders }
    }

    /// Waits until it is done, so that a test that has ended has left nothing behind.
    fn ask(&self, order: Order) {
        let (sender, done) = reply::channel();
        let is_new = matches!(order, Order::Create(_));
        let sent = self.orders.send((order, sender));
        let outcome = sent.ok().and_then(|()| done.recv().ok());
        match outcome {
            Some(Ok(())) => {}
            Some(Err(error)) if is_new => assert!(
                std::thread::panicking(),
                "cannot create a database: {error}"
            ),
            // What could not be dropped is swept by the next run.
            Some(Err(_)) => {}
            None => assert!(
                std::thread::panicking(),
                "cannot prepare the template of all databases; see above"
            ),
        }
    }
}

async fn keep(
    run: u32,
    mut orders: mpsc::UnboundedReceiver<(Order, reply::Sender<sqlx::Result<()>>)>,
) {
    let (url, role) = (owner_url(), role_in(&server_url()));
    let mut admin = PgConnection::connect(&url)
        .await
        .expect("the server at DATABASE_OWNER_URL answers");
    lock(&mut admin, run)
        .await
        .expect("the number of this run can be locked");
    sweep(&mut admin)
        .await
        .expect("the leftovers of earlier runs can be dropped");
    let template = format!("{PREFIX}{run:08x}_template");
    execute(&mut admin, format!("CREATE DATABASE {template}"))
        .await
        .expect("the role at DATABASE_OWNER_URL may create databases");
    migration::locked::up(&with_database(&url, &template), &role)
        .await
        .expect("the migrations succeed on an empty database");
    while let Some((order, sender)) = orders.recv().await {
        let done = match order {
            Order::Create(name) => clone(&mut admin, &template, &name, &role).await,
            Order::Drop(name) => {
                execute(
                    &mut admin,
                    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                )
                .await
            }
        };
        // Whoever asked may have given up.
        let _ = sender.send(done);
    }
}

/// A clone has all the privileges of its template but those on the database itself.
async fn clone(
    admin: &mut PgConnection,
    template: &str,
    name: &str,
    role: &str,
) -> sqlx::Result<()> {
    execute(admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
    let privileges = format!(
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO \"{role}\""
    );
    execute(admin, privileges).await
}

/// Names of databases cannot be parameters; ours are made of letters, digits and underscores.
async fn execute(admin: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    admin.execute(AssertSqlSafe(sql)).await.map(drop)
}

async fn lock(admin: &mut PgConnection, run: u32) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(i64::from(run))
        .fetch_one(admin)
        .await
}

/// Drops the databases of runs that are over: those whose number can be locked.
async fn sweep(admin: &mut PgConnection) -> sqlx::Result<()> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname FROM pg_database WHERE datname LIKE $1")
            .bind(format!("{PREFIX}%"))
            .fetch_all(&mut *admin)
            .await?;
    for name in names {
        let number = name
            .trim_start_matches(PREFIX)
            .split('_')
            .next()
            .unwrap_or_default();
        let Ok(run) = u32::from_str_radix(number, 16) else {
            continue;
        };
        if lock(admin, run).await? {
            execute(
                admin,
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await?;
            sqlx::query("SELECT pg_advisory_unlock($1)")
                .bind(i64::from(run))
                .execute(&mut *admin)
                .await?;
        }
    }
    Ok(())
}
