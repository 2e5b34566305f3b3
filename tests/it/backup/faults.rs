//! What can go wrong, and that it is loud and leaves nothing that looks whole.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use sea_orm::sqlx::{PgPool, Postgres, Transaction};
use serde_json::json;
use tests::{app::TestApp, process::Program, wait::until};

use super::*;

/// A file system in memory of so many bytes, mounted for as long as this lives.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// None where this process may not mount anything.
    pub(super) fn mount(at: &Path, bytes: usize) -> Option<Self> {
        let options = format!("size={bytes},mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs", &text(at)])
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // `cargo test` shows the test that left it.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Past the test runner, which shows nothing of a test that goes well.
pub(super) fn loudly(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "\n*** NOT TESTED: {line}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_leaves_no_backup() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let place = tempfile::tempdir().unwrap();
    let Some(_disk) = Disk::mount(place.path(), 100 * 1024) else {
        return loudly(
            "a backup on a full disk: this process may not mount a file system (run as root with CAP_SYS_ADMIN)",
        );
    };
    let folder = text(place.path());
    let ended = shop
        .worker_with(&["backup"], &[("GOLDSHOP_BACKUP__DIRECTORY", &folder)])
        .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(
        ended.errors.contains("No space left on device"),
        "{ended:?}"
    );
    assert_eq!(in_folder(place.path()), [".lock"]);
    // People who look see it.
    let seen = shop
        .manager
        .ok("{ backups { nodes { state error } } }", json!({}))
        .await;
    let backup = &seen["backups"]["nodes"][0];
    assert_eq!(backup["state"], "FAILED");
    assert!(
        backup["error"]
            .as_str()
            .unwrap()
            .contains("No space left on device"),
        "{backup}"
    );
}

/// A disk that is full after so many bytes, and a worker's settings to make backups on it; none where this process may not mount one.
fn small_disk(place: &Path, bytes: u64) -> Option<(Disk, String)> {
    let disk = Disk::mount(place, usize::try_from(bytes).unwrap());
    if disk.is_none() {
        loudly("backups on a disk that gets full: this process may not mount a file system");
    }
    Some((disk?, text(place)))
}

fn is_full(ended: &Ended) {
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(
        ended.errors.contains("No space left on device"),
        "{ended:?}"
    );
}

