//! Backups: made by the real programs, restored by them and by hand, and whatever can go wrong on the way.

mod asking;
mod consistency;
mod copies;
mod drill;
mod faults;
mod fetching;
mod incremental;
mod point_in_time;
mod programs;
mod restore;
mod secrets;
mod verify;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{Builder, TestApp},
    database::{self, TestDatabase},
    picture::small,
    process::{self, Ended},
    wait::{PATIENCE, eventually},
};

/// Long enough for a backup, its proof, or getting it back.
const LONG: Duration = Duration::from_secs(180);

/// Exit codes of `worker backup` and its like.
const FAILED: i32 = 1;
const REFUSED: i32 = 3;
const NOT_SOUND: i32 = 4;

/// A shop where a little of everything has happened: goods, books, pictures.
struct Shop {
    app: TestApp,
    manager: Actor,
    category: String,
    tray: String,
    ring: String,
    accounts: [String; 2],
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::builder()).await
    }

    async fn of(builder: Builder) -> Self {
        let app = builder.start().await;
        let manager = app.manager().await;
        let category = manager.category("Rings", None).await;
        let below = manager.category("Gold rings", Some(&category)).await;
        let tray = manager.location("TRAY", "TRAY", None).await;
        let ring = manager.item_kept("RING", &below, "NONE").await;
        let chart = manager
            .done("accountTemplateApply", json!({"template": "JEWELLER"}))
            .await["accounts"]
            .take();
        let account = |code: &str| {
            let mut accounts = chart.as_array().unwrap().iter();
            let found = accounts.find(|one| one["code"] == code).unwrap();
            found["id"].as_str().unwrap().to_owned()
        };
        let shop = Self {
            accounts: [account("1101"), account("4112")],
            app,
            manager,
            category,
            tray,
            ring,
        };
        shop.trade().await;
        shop
    }

    async fn trade(&self) {
        let manager = &self.manager;
        let plain = manager.item("PLAIN", &self.category).await;
        let name = json!([{"language": "fa", "text": "حلقه «با گیومه» \\.\\n"}]);
        manager
            .done("itemUpdate", json!({"id": plain, "name": name}))
            .await;
        manager.receive(&self.ring, &self.tray, 10).await;
        let pill = manager.item_kept("PILL", &self.category, "LOT").await;
        let lot = json!({"itemId": pill, "toId": self.tray, "quantity": 5, "unitCost": "3", "lot": {"number": "A"}});
        let bought = json!({"reason": "PURCHASED", "lines": [lot]});
        manager.done("stockReceive", bought).await;
        let held = json!({"consumer": "cart", "lines": [{"itemId": self.ring, "locationId": self.tray, "quantity": 2}]});
        manager.done("stockReserve", held).await;
        let year = json!({"name": "1405", "startsOn": "2026-03-21", "endsOn": "2027-03-20"});
        manager.done("fiscalYearCreate", year).await;
        for amount in 1..=3 {
            self.post(amount).await;
        }
        for shade in [1, 2] {
            manager.picture(&self.ring, small(shade)).await;
        }
        self.seal().await;
    }

    /// An entry of the books.
    async fn post(&self, amount: u32) {
        let [cash, sales] = &self.accounts;
        let amount = amount.to_string();
        let lines =
            json!([{"accountId": cash, "debit": amount}, {"accountId": sales, "credit": amount}]);
        let entry = json!({"date": "2026-05-01", "lines": lines});
        self.manager.done("journalPost", entry).await;
    }

    async fn seal(&self) {
        let viewer = domain::Viewer::system("test");
        self.app.domain().trail().seal(&viewer).await.unwrap();
    }

    /// The worker's command line with this shop's settings.
    async fn worker(&self, arguments: &[&str]) -> Ended {
        self.worker_with(arguments, &[]).await
    }

    /// The same with other settings besides.
    async fn worker_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
        let mut variables = self.variables();
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        process::run("worker", arguments, &variables, "", LONG).await
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.app.variables().clone();
        let owner = database::as_owner(&self.app.database_url());
        variables.insert("DATABASE_OWNER_URL".to_owned(), owner);
        variables
    }

    /// Makes a backup from the command line, which goes well; gives its folder.
    async fn backup(&self) -> PathBuf {
        self.backup_with(&[], &[]).await
    }

    async fn backup_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> PathBuf {
        let arguments = [&["backup", "--json"], arguments].concat();
        let made = self.worker_with(&arguments, more).await;
        assert!(made.status.success(), "{made:?}");
        let made: Value = serde_json::from_str(&made.output).unwrap();
        made["folder"].as_str().unwrap().into()
    }

    /// What a proof from the command line finds.
    async fn verify(&self, folder: &Path) -> (Option<i32>, Value) {
        self.verify_with(folder, &[]).await
    }

    async fn verify_with(&self, folder: &Path, more: &[(&str, &str)]) -> (Option<i32>, Value) {
        let proved = self
            .worker_with(&["verify", "--json", &text(folder)], more)
            .await;
        let found = serde_json::from_str(&proved.output);
        (
            proved.status.code(),
            found.unwrap_or_else(|_| panic!("{proved:?}")),
        )
    }

    /// Which checks of a proof have found something wrong, and what.
    async fn faults(&self, folder: &Path) -> Vec<(String, String)> {
        let (code, found) = self.verify(folder).await;
        let checks = found["report"]["checks"].as_array().unwrap().iter();
        let wrong: Vec<_> = checks
            .filter(|check| check["is_sound"] == false)
            .map(|check| {
                let text = |name: &str| check[name].as_str().unwrap().to_owned();
                (text("name"), text("detail"))
            })
            .collect();
        let expected = if wrong.is_empty() { 0 } else { NOT_SOUND };
        assert_eq!(code, Some(expected), "{found}");
        wrong
    }

    /// A proof finds nothing wrong.
    async fn assert_sound(&self, folder: &Path) {
        let faults = self.faults(folder).await;
        assert!(faults.is_empty(), "{faults:?}");
    }

    /// Names of whole backups; there are no others.
    fn backups(&self) -> Vec<String> {
        let mut names = in_folder(self.app.backups());
        names.retain(|name| name != ".lock");
        for name in &names {
            assert!(!name.starts_with('.'), "something is left: {names:?}");
        }
        names
    }
}

