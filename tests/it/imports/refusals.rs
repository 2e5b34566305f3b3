//! What is wrong with files and rows, told to whoever asked.

use serde_json::json;
use tests::actor::File;
use tests::shop::document;

use super::{Shop, counts, read, rings};

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_row_is_told_and_the_others_are_written() {
    let shop = Shop::open().await;
    let long = "x".repeat(1024 * 1024);
    let file = format!(
        "sku,name.en,category,unit,price,currency,barcodes,kind
R-1,Ring,Rings,piece,,,,
R-2,Ring,Nowhere,yard,abc,EUR,96385075,thing
,Ring,Rings,piece,,,,
R-3,,Rings,piece,,,,
R-4,{long},Rings,piece,,,,
r-1,Again,Rings,piece,,,,
R-5,Ring,Rings,piece,12,,,
R-6,Ring,Rings,piece,,,A|A,
R-7,=1+1,Rings,=cmd|x,,,,
R-8,Ring,Rings,piece,,,,
"
    );
    let import = shop.import(file, json!({})).await;
    assert_eq!(counts(&import), [10, 2, 0, 0, 8], "{import}");
    let errors = shop.errors(&import).await;
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error[0].as_str(), error[1].as_str(), error[2].as_str()))
        .collect();
    let expected = [
        ("3", "category", "NOT_FOUND"),
        ("3", "price", "INVALID_FORMAT"),
        ("3", "kind", "INVALID_FORMAT"),
        ("3", "unit", "NOT_FOUND"),
        ("4", "sku", "REQUIRED"),
        ("5", "name", "REQUIRED"),
        ("6", "", "ROW_TOO_LARGE"),
        ("7", "sku", "ALREADY_TAKEN"),
        ("8", "currency", "REQUIRED"),
        ("9", "barcodes.1", "ALREADY_TAKEN"),
        ("10", "unit", "NOT_FOUND"),
    ];
    for expected in expected {
        assert!(told.contains(&expected), "{expected:?} in {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    // Nothing in the file is a formula.
    let (bytes, _) = shop.file(&import["job"]).await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("'=cmd|x") && !text.contains(",=cmd"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_bad_rows_are_all_told_in_the_readers_language() {
    let shop = Shop::open().await;
    let persian = shop.app.persian_manager().await;
    let bad = rings(1..10_001).replace("> Rings", "> Nothing");
    let file = format!("{bad}GOOD,Ring,Rings,piece\n");
    let id = shop.ask(&persian, file, json!({})).await;
    let import = shop.ended(&id).await;
    assert_eq!(counts(&import), [10_001, 1, 0, 0, 10_000]);
    let errors = shop.errors(&import).await;
    assert_eq!(errors.len(), 10_000);
    for (index, error) in errors.iter().enumerate() {
        assert_eq!(error[0], (index + 2).to_string());
        assert_eq!(error[3], "«Jewellery > Nothing» یافت نشد.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_is_told_as_a_whole() {
    let shop = Shop::open().await;
    for (file, column, code) in [
        ("sku,colour\nR-1,red\n", "", "UNKNOWN_COLUMN"),
        ("name.en\nRing\n", "sku", "REQUIRED"),
        ("", "sku", "REQUIRED"),
        ("sku,SKU\nR-1,R-1\n", "sku", "ALREADY_TAKEN"),
    ] {
        let import = shop.import(file, json!({})).await;
        assert_eq!(counts(&import), [1, 0, 0, 0, 1], "{file}: {import}");
        let errors = shop.errors(&import).await;
        assert_eq!(
            (
                errors[0][0].as_str(),
                errors[0][1].as_str(),
                errors[0][2].as_str()
            ),
            ("1", column, code)
        );
    }
    let picture = tests::picture::small(1);
    let import = shop.import(picture, json!({})).await;
    assert_eq!(import["created"], 0, "{import}");
    let line = json!({"sku": "R-1\0", "name": {"en": "a\0"}, "category": "\0", "unit": "piece", "attributes": {"\0": "\0"}});
    let import = shop.import(line.to_string(), json!({})).await;
    assert_eq!(counts(&import), [1, 0, 0, 0, 1], "{import}");
    let line = line
        .to_string()
        .replace("\"\\u0000\",\"name", "\"Rings\",\"name");
    shop.import(line, json!({"matchBy": "EXTERNAL_REFERENCE"}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_items_stays_its_own() {
    let shop = Shop::open().await;
    let first =
        "sku,name.en,category,unit,barcodes,externalReference\nR-1,Ring,Rings,piece,A,one\n";
    shop.import(first, json!({})).await;
    let second = "sku,name.en,category,unit,barcodes,externalReference\nR-2,Ring,Rings,piece,A,\nR-3,Ring,Rings,piece,,one\nR-4,Ring,Rings,piece,B,\n";
    let import = shop.import(second, json!({})).await;
    assert_eq!(counts(&import), [3, 1, 0, 0, 2], "{import}");
    let create_only = shop
        .import("sku,name.en\nR-1,Other\n", json!({"mode": "CREATE_ONLY"}))
        .await;
    assert_eq!(counts(&create_only), [1, 0, 0, 0, 1]);
    let item = shop.item("R-1").await;
    shop.manager.category("x", None).await;
    assert_eq!(item["nameTranslations"][0]["text"], "Ring");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_changes_nothing() {
    let shop = Shop::open().await;
    let file = || File {
        bytes: rings(1..3).into_bytes(),
        name: "items.csv".into(),
        content_type: "text/csv".into(),
    };
    let input = json!({"input": {}});
    let document = document("itemImportCreate");
    let clerk = shop.app.clerk().await;
    assert_eq!(
        clerk.upload(&document, input.clone(), file()).await.codes(),
        ["FORBIDDEN"]
    );
    let nobody = shop.app.anonymous();
    assert_eq!(
        nobody.upload(&document, input, file()).await.codes(),
        ["UNAUTHENTICATED"]
    );
    let export = nobody.change("itemExportCreate", json!({})).await;
    assert_eq!(export.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(shop.app.jobs().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_refused_and_kept_nowhere() {
    let app = tests::app::TestApp::builder()
        .set("GOLDSHOP_IMPORT__MAX_BYTES", 1024)
        .start()
        .await;
    let shop = Shop::of(app).await;
    let file = File {
        bytes: rings(1..1000).into_bytes(),
        name: "items.csv".into(),
        content_type: "text/csv".into(),
    };
    let answer = shop
        .manager
        .upload(&document("itemImportCreate"), json!({"input": {}}), file)
        .await;
    assert_eq!(answer.refused(), [("TOO_LARGE".into(), "file".into())]);
    assert!(!shop.app.media().join("import").exists());
    assert_eq!(read(b"a,b\n").len(), 1);
}