/// How many bytes a backup has.
fn size(folder: &Path) -> u64 {
    let files = in_folder(folder).into_iter();
    let lengths = files.map(|file| folder.join(file).metadata().unwrap().len());
    lengths.sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_disk_gets_full_nothing_is_left_and_what_was_whole_stays_so() {
    let shop = Shop::open().await;
    let (place, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = text(&keys.path().join("key"));
    by_hand("age-keygen", &["-o", &key], &[]);
    let secret = std::fs::read_to_string(&key).unwrap();
    let mut lines = secret.lines();
    let recipient = lines.find_map(|line| line.strip_prefix("# public key: "));
    let sealed = ("GOLDSHOP_BACKUP__RECIPIENTS", recipient.unwrap());
    let bytes = size(&shop.backup().await);
    for part in [1, 3, 6, 9] {
        let Some((_disk, folder)) = small_disk(place.path(), bytes * part / 10) else {
            return;
        };
        let on_it = ("GOLDSHOP_BACKUP__DIRECTORY", folder.as_str());
        is_full(&shop.worker_with(&["backup"], &[on_it]).await);
        assert_eq!(in_folder(place.path()), [".lock"]);
        // What encrypts has no disk: it is told all the same that ours is full.
        is_full(&shop.worker_with(&["backup"], &[on_it, sealed]).await);
        assert_eq!(in_folder(place.path()), [".lock"]);
    }
    // One fits, and the next does not.
    let Some((_disk, folder)) = small_disk(place.path(), bytes * 3 / 2) else {
        return;
    };
    let on_it = [("GOLDSHOP_BACKUP__DIRECTORY", folder.as_str())];
    let first = shop.backup_with(&[], &on_it).await;
    is_full(&shop.worker_with(&["backup"], &on_it).await);
    let name = first.file_name().unwrap().to_str().unwrap();
    assert_eq!(in_folder(place.path()), [".lock", name]);
    shop.assert_sound(&first).await;
    // When there is room again, the next one is made.
    std::fs::remove_dir_all(&first).unwrap();
    let second = shop.backup_with(&[], &on_it).await;
    shop.assert_sound(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_made_is_told_by_its_job() {
    let shop = Shop::of(
        TestApp::builder()
            .set("GOLDSHOP_BACKUP__PROGRAMS", "/nowhere")
            .with_worker(),
    )
    .await;
    let asked = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let failed = backup_when(&shop.manager, &asked["id"], "it has failed", |backup| {
        backup["state"] != "RUNNING" && backup["job"]["state"] == "DEAD"
    })
    .await;
    assert_eq!(failed["state"], "FAILED");
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("cannot be started"), "{error}");
    assert_eq!(failed["job"]["error"], error);
    assert_eq!(shop.backups(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_loud_and_not_told() {
    let shop = Shop::open().await;
    let mut url: url::Url = shop.variables()["DATABASE_OWNER_URL"].parse().unwrap();
    url.set_password(Some("a-password-that-is-wrong")).unwrap();
    let mut redis: url::Url = shop.app.redis().url().parse().unwrap();
    redis
        .set_password(Some("a-password-that-is-wrong"))
        .unwrap();
    for (variable, url) in [
        ("DATABASE_BACKUP_URL", url.as_str()),
        ("REDIS_URL", redis.as_str()),
    ] {
        let ended = shop.worker_with(&["backup"], &[(variable, url)]).await;
        assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
        assert!(ended.errors.contains("password"), "{ended:?}");
        assert!(
            !format!("{ended:?}").contains("a-password-that-is-wrong"),
            "{ended:?}"
        );
        assert_eq!(shop.backups(), [""; 0]);
    }
    let ended = shop
        .worker_with(&["backup"], &[("DATABASE_BACKUP_URL", "")])
        .await;
    assert_eq!(ended.status.code(), Some(REFUSED), "{ended:?}");
    assert!(ended.errors.contains("DATABASE_BACKUP_URL"), "{ended:?}");
    // The application's role may not read everything: partitions are none of its business.
    let ended = shop
        .worker_with(
            &["backup"],
            &[("DATABASE_BACKUP_URL", &shop.app.database_url())],
        )
        .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(ended.errors.contains("permission denied"), "{ended:?}");
    assert_eq!(shop.backups(), [""; 0]);
}

/// Nobody can read the items for as long as this lives: a backup stays in the middle.
async fn hold(sql: &PgPool) -> Transaction<'static, Postgres> {
    let mut held = sql.begin().await.unwrap();
    held.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_the_middle_leaves_nothing_and_another_one_makes_it() {
    let shop = Shop::of(TestApp::builder().set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)).await;
    let asked = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let held = hold(shop.app.sql()).await;
    let mut worker = shop.app.worker_process().await;
    until(LONG, "it is in the middle", async || {
        let names = in_folder(shop.app.backups());
        let partial = names.iter().find(|name| name.starts_with(".partial-"));
        partial.is_some_and(|name| {
            shop.app
                .backups()
                .join(name)
                .join("uploads.list.zst")
                .exists()
        })
    })
    .await;
    worker.kill();
    assert_eq!(in_folder(shop.app.backups()).len(), 2);
    drop(held);
    let _heir = shop.app.worker_process().await;
    let made = backup_when(
        &shop.manager,
        &asked["id"],
        "another worker makes it",
        |backup| backup["state"] != "RUNNING",
    )
    .await;
    assert_eq!(made["state"], "COMPLETE", "{made}");
    assert_eq!(shop.backups(), [made["name"].as_str().unwrap()]);
    let folder = shop.app.backups().join(made["name"].as_str().unwrap());
    shop.assert_sound(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_heard_of_is_not_made_again() {
    let shop = Shop::open().await;
    let asked = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let sql = "SELECT id FROM backup";
    let id: uuid::Uuid = sqlx::query_scalar(sql)
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    // The worker died between the folder's last name and its word to the database.
    let config = shop.app.config();
    let setup = worker::backup::Setup::new(&config, config.blob.open().unwrap()).unwrap();
    let request = worker::backup::Request {
        id,
        is_incremental: false,
    };
    let clock = domain::clock::SystemClock;
    worker::backup::create(&Arc::new(setup), &clock, request, &Arc::default())
        .await
        .unwrap();
    let name = shop.backups();
    let _worker = shop.app.worker();
    let made = backup_when(&shop.manager, &asked["id"], "it is told", |backup| {
        backup["state"] == "COMPLETE"
    })
    .await;
    assert_eq!(name, [made["name"].as_str().unwrap()]);
    assert_eq!(shop.backups(), name);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_while_one_is_being_made_from_the_command_line_is_told() {
    let shop = Shop::open().await;
    let held = hold(shop.app.sql()).await;
    let mut first = Program::spawn("worker", &["backup"], &shop.variables());
    until(LONG, "it is in the middle", async || {
        in_folder(shop.app.backups()).len() == 2
    })
    .await;
    let second = shop.worker(&["backup"]).await;
    assert_eq!(second.status.code(), Some(REFUSED), "{second:?}");
    assert!(
        second.errors.contains("another backup is being made"),
        "{second:?}"
    );
    drop(held);
    assert!(first.ended().await.success());
    assert_eq!(shop.backups().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_stays_locked_fails_a_backup_that_is_stopped() {
    let shop = Shop::of(TestApp::builder().set("GOLDSHOP_WORKER__SHUTDOWN_SECONDS", 2)).await;
    let held = hold(shop.app.sql()).await;
    let asked = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let worker = shop.app.worker();
    until(LONG, "it is in the middle", async || {
        in_folder(shop.app.backups()).len() == 2
    })
    .await;
    worker.stop().await;
    // The worker went down: the backup is given back, and what there was of it is gone.
    until(LONG, "nothing is left", async || {
        in_folder(shop.app.backups()) == [".lock"]
    })
    .await;
    let backup = shop.manager.ok(BACKUP, json!({"id": asked["id"]})).await["backup"].take();
    assert_eq!(backup["state"], "RUNNING");
    // And another worker makes it.
    held.rollback().await.unwrap();
    let _worker = shop.app.worker();
    until(LONG, "it is made", async || {
        let found = shop.manager.ok(BACKUP, json!({"id": asked["id"]})).await;
        found["backup"]["state"] == "COMPLETE"
    })
    .await;
}
