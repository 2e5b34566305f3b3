//! The chart of accounts.

use serde_json::{Value, json};
use tests::{app::TestApp, shop::english};

use super::{Books, pair, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_template_makes_a_whole_chart_in_both_languages_and_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let chart = manager
        .done("accountTemplateApply", json!({"template": "JEWELLER"}))
        .await["accounts"]
        .take();
    let of = |code: &str| {
        chart
            .as_array()
            .unwrap()
            .iter()
            .find(|account| account["code"] == code)
            .unwrap()
            .clone()
    };
    let sood = of("4113");
    assert_eq!(
        (&sood["kind"], &sood["normalSide"], &sood["parent"]["code"]),
        (&json!("REVENUE"), &json!("CREDIT"), &json!("41"))
    );
    assert_eq!(
        sood["nameTranslations"][1],
        json!({"language": "fa", "text": "درآمد سود فروش"})
    );
    assert_eq!(
        (
            &of("1301")["commodity"],
            &of("4103")["normalSide"],
            &of("11")["isGroup"]
        ),
        (&json!("GOLD"), &json!("DEBIT"), &json!(true))
    );
    let again = manager
        .not_done(
            "accountTemplateApply",
            json!({"template": "GENERAL_RETAIL"}),
        )
        .await;
    assert_eq!(again, pair("ALREADY_TAKEN", "template"));
    let page = manager
        .ok(
            "{ accounts(first: 3) { nodes { code } } commodities { code kind scale } }",
            json!({}),
        )
        .await;
    assert_eq!(
        page["accounts"]["nodes"],
        json!([{"code": "1"}, {"code": "11"}, {"code": "1101"}])
    );
    let commodities = page["commodities"].as_array().unwrap();
    assert!(commodities.contains(&json!({"code": "GOLD", "kind": "METAL", "scale": 6})));
    assert!(commodities.contains(&json!({"code": "JPY", "kind": "CURRENCY", "scale": 0})));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_lie_in_groups_and_keep_what_they_are_once_used() {
    let books = Books::open().await;
    let create = async |input: Value| books.manager.not_done("accountCreate", input).await;
    let new = |code: &str| json!({"code": code, "name": english(code)});
    let below = |code: &str, parent: &str| {
        let mut input = new(code);
        input["parentId"] = json!(books.id(parent));
        input
    };
    assert_eq!(create(new("9")).await, pair("REQUIRED", "kind"));
    assert_eq!(
        create(below("1199", "1101")).await,
        pair("NOT_A_GROUP", "parentId")
    );
    assert_eq!(
        create(below("1101", "11")).await,
        pair("ALREADY_TAKEN", "code")
    );
    let mut unknown = below("1199", "11");
    unknown["commodity"] = json!("ABC");
    assert_eq!(
        create(unknown).await,
        pair("UNKNOWN_COMMODITY", "commodity")
    );
    let mut both = below("1199", "11");
    both["kind"] = json!("ASSET");
    assert_eq!(create(both).await, pair("EXCLUSIVE", "kind"));
    let account = books
        .manager
        .done("accountCreate", below("1199", "11"))
        .await["account"]
        .take();
    assert_eq!(
        (&account["kind"], &account["normalSide"], &account["depth"]),
        (&json!("ASSET"), &json!("DEBIT"), &json!(2))
    );
    let id = text(&account["id"]);
    let dollars = json!({"id": id, "commodity": "USD"});
    books.manager.done("accountUpdate", dollars).await;
    books.post(json!({"date": "2026-05-01", "lines": [
        {"accountId": id, "commodity": "USD", "debit": "1"}, {"accountId": books.id("4112"), "commodity": "USD", "credit": "1"}]})).await;
    let euros = json!({"id": id, "commodity": "EUR"});
    assert_eq!(
        books.manager.not_done("accountUpdate", euros).await,
        pair("IN_USE", "id")
    );
    let renamed = json!({"id": id, "name": english("Dollars"), "expectedVersion": 2});
    assert_eq!(
        books.manager.done("accountUpdate", renamed.clone()).await["account"]["version"],
        3
    );
    assert_eq!(
        books.manager.not_done("accountUpdate", renamed).await,
        pair("STALE_VERSION", "expectedVersion")
    );
    // A group goes with what is in it, and comes back with it.
    books
        .manager
        .done("accountArchive", json!({"id": books.id("11")}))
        .await;
    assert_eq!(
        books
            .manager
            .not_done("journalPost", books.sale("2026-05-01", "1"))
            .await,
        pair("ARCHIVED", "lines.0.accountId")
    );
    assert_eq!(
        create(below("1198", "11")).await,
        pair("ARCHIVED", "parentId")
    );
    assert_eq!(
        books
            .manager
            .not_done("accountRestore", json!({"id": id}))
            .await,
        pair("ARCHIVED", "id")
    );
    books
        .manager
        .done("accountRestore", json!({"id": books.id("11")}))
        .await;
    books.post(books.sale("2026-05-01", "1")).await;
    books.assert_verified().await;
}
