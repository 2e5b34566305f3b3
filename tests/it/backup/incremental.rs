//! Backups that leave out files which an earlier one has, and encrypted ones.

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_backup_has_only_new_files_and_brings_all_of_them_back() {
    let shop = Shop::open().await;
    let first = shop.backup_with(&["--incremental"], &[]).await;
    assert_eq!(
        (
            &manifest(&first)["parent"],
            &manifest(&first)["files"]["archived"]
        ),
        (&json!(null), &json!(2))
    );
    let gone = files(shop.app.media()).into_keys().next().unwrap();
    let went = shop.app.media().join(&gone);
    let content = std::fs::read(&went).unwrap();
    std::fs::remove_file(&went).unwrap();
    shop.manager.picture(&shop.ring, small(3)).await;
    let second = shop.backup_with(&["--incremental"], &[]).await;
    shop.manager.picture(&shop.ring, small(4)).await;
    let third = shop.backup_with(&["--incremental"], &[]).await;
    let name = |folder: &Path| json!(folder.file_name().unwrap().to_str().unwrap());
    for (folder, parent, count) in [(&second, &first, 2), (&third, &second, 3)] {
        let manifest = manifest(folder);
        assert_eq!(manifest["parent"], name(parent));
        assert_eq!(
            (&manifest["files"]["count"], &manifest["files"]["archived"]),
            (&json!(count), &json!(1))
        );
        shop.assert_sound(folder).await;
    }
    let media = tempfile::tempdir().unwrap();
    let store = text(media.path());
    let ended = shop
        .worker_with(
            &["restore", &text(&third), "--part", "uploads"],
            &[("GOLDSHOP_BLOB__ROOT", &store)],
        )
        .await;
    assert!(ended.status.success(), "{ended:?}");
    // What was gone by then stays gone.
    assert_eq!(files(media.path()), files(shop.app.media()));
    std::fs::write(&went, content).unwrap();

    // A full one needs no other; an incremental one without its parent is not sound, nor is it restored.
    let full = shop.backup().await;
    assert_eq!(manifest(&full)["parent"], json!(null));
    std::fs::remove_dir_all(&second).unwrap();
    let (code, found) = shop.verify(&third).await;
    assert_eq!(code, Some(NOT_SOUND), "{found}");
    let other = tempfile::tempdir().unwrap();
    let store = text(other.path());
    let ended = shop
        .worker_with(
            &["restore", &text(&third), "--part", "uploads"],
            &[("GOLDSHOP_BLOB__ROOT", &store)],
        )
        .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(files(other.path()).is_empty());
    shop.assert_sound(&full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_backup_is_read_with_its_key_and_not_without() {
    let shop = Shop::open().await;
    let place = tempfile::tempdir().unwrap();
    let key = text(&place.path().join("key"));
    by_hand("age-keygen", &["-o", &key], &[]);
    let secret = std::fs::read_to_string(&key).unwrap();
    let recipient = secret
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "))
        .unwrap();
    let sealed = [("GOLDSHOP_BACKUP__RECIPIENTS", recipient)];
    let folder = shop.backup_with(&[], &sealed).await;
    let names = in_folder(&folder);
    assert!(
        names
            .iter()
            .all(|name| name.ends_with(".age") || name == "manifest.json"),
        "{names:?}"
    );
    for name in names.iter().filter(|name| *name != "manifest.json") {
        assert!(
            std::fs::read(folder.join(name))
                .unwrap()
                .starts_with(b"age-encryption.org/"),
            "{name}"
        );
    }
    let (code, found) = shop.verify(&folder).await;
    assert_eq!(code, Some(NOT_SOUND), "{found}");
    assert!(
        found
            .to_string()
            .contains("backup.identity_file names no key"),
        "{found}"
    );
    let with_key = [("GOLDSHOP_BACKUP__IDENTITY_FILE", key.as_str())];
    let (code, found) = shop.verify_with(&folder, &with_key).await;
    assert_eq!(code, Some(0), "{found}");
    let (room, media) = (Room::new().await, tempfile::tempdir().unwrap());
    let store = text(media.path());
    let settings = [with_key[0], ("GOLDSHOP_BLOB__ROOT", &store)];
    let arguments = [
        "restore",
        &text(&folder),
        "--into",
        room.name(),
        "--part",
        "database",
        "--part",
        "uploads",
    ];
    let ended = shop.worker_with(&arguments, &settings).await;
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(files(media.path()), files(shop.app.media()));
    let before = seen(&shop.app, &shop.manager).await;
    let (app, manager) = room.open(&[]).await;
    assert_eq!(seen(&app, &manager).await, before);
    // By hand, too.
    let archive = text(&place.path().join("uploads.tar.gz"));
    by_hand(
        "age",
        &[
            "--decrypt",
            "-i",
            &key,
            "-o",
            &archive,
            &text(&folder.join("uploads.tar.gz.age")),
        ],
        &[],
    );
    by_hand("tar", &["-tzf", &archive], &[]);
    // An incremental one has to read what its parent has.
    let second = shop
        .worker_with(&["backup", "--incremental"], &sealed)
        .await;
    assert_eq!(second.status.code(), Some(REFUSED), "{second:?}");
    let both = [sealed[0], with_key[0]];
    let second = shop.backup_with(&["--incremental"], &both).await;
    assert_eq!(manifest(&second)["files"]["archived"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_refused_at_the_start() {
    let shop = Shop::open().await;
    let ended = shop
        .worker_with(
            &["backup"],
            &[("GOLDSHOP_BACKUP__RECIPIENTS", "--output=/etc/passwd")],
        )
        .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert!(ended.errors.contains("backup.recipients"), "{ended:?}");
    // Well-formed, and nobody's.
    let ended = shop
        .worker_with(&["backup"], &[("GOLDSHOP_BACKUP__RECIPIENTS", "age1qqqq")])
        .await;
    assert_eq!(ended.status.code(), Some(FAILED), "{ended:?}");
    assert_eq!(shop.backups(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_enough_goes_but_not_what_others_need_nor_the_last() {
    let shop = Shop::open().await;
    let mut folders = Vec::new();
    for arguments in [&[][..], &[], &["--incremental"], &["--incremental"]] {
        folders.push(shop.backup_with(arguments, &[]).await);
    }
    // All but the last two are old; the third needs the second.
    for folder in &folders[..3] {
        lie(folder, |content| {
            content["created_at"] = json!("2020-01-01T00:00:00Z")
        });
    }
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let keep = [("GOLDSHOP_BACKUP__KEEP_DAYS", "30")];
    let last = shop.backup_with(&[], &keep).await;
    let mut expected: Vec<_> = folders[1..]
        .iter()
        .chain([&last])
        .map(|folder| name(folder))
        .collect();
    expected.sort();
    assert_eq!(shop.backups(), expected);
    let query = "{ backups { nodes { id name removedAt } } }";
    let seen = shop.manager.ok(query, json!({})).await;
    let rows = seen["backups"]["nodes"].as_array().unwrap();
    let removed: Vec<_> = rows
        .iter()
        .filter(|row| !row["removedAt"].is_null())
        .collect();
    assert_eq!(
        (removed.len(), &removed[0]["name"]),
        (1, &json!(name(&folders[0])))
    );
    let refused = shop
        .manager
        .not_done("backupVerify", json!({"id": removed[0]["id"]}))
        .await;
    assert_eq!(refused, [("WRONG_STATE".to_owned(), "id".to_owned())]);
    for folder in folders[3..].iter().chain([&last]) {
        lie(folder, |content| {
            content["created_at"] = json!("2020-01-01T00:00:00Z")
        });
    }
    let only = shop.backup_with(&[], &keep).await;
    assert_eq!(shop.backups(), [name(&only)]);
}
