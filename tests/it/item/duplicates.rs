//! Items that may be one and the same.

use serde_json::{Value, json};
use tests::shop::english;

use super::Shop;

const GROUPS: &str = "query($by: ItemAlike!, $category: ID, $first: Int, $after: String) {
    itemDuplicates(by: $by, categoryId: $category, first: $first, after: $after) {
        nodes { key count items { sku category { name } } } pageInfo { hasNextPage endCursor }
    }
}";
const OF: &str = "query($of: ItemDuplicatesOfInput!) {
    itemDuplicatesOf(of: $of) { complete items { sameBarcode nameSimilarity item { sku } } }
}";

async fn named(shop: &Shop, sku: &str, language: &str, name: &str) -> Value {
    let name = json!([{"language": language, "text": name}]);
    shop.create(sku, json!({ "name": name })).await["id"].take()
}

/// The SKUs of each group.
async fn groups(shop: &Shop, variables: Value) -> Vec<Vec<String>> {
    let data = shop.manager.ok(GROUPS, variables).await;
    let groups = data["itemDuplicates"]["nodes"].as_array().unwrap().iter();
    let skus = groups.map(|group| {
        let items = group["items"].as_array().unwrap();
        assert_eq!(group["count"], json!(items.len()));
        let skus = items.iter().map(|item| item["sku"].as_str().unwrap());
        skus.map(str::to_owned).collect()
    });
    skus.collect()
}

