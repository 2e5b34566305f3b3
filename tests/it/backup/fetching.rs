//! Getting backups back out of the store that has their copies, when the disk they were on is gone.

use serde_json::json;
use tests::s3::S3Server;

use super::{
    faults::{Disk, loudly},
    *,
};

/// How many files a backup has beside its manifest.
const PARTS: usize = 6;

/// A shop whose backups are copied.
struct Copied {
    shop: Shop,
    server: S3Server,
    settings: Vec<(&'static str, String)>,
}

impl Copied {
    async fn open() -> Self {
        let (shop, server) = (Shop::open().await, S3Server::start().await);
        let settings = copies::settings(&server, "tester-secret").to_vec();
        Self {
            shop,
            server,
            settings,
        }
    }

    async fn worker(&self, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
        let mut settings: Vec<_> = self
            .settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        settings.extend(more);
        self.shop.worker_with(arguments, &settings).await
    }

    /// Makes a backup that is copied; gives its name.
    async fn backup(&self, arguments: &[&str], more: &[(&str, &str)]) -> String {
        let arguments = [&["backup", "--json"], arguments].concat();
        let made = self.worker(&arguments, more).await;
        assert!(made.status.success(), "{made:?}");
        let made: Value = serde_json::from_str(&made.output).unwrap();
        assert_eq!(made["isCopied"], true);
        made["backup"].as_str().unwrap().to_owned()
    }

    /// Everything that was on the disk is gone.
    fn lose_the_disk(&self) {
        std::fs::remove_dir_all(self.shop.app.backups()).unwrap();
    }

    /// What there is on it now.
    fn on_the_disk(&self) -> Vec<String> {
        if self.shop.app.backups().is_dir() {
            in_folder(self.shop.app.backups())
        } else {
            Vec::new()
        }
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.server.bucket().join(name)
    }

    /// Fetches the database of a backup into this room.
    async fn restore(&self, name: &str, room: &Room, more: &[(&str, &str)]) -> Ended {
        let arguments = ["restore", name, "--from-s3", "--into", room.name()];
        let parts = ["--part", "database"];
        self.worker(&[&arguments[..], &parts].concat(), more).await
    }

