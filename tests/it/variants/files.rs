//! Variants in files.

use serde_json::{Value, json};
use tests::{
    actor::File,
    app::TestApp,
    shop::document,
    wait::{PATIENCE, eventually},
};

use super::Shop;

const IMPORT: &str = "query($id: ID!) { itemImport(id: $id) { created updated unchanged failed finishedAt job { state files { name url } } } }";
const EXPORT: &str = "query($id: ID!) { itemExport(id: $id) { rows job { state files { url } } } }";

async fn import(shop: &Shop, file: &str) -> Value {
    let file = File {
        bytes: file.as_bytes().to_vec(),
        name: "items.csv".into(),
        content_type: "text/csv".into(),
    };
    let options = json!({"input": {"policy": "REJECT_FAILED_ROWS"}});
    let asked = shop
        .manager
        .upload(&document("itemImportCreate"), options, file)
        .await
        .ok();
    let id = asked["itemImportCreate"]["itemImport"]["id"].clone();
    eventually(PATIENCE, "the import ends", async || {
        let seen = shop.manager.ok(IMPORT, json!({"id": id})).await["itemImport"].take();
        seen["finishedAt"].is_string().then_some(seen)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_whose_variants_its_rows_are() {
    let shop = Shop::of(TestApp::builder().with_worker().start().await).await;
    let template = shop.template("RING").await;
    let file = "sku,name,category,unit,attributes.size,attributes.colour,template\n\
                A,Ring,Rings,piece,50,white,ring\n\
                B,Ring,Rings,piece,52,white,RING\n\
                C,Ring,Rings,piece,52,white,RING\n\
                D,Ring,Rings,piece,54,white,RING\n\
                E,Ring,Rings,piece,50,white,NOTHING\n\
                F,Ring,Rings,piece,50,white,\n";
    let done = import(&shop, file).await;
    assert_eq!(
        (&done["created"], &done["failed"]),
        (&json!(3), &json!(3)),
        "{done}"
    );
    let a = shop.item("A").await;
    assert_eq!(
        (&a["template"]["sku"], &a["variantOptions"][0]["value"]),
        (&json!("RING"), &json!("50"))
    );
    assert_eq!(shop.item("F").await["template"], Value::Null);
    let url = done["job"]["files"][0]["url"].as_str().unwrap();
    let report = shop
        .manager
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for code in ["VARIANT_EXISTS", "NOT_AN_OPTION", "NOT_FOUND"] {
        assert!(report.contains(code), "{report}");
    }
    // What a variant has chosen follows, and a taken combination is refused.
    let done = import(&shop, "sku,attributes.colour\nA,rose gold\n").await;
    assert_eq!(done["updated"], json!(1), "{done}");
    assert_eq!(
        shop.item("A").await["variantOptions"][1]["value"],
        "rose gold"
    );
    let done = import(&shop, "sku,attributes.size,attributes.colour\nA,52,white\n").await;
    assert_eq!(done["failed"], json!(1), "{done}");
    // What is exported can be imported again, and changes nothing.
    let asked = shop
        .manager
        .done("itemExportCreate", json!({"format": "CSV", "columns": ["sku", "attributes.size", "attributes.colour", "template"]}))
        .await;
    let id = asked["itemExport"]["id"].clone();
    let url = eventually(PATIENCE, "the export ends", async || {
        let seen = shop.manager.ok(EXPORT, json!({"id": id})).await;
        seen["itemExport"]["job"]["files"][0]["url"]
            .as_str()
            .map(str::to_owned)
    })
    .await;
    let exported = shop
        .manager
        .get(&url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(exported.contains("A,50,rose gold,RING"), "{exported}");
    let done = import(&shop, &exported).await;
    assert_eq!(
        (&done["unchanged"], &done["failed"]),
        (&json!(4), &json!(0)),
        "{done}"
    );
    assert_eq!(shop.item("RING").await["id"], json!(template));
}
