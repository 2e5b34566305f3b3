//! Items by words.

use serde_json::json;
use tests::shop::english;

use super::Shop;

impl Shop {
    /// What is found, by SKU.
    async fn found(&self, search: &str) -> Vec<String> {
        let mut found = self.find(search).await;
        found.sort();
        found
    }
}

/// Four things of a jeweller, named as people name them.
async fn furnished() -> Shop {
    let shop = Shop::open().await;
    shop.ring("R-100", "Gold wedding ring", "انگشتر طلای عروسی")
        .await;
    shop.ring("R-200", "Silver café ring", "انگشتر نقره‌ای قهوه‌ای")
        .await;
    shop.ring("N-100", "Turquoise necklace", "گردن‌بند فيروزهٔ نیشابوری")
        .await;
    shop.ring("W-7", "Watch, 40mm", "ساعت ۴۰ میلی‌متری").await;
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_both_languages_however_they_are_typed() {
    let shop = furnished().await;
    for (search, expected) in [
        ("gold", &["R-100"][..]),
        ("RING Gold", &["R-100"]),
        ("wed", &["R-100"]),
        ("ring of gold", &["R-100"]),
        ("cafe", &["R-200"]),
        ("CAFÉ", &["R-200"]),
        ("انگشتر", &["R-100", "R-200"]),
        ("انگشترها", &["R-100", "R-200"]),
        ("انگشتر‌های طلا", &["R-100"]),
        // Arabic letters and Persian ones, signs, joiners, stretched letters.
        ("فیروزه", &["N-100"]),
        ("فيروزة", &["N-100"]),
        ("فـــیروزه", &["N-100"]),
        ("گردنبند", &["N-100"]),
        ("گردن بند", &["N-100"]),
        ("گردن‌بند", &["N-100"]),
        ("نيشابوري", &["N-100"]),
        ("قهوه‌ای", &["R-200"]),
        ("40mm", &["W-7"]),
        ("۴۰", &["W-7"]),
        ("٤٠", &["W-7"]),
        ("gold necklace", &[]),
        ("!!!", &[]),
    ] {
        assert_eq!(shop.found(search).await, expected, "{search}");
    }
    assert_eq!(shop.find("  ").await.len(), 4, "no words, no condition");
}

#[tokio::test(flavor = "multi_thread")]
async fn typos_are_forgiven_where_nothing_begins_with_the_word() {
    let shop = furnished().await;
    for (search, expected) in [
        ("turqoise", &["N-100"][..]),
        ("turkuoise", &["N-100"]),
        ("necklase", &["N-100"]),
        ("eedding", &["R-100"]),
        ("silvre ring", &["R-200"]),
        ("گردنیند", &["N-100"]),
        ("گلد", &[]),
        ("rings", &["R-100", "R-200"]),
        ("xyzzy", &[]),
    ] {
        assert_eq!(shop.found(search).await, expected, "{search}");
    }
    // A word that is one is not taken for a typo of another.
    shop.ring("G-1", "Cold cream", "کرم").await;
    assert_eq!(shop.find("cold").await, ["G-1"]);
    assert_eq!(shop.find("gold").await, ["R-100"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_found_as_they_are_and_by_their_beginning() {
    let shop = furnished().await;
    shop.create(
        "B-1",
        json!({"barcodes": ["4006381333931", "SHELF 12/b"], "name": english("Pen")}),
    )
    .await;
    for (search, expected) in [
        ("R-100", &["R-100"][..]),
        ("r-1", &["R-100"]),
        ("r-", &["R-100", "R-200"]),
        ("۱۰۰", &[]),
        ("N-۱۰۰", &["N-100"]),
        ("4006381333931", &["B-1"]),
        ("40063", &["B-1"]),
        ("۴۰۰۶۳۸۱۳۳۳۹۳۱", &["B-1"]),
        ("SHELF 12", &["B-1"]),
        // Few characters that nothing begins with are no typo of a code.
        ("R-101", &[]),
        ("4006381333932", &[]),
    ] {
        assert_eq!(shop.found(search).await, expected, "{search}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_searchable_attributes_are_found_by_words() {
    let shop = Shop::open().await;
    let gold = json!({"value": "gold", "label": [{"language": "en", "text": "Yellow gold"}, {"language": "fa", "text": "طلای زرد"}]});
    let options = json!([gold, {"value": "silver", "label": english("Silver")}]);
    shop.declare(
        "metal",
        "ENUM",
        json!({"options": options, "searchable": true}),
    )
    .await;
    shop.declare("maker", "TEXT", json!({"searchable": true}))
        .await;
    shop.declare("remark", "TEXT", json!({})).await;
    let facts = json!({"metal": "gold", "maker": "Zargar Brothers", "remark": "dented"});
    shop.create(
        "R-1",
        json!({"attributes": facts, "tags": ["new year", "هدیه"]}),
    )
    .await;
    shop.create("R-2", json!({"attributes": {"metal": "silver"}}))
        .await;
    for (search, expected) in [
        ("zargar", &["R-1"][..]),
        ("brothers zarg", &["R-1"]),
        ("yellow", &["R-1"]),
        ("طلا", &["R-1"]),
        ("gold", &["R-1"]),
        ("هديه", &["R-1"]),
        ("year", &["R-1"]),
        ("silver", &["R-2"]),
        ("dented", &[]),
        ("metal", &[]),
    ] {
        assert_eq!(shop.found(search).await, expected, "{search}");
    }
    // What is searched is decided when somebody searches: no item is written.
    let data = shop
        .manager
        .ok(
            "query($id: ID!) { category(by: {id: $id}) { attributes { id name version } } }",
            json!({"id": shop.jewellery}),
        )
        .await;
    let remark = data["category"]["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "remark")
        .unwrap()
        .clone();
    let change = json!({"id": remark["id"], "searchable": true});
    let _changed = shop.manager.done("attributeUpdate", change).await;
    assert_eq!(shop.find("dented").await, ["R-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_item_is_found_by_changes_with_it() {
    let shop = Shop::open().await;
    let item = shop.ring("R-1", "Brooch", "سنجاق").await;
    let renamed = json!({"id": item["id"], "name": english("Pendant"), "tags": ["vintage"]});
    let _renamed = shop.manager.done("itemUpdate", renamed).await;
    assert!(shop.find("brooch").await.is_empty());
    assert_eq!(shop.find("pendant").await, ["R-1"]);
    assert_eq!(shop.find("vintaga").await, ["R-1"]);
    let _archived = shop
        .manager
        .done("itemArchive", json!({"id": item["id"]}))
        .await;
    assert!(shop.find("pendant").await.is_empty());
}

/// Whatever people write, in whatever they are asked.
#[tokio::test(flavor = "multi_thread")]
async fn no_text_breaks_the_search() {
    let shop = Shop::open().await;
    shop.declare("maker", "TEXT", json!({"searchable": true}))
        .await;
    for (number, text) in [
        r"it's a \ 'quoted' & (odd) | !thing:* <-> x",
        "%_%",
        "a:b",
        "\u{200C}\u{200C}",
        "\u{1}x\u{1}",
        "😀 💍",
        "ﷺ ﻻ ﬁne",
        "'",
        r"\",
        "''",
        "a\u{301}\u{301}",
        "ß ẞ İ ı",
        "🇮🇷",
        "\u{202E}abc",
        "1234567890123456789012345678901234567890",
    ]
    .into_iter()
    .enumerate()
    {
        let long = text.repeat(200 / text.chars().count().max(1));
        if let Ok(name) = name_of(text) {
            let facts = json!({"maker": name});
            let _item = shop
                .create(
                    &format!("S-{number}"),
                    json!({"name": english(&name), "tags": [], "attributes": facts}),
                )
                .await;
        }
        for search in [text, &long, &format!("{text} ring")] {
            let _found = shop.find(search).await;
            let query = "query($prefix: String!) { searchSuggestions(prefix: $prefix) }";
            let _words = shop.manager.ok(query, json!({"prefix": search})).await;
        }
    }
    assert_eq!(shop.find("quoted").await, ["S-0"]);
    assert_eq!(shop.find("fine").await, ["S-6"]);
}

/// Names have no control characters, and something in them.
fn name_of(text: &str) -> Result<String, ()> {
    let has_control = text.chars().any(char::is_control);
    (!has_control && !text.trim().is_empty())
        .then(|| text.to_owned())
        .ok_or(())
}
