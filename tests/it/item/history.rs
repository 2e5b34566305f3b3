//! What has become of an item: who changed what, when, from what to what.

use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

use super::Shop;

const HISTORY: &str = "query($id: ID!, $first: Int, $after: String) { item(by: {id: $id}) { history(first: $first, after: $after) {
    nodes { at action userId userName requestId fields { path before after } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
} } }";

async fn history(shop: &Shop, id: &Value) -> Vec<Value> {
    let mut data = shop.manager.ok(HISTORY, json!({"id": id})).await;
    let nodes = data["item"]["history"]["nodes"].take();
    nodes.as_array().unwrap().clone()
}

/// Path, before and after of each field of a change.
fn fields(change: &Value) -> Vec<(String, Value, Value)> {
    let fields = change["fields"].as_array().unwrap().iter();
    let told = fields.map(|field| {
        let path: Vec<_> = field["path"].as_array().unwrap().iter().collect();
        let path: Vec<_> = path.iter().map(|name| name.as_str().unwrap()).collect();
        (
            path.join("."),
            field["before"].clone(),
            field["after"].clone(),
        )
    });
    told.collect()
}

fn told(fields: &[(&str, Value, Value)]) -> Vec<(String, Value, Value)> {
    let fields = fields.iter().cloned();
    fields
        .map(|(path, before, after)| (path.to_owned(), before, after))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_tells_who_did_it_and_what_is_different() {
    let shop = Shop::open().await;
    let price = json!({"amount": "10.5", "currency": "EUR"});
    let more =
        json!({"price": price, "tags": ["new"], "barcodes": ["B-1"], "attributes": {"size": "7"}});
    let id = shop.create("RING", more).await["id"].take();
    let tools = shop.manager.category("Tools", None).await;
    let change = json!({"id": id, "name": english("Band"), "categoryId": tools, "price": {"amount": "12", "currency": "EUR"},
        "barcodes": ["B-2"], "attributes": {"size": "8"}, "kind": "SERVICE"});
    let manager = shop.manager.with_header("x-request-id", "request-7");
    manager.done("itemUpdate", change).await;
    shop.manager.done("itemArchive", json!({"id": id})).await;
    let history = history(&shop, &id).await;
    let actions: Vec<_> = history.iter().map(|change| &change["action"]).collect();
    assert_eq!(actions, ["item.archive", "item.update", "item.create"]);
    assert_eq!(
        fields(&history[1]),
        told(&[
            ("attributes.size", json!("7"), json!("8")),
            ("barcodes", json!(["B-1"]), json!(["B-2"])),
            ("categoryId", json!(shop.category), json!(tools)),
            ("kind", json!("GOODS"), json!("SERVICE")),
            ("name.en", json!("RING"), json!("Band")),
            ("price.amount", json!("10.5"), json!("12")),
        ])
    );
    assert_eq!(history[1]["userName"], "Test manager");
    assert_eq!(history[1]["requestId"], "request-7");
    assert!(history[1]["userId"].is_string());
    let away = fields(&history[0]);
    assert_eq!(
        (away[0].0.as_str(), &away[0].1),
        ("archivedAt", &Value::Null)
    );
    let created = fields(&history[2]);
    assert!(created.iter().all(|(_, before, _)| before.is_null()));
    assert!(created.contains(&("tags".into(), Value::Null, json!(["new"]))));
    assert!(created.contains(&("barcodes".into(), Value::Null, json!(["B-1"]))));
    assert!(
        created
            .iter()
            .all(|(path, ..)| path != "description" && path != "id")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metal_and_pricing_are_told_too_however_they_were_written() {
    let shop = Shop::open().await;
    let metal = |weight: &str| json!({"metal": "GOLD", "fineness": "750", "netWeight": weight});
    let id = shop.create("ONE", json!({"metal": metal("2.5")})).await["id"].take();
    let pricing = json!({"weightBased": {"currency": "IRR", "profitPercent": "7"}});
    let change = json!({"id": id, "metal": metal("3"), "pricing": pricing, "barcodes": ["B"]});
    shop.manager.done("itemUpdate", change).await;
    let alone = fields(&history(&shop, &id).await[0]);

    let id = shop.create("TWO", json!({"metal": metal("2.5")})).await["id"].take();
    let change = json!({"id": id, "metal": metal("3"), "pricing": pricing, "barcodes": ["C"]});
    shop.manager
        .done("itemsUpdate", json!({"rows": [change]}))
        .await;
    let among = fields(&history(&shop, &id).await[0]);
    assert_eq!(alone[1..], among[1..]);
    assert_eq!(
        among,
        told(&[
            ("barcodes", Value::Null, json!(["C"])),
            ("metal.netWeight", json!("2.5"), json!("3")),
            ("pricing.currency", Value::Null, json!("IRR")),
            ("pricing.model", Value::Null, json!("WEIGHT_BASED")),
            ("pricing.profitPercent", Value::Null, json!("7")),
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_in_the_trail_of_many() {
    let shop = Shop::open().await;
    let price = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let row = shop.input("R", json!({"price": price("99999999999999999.999999")}));
    let created = shop
        .manager
        .done("itemsCreate", json!({"rows": [row]}))
        .await;
    let id = &created["rows"][0]["itemId"];
    let rows = json!([{"id": id, "price": price("99999999999999999.999998")}]);
    shop.manager
        .done("itemsUpdate", json!({"rows": rows}))
        .await;
    let history = history(&shop, id).await;
    assert_eq!(
        fields(&history[0]),
        told(&[(
            "price.amount",
            json!("99999999999999999.999999"),
            json!("99999999999999999.999998")
        )])
    );
    // As rows were kept before.
    shop.app
        .execute(
            "INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, before, after)
             SELECT now(), 'system', 'test', 'item.old', 'item', id,
                    jsonb_build_object('price_amount', 99999999999999999.999999), jsonb_build_object('price_amount', 0.1)
             FROM item",
        )
        .await;
    let history = self::history(&shop, id).await;
    assert_eq!(
        fields(&history[0]),
        told(&[(
            "price.amount",
            json!("99999999999999999.999999"),
            json!("0.1")
        )])
    );
    assert_eq!(history[0]["userId"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_told_by_their_names_and_in_their_units() {
    let shop = Shop::open().await;
    let weight = json!({"categoryId": shop.category, "name": "weight", "label": english("Weight"), "type": "DECIMAL",
        "unitId": shop.manager.unit("tola").await});
    let attribute = shop.manager.done("attributeCreate", weight).await["attribute"]["id"].take();
    let id = shop
        .create("R", json!({"attributes": {"weight": "2"}}))
        .await["id"]
        .take();
    let change = json!({"id": id, "attributes": {"weight": "3"}});
    shop.manager.done("itemUpdate", change).await;
    let renamed = json!({"id": attribute, "name": "heaviness"});
    shop.manager.done("attributeUpdate", renamed).await;
    let history = history(&shop, &id).await;
    assert_eq!(
        fields(&history[0]),
        told(&[("attributes.heaviness", json!("2"), json!("3"))])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_comes_in_pages_from_the_newest() {
    let shop = Shop::open().await;
    let id = shop.create("R", json!({})).await["id"].take();
    for n in 0..4 {
        let change = json!({"id": id, "tags": [format!("t{n}")]});
        shop.manager.done("itemUpdate", change).await;
    }
    let (mut after, mut seen, mut pages) = (Value::Null, Vec::new(), 0);
    loop {
        let variables = json!({"id": id, "first": 2, "after": after});
        let data = shop.manager.ok(HISTORY, variables).await;
        let page = &data["item"]["history"];
        seen.extend(page["nodes"].as_array().unwrap().clone());
        pages += 1;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(pages > 1));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!((seen.len(), pages), (5, 3));
    assert_eq!(fields(&seen[0])[0].2, json!(["t3"]));
    assert_eq!(seen[4]["action"], "item.create");
    for (first, after, code) in [
        (json!(101), Value::Null, "OUT_OF_RANGE"),
        (json!(1), json!("nonsense"), "INVALID_FORMAT"),
    ] {
        let variables = json!({"id": id, "first": first, "after": after});
        let answer = shop.manager.gql(HISTORY, variables).await;
        assert_eq!(answer.codes(), [code]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_the_trail_hears_so() {
    let shop = Shop::open().await;
    let id = shop.create("R", json!({})).await["id"].take();
    let answer = shop.app.clerk().await.gql(HISTORY, json!({"id": id})).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(answer.errors[0]["extensions"]["permission"], "audit.read");
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_of_a_list_cost_one_statement() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let shop = Shop::of(app).await;
    for n in 0..5 {
        shop.create(&format!("R-{n}"), json!({})).await;
    }
    let query =
        "{ items(first: 5) { nodes { history(first: 2) { nodes { action fields { path } } } } } }";
    let data = shop.manager.ok(query, json!({})).await;
    assert_eq!(
        data["items"]["nodes"][4]["history"]["nodes"][0]["action"],
        "item.create"
    );
    let executed = proxy
        .during(async || shop.manager.ok(query, json!({})).await)
        .await;
    // The items, their histories, and the attributes of their category.
    assert!(executed.len() <= 4, "{executed:#?}");
}
