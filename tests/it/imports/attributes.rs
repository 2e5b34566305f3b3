//! Attributes that categories declare, where many items are written at once.

use serde_json::{Value, json};
use tests::shop::english;

use super::{Shop, counts, rings, row};

impl Shop {
    /// Declares an attribute of rings.
    pub(super) async fn declare(&self, name: &str, kind: &str, more: Value) -> String {
        let mut input =
            json!({"categoryId": self.rings, "name": name, "label": english(name), "type": kind});
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        let declared = self.manager.done("attributeCreate", input).await;
        declared["attribute"]["id"].as_str().unwrap().to_owned()
    }

    /// Declares one of each type.
    async fn declare_all(&self) {
        let tola = self.manager.unit("tola").await;
        let label = |en: &str, fa: &str| json!([{"language": "en", "text": en}, {"language": "fa", "text": fa}]);
        let colours = json!([{"value": "y", "label": label("Yellow", "زرد")}, {"value": "w", "label": label("White", "سفید")}]);
        for (name, kind, more) in [
            ("maker", "TEXT", json!({})),
            ("karat", "NUMBER", json!({"min": "1", "max": "24"})),
            ("weight", "DECIMAL", json!({"unitId": tola})),
            ("certified", "BOOLEAN", json!({})),
            ("made", "DATE", json!({})),
            ("colour", "ENUM", json!({"options": colours})),
            (
                "stones",
                "MULTI_ENUM",
                json!({"options": [{"value": "ruby"}, {"value": "pearl"}]}),
            ),
            ("set_of", "REFERENCE", json!({"refersTo": "ITEM"})),
            ("kin", "REFERENCE", json!({"refersTo": "CATEGORY"})),
        ] {
            self.declare(name, kind, more).await;
        }
    }
}

const TYPED: &str = "sku,name.en,category,unit,attributes.maker,attributes.karat,attributes.weight,attributes.certified,attributes.made,attributes.colour,attributes.stones,attributes.set_of
R-1,Ring,Rings,piece,-Ali,۱۸,2,بله,2026-03-21,زرد,pearl|ruby,
R-2,Ring,Rings,piece,,22,1 gram,no,۲۰۲۶-۰۳-۲۱,White,,r-1
R-3,Ring,Rings,piece,,,,,,,,
";

