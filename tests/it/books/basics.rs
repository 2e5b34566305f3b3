//! Posting, undoing, and what accounts have.

use serde_json::json;

use super::{Books, LEDGER, TRIAL, pair, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_carries_money_and_metal_side_by_side() {
    let books = Books::open().await;
    let safe = books.manager.location("SAFE", "SAFE", None).await;
    let mut lines = books.lines(&[("1101", "1200.50"), ("4111", "-1000"), ("4112", "-200.5")]);
    lines.as_array_mut().unwrap().extend([
        json!({"accountId": books.id("3201"), "commodity": "gold", "debit": "2.250001"}),
        json!({"accountId": books.id("1301"), "commodity": "GOLD", "credit": "2.250001", "quantity": "-1", "locationId": safe}),
    ]);
    let input = json!({"date": "2026-04-01", "description": "Ring sold", "document": {"type": "invoice", "id": "I-1"}, "lines": lines});
    let entry = books.post(input).await;
    assert_eq!(
        (
            &entry["number"],
            &entry["date"],
            &entry["kind"],
            &entry["fiscalYear"]["name"],
            &entry["lineCount"]
        ),
        (
            &json!(1),
            &json!("2026-04-01"),
            &json!("GENERAL"),
            &json!("1405"),
            &json!(5)
        )
    );
    assert_eq!(entry["document"], json!({"type": "invoice", "id": "I-1"}));
    let line = &entry["lines"]["nodes"][4];
    assert_eq!(
        (
            &line["commodity"],
            &line["credit"],
            &line["debit"],
            &line["quantity"],
            &line["location"]["code"]
        ),
        (
            &json!("GOLD"),
            &json!("2.250001"),
            &json!(null),
            &json!("-1"),
            &json!("SAFE")
        )
    );
    assert_eq!(entry["lines"]["nodes"][0]["commodity"], "IRR");
    assert_eq!(books.balance("1101", "IRR", "2026-03-31").await, None);
    assert_eq!(
        books.balance("1101", "IRR", "2026-04-01").await.as_deref(),
        Some("1200.5")
    );
    assert_eq!(
        books.balance("1301", "GOLD", "2026-12-31").await.as_deref(),
        Some("-2.250001")
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_count_from_one_in_each_year_and_have_no_gaps() {
    let books = Books::open().await;
    for (date, number) in [
        ("2025-04-01", 1),
        ("2026-04-01", 1),
        ("2025-03-25", 2),
        ("2026-03-21", 2),
    ] {
        assert_eq!(books.post(books.sale(date, "10")).await["number"], number);
    }
    // What is refused takes no number.
    let mut wrong = books.sale("2025-04-02", "10");
    wrong["lines"][0]["debit"] = json!("10.01");
    assert_eq!(
        books.manager.not_done("journalPost", wrong).await,
        pair("UNBALANCED", "lines")
    );
    let entries = json!([
        books.sale("2026-05-01", "1"),
        books.sale("2025-05-01", "2"),
        books.sale("2026-04-01", "3")
    ]);
    let posted = books
        .manager
        .done("journalPostBulk", json!({"entries": entries}))
        .await["entries"]
        .take();
    let numbers: Vec<_> = posted
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (text(&entry["fiscalYear"]["name"]), entry["number"].clone()))
        .collect();
    assert_eq!(
        numbers,
        [
            ("1405".to_owned(), json!(3)),
            ("1404".to_owned(), json!(3)),
            ("1405".to_owned(), json!(4))
        ]
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_undone_once_by_its_mirror() {
    let books = Books::open().await;
    let entry = books.post(books.sale("2026-05-01", "7")).await;
    let input = json!({"id": entry["id"], "date": "2026-05-02", "description": "Typed wrongly"});
    let mut early = input.clone();
    early["date"] = json!("2026-04-30");
    assert_eq!(
        books.manager.not_done("journalReverse", early).await,
        pair("TIME_OUT_OF_RANGE", "date")
    );
    let mirror = books.manager.done("journalReverse", input.clone()).await["entry"].take();
    assert_eq!(
        (
            &mirror["kind"],
            &mirror["reverses"]["id"],
            &mirror["number"]
        ),
        (&json!("REVERSAL"), &entry["id"], &json!(2))
    );
    assert_eq!(mirror["lines"]["nodes"][0]["credit"], "7");
    assert_eq!(
        books.balance("1101", "IRR", "2026-05-02").await.as_deref(),
        Some("0")
    );
    assert_eq!(
        books.manager.not_done("journalReverse", input).await,
        pair("ALREADY_REVERSED", "id")
    );
    let again = json!({"id": mirror["id"]});
    assert_eq!(
        books.manager.not_done("journalReverse", again).await,
        pair("NOT_REVERSIBLE", "id")
    );
    let query =
        "query($id: ID!) { journalEntry(id: $id) { reversedBy { number reverses { id } } } }";
    let seen = books.manager.ok(query, json!({"id": entry["id"]})).await;
    assert_eq!(
        seen["journalEntry"]["reversedBy"],
        json!({"number": 2, "reverses": {"id": entry["id"]}})
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_runs_on_from_page_to_page_and_ties_to_the_trial_balance() {
    let books = Books::open().await;
    for (date, amount) in [
        ("2026-05-31", "3"),
        ("2026-04-01", "1"),
        ("2026-06-02", "4"),
        ("2026-04-01", "2"),
        ("2026-06-02", "5"),
    ] {
        books.post(books.sale(date, amount)).await;
    }
    let mut after = json!(null);
    let mut balances = Vec::new();
    loop {
        let variables = json!({"account": books.id("1101"), "first": 2, "after": after});
        let page = books.manager.ok(LEDGER, variables).await["generalLedger"].take();
        let nodes = page["nodes"].as_array().unwrap().iter();
        balances.extend(nodes.map(|line| (text(&line["line"]["date"]), text(&line["balance"]))));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let expected = [
        ("2026-04-01", "1"),
        ("2026-04-01", "3"),
        ("2026-05-31", "6"),
        ("2026-06-02", "10"),
        ("2026-06-02", "15"),
    ];
    assert_eq!(
        balances,
        expected.map(|(date, balance)| (date.to_owned(), balance.to_owned()))
    );
    let june = json!({"account": books.id("4112"), "from": "2026-06-01", "until": "2026-06-30"});
    let page = books.manager.ok(LEDGER, june).await["generalLedger"].take();
    assert_eq!(
        (&page["nodes"][0]["balance"], &page["nodes"][1]["balance"]),
        (&json!("-10"), &json!("-15"))
    );
    for (day, balance) in [
        ("2026-04-01", "3"),
        ("2026-05-30", "3"),
        ("2026-05-31", "6"),
        ("2026-06-01", "6"),
        ("2026-06-02", "15"),
    ] {
        assert_eq!(
            books.balance("1101", "IRR", day).await.as_deref(),
            Some(balance),
            "{day}"
        );
    }
    let rows = books.manager.ok(TRIAL, json!({"asOf": "2026-06-02"})).await["trialBalance"].take();
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_by_day_document_and_account() {
    let books = Books::open().await;
    for (number, date) in ["2025-05-01", "2026-05-01", "2026-05-02"]
        .iter()
        .enumerate()
    {
        let mut input = books.sale(date, "1");
        input["document"] = json!({"type": "invoice", "id": format!("I-{number}")});
        books.post(input).await;
    }
    books
        .post(json!({"date": "2026-05-02", "lines": books.lines(&[("5202", "9"), ("1103", "-9")])}))
        .await;
    let query = "query($where: JournalEntryWhere) { journalEntries(where: $where) { nodes { date number } } }";
    let found = async |filter| {
        let page =
            books.manager.ok(query, json!({"where": filter})).await["journalEntries"]["nodes"]
                .take();
        let nodes = page.as_array().unwrap().iter();
        nodes
            .map(|entry| format!("{}/{}", text(&entry["date"]), entry["number"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(json!({})).await,
        [
            "2026-05-02/3",
            "2026-05-02/2",
            "2026-05-01/1",
            "2025-05-01/1"
        ]
    );
    assert_eq!(
        found(json!({"until": "2026-05-01"})).await,
        ["2026-05-01/1", "2025-05-01/1"]
    );
    assert_eq!(
        found(json!({"document": {"type": "invoice", "id": "I-2"}})).await,
        ["2026-05-02/2"]
    );
    assert_eq!(
        found(json!({"accountId": books.id("1103")})).await,
        ["2026-05-02/3"]
    );
    assert_eq!(found(json!({"kinds": []})).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn postings_are_heard_by_account_from_any_position_on() {
    let books = Books::open().await;
    let after = books.app.position().await;
    books.post(books.sale("2026-05-01", "1")).await;
    let rent =
        json!({"date": "2026-05-02", "lines": books.lines(&[("5202", "9"), ("1103", "-9")])});
    books.post(rent.clone()).await;
    let document = "subscription($account: ID, $after: EventPosition) { journalPosted(accountId: $account, after: $after) { action entry { number } } }";
    let variables = json!({"account": books.id("1103"), "after": after});
    let mut heard = books.manager.subscribe(document, variables).await;
    assert_eq!(
        heard.next().await["journalPosted"],
        json!({"action": "journal.post", "entry": {"number": 2}})
    );
    books.post(books.sale("2026-05-01", "1")).await;
    let entries = json!({"entries": [books.sale("2026-05-01", "1"), rent]});
    books.manager.done("journalPostBulk", entries).await;
    assert_eq!(heard.next().await["journalPosted"]["entry"]["number"], 5);
}
