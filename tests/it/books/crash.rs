//! The server dies while many post: what was answered is there, what was not is there whole or not at all, and no number is missing.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;
use tests::shop::document;

use super::Books;

const CLIENTS: usize = 8;
const BEFORE_THE_CRASH: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_whole_whenever_the_server_is_killed() {
    let books = Books::open().await;
    let (mut program, url) = books.app.api_process().await;
    let manager = books.manager.at(&url);
    let answered = AtomicUsize::new(0);
    let post = async || {
        let input = books.sale("2026-05-01", "2");
        while let Ok(answer) = manager
            .try_gql(&document("journalPost"), json!({"input": input}))
            .await
        {
            if answer.status != 200 || !answer.errors.is_empty() {
                return;
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    };
    let kill = async {
        while answered.load(Ordering::SeqCst) < BEFORE_THE_CRASH {
            tokio::task::yield_now().await;
        }
        program.kill();
    };
    tokio::join!(join_all((0..CLIENTS).map(|_| post())), kill);
    tests::wait::until(tests::wait::PATIENCE, "no transaction is open any more", async || {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
        books.count(open).await == 0
    })
    .await;
    let entries = books.count("SELECT count(*) FROM journal_entry").await;
    let answered = i64::try_from(answered.load(Ordering::SeqCst)).unwrap();
    assert!(
        (answered..=answered + i64::try_from(CLIENTS).unwrap()).contains(&entries),
        "{answered} were answered, {entries} are there"
    );
    assert_eq!(
        books.balance("1101", "IRR", "2026-05-01").await,
        Some((2 * entries).to_string())
    );
    assert_eq!(
        books
            .count("SELECT count(*) FROM audit WHERE action = 'journal.post'")
            .await,
        entries
    );
    assert_eq!(
        books.post(books.sale("2026-05-01", "2")).await["number"],
        entries + 1
    );
    books.assert_verified().await;
}