fn in_folder(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

/// Writes a manifest anew, with something changed.
fn lie(folder: &Path, change: impl FnOnce(&mut Value)) {
    let mut content = manifest(folder);
    change(&mut content);
    std::fs::write(folder.join("manifest.json"), content.to_string()).unwrap();
}

/// Tells a manifest the truth about a file that was changed: its length and hash.
fn admit(folder: &Path, file: &str) {
    let bytes = std::fs::read(folder.join(file)).unwrap();
    let hash = platform::blob::Fingerprint::of_bytes(&bytes).to_string();
    lie(folder, |content| {
        for part in content["parts"].as_array_mut().unwrap() {
            if part["file"] == file {
                part["bytes"] = json!(bytes.len());
                part["sha256"] = json!(hash);
            }
        }
    });
}

/// A database that is not there, but whose name is ours: whoever makes it need not drop it.
struct Room {
    database: TestDatabase,
}

impl Room {
    async fn new() -> Self {
        let room = Self {
            database: TestDatabase::create(),
        };
        room.admin(&format!("DROP DATABASE {} WITH (FORCE)", room.name()))
            .await;
        room
    }

    /// An empty one.
    async fn empty() -> Self {
        let room = Self::new().await;
        room.admin(&format!(
            "CREATE DATABASE {} TEMPLATE template0",
            room.name()
        ))
        .await;
        room
    }

    fn name(&self) -> &str {
        self.database.name()
    }

    fn owner_url(&self) -> String {
        self.database.owner_url()
    }

    async fn admin(&self, sql: &str) {
        let pool = database::pool(&database::owner_url());
        pool.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    async fn is_there(&self) -> bool {
        let pool = database::pool(&database::owner_url());
        let found =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
        found.bind(self.name()).fetch_one(&pool).await.unwrap()
    }

    /// Goldshop on what was restored: as an operator has it after `migration up`.
    async fn open(&self, more: &[(&str, &str)]) -> (TestApp, Actor) {
        let role = database::role_in(&database::server_url());
        migration::locked::up(&self.owner_url(), &role)
            .await
            .unwrap();
        let mut builder = TestApp::builder().database_url(self.database.url());
        for (name, value) in more {
            builder = builder.set(name, value);
        }
        let app = builder.start().await;
        let manager = app.manager().await;
        (app, manager)
    }
}

/// What people see of a shop: its items, levels, books and trail.
async fn seen(app: &TestApp, manager: &Actor) -> Value {
    let queries = [
        "{ items(first: 50) { nodes { id sku name images { id } } } }",
        "{ stockLevels(first: 100) { nodes { onHand reserved item { sku } location { code } } } }",
        "{ trialBalance(asOf: \"2027-12-31\") { account { code } commodity balance } }",
        "{ auditVerify { verdict } ledgerVerify { kind } }",
    ];
    let mut answers = Vec::new();
    for query in queries {
        answers.push(manager.ok(query, json!({})).await);
    }
    let tables = "SELECT count(*)::text FROM item UNION ALL SELECT count(*)::text FROM stock_movement
        UNION ALL SELECT COALESCE(sum(amount), 0)::text FROM journal_line UNION ALL SELECT COALESCE(sum(value), 0)::text FROM stock_value";
    let counts: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(app.sql())
        .await
        .unwrap();
    json!({"answers": answers, "counts": counts})
}

/// Every file of a store, with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = text(path.strip_prefix(root).unwrap());
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found.retain(|name, _| !name.starts_with("health/"));
    found
}

/// Runs a program by hand, as an operator would.
fn by_hand(program: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    let done = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(done.status.success(), "{program} {arguments:?}: {done:?}");
}

/// The variables that libpq reads, for an address.
fn libpq(url: &str) -> Vec<(&'static str, String)> {
    let url: url::Url = url.parse().unwrap();
    vec![
        ("PGHOST", url.host_str().unwrap().to_owned()),
        ("PGPORT", url.port().unwrap().to_string()),
        ("PGUSER", url.username().to_owned()),
        ("PGPASSWORD", url.password().unwrap_or_default().to_owned()),
    ]
}

const BACKUP: &str = "query($id: ID!) { backup(id: $id) { id state name bytes error isIncremental isCopied finishedAt verifiedAt
    parts { part file bytes sha256 } job { state error } verificationJob { state }
    verification { isSound restoredIn checks { name isSound detail } } } }";

/// The backup, once it is as somebody waits for.
async fn backup_when(
    actor: &Actor,
    id: &Value,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    eventually(LONG.max(PATIENCE), what, async || {
        let backup = actor.ok(BACKUP, json!({"id": id})).await["backup"].take();
        is_so(&backup).then_some(backup)
    })
    .await
}
