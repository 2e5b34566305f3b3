//! Backups that are asked for through the front door.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{answer::Answer, app::TestApp, shop::global_id, wait::until, work::uuid_of};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_and_proved_by_a_worker() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let note = json!({"note": "Before the sale"});
    let asked = shop.manager.done("backupCreate", note).await["backup"].take();
    assert_eq!(
        (&asked["state"], &asked["note"], &asked["name"]),
        (&json!("RUNNING"), &json!("Before the sale"), &Value::Null)
    );
    let made = backup_when(&shop.manager, &asked["id"], "it is made", |backup| {
        backup["state"] != "RUNNING"
    })
    .await;
    assert_eq!(made["state"], "COMPLETE", "{made}");
    let name = made["name"].as_str().unwrap();
    assert_eq!(shop.backups(), [name]);
    let parts = made["parts"].as_array().unwrap();
    let names: Vec<_> = parts
        .iter()
        .map(|part| part["file"].as_str().unwrap())
        .collect();
    let expected = [
        "database.backup",
        "database.sql.zst",
        "redis.rdb",
        "uploads.tar.gz",
        "uploads.list.zst",
        "configuration.json",
    ];
    assert_eq!(names, expected);
    let bytes: i64 = parts
        .iter()
        .map(|part| part["bytes"].as_i64().unwrap())
        .sum();
    assert_eq!(made["bytes"], bytes);
    let mut there = in_folder(&shop.app.backups().join(name));
    there.retain(|file| file != "manifest.json");
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(there, expected);

    shop.manager
        .done("backupVerify", json!({"id": asked["id"]}))
        .await;
    let proved = backup_when(&shop.manager, &asked["id"], "it is proved", |backup| {
        !backup["verifiedAt"].is_null()
    })
    .await;
    let report = &proved["verification"];
    assert_eq!(report["isSound"], true, "{report}");
    assert!(report["restoredIn"].as_i64().unwrap() > 0);
    let checks = report["checks"].as_array().unwrap().iter();
    let names: Vec<_> = checks
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let expected = [
        "files", "sql", "redis", "uploads", "restore", "rows", "ledger", "stock", "series",
        "costs", "trail",
    ];
    assert_eq!(names, expected);
    let listed = shop
        .manager
        .ok("{ backups { nodes { id } } }", json!({}))
        .await;
    assert_eq!(listed["backups"]["nodes"], json!([{"id": asked["id"]}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_press_the_same_button_get_one_backup() {
    let shop = Shop::open().await;
    let pressed = join_all((0..8).map(|_| shop.manager.change("backupCreate", json!({})))).await;
    let codes: Vec<_> = pressed.iter().map(codes).collect();
    let refused = codes
        .iter()
        .filter(|codes| **codes == ["BACKUP_RUNNING"])
        .count();
    let granted = codes.iter().filter(|codes| codes.is_empty()).count();
    assert_eq!((granted, refused), (1, 7), "{codes:?}");
    let jobs = shop.app.jobs().await;
    assert_eq!(
        jobs.iter()
            .filter(|job| job.kind == "backup.create")
            .count(),
        1
    );
    let _worker = shop.app.worker();
    until(LONG, "it is made", async || {
        !shop.backups_or_partial().is_empty() && shop.is_idle().await
    })
    .await;
    assert_eq!(shop.backups().len(), 1);
    // Now there can be another one.
    shop.manager.done("backupCreate", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_the_same_backup() {
    let shop = Shop::open().await;
    let input = json!({"idempotencyKey": "nightly"});
    let first = shop.manager.done("backupCreate", input.clone()).await;
    let again = join_all((0..5).map(|_| shop.manager.done("backupCreate", input.clone()))).await;
    assert!(
        again
            .iter()
            .all(|one| one["backup"]["id"] == first["backup"]["id"])
    );
    let other = json!({"idempotencyKey": "nightly", "incremental": true});
    let refused = shop.manager.change("backupCreate", other).await;
    assert_eq!(codes(&refused), ["IDEMPOTENCY_KEY_REUSED"]);
    let _worker = shop.app.worker();
    let id = &first["backup"]["id"];
    backup_when(&shop.manager, id, "it is made", |backup| {
        backup["state"] == "COMPLETE"
    })
    .await;
    let input = json!({"id": id, "idempotencyKey": "weekly"});
    let first = shop.manager.done("backupVerify", input.clone()).await;
    let again = shop.manager.done("backupVerify", input.clone()).await;
    assert_eq!(
        first["backup"]["verificationJob"]["id"],
        again["backup"]["verificationJob"]["id"]
    );
    let jobs = shop.app.jobs().await;
    assert_eq!(
        jobs.iter()
            .filter(|job| job.kind == "backup.verify")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_proved() {
    let shop = Shop::open().await;
    let asked = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let refused = shop
        .manager
        .not_done("backupVerify", json!({"id": asked["id"]}))
        .await;
    assert_eq!(refused, [("WRONG_STATE".to_owned(), "id".to_owned())]);
    let unknown = global_id("Backup", "00000000000000000000000000000007");
    let refused = shop
        .manager
        .not_done("backupVerify", json!({"id": unknown}))
        .await;
    assert_eq!(refused, [("NOT_FOUND".to_owned(), "id".to_owned())]);
    let long = json!({"note": "x".repeat(10_000)});
    let refused = shop.manager.not_done("backupCreate", long).await;
    assert_eq!(refused, [("TOO_LONG".to_owned(), "note".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_given_up_does_not_stand_in_the_way() {
    let shop = Shop::open().await;
    let first = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    let sql = "UPDATE job SET state = 'dead', relayed_at = now(), finished_at = now() WHERE kind = 'backup.create'";
    shop.app.sql().execute(sql).await.unwrap();
    let second = shop.manager.done("backupCreate", json!({})).await["backup"].take();
    assert_ne!(first["id"], second["id"]);
    let first = shop.manager.ok(BACKUP, json!({"id": first["id"]})).await["backup"].take();
    assert_eq!(first["state"], "FAILED");
    let sql = "SELECT count(*) FROM audit WHERE action = 'backup.create' AND aggregate_id = $1";
    let rows: i64 = sqlx::query_scalar(sql)
        .bind(uuid_of(second["id"].as_str().unwrap()))
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(rows, 1);
}

/// Codes of why a mutation was refused.
fn codes(answer: &Answer) -> Vec<String> {
    let errors = answer.user_errors().into_iter();
    errors.map(|error| error.code).collect()
}

impl Shop {
    fn backups_or_partial(&self) -> Vec<String> {
        let mut names = in_folder(self.app.backups());
        names.retain(|name| name != ".lock");
        names
    }

    async fn is_idle(&self) -> bool {
        let jobs = self.app.jobs().await;
        jobs.iter()
            .filter(|job| job.kind.starts_with("backup."))
            .all(|job| job.state == "succeeded")
    }
}

/// Has a schedule done now, and waits for its job.
async fn run(shop: &Shop, name: &str) -> Value {
    let all = shop
        .manager
        .ok("{ schedules { id name } }", json!({}))
        .await;
    let mut all = all["schedules"].as_array().unwrap().iter();
    let found = all.find(|schedule| schedule["name"] == name).unwrap();
    let input = json!({"id": found["id"]});
    let asked = shop.manager.done("scheduleRunNow", input).await["job"].take();
    let job = "query($id: ID!) { job(id: $id) { state error } }";
    eventually(LONG, "its job has ended", async || {
        let found = shop.manager.ok(job, json!({"id": asked["id"]})).await["job"].take();
        ["SUCCEEDED", "DEAD"]
            .iter()
            .any(|end| found["state"] == *end)
            .then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_make_backups_and_a_proof_that_fails_is_a_job_that_fails() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let none = run(&shop, "Proof of the newest backup").await;
    assert_eq!(none["state"], "DEAD");
    assert!(none["error"].as_str().unwrap().contains("no such backup"));
    assert_eq!(run(&shop, "Backup").await["state"], "SUCCEEDED");
    let sound = run(&shop, "Proof of the newest backup").await;
    assert_eq!(sound["state"], "SUCCEEDED", "{sound}");

    let backups = shop.backups();
    let [name] = &backups[..] else {
        panic!("{backups:?}")
    };
    let file = shop.app.backups().join(name).join("database.backup");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let unsound = run(&shop, "Proof of the newest backup").await;
    assert_eq!(unsound["state"], "DEAD");
    let why = unsound["error"].as_str().unwrap();
    assert!(why.contains("is not sound: files"), "{why}");
    let kept = "{ backups { nodes { name verification { isSound } } } }";
    let kept = shop.manager.ok(kept, json!({})).await;
    assert_eq!(
        kept["backups"]["nodes"],
        json!([{"name": name, "verification": {"isSound": false}}])
    );
}
