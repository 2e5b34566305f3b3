//! What a proof finds in a backup that is not what it was.

use std::io::{Read as _, Write as _};

use serde_json::json;
use tests::postgres::PostgresServer;

use super::*;

/// Changes one byte in the middle of a file.
fn corrupt(path: &Path) {
    change(path, |length| length / 2);
}

/// Changes one byte of the rows in a dump: they come behind what tables and functions are, where another letter in a comment is nothing wrong.
fn corrupt_rows(path: &Path) {
    change(path, |length| length - length / 20);
}

fn change(path: &Path, place: fn(usize) -> usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let place = place(bytes.len());
    bytes[place] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

fn is_about(faults: &[(String, String)], name: &str, detail: &str) {
    let [(found, said), ..] = faults else {
        panic!("nothing was found")
    };
    assert!(found == name && said.contains(detail), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_changed_cut_or_taken_away_is_named() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    shop.assert_sound(&folder).await;
    for file in in_folder(&folder) {
        if file == "manifest.json" {
            continue;
        }
        let path = folder.join(&file);
        let before = std::fs::read(&path).unwrap();
        corrupt(&path);
        is_about(
            &shop.faults(&folder).await,
            "files",
            &format!("{file} was changed"),
        );
        std::fs::write(&path, &before[..before.len() - 1]).unwrap();
        is_about(
            &shop.faults(&folder).await,
            "files",
            &format!("{file} has {} bytes", before.len() - 1),
        );
        std::fs::remove_file(&path).unwrap();
        is_about(
            &shop.faults(&folder).await,
            "files",
            &format!("{file} is missing"),
        );
        std::fs::write(&path, before).unwrap();
    }
    shop.assert_sound(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_lies_is_found_out() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let truth = manifest(&folder);
    let items = truth["facts"]["rows"]["public.item"].as_i64().unwrap();
    lie(&folder, |content| {
        content["facts"]["rows"]["public.item"] = json!(items + 1)
    });
    let faults = shop.faults(&folder).await;
    let names: Vec<_> = faults.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sql", "rows"], "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|(_, detail)| detail.contains("public.item")),
        "{faults:?}"
    );

    lie(&folder, |content| {
        *content = truth.clone();
        content["facts"]["totals"]["journal.debit.IRR"] = json!("1");
    });
    is_about(
        &shop.faults(&folder).await,
        "rows",
        "journal.debit.IRR: the manifest says 1, and there is 6",
    );
    lie(&folder, |content| {
        *content = truth.clone();
        content["files"]["count"] = json!(7);
    });
    is_about(
        &shop.faults(&folder).await,
        "uploads",
        "2 of 2 files are there; the manifest says 7",
    );
    for (change, what) in [
        (json!({"file": "../../../etc/passwd"}), "names"),
        (json!({"file": ".lock"}), "names"),
        (json!({"sha256": "0"}), "was changed"),
    ] {
        lie(&folder, |content| {
            *content = truth.clone();
            for (name, value) in change.as_object().unwrap() {
                content["parts"][0][name] = value.clone();
            }
        });
        let faults = shop.faults(&folder).await;
        assert!(faults[0].1.contains(what), "{faults:?}");
    }
    for change in [
        json!({"parent": "../elsewhere"}),
        json!({"format": 2}),
        json!({"surprise": 1}),
    ] {
        lie(&folder, |content| {
            *content = truth.clone();
            content
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
        });
        is_about(&shop.faults(&folder).await, "manifest", "manifest.json");
    }
    std::fs::write(folder.join("manifest.json"), "{").unwrap();
    is_about(&shop.faults(&folder).await, "manifest", "manifest.json");
    lie_anew(&folder, &truth);
    shop.assert_sound(&folder).await;
}

fn lie_anew(folder: &Path, truth: &Value) {
    std::fs::write(folder.join("manifest.json"), truth.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_cut_and_whose_manifest_admits_it_are_found_out() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let truth = manifest(&folder);
    for (file, name) in [
        ("database.backup", "restore"),
        ("database.sql.zst", "sql"),
        ("redis.rdb", "redis"),
        ("uploads.tar.gz", "uploads"),
    ] {
        let path = folder.join(file);
        let before = std::fs::read(&path).unwrap();
        std::fs::write(&path, &before[..before.len() * 2 / 3]).unwrap();
        admit(&folder, file);
        let faults = shop.faults(&folder).await;
        assert!(
            faults.iter().any(|(found, _)| found == name),
            "{file}: {faults:?}"
        );
        std::fs::write(&path, before).unwrap();
        lie_anew(&folder, &truth);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_files_that_were_changed_or_cut_are_found_out_though_the_manifest_admits_it() {
    let shop = Shop::open().await;
    let place = tempfile::tempdir().unwrap();
    let key = text(&place.path().join("key"));
    by_hand("age-keygen", &["-o", &key], &[]);
    let secret = std::fs::read_to_string(&key).unwrap();
    let mut lines = secret.lines();
    let recipient = lines.find_map(|line| line.strip_prefix("# public key: "));
    let sealed = [("GOLDSHOP_BACKUP__RECIPIENTS", recipient.unwrap())];
    let opened = [("GOLDSHOP_BACKUP__IDENTITY_FILE", key.as_str())];
    let folder = shop.backup_with(&[], &sealed).await;
    let truth = manifest(&folder);
    for (file, check) in [
        ("database.backup.age", "restore"),
        ("database.sql.zst.age", "sql"),
        ("redis.rdb.age", "redis"),
        ("uploads.tar.gz.age", "uploads"),
    ] {
        let path = folder.join(file);
        let before = std::fs::read(&path).unwrap();
        let cut = before[..before.len() - 1].to_vec();
        let mut changed = before.clone();
        *changed.last_mut().unwrap() ^= 1;
        for bytes in [cut, changed] {
            std::fs::write(&path, bytes).unwrap();
            admit(&folder, file);
            let (code, found) = shop.verify_with(&folder, &opened).await;
            assert_eq!(code, Some(NOT_SOUND), "{found}");
            let mut checks = found["report"]["checks"].as_array().unwrap().iter();
            let wrong = checks.find(|found| found["name"] == check).unwrap();
            assert_eq!(wrong["is_sound"], false, "{file}: {found}");
        }
        if check == "restore" {
            let room = Room::new().await;
            let (folder, name) = (text(&folder), room.name());
            let arguments = ["restore", &folder, "--part", "database", "--into", name];
            let ended = shop.worker_with(&arguments, &opened).await;
            assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
            assert!(!room.is_there().await);
        }
        std::fs::write(&path, before).unwrap();
        lie_anew(&folder, &truth);
    }
    let (code, found) = shop.verify_with(&folder, &opened).await;
    assert_eq!(code, Some(0), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_without_its_end_is_found_out() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let path = folder.join("database.sql.zst");
    // All of it can be unpacked, and the last table is missing.
    let unpacked = folder.parent().unwrap().join("unpacked");
    by_hand(
        "zstd",
        &["-q", "-d", &text(&path), "-o", &text(&unpacked)],
        &[],
    );
    let mut sql = String::new();
    std::fs::File::open(&unpacked)
        .unwrap()
        .read_to_string(&mut sql)
        .unwrap();
    let end = sql.rfind("COPY public.").unwrap();
    std::fs::File::create(&unpacked)
        .unwrap()
        .write_all(&sql.as_bytes()[..end])
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    by_hand("zstd", &["-q", &text(&unpacked), "-o", &text(&path)], &[]);
    std::fs::remove_file(&unpacked).unwrap();
    admit(&folder, "database.sql.zst");
    assert_eq!(
        shop.faults(&folder).await,
        [("sql".to_owned(), "its end is missing".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn books_stock_and_a_trail_that_were_wrong_before_are_wrong_in_the_backup() {
    let shop = Shop::open().await;
    for sql in [
        "UPDATE stock_level SET on_hand = on_hand + 1",
        "ALTER TABLE journal_line DISABLE TRIGGER USER; UPDATE journal_line SET amount = amount + 1 WHERE is_debit; ALTER TABLE journal_line ENABLE TRIGGER USER",
    ] {
        shop.app.sql().execute(sql).await.unwrap();
    }
    let folder = shop.backup().await;
    let faults = shop.faults(&folder).await;
    let names: Vec<_> = faults.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["ledger", "stock", "trail"] {
        assert!(names.contains(&name), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_may_do_no_more_than_they_need_are_enough_and_nothing_is_left() {
    let server = PostgresServer::start().await;
    let owner = database::as_owner(&server.url());
    let admin = database::pool(&owner);
    admin
        .execute(
            "CREATE ROLE goldshop_backup LOGIN; GRANT pg_read_all_data TO goldshop_backup; GRANT CONNECT ON DATABASE postgres TO goldshop_backup;
             CREATE ROLE goldshop_verify LOGIN CREATEDB; GRANT CONNECT ON DATABASE postgres TO goldshop_verify",
        )
        .await
        .unwrap();
    let role = |name: &str| {
        let mut url: url::Url = server.url().parse().unwrap();
        url.set_username(name).unwrap();
        String::from(url)
    };
    let builder = TestApp::builder()
        .database_url(server.url())
        .set("DATABASE_BACKUP_URL", role("goldshop_backup"))
        .set("DATABASE_SCRATCH_URL", role("goldshop_verify"));
    let shop = Shop::of(builder).await;
    let folder = shop.backup().await;
    shop.assert_sound(&folder).await;
    corrupt_rows(&folder.join("database.backup"));
    admit(&folder, "database.backup");
    assert!(!shop.faults(&folder).await.is_empty());
    let names = "SELECT datname::text FROM pg_database WHERE datname NOT LIKE 'template%'";
    let left: Vec<String> = sqlx::query_scalar(names).fetch_all(&admin).await.unwrap();
    assert_eq!(left, ["postgres"]);
    // What a proof that was killed has left goes with the next one, and only then.
    admin
        .execute("CREATE DATABASE goldshop_verify_dead OWNER goldshop_verify")
        .await
        .unwrap();
    admin
        .execute("CREATE DATABASE goldshop_verify_alive OWNER goldshop_verify")
        .await
        .unwrap();
    let mut alive = admin.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('goldshop_verify_alive', 0))")
        .execute(&mut *alive)
        .await
        .unwrap();
    shop.faults(&folder).await;
    let left: Vec<String> = sqlx::query_scalar(names).fetch_all(&admin).await.unwrap();
    assert_eq!(left, ["postgres", "goldshop_verify_alive"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_to_try_it_on_nothing_is_said() {
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let proved = shop
        .worker_with(&["verify", &text(&folder)], &[("DATABASE_SCRATCH_URL", "")])
        .await;
    assert_eq!(proved.status.code(), Some(REFUSED), "{proved:?}");
    assert!(proved.errors.contains("DATABASE_SCRATCH_URL"), "{proved:?}");
    let away = "postgres://nobody@127.0.0.1:1/postgres";
    let proved = shop
        .worker_with(
            &["verify", &text(&folder)],
            &[("DATABASE_SCRATCH_URL", away)],
        )
        .await;
    assert_eq!(proved.status.code(), Some(FAILED), "{proved:?}");
}
