//! The proof of the books as a job, and on the command line: for books that are too large for a request.

use sea_orm::sqlx::{self, Postgres, Transaction};
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    process::{self, Ended},
    wait::{PATIENCE, eventually, until},
};

use super::{Books, attacks::tried, text};

const PROOF: &str = "query($id: ID!) { ledgerVerification(id: $id) { id note createdAt asOf finishedAt differenceCount \
    differences { kind subject expected actual } job { kind state startedAt finishedAt } } }";
const AT_ONCE: &str = "{ ledgerVerify { kind subject expected actual } }";

/// What each of these does to the books takes somebody who may switch triggers off.
const BEND_A_LINE: &str = "ALTER TABLE journal_line DISABLE TRIGGER USER; UPDATE journal_line SET amount = amount + 1 WHERE line = 2; \
    ALTER TABLE journal_line ENABLE TRIGGER USER";
const BEND_A_TURNOVER: &str = "ALTER TABLE account_turnover DISABLE TRIGGER USER; \
    UPDATE account_turnover t SET debit = debit + 1 FROM account a WHERE a.id = t.account_id AND a.code = '1101' AND t.span = 'day'; \
    ALTER TABLE account_turnover ENABLE TRIGGER USER";
const BEND_MANY_TURNOVERS: &str = "INSERT INTO account_turnover (account_id, commodity, span, since, debit, credit) \
    SELECT a.id, 'IRR', 'day', date '2000-01-01' + n, 1, 0 FROM account a CROSS JOIN generate_series(1, 1100) n WHERE a.code = '1101'";

impl Books {
    async fn bend(&self, sql: &str) {
        assert_eq!(tried(self.app.sql(), sql).await, "done", "{sql}");
    }

    /// Asks for a proof: its id.
    async fn ask(&self) -> Value {
        let asked = self.manager.done("ledgerVerify", json!({})).await["ledgerVerification"].take();
        for unknown in ["asOf", "finishedAt", "differenceCount", "differences"] {
            assert_eq!(asked[unknown], Value::Null, "{asked}");
        }
        asked["id"].clone()
    }

    /// The proof with this id, as it is by now.
    async fn proof(&self, id: &Value) -> Value {
        self.manager.ok(PROOF, json!({"id": id})).await["ledgerVerification"].take()
    }

    /// The same when it is made.
    async fn made(&self, id: &Value) -> Value {
        eventually(PATIENCE, "the proof is made", async || {
            let found = self.proof(id).await;
            (!found["finishedAt"].is_null()).then_some(found)
        })
        .await
    }

    /// Lets nobody get to the end of a proof until this is dropped.
    async fn hold_up_proofs(&self) -> Transaction<'static, Postgres> {
        let mut holder = self.app.sql().begin().await.unwrap();
        let sql = "LOCK TABLE journal_revaluation IN ACCESS EXCLUSIVE MODE";
        sqlx::query(sql).execute(&mut *holder).await.unwrap();
        holder
    }

    async fn until_proofs_under_way(&self, proofs: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
                       AND application_name = 'goldshop-worker' AND query LIKE '%revaluation_verify%'";
        let what = format!("{proofs} proofs are under way");
        until(PATIENCE, &what, async || {
            self.count(waiting).await == proofs
        })
        .await;
    }

    async fn on_the_command_line(&self) -> Ended {
        let variables = self.app.variables();
        process::run("worker", &["ledger-verify"], variables, "", PATIENCE).await
    }
}

