//! The whole of goldshop for one test: a database, a Redis prefix and a media folder of its own, a server on a port of its own.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot start the server has to fail the test"
)]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use api::state::State;
use chrono::TimeDelta;
use domain::{
    Domain, Identity, Permissions, Viewer,
    clock::{Clock, SystemClock},
    locale::Locale,
    user::{Bootstrapped, NewApiToken, NewUser, PasswordRules, User},
};
use platform::config::{Config, ExposeSecret};
use poem::listener::{Acceptor, Listener, TcpListener};
use sea_orm::sqlx::PgPool;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    actor::Actor,
    database::{self, TestDatabase},
    process::Program,
    redis::RedisSpace,
};

/// The password of all test users.
pub const PASSWORD: &str = "correct horse battery staple";

/// A part of goldshop that runs inside the test. Stopped when it is dropped.
#[derive(Debug)]
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn spawn(
        work: impl Future<Output = Result<(), api::state::StartError>> + Send + 'static,
        stop: CancellationToken,
    ) -> Self {
        let task = tokio::spawn(async move {
            work.await
                .expect("a part of goldshop ends without an error")
        });
        Self { stop, task }
    }

    /// Tells it to stop as a signal would, and waits until it has.
    ///
    /// # Panics
    /// When it ended with an error.
    pub async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.expect("it ends without an error");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}

/// A server inside the test.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:12345`.
    pub url: String,
    running: Running,
}

impl Server {
    /// Stops it gracefully.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// What is to be different about an app.
#[derive(Debug)]
pub struct Builder {
    clock: Arc<dyn Clock>,
    variables: BTreeMap<String, String>,
    database_url: Option<String>,
    redis_url: Option<String>,
    has_worker: bool,
}

impl Builder {
    /// The server's clock; the worker goes by the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// A setting, named as in the environment: `GOLDSHOP_HTTP__BODY_LIMIT_BYTES`.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl ToString) -> Self {
        self.variables
            .insert(variable.to_owned(), value.to_string());
        self
    }

    /// Another, already migrated database: that of a server of the test's own.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// Another Redis server: one of the test's own.
    #[must_use]
    pub fn redis_url(mut self, url: impl Into<String>) -> Self {
        self.redis_url = Some(url.into());
        self
    }

    /// With a worker from the beginning.
    #[must_use]
    pub fn with_worker(mut self) -> Self {
        self.has_worker = true;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When a part of it does not start.
    pub async fn start(self) -> TestApp {
        let own_database = self.database_url.is_none().then(TestDatabase::create);
        let database_url = self.database_url.unwrap_or_else(|| {
            own_database
                .as_ref()
                .map(|own| own.url().to_owned())
                .unwrap_or_default()
        });
        let space = self
            .redis_url
            .as_deref()
            .map_or_else(RedisSpace::shared, RedisSpace::on);
        let media = tempfile::tempdir().expect("the directory for temporary files is writable");
        let backups = tempfile::tempdir().expect("the directory for temporary files is writable");
        let mut variables = defaults(&database_url, &space, media.path(), backups.path());
        variables.extend(self.variables);
        let sql = database::pool(&database::as_owner(&database_url));
        let (server, domain) = serve(&variables, Arc::clone(&self.clock)).await;
        variables.insert("GOLDSHOP_HTTP__PUBLIC_URL".into(), server.url.clone());
        let mut app = TestApp {
            server,
            worker: None,
            domain,
            sql,
            variables,
            clock: self.clock,
            media,
            backups,
            space,
            _database: own_database,
        };
        if self.has_worker {
            app.worker = Some(app.worker());
        }
        app
    }
}

fn defaults(
    database_url: &str,
    redis: &RedisSpace,
    media: &Path,
    backups: &Path,
) -> BTreeMap<String, String> {
    let owner = database::as_owner(database_url);
    let settings = [
        ("ENVIRONMENT", "test".to_owned()),
        ("DATABASE_URL", database_url.to_owned()),
        ("DATABASE_BACKUP_URL", owner.clone()),
        ("DATABASE_SCRATCH_URL", owner),
        ("GOLDSHOP_BACKUP__DIRECTORY", backups.display().to_string()),
        ("REDIS_URL", redis.url().to_owned()),
        ("GOLDSHOP_REDIS__KEY_PREFIX", redis.prefix().to_owned()),
        ("GOLDSHOP_REDIS__MAX_CONNECTIONS", "4".to_owned()),
        ("GOLDSHOP_DATABASE__MAX_CONNECTIONS", "4".to_owned()),
        ("GOLDSHOP_BLOB__ROOT", media.display().to_string()),
        ("GOLDSHOP_HTTP__ADDRESS", "127.0.0.1:0".to_owned()),
    ];
    settings
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// Serves with these settings on a free port.
async fn serve(variables: &BTreeMap<String, String>, clock: Arc<dyn Clock>) -> (Server, Domain) {
    let acceptor = TcpListener::bind("127.0.0.1:0")
        .into_acceptor()
        .await
        .expect("a port is free");
    let address = acceptor
        .local_addr()
        .into_iter()
        .find_map(|address| address.as_socket_addr().copied());
    let url = format!("http://{}", address.expect("a bound socket has an address"));
    let mut variables = variables.clone();
    variables
        .entry("GOLDSHOP_HTTP__PUBLIC_URL".into())
        .or_insert_with(|| url.clone());
    let config = Config::load_from(&variables, None).expect("the settings of the test are allowed");
    let state = State::with_clock(config, clock).expect("the server can be put together");
    let (domain, stop) = (state.domain().clone(), CancellationToken::new());
    let running = Running::spawn(api::server::serve(state, acceptor, stop.clone()), stop);
    (Server { url, running }, domain)
}

/// Goldshop for one test. Everything ends, and is removed, when it is dropped.
#[derive(Debug)]
pub struct TestApp {
    server: Server,
    worker: Option<Running>,
    domain: Domain,
    sql: PgPool,
    variables: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    media: TempDir,
    backups: TempDir,
    space: RedisSpace,
    _database: Option<TestDatabase>,
}

impl TestApp {
    /// With everything as usual, and no worker.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// With something different.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            clock: Arc::new(SystemClock),
            variables: BTreeMap::new(),
            database_url: None,
            redis_url: None,
            has_worker: false,
        }
    }

