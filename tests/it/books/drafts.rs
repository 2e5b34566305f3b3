//! Drafts: entries that are prepared, and count nowhere until they are posted, once.

use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::actor::Actor;

use super::{Books, TRIAL, pair, told};

const DRAFT: &str = "query($id: ID!, $after: String) { journalDraft(id: $id) { state date kind description version lineCount \
    document { type id } entry { id } lines(first: 3, after: $after) { pageInfo { hasNextPage endCursor } \
    nodes { line debit credit commodity description account { code } } } } }";

impl Books {
    /// Rent that is going to be paid.
    fn rent(&self) -> Value {
        json!({"date": "2026-05-01", "description": "Rent", "document": {"type": "contract", "id": "C-7"},
               "lines": self.lines(&[("5202", "9"), ("1103", "-9")])})
    }

    async fn draft(&self, input: Value) -> Value {
        self.manager.done("journalDraftCreate", input).await["draft"].take()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_lack_anything_and_counts_nowhere() {
    let books = Books::open().await;
    let empty = books.draft(json!({})).await;
    assert_eq!(
        (&empty["state"], &empty["date"], &empty["lineCount"]),
        (&json!("OPEN"), &json!(null), &json!(0))
    );
    let lines = json!([{"description": "Cash?"}, {"accountId": books.id("1101"), "debit": "9.5"},
                       {"commodity": "usd", "credit": "1"}, {"accountId": books.id("4112")}]);
    let draft = books
        .draft(json!({"kind": "OPENING", "lines": lines}))
        .await;
    let seen = books.manager.ok(DRAFT, json!({"id": draft["id"]})).await["journalDraft"].take();
    assert_eq!(
        seen["lines"]["nodes"],
        json!([
            {"line": 1, "debit": null, "credit": null, "commodity": null, "description": "Cash?", "account": null},
            {"line": 2, "debit": "9.5", "credit": null, "commodity": null, "description": null, "account": {"code": "1101"}},
            {"line": 3, "debit": null, "credit": "1", "commodity": "USD", "description": null, "account": null},
        ])
    );
    let after = seen["lines"]["pageInfo"]["endCursor"].clone();
    let rest = books
        .manager
        .ok(DRAFT, json!({"id": draft["id"], "after": after}))
        .await;
    let rest = &rest["journalDraft"]["lines"];
    assert_eq!(
        (&rest["nodes"][0]["line"], &rest["pageInfo"]["hasNextPage"]),
        (&json!(4), &json!(false))
    );
    // Nobody is told of it, no account has it, and no entry is there.
    let rows = books.manager.ok(TRIAL, json!({"asOf": "2027-03-20"})).await;
    assert_eq!(rows["trialBalance"], json!([]));
    let written = "SELECT (SELECT count(*) FROM journal_entry) + (SELECT count(*) FROM event WHERE kind LIKE 'journal%')";
    assert_eq!(books.count(written).await, 0);
    // All that it lacks is said at once, at its lines.
    let input = json!({"id": draft["id"]});
    let errors = books
        .manager
        .not_done("journalDraftPost", input.clone())
        .await;
    let expected = [
        ("REQUIRED", "date"),
        ("REQUIRED", "lines.0.accountId"),
        ("ONE_SIDE", "lines.0"),
        ("REQUIRED", "lines.2.accountId"),
        ("ONE_SIDE", "lines.3"),
    ];
    assert_eq!(
        errors,
        expected.map(|(code, path)| (code.to_owned(), path.to_owned()))
    );
    let input = json!({"id": empty["id"]});
    let errors = books.manager.not_done("journalDraftPost", input).await;
    assert_eq!(errors[1], ("OUT_OF_RANGE".to_owned(), "lines".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_even_in_a_draft() {
    let books = Books::open().await;
    let stranger = tests::shop::global_id("Account", "01930000000070008000000000abcdef");
    let account = books.id("1101");
    for (lines, code, path) in [
        (
            json!([{"accountId": account}, {"accountId": stranger}]),
            "NOT_FOUND",
            "lines.1.accountId",
        ),
        (
            json!([{"debit": "1", "credit": "1"}]),
            "ONE_SIDE",
            "lines.0",
        ),
        (json!([{"debit": "-1"}]), "OUT_OF_RANGE", "lines.0.debit"),
        (
            json!([{"debit": "0.0000001"}]),
            "OUT_OF_RANGE",
            "lines.0.debit",
        ),
        (
            json!([{"commodity": "$"}]),
            "UNKNOWN_COMMODITY",
            "lines.0.commodity",
        ),
        (
            json!(vec![json!({"debit": "1"}); 10_001]),
            "TOO_MANY",
            "lines",
        ),
    ] {
        let refused = books
            .manager
            .not_done("journalDraftCreate", json!({"lines": lines}))
            .await;
        assert_eq!(refused, pair(code, path));
    }
    assert_eq!(books.count("SELECT count(*) FROM journal_draft").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_changed_until_it_is_posted_as_any_entry_is() {
    let books = Books::open().await;
    let draft = books.draft(books.rent()).await;
    let id = draft["id"].clone();
    let mut lines = books.lines(&[("5202", "9"), ("1103", "-8")]);
    let change = json!({"id": id, "expectedVersion": 1, "lines": lines, "date": null});
    let changed = books
        .manager
        .done("journalDraftUpdate", change.clone())
        .await["draft"]
        .take();
    assert_eq!(
        (
            &changed["version"],
            &changed["date"],
            &changed["description"]
        ),
        (&json!(2), &json!(null), &json!("Rent"))
    );
    assert_eq!(
        books.manager.not_done("journalDraftUpdate", change).await,
        pair("STALE_VERSION", "expectedVersion")
    );
    // What the database finds is said at the draft's lines, too, and leaves the draft open.
    lines
        .as_array_mut()
        .unwrap()
        .push(json!({"accountId": books.id("1103"), "credit": "1", "commodity": "XYZ"}));
    for (change, code, path) in [
        (json!({"id": id, "date": "2031-01-01"}), "NO_PERIOD", "date"),
        (
            json!({"id": id, "date": "2026-05-01"}),
            "UNBALANCED",
            "lines",
        ),
        (
            json!({"id": id, "lines": lines}),
            "UNKNOWN_COMMODITY",
            "lines.2.commodity",
        ),
    ] {
        books.manager.done("journalDraftUpdate", change).await;
        let refused = books
            .manager
            .not_done("journalDraftPost", json!({"id": id}))
            .await;
        assert_eq!(refused[0], (code.to_owned(), path.to_owned()));
    }
    lines[2] = books.line("1103", "-1");
    lines[2]["description"] = json!("Fee");
    let change = json!({"id": id, "lines": lines});
    books.manager.done("journalDraftUpdate", change).await;
    let posted = books
        .manager
        .done("journalDraftPost", json!({"id": id, "expectedVersion": 6}))
        .await;
    let (draft, entry) = (&posted["draft"], &posted["entry"]);
    assert_eq!(
        (&draft["state"], &draft["entry"]["id"]),
        (&json!("POSTED"), &entry["id"])
    );
    assert_eq!(
        (&entry["number"], &entry["date"], &entry["description"]),
        (&json!(1), &json!("2026-05-01"), &json!("Rent"))
    );
    assert_eq!(
        books.balance("1103", "IRR", "2026-05-01").await.as_deref(),
        Some("-9")
    );
    for mutation in [
        "journalDraftPost",
        "journalDraftUpdate",
        "journalDraftDiscard",
    ] {
        let refused = books.manager.not_done(mutation, json!({"id": id})).await;
        assert_eq!(refused, pair("WRONG_STATE", "id"), "{mutation}");
    }
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_thrown_away_stays_in_the_trail() {
    let books = Books::open().await;
    let draft = books.draft(books.rent()).await;
    let input = json!({"id": draft["id"]});
    let gone = books
        .manager
        .done("journalDraftDiscard", input.clone())
        .await;
    assert_eq!(gone["draft"]["state"], "DISCARDED");
    assert_eq!(
        books.manager.not_done("journalDraftPost", input).await,
        pair("WRONG_STATE", "id")
    );
    let audited =
        "SELECT count(*) FROM audit WHERE action = 'journal_draft.discard' AND before IS NOT NULL";
    assert_eq!(books.count(audited).await, 1);
    // The lines that were not changed are kept once.
    let kept = "SELECT count(*) FROM trail_change WHERE source = 'journal_draft_line'";
    assert_eq!(books.count(kept).await, 2);
    let query = "query($where: JournalDraftWhere) { journalDrafts(where: $where) { nodes { state lineCount lines { nodes { account { code } } } } } }";
    let found = async |filter: Value| {
        let found = books.manager.ok(query, json!({"where": filter})).await;
        found["journalDrafts"]["nodes"].as_array().unwrap().len()
    };
    books.draft(json!({})).await;
    assert_eq!(found(json!({})).await, 2);
    assert_eq!(found(json!({"states": ["OPEN"]})).await, 1);
    assert_eq!(found(json!({"accountId": books.id("5202")})).await, 1);
    assert_eq!(
        found(json!({"document": {"type": "contract", "id": "C-7"}})).await,
        1
    );
    assert_eq!(
        found(json!({"document": {"type": "contract", "id": "C-8"}})).await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_who_post_the_same_draft_post_it_once() {
    let books = Books::open().await;
    let draft = books.draft(books.rent()).await;
    let actors: Vec<Actor> = join_all((0..16).map(|_| books.app.manager())).await;
    let input = json!({"id": draft["id"]});
    let answers = actors
        .iter()
        .map(|actor| actor.change("journalDraftPost", input.clone()));
    let answers = join_all(answers).await;
    let done = answers.iter().filter(|answer| told(answer).is_empty());
    assert_eq!(done.count(), 1);
    let late = answers.iter().filter(|answer| !told(answer).is_empty());
    assert!(
        late.clone()
            .all(|answer| told(answer) == pair("WRONG_STATE", "id"))
    );
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 1);
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_posts_and_whoever_changes_do_not_mix() {
    let books = Books::open().await;
    for round in 0..8 {
        let draft = books.draft(books.rent()).await;
        let (other, id) = (books.app.manager().await, draft["id"].clone());
        let change = json!({"id": id, "lines": books.lines(&[("5202", "7"), ("1103", "-7")])});
        let (changed, posted) = tokio::join!(
            other.change("journalDraftUpdate", change),
            books.manager.done("journalDraftPost", json!({"id": id}))
        );
        let (changed, entry) = (told(&changed).is_empty(), &posted["entry"]);
        let query = "query($id: ID!) { journalEntry(id: $id) { lines { nodes { debit } } } }";
        let seen = books.manager.ok(query, json!({"id": entry["id"]})).await;
        let debit = &seen["journalEntry"]["lines"]["nodes"][0]["debit"];
        assert_eq!(debit, if changed { "7" } else { "9" }, "round {round}");
    }
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_by_hand_what_was_posted_of_a_draft() {
    let books = Books::open().await;
    let draft = books.draft(books.rent()).await;
    let other = books.draft(books.rent()).await;
    books
        .manager
        .done("journalDraftPost", json!({"id": draft["id"]}))
        .await;
    let app = tests::database::pool(&books.app.database_url());
    let refused = async |sql: &'static str| {
        let error = sqlx::raw_sql(sql).execute(&app).await.unwrap_err();
        error.to_string()
    };
    for sql in [
        "UPDATE journal_draft SET state = 'open', ended_at = NULL, entry_id = NULL WHERE state = 'posted'",
        "UPDATE journal_draft SET description = 'Other' WHERE state = 'posted'",
        "DELETE FROM journal_draft",
        "TRUNCATE journal_draft_line",
        "UPDATE journal_draft_line SET amount = 5 WHERE draft_id = (SELECT id FROM journal_draft WHERE state = 'posted')",
        "DELETE FROM journal_draft_line WHERE draft_id = (SELECT id FROM journal_draft WHERE state = 'posted')",
        "INSERT INTO journal_draft_line (draft_id, line) SELECT id, 3 FROM journal_draft WHERE state = 'posted'",
        "INSERT INTO journal_draft_line (draft_id, line) VALUES (gen_random_uuid(), 1)",
        "INSERT INTO journal_draft (id, state, kind, lines, created_at, updated_at, ended_at, entry_id, actor_kind, actor_name)
         VALUES (gen_random_uuid(), 'posted', 'general', 0, now(), now(), now(), gen_random_uuid(), 'user', 'x')",
        // An entry that is another draft's, or says something else.
        "UPDATE journal_draft SET state = 'posted', ended_at = now(), entry_id = gen_random_uuid() WHERE state = 'open'",
        "UPDATE journal_draft SET state = 'posted', ended_at = now(), entry_id = (SELECT entry_id FROM journal_draft WHERE state = 'posted')
         WHERE state = 'open'",
    ] {
        let _why = refused(sql).await;
    }
    assert_eq!(
        books
            .count("SELECT count(*) FROM journal_draft WHERE state = 'open'")
            .await,
        1
    );
    assert!(other["id"].is_string());
}