/// SKU, whether by barcode, and how much alike the names are.
async fn like(shop: &Shop, of: Value) -> Vec<(String, bool, Option<i64>)> {
    let data = shop.manager.ok(OF, json!({ "of": of })).await;
    assert_eq!(data["itemDuplicatesOf"]["complete"], true);
    let items = data["itemDuplicatesOf"]["items"].as_array().unwrap().iter();
    let told = items.map(|it| {
        let sku = it["item"]["sku"].as_str().unwrap().to_owned();
        let barcode = it["sameBarcode"].as_bool().unwrap();
        (sku, barcode, it["nameSimilarity"].as_i64())
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_the_same_however_they_are_written() {
    let shop = Shop::open().await;
    for (sku, language, name) in [
        ("A1", "fa", "گردن‌بند طلای ۱۸ عیار"),
        ("A2", "fa", "گردنبند طلاي ١٨ عيار"),
        ("A3", "fa", "گردن بند طلای 18 عیار"),
        ("B1", "en", "Gold Ring"),
        ("B2", "de", "gold-ring"),
        ("C1", "en", "Silver Ring"),
    ] {
        named(&shop, sku, language, name).await;
    }
    let found = groups(&shop, json!({"by": "NAME"})).await;
    assert_eq!(found, [vec!["B1", "B2"], vec!["A1", "A2", "A3"]]);
    // Page by page.
    let first = json!({"by": "NAME", "first": 1});
    let data = shop.manager.ok(GROUPS, first).await;
    let page = &data["itemDuplicates"]["pageInfo"];
    assert_eq!(page["hasNextPage"], true);
    let next = json!({"by": "NAME", "first": 1, "after": page["endCursor"]});
    assert_eq!(groups(&shop, next).await, [["A1", "A2", "A3"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_away_renamed_or_moved_is_compared_as_it_is_now() {
    let shop = Shop::open().await;
    let one = named(&shop, "A", "en", "Ring").await;
    let other = named(&shop, "B", "en", "ring").await;
    let same = json!({"by": "NAME"});
    assert_eq!(groups(&shop, same.clone()).await, [["A", "B"]]);
    shop.manager.done("itemArchive", json!({"id": one})).await;
    assert!(groups(&shop, same.clone()).await.is_empty());
    shop.manager.done("itemRestore", json!({"id": one})).await;
    assert_eq!(groups(&shop, same.clone()).await, [["A", "B"]]);
    let tools = shop.manager.category("Tools", None).await;
    let moved = json!({"id": other, "categoryId": tools});
    shop.manager.done("itemUpdate", moved).await;
    assert_eq!(groups(&shop, same.clone()).await, [["A", "B"]]);
    let inside = json!({"by": "NAME", "category": tools});
    assert!(groups(&shop, inside).await.is_empty());
    let renamed = json!({"id": other, "name": english("Band")});
    shop.manager.done("itemUpdate", renamed).await;
    assert!(groups(&shop, same).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gtin_is_the_same_in_every_form() {
    let shop = Shop::open().await;
    for (sku, barcodes) in [
        ("UPC", vec!["036000291452"]),
        ("EAN", vec!["0036000291452"]),
        ("ITF", vec!["00036000291452"]),
        ("CASE", vec!["10036000291459"]),
        ("TWICE", vec!["96385074", "00000096385074"]),
        ("CODE", vec!["36000291452"]),
    ] {
        shop.create(sku, json!({ "barcodes": barcodes })).await;
    }
    let found = groups(&shop, json!({"by": "BARCODE"})).await;
    assert_eq!(found, [["UPC", "EAN", "ITF"]]);
    let candidate = json!({"candidate": {"name": english("New"), "barcodes": ["۰۰۳۶۰۰۰۲۹۱۴۵۲"]}});
    let found = like(&shop, candidate).await;
    let skus: Vec<_> = found.iter().map(|(sku, ..)| sku.as_str()).collect();
    assert_eq!(skus, ["UPC", "EAN", "ITF"]);
    assert!(
        found
            .iter()
            .all(|(_, barcode, name)| *barcode && name.is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_nearly_alike_are_found_in_their_category() {
    let shop = Shop::open().await;
    let tools = shop.manager.category("Tools", None).await;
    for (sku, name) in [
        ("A", "Emerald necklace 18k"),
        ("B", "Emerald neclace 18k"),
        ("C", "Emerald necklace 21k"),
        ("D", "Sapphire brooch"),
    ] {
        named(&shop, sku, "en", name).await;
    }
    let elsewhere = json!({"categoryId": tools, "name": english("Emerald necklaces 18k")});
    shop.create("E", elsewhere).await;
    let near = json!({"by": "NEAR_NAME", "category": shop.category});
    let found = groups(&shop, near).await;
    assert_eq!(found, [["A", "B"]], "another number is another thing");
    let candidate = json!({"candidate": {"name": english("emerald Necklacee ۱۸k"), "categoryId": shop.category}});
    let found = like(&shop, candidate).await;
    let skus: Vec<_> = found.iter().map(|(sku, ..)| sku.as_str()).collect();
    assert_eq!(skus, ["A", "B"]);
    assert!(
        found
            .iter()
            .all(|(_, _, name)| name.is_some_and(|it| (50..100).contains(&it)))
    );
    let answer = shop.manager.gql(GROUPS, json!({"by": "NEAR_NAME"})).await;
    assert_eq!(answer.codes(), ["REQUIRED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_item_is_created_and_after() {
    let shop = Shop::open().await;
    let id = named(&shop, "A", "en", "Gold ring").await;
    named(&shop, "B", "en", "GOLD RING").await;
    let away = shop.create("AWAY", json!({"barcodes": ["B-1"]})).await;
    shop.manager
        .done("itemArchive", json!({"id": away["id"]}))
        .await;
    let found = like(&shop, json!({"itemId": id})).await;
    assert_eq!(found, [("B".to_owned(), false, Some(100))]);
    let candidate = json!({"candidate": {"name": english("gold  Ring"), "barcodes": ["B-1"]}});
    let found = like(&shop, candidate).await;
    assert_eq!(
        found,
        [
            ("AWAY".to_owned(), true, None),
            ("A".to_owned(), false, Some(100)),
            ("B".to_owned(), false, Some(100))
        ]
    );
    for (candidate, code) in [
        (json!({"name": []}), "REQUIRED"),
        (
            json!({"name": english("x"), "barcodes": ["4006381333932"]}),
            "INVALID_CHECK_DIGIT",
        ),
        (
            json!({"name": english("x"), "categoryId": "nonsense"}),
            "INVALID_FORMAT",
        ),
    ] {
        let of = json!({"of": {"candidate": candidate}});
        assert_eq!(shop.manager.gql(OF, of).await.codes(), [code]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_nothing_but_signs_are_alike_with_nobody() {
    let shop = Shop::open().await;
    named(&shop, "A", "en", "!!!").await;
    named(&shop, "B", "en", "???").await;
    named(&shop, "C", "ar", &"ﷺ".repeat(200)).await;
    assert!(groups(&shop, json!({"by": "NAME"})).await.is_empty());
    let found = like(&shop, json!({"candidate": {"name": english("?!")}})).await;
    assert_eq!(found, []);
}

/// No foreign key leads from what is kept beside items to them.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_beside_an_item_that_somebody_deletes() {
    let shop = Shop::open().await;
    named(&shop, "GONE", "en", "Gold Ring").await;
    let stays = json!({"attributes": {"size": "7"}});
    shop.create("STAYS", stays).await;
    let beside =
        "SELECT (SELECT count(*) FROM item_name_form) + (SELECT count(*) FROM item_number)";
    let all = shop.app.count(beside).await;
    shop.app
        .execute("DELETE FROM item WHERE sku = 'GONE'")
        .await;
    assert_eq!(shop.app.count(beside).await, all - 1);
    shop.app.execute("DELETE FROM item").await;
    assert_eq!(shop.app.count(beside).await, 0);
}