    /// Address of the server: `http://127.0.0.1:12345`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The settings of its server and worker as variables, for programs that are to join them.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Its settings.
    ///
    /// # Panics
    /// Never: the server was started with them.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::load_from(&self.variables, None)
            .expect("the server was started with these settings")
    }

    /// Address of its database, for the role that it logs in as.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.config().database.url.expose_secret().to_owned()
    }

    /// The domain that its server uses.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// A few connections to its database as the role that owns it, to look behind the front door.
    #[must_use]
    pub fn sql(&self) -> &PgPool {
        &self.sql
    }

    /// Its part of Redis.
    #[must_use]
    pub fn redis(&self) -> &RedisSpace {
        &self.space
    }

    /// The folder of its media.
    #[must_use]
    pub fn media(&self) -> &Path {
        self.media.path()
    }

    /// The folder of its backups.
    #[must_use]
    pub fn backups(&self) -> &Path {
        self.backups.path()
    }

    /// One more server on the same data.
    pub async fn another_server(&self) -> Server {
        serve(&self.variables, Arc::clone(&self.clock)).await.0
    }

    /// A worker inside the test, on the same data. It works until it is dropped.
    ///
    /// # Panics
    /// When it cannot be put together.
    #[must_use]
    pub fn worker(&self) -> Running {
        let service =
            worker::service::Service::new(&self.config()).expect("the worker can be put together");
        let stop = CancellationToken::new();
        Running::spawn(service.run(stop.clone()), stop)
    }

    /// The program `worker` as a process, on the same data, at work.
    pub async fn worker_process(&self) -> Program {
        let program = Program::spawn("worker", &[], &self.variables);
        program.says("at work").await;
        program
    }

    /// The program `api` as a process, on the same data, and its address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn api_process(&self) -> (Program, String) {
        let program = Program::spawn("api", &[], &self.variables);
        program.says("serving").await;
        let output = program.output();
        let port = output.split("127.0.0.1:").nth(1).map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        });
        (
            program,
            format!(
                "http://127.0.0.1:{}",
                port.expect("the program tells its address")
            ),
        )
    }

    /// The position of the newest event: `after` it comes only what happens from now on.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn position(&self) -> String {
        let position = self.domain.events().newest().await;
        position.expect("the database answers").to_string()
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(self.url())
    }

    /// An owner, logged in with a password.
    pub async fn owner(&self) -> Actor {
        let user = self.user("owner").await;
        self.anonymous().logged_in(&user.email, PASSWORD).await
    }

    /// A manager, with an API token.
    pub async fn manager(&self) -> Actor {
        self.actor("manager").await
    }

    /// A clerk, with an API token.
    pub async fn clerk(&self) -> Actor {
        self.actor("clerk").await
    }

    /// A user with this role and an API token that may do all they may do.
    pub async fn actor(&self, role: &str) -> Actor {
        let user = self.user(role).await;
        let secret = self.token(&user, None, TimeDelta::days(1)).await;
        self.anonymous().with_token(&secret)
    }

    /// A manager who reads Persian, with an API token.
    pub async fn persian_manager(&self) -> Actor {
        let user = self
            .new_user("persian@example.com", "manager", Locale::Fa)
            .await;
        self.anonymous()
            .with_token(&self.token(&user, None, TimeDelta::days(1)).await)
    }

    /// The user `<role>@example.com` with this role; the same one each time.
    pub async fn user(&self, role: &str) -> User {
        self.new_user(&format!("{role}@example.com"), role, Locale::En)
            .await
    }

    /// The user with this email; created with this role and language unless there is one.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn new_user(&self, email: &str, role: &str, locale: Locale) -> User {
        let new = NewUser {
            email: email.to_owned(),
            display_name: format!("Test {role}"),
            password: PASSWORD.to_owned().into(),
            locale,
            roles: vec![role.to_owned()],
        };
        let users = self.domain.users();
        let created = users
            .bootstrap(&Viewer::system("test"), new, PasswordRules::default())
            .await;
        match created.expect("the user is created") {
            Bootstrapped::Created(user) | Bootstrapped::Existed(user) => user,
        }
    }

    /// The secret of a new API token of this user, with these permissions or all of theirs.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn token(
        &self,
        user: &User,
        permissions: Option<Permissions>,
        life: TimeDelta,
    ) -> String {
        let access = self
            .domain
            .users()
            .by_login(user.id)
            .await
            .expect("the database answers")
            .expect("the user may log in");
        let permissions = permissions.unwrap_or_else(|| access.user.permissions.clone());
        let viewer = Viewer {
            identity: Identity::User(access.user),
            locale: access.locale,
            request_id: None,
            reason: None,
        };
        let new = NewApiToken {
            name: "test".to_owned(),
            permissions,
            expires_at: self.clock.now() + life,
        };
        let created = self
            .domain
            .users()
            .create_token(&viewer, new, None)
            .await
            .expect("the token is created");
        created
            .secret
            .expect("a new token has a secret")
            .expose_secret()
            .to_owned()
    }
}
