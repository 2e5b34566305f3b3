//! Recovery to a moment between two backups, from PostgreSQL's own log.

use tests::postgres::{PostgresServer, lend};

use super::*;

/// The script, where PostgreSQL's account can read it: it may not be able to enter the checkout.
fn script(place: &Path) -> String {
    let path = place.join("pitr.sh");
    if !path.exists() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/pitr.sh");
        std::fs::copy(source, &path).unwrap();
    }
    text(&path)
}

async fn text_of(url: &str, sql: &'static str) -> String {
    sqlx::query_scalar(sql)
        .fetch_one(&database::pool(&database::as_owner(url)))
        .await
        .unwrap()
}

async fn entries(url: &str) -> i64 {
    let sql = "SELECT count(*) FROM journal_entry";
    sqlx::query_scalar(sql)
        .fetch_one(&database::pool(&database::as_owner(url)))
        .await
        .unwrap()
}

/// The same server, as it was then.
async fn recovered(place: &Path, time: Option<&str>) -> PostgresServer {
    let server = PostgresServer::on_cluster(|data| {
        let (archive, data) = (text(&place.join("archive")), text(data));
        let arguments = [&["recover", &archive, &data][..], &Vec::from_iter(time)].concat();
        by_hand(&script(place), &arguments, &[]);
    })
    .await;
    let pool = database::pool(&database::as_owner(&server.url()));
    eventually(LONG, "it is recovered", async || {
        let recovering = sqlx::query_scalar("SELECT pg_is_in_recovery()")
            .fetch_one(&pool)
            .await;
        matches!(recovering, Ok(false)).then_some(())
    })
    .await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_becomes_what_it_was_at_a_moment() {
    let place = tempfile::tempdir().unwrap();
    // PostgreSQL's account has to get there.
    let archive = place.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let script = script(place.path());
    lend(place.path());
    let command = format!(
        "archive_command=bash \"{}\" archive \"{}\" \"%p\" \"%f\"",
        script,
        archive.display()
    );
    let server =
        PostgresServer::with_settings(&["wal_level=replica", "archive_mode=on", &command]).await;
    let shop = Shop::of(TestApp::builder().database_url(server.url())).await;
    let (port, user) = (
        server.port().to_string(),
        database::role_in(&database::owner_url()),
    );
    let variables = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port),
        ("PGUSER", &user),
    ];
    by_hand(&script, &["base", &text(&archive)], &variables);
    let before = entries(&server.url()).await;
    shop.post(100).await;
    // The base is named by whole seconds.
    text_of(&server.url(), "SELECT pg_sleep(1.1)::text").await;
    let moment = text_of(&server.url(), "SELECT clock_timestamp()::text").await;
    shop.post(200).await;
    let after = entries(&server.url()).await;
    assert_eq!(after, before + 2);
    text_of(&server.url(), "SELECT pg_switch_wal()::text").await;
    eventually(LONG, "all of the log is in the archive", async || {
        let sql = "SELECT (last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) OR last_archived_wal IS NULL)::text FROM pg_stat_archiver";
        let archived = text_of(&server.url(), sql).await;
        (archived == "true").then_some(())
    })
    .await;
    drop(server);
    let then = recovered(place.path(), Some(&moment)).await;
    assert_eq!(entries(&then.url()).await, before + 1);
    // All of it is sound, and the shop goes on.
    let app = TestApp::builder().database_url(then.url()).start().await;
    let viewer = domain::Viewer::system("test");
    let checks = app.domain().backups().prove(&viewer).await.unwrap();
    assert!(checks.iter().all(|check| check.is_sound), "{checks:?}");
    let manager = app.manager().await;
    manager.receive(&shop.ring, &shop.tray, 1).await;
    let last = recovered(place.path(), None).await;
    assert_eq!(entries(&last.url()).await, after);
}

#[test]
fn what_is_archived_is_kept_once_and_whole() {
    let place = tempfile::tempdir().unwrap();
    let (archive, segment) = (text(place.path()), place.path().join("segment"));
    let script = script(place.path());
    let run = |arguments: &[&str]| Command::new(&script).args(arguments).output().unwrap();
    std::fs::write(&segment, "one").unwrap();
    let keep = ["archive", &archive, &text(&segment), "0001"];
    assert!(run(&keep).status.success());
    assert!(run(&keep).status.success());
    std::fs::write(&segment, "another").unwrap();
    assert!(!run(&keep).status.success());
    let back = text(&place.path().join("back"));
    assert!(run(&["fetch", &archive, "0001", &back]).status.success());
    assert_eq!(std::fs::read_to_string(&back).unwrap(), "one");
    assert!(!run(&["fetch", &archive, "0002", &back]).status.success());
    assert_eq!(in_folder(&place.path().join("wal")), ["0001.gz"]);
    let nothing = run(&["recover", &archive, &back, "2026-11-28 08:30:00+00"]);
    assert!(
        String::from_utf8_lossy(&nothing.stderr).contains("no base backup"),
        "{nothing:?}"
    );
}