fn first_typed() -> Value {
    json!({"maker": "-Ali", "karat": 18, "weight": "2", "certified": true, "made": "2026-03-21", "colour": "y", "stones": ["ruby", "pearl"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_become_values_of_their_types() {
    let shop = Shop::open().await;
    shop.import(rings(1..2), json!({})).await;
    shop.declare_all().await;
    let import = shop.import(TYPED, json!({})).await;
    assert_eq!(counts(&import), [3, 2, 1, 0, 0], "{import}");
    assert_eq!(shop.item("R-1").await["attributes"], first_typed());
    let second = shop.item("R-2").await["attributes"].take();
    assert_eq!(second["weight"], json!({"value": "1", "unit": "gram"}));
    assert_eq!(second["colour"], "w");
    let kept = "SELECT count(*) FROM item WHERE attributes->>'weight' = '23.3276076'";
    assert_eq!(shop.app.count(kept).await, 1, "weights are kept in grams");
    let referred = "SELECT count(*) FROM item a JOIN item b ON b.id::text = a.attributes->>'set_of' WHERE b.sku = 'R-1'";
    assert_eq!(shop.app.count(referred).await, 1);
    let before = shop.content().await;
    let again = shop.import(TYPED, json!({})).await;
    assert_eq!(counts(&again), [3, 0, 0, 3, 0], "{again}");
    assert_eq!(shop.content().await, before);
    // What a row does not say stays; a null of JSON takes away.
    let line = json!({"sku": "R-1", "attributes": {"karat": 21, "made": null}});
    let import = shop.import(line.to_string(), json!({})).await;
    assert_eq!(counts(&import), [1, 0, 1, 0, 0], "{import}");
    let mut expected = first_typed();
    expected["karat"] = json!(21);
    expected.as_object_mut().unwrap().remove("made");
    assert_eq!(shop.item("R-1").await["attributes"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_with_its_column() {
    let shop = Shop::open().await;
    shop.declare_all().await;
    shop.declare("huid", "TEXT", json!({"required": true, "unique": true}))
        .await;
    let file = "sku,name.en,category,unit,attr.huid,attr.karat,attr.weight,attr.colour,attr.set_of,attr.nonsense
R-1,Ring,Rings,piece,A,18,,,,
R-2,Ring,Rings,piece,B,25,2 metre,green,R-9,
R-3,Ring,Rings,piece,,18,,,,
R-4,Ring,Rings,piece,A,18,,,,
R-5,Ring,Rings,piece,C,18,heavy,,,x
R-6,Ring,Rings,piece,D,18,,,R-9,
";
    for dry_run in [true, false] {
        let import = shop.import(file, json!({"dryRun": dry_run})).await;
        assert_eq!(counts(&import), [6, 1, 0, 0, 5], "{import}");
        let mut told: Vec<_> = shop.errors(&import).await;
        told.iter_mut().for_each(|error| error.truncate(3));
        let expected = [
            ["3", "attributes.karat", "OUT_OF_RANGE"],
            ["3", "attributes.weight", "INCOMPATIBLE_UNITS"],
            ["3", "attributes.colour", "NOT_AN_OPTION"],
            ["4", "attributes.huid", "REQUIRED"],
            ["5", "attributes.huid", "ALREADY_TAKEN"],
            ["6", "attributes.nonsense", "UNKNOWN_ATTRIBUTE"],
            ["6", "attributes.weight", "WRONG_TYPE"],
            ["7", "attributes.set_of", "NOT_FOUND"],
        ];
        assert_eq!(told, expected, "dry run: {dry_run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_unique_is_so_in_the_whole_file() {
    let shop = Shop::open().await;
    shop.declare("huid", "TEXT", json!({"unique": true})).await;
    let rows = (1..2502).map(|number| {
        // The last row, two chunks further on, wants what the first one has.
        let huid = if number == 2501 { 1 } else { number };
        format!("R-{number},Ring,Rings,piece,H-{huid}\n")
    });
    let file = format!(
        "sku,name.en,category,unit,attributes.huid\n{}",
        rows.collect::<String>()
    );
    for options in [json!({"dryRun": true}), json!({})] {
        let import = shop.import(file.clone(), options).await;
        assert_eq!(counts(&import), [2501, 2500, 0, 0, 1], "{import}");
        let errors = shop.errors(&import).await;
        assert_eq!(
            errors[0][..3],
            ["2502", "attributes.huid", "ALREADY_TAKEN"].map(str::to_owned)
        );
    }
    let owned = "SELECT count(*) FROM item_attribute_unique";
    assert_eq!(shop.app.count(owned).await, 2500);
    // What is given up is free again, and what stays is not asked for twice.
    let swap = "sku,attributes.huid\nR-1,X\n";
    assert_eq!(counts(&shop.import(swap, json!({})).await)[2], 1);
    let taken = "sku,attributes.huid\nR-2,H-1\nR-3,H-4\n";
    let import = shop.import(taken, json!({})).await;
    assert_eq!(counts(&import), [2, 0, 1, 0, 1], "{import}");
    assert_eq!(shop.app.count(owned).await, 2500);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_comes_back_as_the_same_values() {
    let shop = Shop::open().await;
    shop.declare_all().await;
    // The second ring is of the set of the first one, which is not there yet.
    let import = shop.import(TYPED, json!({})).await;
    assert_eq!(counts(&import), [3, 2, 0, 0, 1], "{import}");
    assert_eq!(shop.errors(&import).await[0][1], "attributes.set_of");
    let import = shop.import(TYPED, json!({})).await;
    assert_eq!(counts(&import), [3, 1, 0, 2, 0], "{import}");
    let kin =
        json!({"sku": "R-3", "attributes": {"kin": {"id": tests::work::uuid_of(&shop.rings)}}});
    let import = shop.import(kin.to_string(), json!({})).await;
    assert_eq!(counts(&import), [1, 0, 1, 0, 0], "{import}");
    let before = shop.content().await;
    for format in ["CSV", "JSON_LINES"] {
        let export = shop.export(json!({"format": format})).await;
        let bytes = shop.bytes(&export["job"]).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("2") && !text.contains(":json"), "{text}");
        let import = shop.import(bytes.clone(), json!({})).await;
        assert_eq!(
            counts(&import),
            [3, 0, 0, 3, 0],
            "{format}: {import}\n{text}"
        );
        assert_eq!(shop.content().await, before);
    }
    let export = shop.export(json!({"columns": ["sku", "attributes.set_of", "attributes.weight", "attributes.stones", "attributes.maker"],
            "orderBy": [{"field": "SKU", "direction": "ASC"}]})).await;
    let (_, rows) = shop.file(&export["job"]).await;
    assert_eq!(rows[1], ["R-1", "", "2", "ruby|pearl", "'-Ali"]);
    assert_eq!(rows[2], ["R-2", "R-1", "1 gram", "", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_do_not_fit_any_more_stay_until_somebody_touches_their_attributes() {
    let shop = Shop::open().await;
    shop.import(rings(1..4), json!({})).await;
    shop.declare(
        "karat",
        "NUMBER",
        json!({"required": true, "onInvalid": "KEEP"}),
    )
    .await;
    let prices = "sku,price,currency\nR-1,10,EUR\n";
    assert_eq!(
        counts(&shop.import(prices, json!({})).await),
        [1, 0, 1, 0, 0]
    );
    // Their own export changes nothing.
    let export = shop.export(json!({})).await;
    let import = shop
        .import(shop.bytes(&export["job"]).await, json!({}))
        .await;
    assert_eq!(counts(&import), [3, 0, 0, 3, 0], "{import}");
    let mended = "sku,attributes.karat\nR-1,18\nR-2,none\n";
    let import = shop.import(mended, json!({})).await;
    assert_eq!(counts(&import), [2, 0, 1, 0, 1], "{import}");
    let taken_away = json!({"sku": "R-1", "attributes": {"karat": null}});
    let import = shop.import(taken_away.to_string(), json!({})).await;
    assert_eq!(counts(&import), [1, 0, 0, 0, 1], "{import}");
    assert_eq!(shop.errors(&import).await[0][2], "REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_along_into_another_category() {
    let shop = Shop::open().await;
    shop.declare("karat", "NUMBER", json!({})).await;
    let chains = shop.manager.category("Chains", None).await;
    let input = json!({"categoryId": chains, "name": "karat", "label": english("karat"), "type": "NUMBER", "max": "20"});
    shop.manager.done("attributeCreate", input).await;
    let file = "sku,name.en,category,unit,attributes.karat\nR-1,Ring,Rings,piece,18\nR-2,Ring,Rings,piece,22\n";
    shop.import(file, json!({})).await;
    let moved = "sku,category\nR-1,Chains\nR-2,Chains\n";
    let import = shop.import(moved, json!({})).await;
    assert_eq!(counts(&import), [2, 0, 1, 0, 1], "{import}");
    assert_eq!(shop.errors(&import).await[0][1], "attributes.karat");
    let item = shop.item("R-1").await;
    assert_eq!(
        (&item["category"]["id"], &item["attributes"]),
        (&json!(chains), &json!({"karat": 18}))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_has_the_attributes_of_its_category() {
    let shop = Shop::open().await;
    shop.declare_all().await;
    shop.declare("size", "NUMBER", json!({"required": true, "min": "40"}))
        .await;
    let query = "query($format: ItemFileFormat!, $category: ID) { itemImportTemplate(format: $format, categoryId: $category) { content } }";
    for format in ["CSV", "JSON_LINES"] {
        let variables = json!({"format": format, "category": shop.rings});
        let template = shop.manager.ok(query, variables).await["itemImportTemplate"].take();
        let content = template["content"].as_str().unwrap().to_owned();
        assert!(
            content.contains("karat") && content.contains("40"),
            "{content}"
        );
        let import = shop.import(content, json!({"dryRun": true})).await;
        assert_eq!(counts(&import), [1, 1, 0, 0, 0], "{format}: {import}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutations_of_many_are_held_to_what_is_demanded() {
    let shop = Shop::open().await;
    shop.declare("karat", "NUMBER", json!({"max": "24"})).await;
    shop.declare("huid", "TEXT", json!({"unique": true})).await;
    let unit = shop.manager.unit("piece").await;
    let of =
        |sku: &str, attributes: Value| row(&shop, &unit, sku, json!({"attributes": attributes}));
    let rows = json!([
        of("A", json!({"karat": "18", "huid": "X"})),
        of("B", json!({"karat": 25})),
        of("C", json!({"huid": "X"})),
        of("D", json!({"stone": "ruby"})),
        of("E", json!({})),
    ]);
    let refusals: Vec<(String, String)> = [
        ("OUT_OF_RANGE", "rows.1.attributes.karat"),
        ("ALREADY_TAKEN", "rows.2.attributes.huid"),
        ("UNKNOWN_ATTRIBUTE", "rows.3.attributes.stone"),
    ]
    .map(|(code, path)| (code.to_owned(), path.to_owned()))
    .into();
    let all = shop
        .manager
        .not_done("itemsCreate", json!({"rows": rows}))
        .await;
    assert_eq!(all, refusals);
    let some = json!({"rows": rows, "policy": "REJECT_FAILED_ROWS"});
    let answer = shop.manager.change("itemsCreate", some).await;
    assert_eq!(answer.refused(), refusals);
    let ids: Vec<_> = answer.data["itemsCreate"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["itemId"].clone())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(
        shop.item("A").await["attributes"],
        json!({"karat": 18, "huid": "X"})
    );
    let changes = json!([
        {"id": ids[0], "attributes": {"karat": "21"}},
        {"id": ids[1], "attributes": {"huid": "Y"}}
    ]);
    shop.manager
        .done("itemsUpdate", json!({"rows": changes}))
        .await;
    assert_eq!(shop.item("A").await["attributes"], json!({"karat": 21}));
    let owned = "SELECT count(*) FROM item_attribute_unique WHERE value = 'Y'";
    assert_eq!(shop.app.count(owned).await, 1);
    let free = "SELECT count(*) FROM item_attribute_unique WHERE value = 'X'";
    assert_eq!(shop.app.count(free).await, 0);
    let refused = shop
        .manager
        .not_done(
            "itemsUpdate",
            json!({"rows": [{"id": ids[0], "attributes": {"huid": "Y"}}]}),
        )
        .await;
    assert_eq!(
        refused,
        [(
            "ALREADY_TAKEN".to_owned(),
            "rows.0.attributes.huid".to_owned()
        )]
    );
}
