//! What has become of things, who did it and why, and how they were.

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{app::PASSWORD, process, shop::english, wait::PATIENCE};

use super::Shop;

const HISTORY: &str = "query($of: ID!, $first: Int, $after: String) { history(of: $of, first: $first, after: $after) { pageInfo { hasNextPage endCursor } \
    nodes { at table key operation before after actorKind actorName requestId action reason } } }";
const STATE: &str =
    "query($of: ID!, $at: DateTime!) { stateAt(of: $of, at: $at) { table key row since } }";

async fn history(shop: &Shop, of: &str) -> Vec<Value> {
    let found = shop
        .manager
        .ok(HISTORY, json!({"of": of, "first": 100}))
        .await;
    found["history"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_tells_who_did_what_and_why() {
    let shop = Shop::open().await;
    let manager = shop
        .manager
        .with_header("x-request-id", "request-7")
        .with_header("x-reason", "%D8%A7%D8%B5%D9%84%D8%A7%D8%AD%20name");
    manager
        .done(
            "itemUpdate",
            json!({"id": shop.ring, "name": english("Band"), "barcodes": ["B-1"]}),
        )
        .await;
    let changes = history(&shop, &shop.ring).await;
    let tables: Vec<_> = changes
        .iter()
        .map(|change| {
            (
                change["table"].as_str().unwrap(),
                change["operation"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(
        tables.contains(&("item_barcode", "INSERTED")) && tables.contains(&("item", "UPDATED")),
        "{tables:?}"
    );
    let renamed = changes
        .iter()
        .find(|change| change["table"] == "item")
        .unwrap();
    assert_eq!(renamed["after"]["name"], json!({"en": "Band"}));
    assert_eq!(
        renamed["before"]["name"]["en"],
        changes.last().unwrap()["after"]["name"]["en"]
    );
    assert_eq!(
        [
            &renamed["actorKind"],
            &renamed["actorName"],
            &renamed["requestId"],
            &renamed["action"],
            &renamed["reason"]
        ],
        [
            &json!("user"),
            &json!("Test manager"),
            &json!("request-7"),
            &json!("item.update"),
            &json!("اصلاح name")
        ]
    );
    // Somebody who goes past goldshop is named as what they are.
    sqlx::query("UPDATE item SET name = '{\"en\": \"Mine\"}'")
        .execute(shop.app.sql())
        .await
        .unwrap();
    let changes = history(&shop, &shop.ring).await;
    assert_eq!(changes[0]["actorKind"], "database");
    shop.seal().await;
    shop.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_thing_was_is_what_its_history_makes_of_it() {
    let shop = Shop::open().await;
    for name in ["One", "Two", "Three"] {
        shop.manager
            .done(
                "itemUpdate",
                json!({"id": shop.ring, "name": english(name)}),
            )
            .await;
    }
    let changes = history(&shop, &shop.ring).await;
    for change in changes.iter().filter(|change| change["table"] == "item") {
        let state = shop
            .manager
            .ok(STATE, json!({"of": shop.ring, "at": change["at"]}))
            .await["stateAt"]
            .take();
        let rows = state.as_array().unwrap();
        let row = rows.iter().find(|row| row["table"] == "item").unwrap();
        assert_eq!(row["row"], change["after"]);
        assert_eq!(row["since"], change["at"]);
    }
    let before = shop
        .manager
        .ok(
            STATE,
            json!({"of": shop.ring, "at": "2020-01-01T00:00:00Z"}),
        )
        .await;
    assert_eq!(before["stateAt"], json!([]));
    // Page by page it is the same.
    let (mut after, mut paged) = (Value::Null, Vec::new());
    loop {
        let page = shop
            .manager
            .ok(
                HISTORY,
                json!({"of": shop.ring, "first": 2, "after": after}),
            )
            .await["history"]
            .take();
        paged.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(paged, changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_history() {
    let shop = Shop::open().await;
    let rows: Vec<String> = sqlx::query_scalar("SELECT after::text FROM trail_change WHERE source IN ('app_user', 'api_token') AND after IS NOT NULL")
        .fetch_all(shop.app.sql())
        .await
        .unwrap();
    assert!(
        !rows.is_empty() && rows.iter().all(|row| !row.contains("argon2")),
        "{rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_is_named_too() {
    let shop = Shop::open().await;
    let arguments = [
        "user",
        "create",
        "--email",
        "sara@example.com",
        "--name",
        "Sara",
    ];
    let ended = process::run(
        "worker",
        &arguments,
        shop.app.variables(),
        PASSWORD,
        PATIENCE,
    )
    .await;
    assert!(ended.status.success(), "{ended:?}");
    let id = "SELECT translate(encode(convert_to('User:' || replace(id::text, '-', ''), 'UTF8'), 'base64'), E'+/=\\n', '-_')
              FROM app_user WHERE email = 'sara@example.com'";
    let changes = history(&shop, &shop.text(id).await).await;
    let made = changes
        .iter()
        .find(|change| change["table"] == "app_user")
        .unwrap();
    assert_eq!(
        (
            &made["operation"],
            &made["actorKind"],
            &made["actorName"],
            &made["action"]
        ),
        (
            &json!("INSERTED"),
            &json!("system"),
            &json!("command line"),
            &json!("user.create")
        )
    );
    assert!(!made.to_string().contains("$argon2"), "{made}");
    shop.seal().await;
    shop.assert_whole().await;
}
