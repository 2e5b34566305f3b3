//! What is found behind a code, and barcodes as pictures.

use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    database::TestDatabase,
    paper::{Page, Scanned},
    proxy::PostgresProxy,
    work::uuid_of,
};

use super::Shop;

const SCAN: &str = "query($code: String!) { scan(code: $code) {
    __typename matchedBy matchedCode ... on ScannedItem { item { id sku archivedAt category { name } } }
} }";

/// By what, by which code, and the SKU of each thing that was found.
async fn found(actor: &Actor, code: &str) -> Vec<(String, String, String)> {
    let mut data = actor.ok(SCAN, json!({"code": code})).await;
    let results = data["scan"].take();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let results = results.as_array().unwrap().iter().map(|found| {
        assert_eq!(found["__typename"], "ScannedItem");
        (
            text(&found["matchedBy"]),
            text(&found["matchedCode"]),
            text(&found["item"]["sku"]),
        )
    });
    results.collect()
}

fn one(by: &str, code: &str, sku: &str) -> Vec<(String, String, String)> {
    vec![(by.to_owned(), code.to_owned(), sku.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_found_by_everything_that_is_printed_on_it() {
    let shop = Shop::open().await;
    let ring = shop
        .create("RING-1", json!({"barcodes": ["4006381333931", "r-1 A"]}))
        .await;
    shop.create("PEN-1", json!({"barcodes": ["036000291452"]}))
        .await;
    let id = ring["id"].as_str().unwrap();
    let uuid = uuid_of(id);
    for code in [
        format!("{}/item/{uuid}", shop.app.url()),
        format!("https://an.older.address/item/{uuid}?from=label"),
        format!("https://shop.example/item/{id}"),
        format!("\t{uuid}\r\n"),
        id.to_owned(),
    ] {
        assert_eq!(
            found(&shop.manager, &code).await,
            one("ID", id, "RING-1"),
            "{code}"
        );
    }
    for code in [
        "4006381333931",
        " ۴۰۰۶۳۸۱۳۳۳۹۳۱ \n",
        "04006381333931",
        "]E04006381333931",
        "]C1010400638133393110L7",
        "]d2\u{1D}010400638133393121A9\u{1D}17261231",
        "(01)04006381333931(10)L7",
    ] {
        let expected = one("BARCODE", "4006381333931", "RING-1");
        assert_eq!(found(&shop.manager, code).await, expected, "{code}");
    }
    for code in ["0036000291452", "036000291452", "00036000291452"] {
        let expected = one("BARCODE", "036000291452", "PEN-1");
        assert_eq!(found(&shop.manager, code).await, expected, "{code}");
    }
    assert_eq!(
        found(&shop.manager, "r-1 A").await,
        one("BARCODE", "r-1 A", "RING-1")
    );
    assert_eq!(
        found(&shop.manager, " ring-۱").await,
        one("SKU", "RING-1", "RING-1")
    );
    for unknown in [
        "4006381333932",
        "RING-2",
        "طلا",
        "https://a.example/",
        "%",
        "'",
    ] {
        assert_eq!(found(&shop.manager, unknown).await, [], "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carton_means_what_is_in_it_unless_it_is_on_file_itself() {
    let shop = Shop::open().await;
    shop.create("PEN", json!({"barcodes": ["4006381333931"]}))
        .await;
    let carton = "]C10114006381333938";
    assert_eq!(
        found(&shop.manager, carton).await,
        one("PACKAGE", "4006381333931", "PEN")
    );
    shop.create("PENS", json!({"barcodes": ["14006381333938"]}))
        .await;
    assert_eq!(
        found(&shop.manager, carton).await,
        one("BARCODE", "14006381333938", "PENS")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_code_has_all_its_meanings_the_surest_first() {
    let shop = Shop::open().await;
    shop.create("A-1", json!({})).await;
    shop.create("OTHER", json!({"barcodes": ["A-1"]})).await;
    let (by_barcode, by_sku) = (one("BARCODE", "A-1", "OTHER"), one("SKU", "A-1", "A-1"));
    let both = [by_barcode.clone(), by_sku.clone()].concat();
    assert_eq!(found(&shop.manager, "A-1").await, both);
    let other = shop
        .manager
        .ok("{ item(by: {sku: \"OTHER\"}) { id } }", json!({}))
        .await;
    shop.manager
        .done("itemArchive", json!({"id": other["item"]["id"]}))
        .await;
    assert_eq!(
        found(&shop.manager, "A-1").await,
        [by_sku, by_barcode].concat()
    );
    // An item that two of its own marks lead to is found once.
    shop.create("B-1", json!({"barcodes": ["B-1"]})).await;
    assert_eq!(
        found(&shop.manager, "B-1").await,
        one("BARCODE", "B-1", "B-1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_one_statement_however_many_ways_there_are_to_read_it() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let shop = Shop::of(app).await;
    shop.create("PEN", json!({"barcodes": ["4006381333931"]}))
        .await;
    let query =
        "{ scan(code: \"]C10114006381333938\") { matchedBy ... on ScannedItem { item { sku } } } }";
    shop.manager.ok(query, json!({})).await;
    let executed = proxy
        .during(async || shop.manager.ok(query, json!({})).await)
        .await;
    let [statement] = &executed[..] else {
        panic!("one statement: {executed:#?}")
    };
    // Among many items each mark is a look into an index.
    let many = "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, attributes, created_at, updated_at)
        SELECT gen_random_uuid(), kind, 'BULK-' || n, name, category_id, unit_id, tracking, attributes, created_at, updated_at
        FROM item, generate_series(1, 20000) n";
    let barcodes = "INSERT INTO item_barcode (item_id, barcode, position) SELECT id, sku, 0 FROM item WHERE sku LIKE 'BULK-%'";
    let mut sql = shop.app.sql().acquire().await.unwrap();
    for text in [
        many,
        barcodes,
        "ANALYZE item, item_barcode, item_image",
        "SET plan_cache_mode = force_generic_plan",
        &format!("PREPARE scanned AS {statement}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut *sql)
            .await
            .unwrap();
    }
    let plan: Vec<String> = sqlx::query_scalar("EXPLAIN EXECUTE scanned(NULL, NULL, NULL)")
        .fetch_all(&mut *sql)
        .await
        .unwrap();
    let plan = plan.join("\n");
    // Either index that begins with the id will do.
    for indexes in [
        &["item_barcode_unique"][..],
        &["item_pkey", "item_template_key"],
        &["item_sku_unique"],
    ] {
        let is_used = indexes.iter().any(|index| plan.contains(index));
        assert!(is_used, "{indexes:?}: {plan}");
    }
    for table in ["item", "item_barcode"] {
        assert!(!plan.contains(&format!("Seq Scan on {table} ")), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_is_refused_and_nobody_scans_without_permission() {
    let shop = Shop::open().await;
    for (code, refusal) in [
        (String::new(), "REQUIRED"),
        (" \u{200E}".to_owned(), "REQUIRED"),
        ("1".repeat(1025), "TOO_LONG"),
    ] {
        let answer = shop.manager.gql(SCAN, json!({"code": code})).await;
        assert_eq!(answer.codes(), [refusal]);
        assert_eq!(answer.errors[0]["extensions"]["argument"], "code");
    }
    assert_eq!(found(&shop.manager, &"۱".repeat(1024)).await, []);
    let anonymous = shop.app.anonymous();
    let answer = anonymous.gql(SCAN, json!({"code": "x"})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn barcodes_can_be_had_as_pictures() {
    let shop = Shop::open().await;
    let ring = shop
        .create(
            "RING-1",
            json!({"barcodes": ["4006381333931", "<R>", "036000291452"]}),
        )
        .await;
    let query = "query($id: ID!) { item(by: {id: $id}) { barcodeImages { code symbology svg } } }";
    let data = shop.manager.ok(query, json!({"id": ring["id"]})).await;
    let images = data["item"]["barcodeImages"].as_array().unwrap();
    let kinds: Vec<_> = images
        .iter()
        .map(|image| {
            (
                image["code"].as_str().unwrap(),
                image["symbology"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("4006381333931", "EAN_13"),
        ("<R>", "CODE_128"),
        ("036000291452", "UPC_A"),
    ];
    assert_eq!(kinds, expected);
    let svg = images[1]["svg"].as_str().unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.contains("&lt;R&gt;"),
        "{svg}"
    );

    let render = "query($code: String!) { barcodeRender(code: $code) { code symbology svg } }";
    let drawn = shop.manager.ok(render, json!({"code": " ۹۶۳۸۵۰۷۴ "})).await;
    let drawn = &drawn["barcodeRender"];
    assert_eq!(
        (&drawn["code"], &drawn["symbology"]),
        (&json!("96385074"), &json!("EAN_8"))
    );
    for (code, refusal) in [
        ("", "REQUIRED"),
        ("96385075", "INVALID_CHECK_DIGIT"),
        ("طلا", "INVALID_FORMAT"),
        (&"1".repeat(81), "TOO_LONG"),
    ] {
        let answer = shop.manager.gql(render, json!({"code": code})).await;
        assert_eq!(answer.codes(), [refusal], "{code}");
    }
}

/// What a scanner reads off a drawing, whose bars are each written as `M<x> 0h<width>v<height>h-<width>z`: three pixels a module.
fn scanned(drawing: &str) -> Vec<Scanned> {
    let scale = 3;
    let between = |text: &str, before: &str, behind: &str| {
        let rest = text.split_once(before).unwrap().1;
        rest.split_once(behind).unwrap().0.to_owned()
    };
    let number = |text: &str| text.parse::<usize>().unwrap() * scale;
    let view = between(drawing, "viewBox=\"0 0 ", "\"");
    let (width, height) = view.split_once(' ').unwrap();
    let mut page = Page::white(number(width), number(height));
    for bar in between(drawing, "crispEdges\" d=\"", "\"")
        .split('M')
        .skip(1)
    {
        let (left, _) = bar.split_once(' ').unwrap();
        let (across, down) = (between(bar, "h", "v"), between(bar, "v", "h"));
        page.darken([number(left), 0, number(&across), number(&down)]);
    }
    page.scan()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_can_be_on_file_is_drawn_so_that_scanners_read_it() {
    let shop = Shop::open().await;
    let printable: String = (b' '..=b'~').map(char::from).collect();
    let (first, second) = printable.split_at(48);
    let (wide, digits) = ("W".repeat(80), "7".repeat(79));
    for (pattern, code) in [
        ("EAN-8", "96385074"),
        ("UPC-A", "036000291452"),
        ("EAN-13", "4006381333931"),
        ("EAN-13", "6260152400019"),
        ("I2/5", "10012345678902"),
        ("CODE-128", "R"),
        ("CODE-128", "1"),
        ("CODE-128", "12"),
        ("CODE-128", "123"),
        ("CODE-128", "1234"),
        ("CODE-128", "12345"),
        ("CODE-128", "123456"),
        ("CODE-128", "RING-0001"),
        ("CODE-128", "A1234567B"),
        ("CODE-128", "A123456B7890"),
        ("CODE-128", "12345ABC6789012"),
        ("CODE-128", "https://a.example/?a=1&b=<2>"),
        // A blank at an end is not part of a barcode.
        ("CODE-128", first.trim()),
        ("CODE-128", second),
        ("CODE-128", &wide),
        ("CODE-128", &digits),
    ] {
        let render = "query($code: String!) { barcodeRender(code: $code) { svg } }";
        let drawn = shop.manager.ok(render, json!({"code": code})).await;
        let seen = scanned(drawn["barcodeRender"]["svg"].as_str().unwrap());
        assert_eq!(seen, [(pattern.to_owned(), code.to_owned())]);
    }
}