fn kinds_and_subjects(differences: &Value) -> Vec<(String, String)> {
    let differences = differences.as_array().unwrap().iter();
    differences
        .map(|difference| (text(&difference["kind"]), text(&difference["subject"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_books_say_nothing_and_what_is_bent_is_named() {
    let books = Books::of(TestApp::builder().with_worker()).await;
    let entry = books.post(books.sale("2026-05-01", "7")).await;
    let sound = books.made(&books.ask().await).await;
    assert_eq!(
        (&sound["differenceCount"], &sound["differences"]),
        (&json!(0), &json!([])),
        "{sound}"
    );
    assert_eq!(
        (&sound["job"]["kind"], &sound["job"]["state"]),
        (&json!("ledger.verify"), &json!("SUCCEEDED"))
    );
    let moments = ["createdAt", "asOf", "finishedAt"].map(|moment| text(&sound[moment]));
    assert!(moments.is_sorted(), "{moments:?}");
    let ended = books.on_the_command_line().await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(
        ended.output.ends_with("are what their lines make them\n"),
        "{ended:?}"
    );

    books.bend(BEND_A_LINE).await;
    books.bend(BEND_A_TURNOVER).await;
    let found = books.made(&books.ask().await).await;
    assert_eq!(found["differenceCount"], 4, "{found}");
    let entry = tests::work::uuid_of(entry["id"].as_str().unwrap());
    let named = [
        ("balance", format!("{entry} IRR")),
        ("turnover", "1101 IRR day 2026-05-01".to_owned()),
        ("turnover", "4112 IRR day 2026-05-01".to_owned()),
        ("turnover", "4112 IRR month 2026-05-01".to_owned()),
    ];
    let named = named.map(|(kind, subject)| (kind.to_owned(), subject));
    assert_eq!(kinds_and_subjects(&found["differences"]), named);
    let at_once = books.manager.ok(AT_ONCE, json!({})).await;
    assert_eq!(found["differences"], at_once["ledgerVerify"]);
    // What was found before stays found.
    assert_eq!(books.proof(&sound["id"]).await, sound);

    let ended = books.on_the_command_line().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let lines: Vec<_> = ended.output.lines().collect();
    assert_eq!(lines.len(), named.len() + 1, "{ended:?}");
    for (line, (kind, subject)) in lines.iter().zip(&named) {
        assert!(line.starts_with(&format!("{kind} {subject}: ")), "{line}");
    }
    assert!(
        lines[1].contains(": 8.") && lines[1].contains(" instead of 7."),
        "{}",
        lines[1]
    );
    assert!(lines[4].starts_with("4 differences"), "{ended:?}");
    assert!(ended.errors.starts_with("worker: "), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_differences_are_counted_and_the_first_thousand_named() {
    let books = Books::of(TestApp::builder().with_worker()).await;
    books.bend(BEND_MANY_TURNOVERS).await;
    let found = books.made(&books.ask().await).await;
    assert_eq!(found["differenceCount"], 1_100);
    let named = kinds_and_subjects(&found["differences"]);
    assert_eq!(named.len(), 1_000);
    assert_eq!(named[0].1, "1101 IRR day 2000-01-02");
    assert!(named.is_sorted());
    let ended = books.on_the_command_line().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended.output.contains("1100 differences"),
        "{}",
        ended.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_fails_without_a_database() {
    let app = TestApp::start().await;
    let mut variables = app.variables().clone();
    variables.insert(
        "DATABASE_URL".to_owned(),
        "postgres://nobody:nothing@127.0.0.1:1/nowhere".to_owned(),
    );
    let ended = process::run("worker", &["ledger-verify"], &variables, "", PATIENCE).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(ended.output, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_asks_for_the_same_proof() {
    let books = Books::of(TestApp::builder().with_worker()).await;
    let input = json!({"note": "Before the auditor comes", "idempotencyKey": "proof-1"});
    let first =
        books.manager.done("ledgerVerify", input.clone()).await["ledgerVerification"].take();
    let made = books.made(&first["id"]).await;
    assert_eq!(made["note"], "Before the auditor comes");
    let again = books.manager.done("ledgerVerify", input).await["ledgerVerification"].take();
    assert_eq!(again["id"], first["id"]);
    let other = json!({"idempotencyKey": "proof-1"});
    assert_eq!(
        books.manager.not_done("ledgerVerify", other).await,
        [(
            "IDEMPOTENCY_KEY_REUSED".to_owned(),
            "idempotencyKey".to_owned()
        )]
    );
    for sql in [
        "SELECT count(*) FROM ledger_verification",
        "SELECT count(*) FROM job WHERE kind = 'ledger.verify'",
        "SELECT count(*) FROM audit WHERE action = 'ledger.verify' AND actor_kind = 'user'",
    ] {
        assert_eq!(books.count(sql).await, 1, "{sql}");
    }
    assert_eq!(books.proof(&first["id"]).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_manages_the_books_asks_and_sees() {
    let books = Books::open().await;
    let id = books.ask().await;
    let clerk = books.app.clerk().await;
    for answer in [
        clerk.change("ledgerVerify", json!({})).await,
        clerk.gql(PROOF, json!({"id": id})).await,
    ] {
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{answer:?}");
        assert_eq!(answer.errors[0]["extensions"]["permission"], "books.manage");
        assert!(
            !answer.data.to_string().contains(id.as_str().unwrap()),
            "{answer:?}"
        );
    }
    let nobody = books.app.anonymous();
    let answer = nobody.gql(PROOF, json!({"id": id})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(
        books
            .count("SELECT count(*) FROM ledger_verification")
            .await,
        1
    );
    // A person does not make it.
    let viewer = domain::Viewer::anonymous();
    assert!(books.app.domain().journal().prove(&viewer).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_outlasts_the_time_of_a_statement_and_sees_one_moment() {
    let limit = "GOLDSHOP_DATABASE__STATEMENT_TIMEOUT_SECONDS";
    let books = Books::of(TestApp::builder().set(limit, 3).with_worker()).await;
    books.post(books.sale("2026-05-01", "7")).await;
    let held = books.hold_up_proofs().await;
    let id = books.ask().await;
    books.until_proofs_under_way(1).await;
    // Begun later, given up earlier.
    let at_once = books.manager.gql(AT_ONCE, json!({})).await;
    assert_eq!(at_once.codes(), ["SERVICE_UNAVAILABLE"], "{at_once:?}");
    books.until_proofs_under_way(1).await;
    // While it is made, people post, and others bend what is there.
    books.post(books.sale("2026-05-02", "9")).await;
    books.bend(BEND_A_TURNOVER).await;
    assert_eq!(books.proof(&id).await["finishedAt"], Value::Null);
    held.rollback().await.unwrap();
    let made = books.made(&id).await;
    assert_eq!(
        made["differences"],
        json!([]),
        "it was whole at {}",
        made["asOf"]
    );
    assert_eq!(
        books.app.job_about(id.as_str().unwrap()).await.standing(),
        ("succeeded", 1)
    );
    let next = books.made(&books.ask().await).await;
    assert_eq!(next["differenceCount"], 2, "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_whose_worker_is_killed_is_made_again() {
    let lease = "GOLDSHOP_WORKER__LEASE_SECONDS";
    let books = Books::of(TestApp::builder().set(lease, 15)).await;
    books.post(books.sale("2026-05-01", "7")).await;
    let held = books.hold_up_proofs().await;
    let mut worker = books.app.worker_process().await;
    let id = books.ask().await;
    books.until_proofs_under_way(1).await;
    worker.kill();
    // PostgreSQL does not go on for nobody.
    books.until_proofs_under_way(0).await;
    assert_eq!(
        books.app.job_about(id.as_str().unwrap()).await.standing(),
        ("running", 1)
    );
    // The one who takes it over sees what was bent meanwhile.
    books.bend(BEND_A_TURNOVER).await;
    held.rollback().await.unwrap();
    let _heir = books.app.worker_process().await;
    let made = books.made(&id).await;
    assert_eq!(
        kinds_and_subjects(&made["differences"]),
        [("turnover".to_owned(), "1101 IRR day 2026-05-01".to_owned())]
    );
    assert_eq!(
        books.app.job_about(id.as_str().unwrap()).await.standing(),
        ("succeeded", 2)
    );
}