    async fn listed(&self) -> Vec<Value> {
        let listed = self.worker(&["backups", "--remote", "--json"], &[]).await;
        assert!(listed.status.success(), "{listed:?}");
        let listed: Value = serde_json::from_str(&listed.output).unwrap();
        listed["backups"].as_array().unwrap().clone()
    }
}

fn failed(ended: &Ended, code: i32, why: &str) {
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    assert!(ended.errors.contains(why), "{why}: {ended:?}");
    assert!(!format!("{ended:?}").contains("tester-secret"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_comes_back_after_its_disk_is_lost() {
    let copied = Copied::open().await;
    let shop = &copied.shop;
    let before = seen(&shop.app, &shop.manager).await;
    let name = copied.backup(&[], &[]).await;
    copied.lose_the_disk();
    let [listed] = &copied.listed().await[..] else {
        panic!("there is one copy")
    };
    assert_eq!(
        (&listed["backup"], &listed["parent"], &listed["fault"]),
        (&json!(name), &Value::Null, &Value::Null)
    );
    assert!(listed["bytes"].as_i64().unwrap() > 0, "{listed}");
    let table = copied.worker(&["backups", "--remote"], &[]).await;
    assert!(table.output.contains("whole"), "{table:?}");

    let (room, media) = (Room::new().await, tempfile::tempdir().unwrap());
    let store = text(media.path());
    let elsewhere = [("GOLDSHOP_BLOB__ROOT", store.as_str())];
    let arguments = ["restore", &name, "--from-s3", "--into", room.name()];
    let parts = ["--part", "database", "--part", "uploads"];
    let restored = copied
        .worker(&[&arguments[..], &parts].concat(), &elsewhere)
        .await;
    assert!(restored.status.success(), "{restored:?}");
    let (app, manager) = room.open(&elsewhere).await;
    assert_eq!(seen(&app, &manager).await, before);
    assert_eq!(files(media.path()), files(shop.app.media()));

    // It is here like one that was made here: the same files, proved, listed, and not fetched twice.
    let (here, there) = (files(&shop.app.backups().join(&name)), copied.copy(&name));
    let mut there = files(&there);
    there.retain(|file, _| here.contains_key(file));
    assert!(here == there && here.len() == PARTS + 1);
    shop.assert_sound(&shop.app.backups().join(&name)).await;
    assert_eq!(shop.backups(), [name.as_str()]);
    copied.server.answer_only(1 + PARTS);
    let again = copied.worker(&["verify", &name, "--from-s3"], &[]).await;
    assert!(again.status.success(), "{again:?}");
    let listed = shop.worker(&["backups"]).await;
    assert!(listed.output.contains(&name), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_backups_come_back_with_all_their_parents() {
    let copied = Copied::open().await;
    let (shop, place) = (&copied.shop, tempfile::tempdir().unwrap());
    let key = text(&place.path().join("key"));
    by_hand("age-keygen", &["-o", &key], &[]);
    let secret = std::fs::read_to_string(&key).unwrap();
    let mut lines = secret.lines();
    let recipient = lines.find_map(|line| line.strip_prefix("# public key: "));
    let sealed = [
        ("GOLDSHOP_BACKUP__RECIPIENTS", recipient.unwrap()),
        ("GOLDSHOP_BACKUP__IDENTITY_FILE", key.as_str()),
    ];
    let mut names = vec![copied.backup(&[], &sealed).await];
    for shade in [3, 4] {
        shop.manager.picture(&shop.ring, small(shade)).await;
        names.push(copied.backup(&["--incremental"], &sealed).await);
    }
    let before = seen(&shop.app, &shop.manager).await;
    copied.lose_the_disk();
    let parents: Vec<_> = copied.listed().await;
    let parents: Vec<_> = parents.iter().map(|found| &found["parent"]).collect();
    assert_eq!(parents, [&Value::Null, &json!(names[0]), &json!(names[1])]);

    let (room, media) = (Room::new().await, tempfile::tempdir().unwrap());
    let store = text(media.path());
    let elsewhere = [sealed[1], ("GOLDSHOP_BLOB__ROOT", &store)];
    let arguments = ["restore", &names[2], "--from-s3", "--into", room.name()];
    let parts = ["--part", "database", "--part", "uploads"];
    let restored = copied
        .worker(&[&arguments[..], &parts].concat(), &elsewhere)
        .await;
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(shop.backups(), names);
    assert_eq!(files(media.path()), files(shop.app.media()));
    let (app, manager) = room.open(&[("GOLDSHOP_BLOB__ROOT", &store)]).await;
    assert_eq!(seen(&app, &manager).await, before);

    // A parent that the store does not have is named, and nothing is fetched.
    copied.lose_the_disk();
    std::fs::remove_dir_all(copied.copy(&names[1])).unwrap();
    let refused = copied.restore(&names[2], &room, &sealed).await;
    failed(
        &refused,
        FAILED,
        &format!("{}: the store has no such", names[1]),
    );
    assert_eq!(copied.on_the_disk(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_not_what_it_was_is_found_out_and_nothing_is_left_of_it() {
    let copied = Copied::open().await;
    let name = copied.backup(&[], &[]).await;
    copied.lose_the_disk();
    let (room, copy) = (Room::new().await, copied.copy(&name));
    let mut spoilt = Vec::new();
    for file in ["database.backup", "uploads.tar.gz", "configuration.json"] {
        let path = copy.join(file);
        let before = std::fs::read(&path).unwrap();
        let mut changed = before.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x55;
        std::fs::write(&path, &changed).unwrap();
        spoilt.push((
            format!("{file}: was changed"),
            copied.restore(&name, &room, &[]).await,
        ));
        std::fs::write(&path, &before[..before.len() - 1]).unwrap();
        let cut = format!(
            "{file} has {} bytes, and had {}",
            before.len() - 1,
            before.len()
        );
        let [listed] = &copied.listed().await[..] else {
            panic!("it is still listed")
        };
        assert_eq!(listed["fault"], cut);
        spoilt.push((cut, copied.restore(&name, &room, &[]).await));
        std::fs::remove_file(&path).unwrap();
        spoilt.push((
            format!("{file} is missing"),
            copied.restore(&name, &room, &[]).await,
        ));
        std::fs::write(&path, before).unwrap();
    }
    for (why, ended) in spoilt {
        failed(&ended, FAILED, &why);
    }
    assert_eq!(copied.on_the_disk(), [".lock"]);
    assert!(!room.is_there().await);
    // As it was before, it comes back.
    let restored = copied.restore(&name, &room, &[]).await;
    assert!(restored.status.success(), "{restored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_manifest_lies_is_found_out() {
    let copied = Copied::open().await;
    let name = copied.backup(&[], &[]).await;
    copied.lose_the_disk();
    let (room, copy) = (Room::new().await, copied.copy(&name));
    let truth = manifest(&copy);
    let lies = [
        (
            "/name",
            json!("20200101-000000-00000000"),
            "says that it is of",
        ),
        ("/parent", json!(name), "as its parent"),
        ("/parent", json!("../elsewhere"), "as its parent"),
        (
            "/parent",
            json!("20200101-000000-00000000"),
            "no such backup",
        ),
        ("/format", json!(2), "is of format 2"),
        ("/parts/0/file", json!("../../escaped"), "names"),
        ("/parts/0/file", json!("manifest.json"), "names"),
        ("/parts/0/file", json!("elsewhere"), "elsewhere is missing"),
        ("/parts/0/bytes", json!(1), "bytes, and had 1"),
        ("/parts/0/sha256", json!("0"), "was changed"),
        (
            "/facts/rows/public.item",
            json!(7_000),
            "the manifest says 7000",
        ),
    ];
    for (what, lie, why) in lies {
        let mut told = truth.clone();
        *told.pointer_mut(what).unwrap() = lie;
        std::fs::write(copy.join("manifest.json"), told.to_string()).unwrap();
        let ended = copied.restore(&name, &room, &[]).await;
        failed(&ended, FAILED, why);
        assert!(!room.is_there().await, "{what}");
        if what.starts_with("/facts") {
            // All of its files are what they were: it takes restoring it to find that out.
            assert_eq!(copied.shop.backups(), [name.as_str()]);
        } else {
            let mut left = copied.on_the_disk();
            left.retain(|file| file != ".lock");
            assert_eq!(left, [""; 0], "{what}");
        }
    }
    copied.lose_the_disk();
    std::fs::write(copy.join("manifest.json"), "{").unwrap();
    failed(
        &copied.restore(&name, &room, &[]).await,
        FAILED,
        &format!("{name}/manifest.json"),
    );
    let [listed] = &copied.listed().await[..] else {
        panic!("it is still listed")
    };
    assert!(listed["fault"].is_string() && listed["bytes"].is_null());
    std::fs::remove_file(copy.join("manifest.json")).unwrap();
    let ended = copied.restore(&name, &room, &[]).await;
    failed(&ended, FAILED, "the store has no such backup");
    assert_eq!(copied.on_the_disk(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_in_the_middle_is_gone_on_with() {
    let copied = Copied::open().await;
    let name = copied.backup(&[], &[]).await;
    copied.lose_the_disk();
    let (room, partial) = (Room::new().await, format!(".partial-{name}"));
    // The manifest, a look at each file, and two of the files.
    copied.server.answer_only(1 + PARTS + 2);
    let ended = copied.restore(&name, &room, &[]).await;
    failed(&ended, FAILED, "the same command goes on");
    assert_eq!(copied.on_the_disk(), [".lock", partial.as_str()]);
    assert!(!room.is_there().await);
    let listed = copied.shop.worker(&["backups", "--json"]).await;
    assert_eq!(listed.output.trim(), r#"{"backups":[]}"#);

    // Two files are here, and one that a crash has left in pieces.
    let here = copied.shop.app.backups().join(&partial);
    std::fs::write(here.join("redis.rdb"), "torn").unwrap();
    copied.server.answer_only(usize::MAX);
    let first = copied.copy(&name).join("database.backup");
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    // What was fetched once is not fetched again: that it was spoilt meanwhile does no harm.
    let ended = copied.restore(&name, &room, &[]).await;
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(copied.shop.backups(), [name.as_str()]);
    let folder = copied.shop.app.backups().join(&name);
    copied.shop.assert_sound(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_or_its_key_or_while_a_backup_is_made_nothing_is_begun() {
    let copied = Copied::open().await;
    let name = copied.backup(&[], &[]).await;
    let room = Room::new().await;
    let folder = copied.shop.app.backups().join(&name);
    // Another one of this name is here.
    lie(&folder, |content| content["files"]["count"] = json!(7));
    let ended = copied.restore(&name, &room, &[]).await;
    failed(&ended, REFUSED, "another backup than the one");
    copied.lose_the_disk();

    let nowhere = ("GOLDSHOP_BACKUP__COPY_ENDPOINT", "http://127.0.0.1:1");
    let stranger = ("GOLDSHOP_BACKUP__COPY_SECRET_KEY", "another-secret");
    let none = ("GOLDSHOP_BACKUP__COPY_BUCKET", "");
    for (setting, code, why) in [
        (nowhere, FAILED, "copy: the blob store is unavailable"),
        (stranger, FAILED, "copy: the blob store is unavailable"),
        (none, REFUSED, "GOLDSHOP_BACKUP__COPY_BUCKET"),
    ] {
        let ended = copied.restore(&name, &room, &[setting]).await;
        failed(&ended, code, why);
        assert!(!format!("{ended:?}").contains("another-secret"));
        let ended = copied.worker(&["backups", "--remote"], &[setting]).await;
        failed(&ended, code, why);
    }
    for other in ["../../etc", "no such backup", "20260101-000000-zz"] {
        let ended = copied.restore(other, &room, &[]).await;
        failed(&ended, REFUSED, "is no name of a backup");
    }
    let ended = copied.restore("20260101-000000-1a2b3c4d", &room, &[]).await;
    failed(&ended, FAILED, "the store has no such backup");
    assert_eq!(copied.on_the_disk(), [""; 0]);

    std::fs::create_dir(copied.shop.app.backups()).unwrap();
    let lock = std::fs::File::create(copied.shop.app.backups().join(".lock")).unwrap();
    lock.lock().unwrap();
    let ended = copied.restore(&name, &room, &[]).await;
    failed(&ended, REFUSED, "another backup is being made");
    assert_eq!(copied.on_the_disk(), [".lock"]);
    drop(lock);
    // What a fetch has left behind that nobody went on with, the next backup removes.
    let left = copied.shop.app.backups().join(format!(".partial-{name}"));
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("database.backup"), "some of it").unwrap();
    copied.backup(&[], &[]).await;
    assert!(!left.exists());
    assert!(!room.is_there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_gets_full_on_the_way_keeps_nothing_of_it() {
    let copied = Copied::open().await;
    let name = copied.backup(&[], &[]).await;
    copied.lose_the_disk();
    let (room, place) = (Room::new().await, tempfile::tempdir().unwrap());
    let sizes = files(&copied.copy(&name)).into_values();
    let bytes: usize = sizes.map(|content| content.len()).sum();
    let folder = text(place.path());
    let on_it = [("GOLDSHOP_BACKUP__DIRECTORY", folder.as_str())];
    {
        let Some(_disk) = Disk::mount(place.path(), bytes / 2) else {
            return loudly(
                "fetching a backup onto a full disk: this process may not mount a file system",
            );
        };
        let ended = copied.restore(&name, &room, &on_it).await;
        failed(&ended, FAILED, "No space left on device");
        assert_eq!(in_folder(place.path()), [".lock"]);
        assert!(!room.is_there().await);
    }
    // With room for it, it comes.
    let ended = copied.restore(&name, &room, &on_it).await;
    assert!(ended.status.success(), "{ended:?}");
}
