//! What is known of an item's metal.

use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};

use crate::item::Shop;

const METAL: &str = "query($id: ID!) { item(by: {id: $id}) { metal {
    metal fineness grossWeight netWeight stoneWeight makingCharge { mode value } stones { kind count caratWeight } huid certificateNumber
} } }";

async fn metal(shop: &Shop, item: &Value) -> Value {
    shop.manager.ok(METAL, json!({"id": item["id"]})).await["item"]["metal"].take()
}

fn details() -> Value {
    json!({
        "metal": "GOLD",
        "fineness": "750",
        "grossWeight": "5.2",
        "netWeight": "4.799999",
        "stoneWeight": "0.4",
        "makingCharge": {"mode": "PERCENT", "value": "17.5"},
        "stones": [{"kind": "diamond", "count": 12, "caratWeight": "0.36"}, {"kind": "ruby", "count": 1, "caratWeight": null}],
        "huid": "AB12CD",
        "certificateNumber": "GIA-1",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_the_metal_is_kept_exactly() {
    let shop = Shop::open().await;
    let mut given = details();
    given["huid"] = json!(" ab۱2cd ");
    given["fineness"] = json!("750.000");
    let item = shop.create("RING-1", json!({"metal": given})).await;
    assert_eq!(metal(&shop, &item).await, details());
    let plain = shop.create("BOX-1", json!({})).await;
    assert_eq!(metal(&shop, &plain).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn fineness_and_weights_are_read_as_people_write_them() {
    let shop = Shop::open().await;
    for (number, (fineness, weight, expected)) in [
        ("18K", "10 tola", ("750", "116.638038")),
        ("۱۸ عیار", "۲٫۵ گرم", ("750", "2.5")),
        ("75%", "0.5 ct", ("750", "0.1")),
        ("916", "1,234.5", ("916", "1234.5")),
        ("22 karat", "1 grain", ("916.667", "0.064799")),
    ]
    .into_iter()
    .enumerate()
    {
        let given = json!({"metal": "GOLD", "fineness": fineness, "netWeight": weight});
        let item = shop
            .create(&format!("RING-{number}"), json!({"metal": given}))
            .await;
        let kept = metal(&shop, &item).await;
        let kept = (kept["fineness"].as_str(), kept["netWeight"].as_str());
        assert_eq!(
            kept,
            (Some(expected.0), Some(expected.1)),
            "{fineness} {weight}"
        );
    }
    let unclear = json!({"metal": "GOLD", "fineness": "22", "grossWeight": "5 oz", "netWeight": "5 cm", "stoneWeight": "5 stone"});
    let input = shop.input("RING-9", json!({"metal": unclear}));
    let refused = shop.manager.not_done("itemCreate", input).await;
    let expected = [
        ("AMBIGUOUS", "metal.fineness"),
        ("AMBIGUOUS", "metal.grossWeight"),
        ("INCOMPATIBLE_UNITS", "metal.netWeight"),
        ("UNKNOWN_UNIT", "metal.stoneWeight"),
    ];
    assert_eq!(
        refused,
        expected.map(|(code, path)| (code.to_owned(), path.to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_all_of_it_and_null_clears() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({"metal": details()})).await;
    let change = async |more: Value| {
        let mut input = json!({"id": item["id"]});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        shop.manager.done("itemUpdate", input).await
    };
    change(json!({"tags": ["gold"]})).await;
    assert_eq!(
        metal(&shop, &item).await,
        details(),
        "what is not given stays"
    );
    let silver = json!({"metal": "SILVER", "fineness": "925", "huid": "AB12CD"});
    let changed = change(json!({"metal": silver})).await;
    assert_eq!(changed["item"]["version"], 3);
    let kept = metal(&shop, &item).await;
    assert_eq!(
        (&kept["metal"], &kept["netWeight"], &kept["stones"]),
        (&json!("SILVER"), &Value::Null, &json!([]))
    );
    change(json!({"metal": null})).await;
    assert_eq!(metal(&shop, &item).await, Value::Null);
    let trail: Vec<(Option<Value>, Option<Value>)> = sqlx::query_as(
        "SELECT before->'metal', after->'metal' FROM audit WHERE aggregate_type = 'item' ORDER BY number",
    )
    .fetch_all(shop.app.sql())
    .await
    .unwrap();
    let fineness = |metal: &Option<Value>| metal.as_ref().map(|metal| metal["fineness"].clone());
    let seen: Vec<_> = trail
        .iter()
        .map(|(before, after)| (fineness(before), fineness(after)))
        .collect();
    let (gold, sterling) = (Some(json!("750.000")), Some(json!("925")));
    assert_eq!(
        seen,
        [
            (None, Some(json!("750"))),
            (None, None),
            (gold, sterling),
            (Some(json!("925.000")), None),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_its_path() {
    let shop = Shop::open().await;
    for (more, code, path) in [
        (
            json!({"fineness": "1000.001"}),
            "OUT_OF_RANGE",
            "metal.fineness",
        ),
        (json!({"netWeight": "0"}), "OUT_OF_RANGE", "metal.netWeight"),
        (
            json!({"netWeight": "0.0000001"}),
            "OUT_OF_RANGE",
            "metal.netWeight",
        ),
        (
            json!({"grossWeight": "1000000000"}),
            "OUT_OF_RANGE",
            "metal.grossWeight",
        ),
        (
            json!({"netWeight": "4.800001"}),
            "OUT_OF_RANGE",
            "metal.grossWeight",
        ),
        (
            json!({"stoneWeight": "-1"}),
            "OUT_OF_RANGE",
            "metal.stoneWeight",
        ),
        (
            json!({"makingCharge": {"mode": "FIXED", "value": "-1"}}),
            "OUT_OF_RANGE",
            "metal.makingCharge.value",
        ),
        (
            json!({"makingCharge": {"mode": "PERCENT", "value": "10001"}}),
            "OUT_OF_RANGE",
            "metal.makingCharge.value",
        ),
        (
            json!({"stones": [{"kind": " ", "count": 1}]}),
            "REQUIRED",
            "metal.stones.0.kind",
        ),
        (
            json!({"stones": [{"kind": "ruby", "count": 0}]}),
            "OUT_OF_RANGE",
            "metal.stones.0.count",
        ),
        (
            json!({"stones": vec![json!({"kind": "ruby", "count": 1}); 51]}),
            "TOO_MANY",
            "metal.stones",
        ),
        (json!({"huid": "AB12C"}), "INVALID_FORMAT", "metal.huid"),
        (json!({"huid": "AB12C-"}), "INVALID_FORMAT", "metal.huid"),
        (
            json!({"certificateNumber": "c".repeat(101)}),
            "TOO_LONG",
            "metal.certificateNumber",
        ),
    ] {
        let mut given = details();
        for (name, value) in more.as_object().unwrap() {
            given[name] = value.clone();
        }
        let input = shop.input("RING-1", json!({"metal": given}));
        let refused = shop.manager.not_done("itemCreate", input).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{more}");
    }
    let items = shop
        .manager
        .ok("{ items { totalCount { count } } }", json!({}))
        .await;
    assert_eq!(items["items"]["totalCount"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_huid_one_gets_it() {
    let shop = Shop::open().await;
    let metal = json!({"metal": "GOLD", "fineness": "916", "huid": "XY34ZW"});
    let inputs =
        (0..10).map(|number| shop.input(&format!("RING-{number}"), json!({"metal": metal})));
    let answers = join_all(inputs.map(|input| shop.manager.change("itemCreate", input))).await;
    let refused: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .collect();
    assert_eq!(refused.len(), 9);
    for error in refused {
        assert_eq!(
            (error.code.as_str(), error.path.as_str()),
            ("ALREADY_TAKEN", "metal.huid")
        );
        assert_eq!(error.message, "“XY34ZW” is already in use.");
    }
    // Who gives it up leaves it to others; who keeps it may say so again.
    let holder = shop
        .manager
        .ok("{ items { nodes { id sku } } }", json!({}))
        .await["items"]["nodes"][0]
        .take();
    let again = json!({"id": holder["id"], "metal": metal});
    shop.manager.done("itemUpdate", again).await;
    shop.manager
        .done("itemUpdate", json!({"id": holder["id"], "metal": null}))
        .await;
    shop.create("RING-NEXT", json!({"metal": metal})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_what_must_hold() {
    let shop = Shop::open().await;
    shop.create("RING-1", json!({"metal": details()})).await;
    for (change, constraint) in [
        ("net_weight = 5", "item_metal_weights"),
        ("gross_weight = 0", "item_metal_gross_weight_check"),
        ("huid = 'ab12cd'", "item_metal_huid_check"),
        ("making_mode = NULL", "item_metal_making"),
        ("fineness = 1000.5", "item_metal_fineness_check"),
    ] {
        let sql = format!("UPDATE item_metal SET {change}");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(shop.app.sql())
            .await;
        let refused = done.unwrap_err().to_string();
        assert!(refused.contains(constraint), "{change}: {refused}");
    }
}
