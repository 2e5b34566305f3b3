//! Getting everything back, or a part of it, by the program and by hand.

use serde_json::{Value, json};

use super::*;

async fn restore(shop: &Shop, folder: &Path, more: &[&str], settings: &[(&str, &str)]) -> Ended {
    let folder = text(folder);
    let arguments = [&["restore", &folder, "--json"], more].concat();
    shop.worker_with(&arguments, settings).await
}

fn done(ended: &Ended) -> Value {
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_str(&ended.output).unwrap()
}

fn refused(ended: &Ended, why: &str) {
    assert_eq!(ended.status.code(), Some(REFUSED), "{ended:?}");
    assert!(ended.errors.contains(why), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_into_a_database_that_is_made_for_it() {
    let shop = Shop::open().await;
    let before = seen(&shop.app, &shop.manager).await;
    let folder = shop.backup().await;
    let (room, media) = (Room::new().await, tempfile::tempdir().unwrap());
    let store = text(media.path());
    let elsewhere = [("GOLDSHOP_BLOB__ROOT", store.as_str())];
    let found = done(
        &restore(
            &shop,
            &folder,
            &[
                "--into",
                room.name(),
                "--part",
                "database",
                "--part",
                "uploads",
            ],
            &elsewhere,
        )
        .await,
    );
    assert_eq!(found["files"], 2);
    assert!(found["rows"].as_i64().unwrap() > 100, "{found}");
    let (app, manager) = room.open(&elsewhere).await;
    assert_eq!(seen(&app, &manager).await, before);
    assert_eq!(before["answers"][3]["auditVerify"]["verdict"], "WHOLE");
    assert_eq!(before["answers"][3]["ledgerVerify"], json!([]));
    assert_eq!(files(media.path()), files(shop.app.media()));
    // The shop goes on there.
    manager.receive(&shop.ring, &shop.tray, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_everybody_knows_read_the_same_files() {
    let shop = Shop::open().await;
    let before = seen(&shop.app, &shop.manager).await;
    let folder = shop.backup().await;
    let (room, place) = (Room::empty().await, tempfile::tempdir().unwrap());
    let variables = libpq(&room.owner_url());
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (archive, into) = (text(&folder.join("uploads.tar.gz")), text(place.path()));
    by_hand(
        "pg_restore",
        &[
            "--exit-on-error",
            "-d",
            room.name(),
            &text(&folder.join("database.backup")),
        ],
        &variables,
    );
    by_hand("tar", &["-xzf", &archive, "-C", &into], &[]);
    by_hand("redis-check-rdb", &[&text(&folder.join("redis.rdb"))], &[]);
    by_hand("gzip", &["--test", &archive], &[]);
    let media = text(&place.path().join("uploads"));
    let (app, manager) = room.open(&[("GOLDSHOP_BLOB__ROOT", &media)]).await;
    assert_eq!(seen(&app, &manager).await, before);
    assert_eq!(files(Path::new(&media)), files(shop.app.media()));

    // So does psql the SQL.
    let sql = place.path().join("database.sql");
    by_hand(
        "zstd",
        &[
            "-q",
            "-d",
            &text(&folder.join("database.sql.zst")),
            "-o",
            &text(&sql),
        ],
        &[],
    );
    let room = Room::empty().await;
    by_hand(
        "psql",
        &[
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            room.name(),
            "-f",
            &text(&sql),
        ],
        &variables,
    );
    let (app, manager) = room.open(&[]).await;
    assert_eq!(seen(&app, &manager).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten_without_being_told() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let before = seen(&shop.app, &shop.manager).await;
    shop.manager.receive(&shop.ring, &shop.tray, 7).await;
    let after = seen(&shop.app, &shop.manager).await;
    let ended = restore(&shop, &folder, &["--part", "database"], &[]).await;
    refused(&ended, "is not empty: say --overwrite");
    let ended = restore(&shop, &folder, &["--part", "uploads"], &[]).await;
    refused(&ended, "say --overwrite");
    assert_eq!(seen(&shop.app, &shop.manager).await, after);
    // Once it is, the whole database is another one, and whoever was connected connects anew.
    let ended = restore(&shop, &folder, &["--part", "database", "--overwrite"], &[]).await;
    done(&ended);
    let url = shop.app.database_url();
    let role = database::role_in(&url);
    migration::locked::up(&database::as_owner(&url), &role)
        .await
        .unwrap();
    let back = eventually(PATIENCE, "the shop is back", async || {
        let answer = shop.manager.gql("{ me { user { id } } }", json!({})).await;
        answer.codes().is_empty().then_some(())
    });
    back.await;
    assert_eq!(seen(&shop.app, &shop.manager).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_filled_as_a_whole_or_not_at_all() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let room = Room::empty().await;
    // What cannot be restored leaves nothing: the manifest admits that the dump was cut, so it is only found on the way.
    let dump = std::fs::read(folder.join("database.backup")).unwrap();
    std::fs::write(folder.join("database.backup"), &dump[..dump.len() * 2 / 3]).unwrap();
    admit(&folder, "database.backup");
    let ended = restore(
        &shop,
        &folder,
        &["--part", "database", "--into", room.name()],
        &[],
    )
    .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(ended.errors.contains("pg_restore"), "{ended:?}");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let left: i64 = sqlx::query_scalar(tables)
        .fetch_one(&database::pool(&room.owner_url()))
        .await
        .unwrap();
    assert_eq!(left, 0);
    // One that was made for it goes again.
    let other = Room::new().await;
    let ended = restore(
        &shop,
        &folder,
        &["--part", "database", "--into", other.name()],
        &[],
    )
    .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(!other.is_there().await);
    std::fs::write(folder.join("database.backup"), &dump).unwrap();
    admit(&folder, "database.backup");
    done(
        &restore(
            &shop,
            &folder,
            &["--part", "database", "--into", room.name()],
            &[],
        )
        .await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_file_is_found_before_anything_is_touched() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let path = folder.join("uploads.tar.gz");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (room, media) = (Room::new().await, tempfile::tempdir().unwrap());
    let store = text(media.path());
    let ended = restore(
        &shop,
        &folder,
        &["--into", room.name()],
        &[("GOLDSHOP_BLOB__ROOT", &store)],
    )
    .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(
        ended.errors.contains("uploads.tar.gz was changed"),
        "{ended:?}"
    );
    assert!(!room.is_there().await);
    assert!(files(media.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_come_back_with_redis() {
    let shop = Shop::open().await;
    let owner = shop.app.owner().await;
    const ME: &str = "{ me { user { email } } }";
    assert_eq!(owner.gql(ME, json!({})).await.codes(), [""; 0]);
    let folder = shop.backup().await;
    let ended = restore(&shop, &folder, &["--part", "redis"], &[]).await;
    refused(&ended, "Redis has keys of this installation already");
    let mut connection = shop
        .app
        .redis()
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let pattern = format!("{}:*", shop.app.redis().prefix());
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(&pattern)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(!keys.is_empty());
    let mut lives = Vec::new();
    for key in &keys {
        let left: i64 = redis::cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        lives.push(left);
    }
    redis::cmd("UNLINK")
        .arg(&keys)
        .exec_async(&mut connection)
        .await
        .unwrap();
    let found = done(&restore(&shop, &folder, &["--part", "redis"], &[]).await);
    assert_eq!(found["keys"], keys.len());
    assert_eq!(found["rows"], Value::Null);
    for (key, before) in keys.iter().zip(lives) {
        let left: i64 = redis::cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(left > 0, before > 0, "{key}");
        assert!(left <= before.max(0) || before < 0, "{key}");
    }
    // A server that did not believe what it had read before asks Redis, and knows the session.
    let another = shop.app.another_server().await;
    assert_eq!(
        owner.at(&another.url).gql(ME, json!({})).await.codes(),
        [""; 0]
    );
    done(&restore(&shop, &folder, &["--part", "redis", "--overwrite"], &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_no_owner_or_no_backup_is_told() {
    let shop = Shop::open().await;
    let folder = text(&shop.backup().await);
    let ended = process::run(
        "worker",
        &["restore", &folder],
        shop.app.variables(),
        "",
        LONG,
    )
    .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(ended.errors.contains("DATABASE_OWNER_URL"), "{ended:?}");
    let ended = shop.worker(&["restore", "no-such-backup"]).await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(ended.errors.contains("manifest.json"), "{ended:?}");
    let ended = shop
        .worker(&["restore", &folder, "--part", "everything"])
        .await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
}
