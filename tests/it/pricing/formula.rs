//! Prices that follow a formula.

use serde_json::{Value, json};

use tests::shop::english;

use super::{amount, price, ring};
use crate::{item::Shop, metal_rate::record};

fn formula(text: &str) -> Value {
    json!({"formula": {"currency": "IRR", "text": text}})
}

async fn costing(shop: &Shop, sku: &str, text: &str, more: Value) -> Value {
    let mut all = more;
    all["pricing"] = formula(text);
    shop.create(sku, all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_is_computed_exactly_from_what_is_known() {
    let shop = Shop::open().await;
    record(&shop.manager, "100", json!({})).await;
    let mut metal = ring();
    metal["makingCharge"] = json!({"mode": "PER_GRAM", "value": "12.5"});
    metal["stoneWeight"] = json!("0.2");
    let attributes = json!({"stones": 3, "carats": "0.25"});
    for (number, (text, expected)) in [
        ("7 / 2", "3.50"),
        (
            "net_weight * rate * fineness / reference_fineness + making",
            "450.00",
        ),
        ("(net_weight + stone_weight) * 10", "42.00"),
        ("attr_stones * 20 + attr_carats * 1000", "310.00"),
        ("max(net_weight * rate, 1000)", "1000.00"),
        ("1 / 3", "0.33"),
        ("0.005", "0.01"),
        ("۲ * ۳", "6.00"),
    ]
    .into_iter()
    .enumerate()
    {
        let more = json!({"metal": metal, "attributes": attributes});
        let item = costing(&shop, &format!("F-{number}"), text, more).await;
        assert_eq!(amount(&shop.manager, &item).await, expected, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_gives_the_price_of_one_and_may_know_how_many() {
    let shop = Shop::open().await;
    let item = costing(&shop, "F-1", "max(100 - quantity, 90) + 0.001", json!({})).await;
    for (quantity, expected) in [("1", "99.00"), ("5", "475.01"), ("100", "9000.10")] {
        let found = price(&shop.manager, &item, json!({"quantity": quantity})).await;
        assert_eq!(found["amount"], expected, "{quantity}");
    }
    let service = costing(&shop, "F-2", "duration_hours * 50", json!({})).await;
    assert_eq!(amount(&shop.manager, &service).await, "NO_DURATION");
    let found = price(&shop.manager, &service, json!({"hours": "1.5"})).await;
    assert_eq!(found["amount"], "75.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_computed_has_a_reason_and_harms_nobody_else() {
    let shop = Shop::open().await;
    let cases = [
        (
            "A",
            "1 / (net_weight - 4)",
            json!({"metal": ring()}),
            "FORMULA_FAILED",
        ),
        ("B", "net_weight", json!({}), "NO_METAL"),
        ("C", "gross_weight", json!({"metal": ring()}), "NO_WEIGHT"),
        (
            "D",
            "rate * net_weight",
            json!({"metal": ring()}),
            "NO_RATE",
        ),
        (
            "E",
            "attr_length * 2",
            json!({"attributes": {"length": "long"}}),
            "NO_ATTRIBUTE",
        ),
        ("F", "1 - 2", json!({}), "OUT_OF_RANGE"),
        ("G", "9999999999 * 9999999999", json!({}), "OUT_OF_RANGE"),
        ("H", "2 + 2", json!({}), "4.00"),
    ];
    for (sku, text, more, _) in &cases {
        costing(&shop, sku, text, more.clone()).await;
    }
    let query = "{ items(orderBy: [{field: SKU, direction: ASC}]) { nodes { currentPrice { amount problem message } } } }";
    let found = shop.manager.ok(query, json!({})).await;
    let nodes = found["items"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), cases.len());
    for (node, (sku, _, _, expected)) in nodes.iter().zip(&cases) {
        let price = &node["currentPrice"];
        let told = price["amount"].as_str().or(price["problem"].as_str());
        assert_eq!(told, Some(*expected), "{sku}");
        assert_eq!(
            price["message"].is_null(),
            price["problem"].is_null(),
            "{sku}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_formula_is_refused_when_it_is_saved() {
    let shop = Shop::open().await;
    for (text, code, message) in [
        (
            "net_weight *",
            "INVALID_FORMULA",
            "The formula cannot be understood from character 13 on.",
        ),
        (
            "1 / 0",
            "INVALID_FORMULA",
            "The formula cannot be computed.",
        ),
        (
            "net_wieght * 2",
            "UNKNOWN_NAME",
            "The formula uses “net_wieght”, which means nothing here. Please check for a typing mistake.",
        ),
        (
            "sqrt(2)",
            "UNKNOWN_NAME",
            "The formula uses “sqrt”, which means nothing here. Please check for a typing mistake.",
        ),
        (" ", "REQUIRED", "This must be given."),
    ] {
        let input = shop.input("F-1", json!({"pricing": formula(text)}));
        let answer = shop.manager.change("itemCreate", input).await;
        let error = &answer.user_errors()[0];
        assert_eq!(
            (
                error.code.as_str(),
                error.path.as_str(),
                error.message.as_str()
            ),
            (code, "pricing.formula.text", message),
            "{text}"
        );
    }
    for text in [
        "while true { }",
        "loop { }",
        "let x = 1; x",
        "fn f() { f() } f()",
        "eval(\"1\")",
        "\"a\" + \"b\"",
        "[1][0]",
        "1 == 1",
        "rate && rate",
        "import \"x\"",
        "print(1)",
        "2 ** 9999",
        "0..9",
        "attr_",
        "x",
        "1 //",
        "(((((((((((((((((((((((((((((((((((((((1",
        "\u{202e}1",
        "1\u{0}",
    ] {
        let input = shop.input("F-1", json!({"pricing": formula(text)}));
        let answer = shop.manager.change("itemCreate", input).await;
        assert!(
            answer.errors.is_empty() && !answer.user_errors().is_empty(),
            "{text}: {answer:?}"
        );
    }
    let long = shop.input("F-1", json!({"pricing": formula(&"1+".repeat(250))}));
    shop.manager.not_done("itemCreate", long).await;
}

/// Declares attributes of the shop's category: a decimal in tola, a whole number, a text.
async fn declare(shop: &Shop) -> Value {
    let tola = shop.manager.unit("tola").await;
    for (name, kind, unit) in [
        ("stones", "NUMBER", None),
        ("colour", "TEXT", None),
        ("metal_weight", "DECIMAL", Some(tola)),
    ] {
        let input = json!({
            "categoryId": shop.input("", json!({}))["categoryId"], "name": name, "label": english(name), "type": kind, "unitId": unit,
        });
        let done = shop.manager.done("attributeCreate", input).await;
        if kind == "DECIMAL" {
            return done["attribute"].clone();
        }
    }
    Value::Null
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_attributes_are_numbers_in_their_own_units() {
    let shop = Shop::open().await;
    declare(&shop).await;
    let attributes = json!({"stones": "3", "metal_weight": "11.6638038 gram", "colour": "red"});
    let text = "attr_metal_weight * 100 + attr_stones / 3";
    let item = costing(&shop, "F-1", text, json!({"attributes": attributes})).await;
    assert_eq!(amount(&shop.manager, &item).await, "101.00");
    // A third of a tola is no decimal number of grams, and is exact all the same.
    let change = json!({"id": item["id"], "attributes": {"stones": 3, "metal_weight": "1 gram"}, "pricing": formula("attr_metal_weight * 11.6638038")});
    shop.manager.done("itemUpdate", change).await;
    let found = price(&shop.manager, &item, json!({})).await;
    assert_eq!(found["exact"], "1");
    // What is not there, or is called otherwise now, is told.
    let change = json!({"id": item["id"], "attributes": {"stones": 3}});
    shop.manager.done("itemUpdate", change).await;
    assert_eq!(amount(&shop.manager, &item).await, "NO_ATTRIBUTE");
    let change = json!({"id": item["id"], "attributes": {"metal_weight": "1"}});
    shop.manager.done("itemUpdate", change).await;
    assert_eq!(amount(&shop.manager, &item).await, "11.66");
}

#[tokio::test(flavor = "multi_thread")]
async fn formulas_follow_attributes_that_are_renamed() {
    let shop = Shop::open().await;
    let weight = declare(&shop).await;
    let attributes = json!({"stones": "3", "metal_weight": "1"});
    let item = costing(
        &shop,
        "F-1",
        "attr_metal_weight * attr_metal_weight + attr_stones",
        json!({"attributes": attributes}),
    )
    .await;
    // In another part of the tree the name is something else.
    let elsewhere = shop.manager.category("Elsewhere", None).await;
    let other = json!({"categoryId": elsewhere, "attributes": {"metal_weight": "2"}});
    let other = costing(&shop, "F-2", "attr_metal_weight * 2", other).await;
    let rename =
        |name: &str, dry_run: bool| json!({"id": weight["id"], "name": name, "dryRun": dry_run});
    shop.manager
        .done("attributeUpdate", rename("w", true))
        .await;
    let text =
        "SELECT formula FROM item_pricing p JOIN item i ON i.id = p.item_id WHERE i.sku = 'F-1'";
    let written = async || {
        let text = sea_orm::sqlx::query_scalar(text).fetch_one(shop.app.sql());
        let text: String = text.await.unwrap();
        text
    };
    assert_eq!(
        written().await,
        "attr_metal_weight * attr_metal_weight + attr_stones"
    );
    shop.manager
        .done("attributeUpdate", rename("w", false))
        .await;
    assert_eq!(written().await, "attr_w * attr_w + attr_stones");
    assert_eq!(amount(&shop.manager, &item).await, "4.00");
    assert_eq!(amount(&shop.manager, &other).await, "4.00");
    let trail = "SELECT count(*) FROM audit WHERE action = 'attribute.update' AND aggregate_type = 'item'
        AND before->'pricing'->>'formula' LIKE 'attr_metal_weight%' AND after->'pricing'->>'formula' LIKE 'attr_w%'";
    assert_eq!(shop.app.count(trail).await, 1);
    // A formula has its bounds.
    let long = format!("attr_w{}", "+attr_w".repeat(39));
    let change = json!({"id": item["id"], "pricing": formula(&long)});
    shop.manager.done("itemUpdate", change).await;
    let refused = shop
        .manager
        .not_done("attributeUpdate", rename("a_rather_long_name", false))
        .await;
    assert_eq!(refused[0].0, "TOO_LONG", "{refused:?}");
    assert_eq!(written().await.len(), long.len());
}

/// Whoever writes a formula while the attribute gets another name is refused, or is followed.
#[tokio::test(flavor = "multi_thread")]
async fn no_formula_is_left_behind_by_a_rename_beside_it() {
    let shop = Shop::open().await;
    let weight = declare(&shop).await;
    let attributes = json!({"attributes": {"metal_weight": "1"}});
    let item = costing(&shop, "F-1", "1", attributes).await;
    let mut name = "metal_weight".to_owned();
    for round in 0..20 {
        let next = format!("weight_{round}");
        let rename = json!({"id": weight["id"], "name": next});
        let text = format!("attr_{name} * {}", round + 2);
        let change = json!({"id": item["id"], "pricing": formula(&text)});
        let (_, written) = tokio::join!(
            shop.manager.done("attributeUpdate", rename),
            shop.manager.change("itemUpdate", change)
        );
        let mut refusals = written.user_errors().into_iter();
        assert!(written.errors.is_empty(), "{written:?}");
        assert!(refusals.all(|it| it.code == "UNKNOWN_NAME"), "{written:?}");
        assert_ne!(
            amount(&shop.manager, &item).await,
            "NO_ATTRIBUTE",
            "round {round}"
        );
        name = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_uses_only_declared_attributes_that_are_numbers() {
    let shop = Shop::open().await;
    declare(&shop).await;
    let refused = |name: &str| {
        let message = format!(
            "The formula uses “{name}”, which means nothing here. Please check for a typing mistake."
        );
        ("UNKNOWN_NAME".to_owned(), message)
    };
    for name in ["attr_stonse", "attr_colour"] {
        let text = format!("attr_stones + {name} * 2");
        let input = shop.input("F-1", json!({"pricing": formula(&text)}));
        let answer = shop.manager.change("itemCreate", input).await;
        let error = &answer.user_errors()[0];
        assert_eq!((error.code.clone(), error.message.clone()), refused(name));
        assert_eq!(error.path, "pricing.formula.text");
    }
    // All that is wrong is said at once.
    let both = json!({"attributes": {"ston": 1}, "pricing": formula("attr_ston")});
    let codes = shop
        .manager
        .not_done("itemCreate", shop.input("F-1", both))
        .await;
    let expected = [
        ("UNKNOWN_ATTRIBUTE", "attributes.ston"),
        ("UNKNOWN_NAME", "pricing.formula.text"),
    ];
    assert_eq!(
        codes,
        expected.map(|(code, path)| (code.to_owned(), path.to_owned()))
    );
    let item = shop
        .create("F-1", json!({"attributes": {"stones": 2}}))
        .await;
    let change = |text: &str| json!({"id": item["id"], "pricing": formula(text)});
    let codes = shop
        .manager
        .not_done("itemUpdate", change("attr_colour"))
        .await;
    assert_eq!(
        codes,
        [("UNKNOWN_NAME".into(), "pricing.formula.text".into())]
    );
    shop.manager
        .done("itemUpdate", change("attr_stones * 1.5"))
        .await;
    assert_eq!(amount(&shop.manager, &item).await, "3.00");
}
