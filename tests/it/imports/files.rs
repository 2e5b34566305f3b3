//! Files as people have them: all of a good one arrives, however it is written.

use serde_json::json;

use super::{Shop, counts, rings};

const GOOD: &str = "sku,name.en,name.fa,description.en,kind,category,unit,tracking,price,currency,tags,barcodes,externalReference,attributes.karat,attr:stone
ring-1,Gold ring,انگشتر طلا,\"With a ruby, red\",goods,Jewellery > Rings,gram,serial,۱۲۰٫۵۰,eur,New|gold,4006381333931|RING-1,till:1,18,ruby
ring-2,Silver ring,,,,زیورآلات > انگشتر,piece,,,,,,,,
,,,,,,,,,,,,,,
ring-3,Plain ring,,,service,Rings,piece,none,,,,,,,
";

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_good_file_arrives() {
    let shop = Shop::open().await;
    let import = shop.import(GOOD, json!({})).await;
    assert_eq!(counts(&import), [3, 3, 0, 0, 0], "{import}");
    assert_eq!(
        (
            &import["phase"],
            &import["job"]["state"],
            &import["job"]["progress"]
        ),
        (&json!("DONE"), &json!("SUCCEEDED"), &json!(100))
    );
    assert_eq!(import["job"]["files"], json!([]));
    let expected = json!({
        "sku": "RING-1", "version": 1, "kind": "GOODS", "tracking": "SERIAL",
        "nameTranslations": [{"language": "en", "text": "Gold ring"}, {"language": "fa", "text": "انگشتر طلا"}],
        "descriptionTranslations": [{"language": "en", "text": "With a ruby, red"}],
        "attributes": {"karat": "18", "stone": "ruby"}, "tags": ["gold", "new"], "barcodes": ["4006381333931", "RING-1"],
        "externalReference": "till:1", "price": {"amount": "120.5", "currency": "EUR"},
        "category": {"id": shop.rings}, "unit": {"code": "gram"}
    });
    assert_eq!(shop.item("RING-1").await, expected);
    assert_eq!(
        shop.item("RING-2").await["category"]["id"],
        json!(shop.rings)
    );
    assert_eq!(shop.item("RING-3").await["kind"], "SERVICE");
    // Codes are drawn when somebody asks for it, and not for a million items unasked.
    assert_eq!(shop.app.jobs().await.len(), 1);
    let imported = "SELECT count(*) FROM audit WHERE action = 'item.import' AND actor_kind = 'user' AND actor_name = 'Test manager'";
    assert_eq!(shop.app.count(imported).await, 3);
    assert_eq!(shop.app.events_of("item.import").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_twice_changes_nothing() {
    let shop = Shop::open().await;
    shop.import(GOOD, json!({})).await;
    let before = shop.content().await;
    for mode in ["UPSERT", "CREATE_ONLY"] {
        let again = shop.import(GOOD, json!({"mode": mode})).await;
        assert_eq!(counts(&again), [3, 0, 0, 3, 0], "{mode}: {again}");
        assert_eq!(shop.content().await, before, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_writing_a_table_is_understood() {
    let shop = Shop::open().await;
    let table = |sku: &str, separator: &str| {
        let rows = [
            ["sku", "name.fa", "دسته", "واحد"],
            [sku, "انگشتر طلا با نگین", "زیورآلات > انگشتر", "piece"],
        ];
        rows.map(|row| row.join(separator)).join("\r\n")
    };
    let wide: Vec<u8> = table("WIDE", "\t")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    // Windows-1256 as Persian programs write it: with the Arabic yeh.
    let narrow = [
        &b"sku,name.fa,category,unit\nNARROW,"[..],
        &[
            0xC7, 0xE4, 0xD0, 0xD4, 0xCA, 0xD1, 0x20, 0xD8, 0xE1, 0xC7, 0x20, 0xE4, 0xDE, 0xD1,
            0xE5, 0x20, 0xDD, 0xC7, 0xD1, 0xD3, 0xED,
        ],
        &b",Rings,piece\n"[..],
    ]
    .concat();
    for (sku, bytes) in [
        ("MARKED", [b"\xEF\xBB\xBF", table("MARKED", ";").as_bytes()].concat()),
        ("SEMICOLON", table("SEMICOLON", ";").into_bytes()),
        ("WIDE", [&[0xFF, 0xFE], &wide[..]].concat()),
        ("NARROW", narrow),
        (
            "LINES",
            format!("{}\n\n", json!({"sku": "LINES", "name": {"fa": "انگشتر طلا"}, "category": "Jewellery > Rings", "unit": "piece"})).into_bytes(),
        ),
    ] {
        let import = shop.import(bytes, json!({})).await;
        assert_eq!(counts(&import), [1, 1, 0, 0, 0], "{sku}: {import}");
        let name = shop.item(sku).await["nameTranslations"][0]["text"].take();
        assert!(name.as_str().unwrap().contains('ا'), "{sku}: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_does_not_say_stays() {
    let shop = Shop::open().await;
    shop.import(GOOD, json!({})).await;
    let changed =
        "sku,name.en,price,currency,attributes.stone,barcodes\nRING-1,Golden ring,,,emerald,\n";
    let import = shop.import(changed, json!({})).await;
    assert_eq!(counts(&import), [1, 0, 1, 0, 0]);
    let item = shop.item("RING-1").await;
    assert_eq!(item["nameTranslations"][0]["text"], "Golden ring");
    assert_eq!(item["nameTranslations"][1]["text"], "انگشتر طلا");
    assert_eq!(
        item["attributes"],
        json!({"karat": "18", "stone": "emerald"})
    );
    assert_eq!(item["price"]["amount"], "120.5");
    assert_eq!(
        (&item["version"], item["barcodes"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    // A null of JSON takes away; and what tells the item may be another key than its SKU.
    let line = json!({"externalReference": "till:1", "price": null, "barcodes": [], "attributes": {"karat": null}});
    let import = shop
        .import(line.to_string(), json!({"matchBy": "EXTERNAL_REFERENCE"}))
        .await;
    assert_eq!(counts(&import), [1, 0, 1, 0, 0], "{import}");
    let item = shop.item("RING-1").await;
    assert_eq!(
        (&item["price"], &item["barcodes"], &item["attributes"]),
        (&json!(null), &json!([]), &json!({"stone": "emerald"}))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_everything_and_writes_nothing() {
    let shop = Shop::open().await;
    shop.import(rings(1..4), json!({})).await;
    let before = shop.content().await;
    let file = format!(
        "{}R-3,Other,Rings,piece\nR-9,x,Nowhere,piece\nR-1,Twice,Rings,piece\n",
        rings(1..6).replace("Ring 2", "Ring two")
    );
    let import = shop.import(file, json!({"dryRun": true})).await;
    assert_eq!(counts(&import), [8, 2, 1, 2, 3], "{import}");
    assert_eq!(import["phase"], "DONE");
    assert_eq!(shop.content().await, before);
    let codes: Vec<_> = shop
        .errors(&import)
        .await
        .into_iter()
        .map(|error| error[2].clone())
        .collect();
    assert_eq!(codes, ["ALREADY_TAKEN", "NOT_FOUND", "ALREADY_TAKEN"]);
    assert_eq!(
        shop.app
            .count("SELECT count(*) FROM item_import_error")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_is_looked_at_first() {
    let shop = Shop::open().await;
    let good = rings(1..1500);
    let bad = format!("{good}R-X,x,Nowhere,piece\n");
    let all = json!({"policy": "REJECT_ALL"});
    let refused = shop.import(bad, all.clone()).await;
    assert_eq!(
        (counts(&refused), &refused["phase"]),
        ([1500, 1499, 0, 0, 1], &json!("REJECTED"))
    );
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 0);
    let done = shop.import(good, all).await;
    assert_eq!(
        (counts(&done), &done["phase"]),
        ([1499, 1499, 0, 0, 0], &json!("DONE"))
    );
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 1499);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_drawn_for_who_asks() {
    let shop = Shop::open().await;
    shop.import(rings(1..3), json!({"drawCodes": true})).await;
    let codes = "SELECT count(*) FROM job WHERE kind = 'item.render_code'";
    assert_eq!(shop.app.count(codes).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_can_be_imported() {
    let shop = Shop::open().await;
    let query = "query($format: ItemFileFormat!, $category: ID) {
        itemImportTemplate(format: $format, categoryId: $category) { fileName mediaType content }
    }";
    for (format, name) in [("CSV", "items.csv"), ("JSON_LINES", "items.jsonl")] {
        let variables = json!({"format": format, "category": shop.rings});
        let template = shop.manager.ok(query, variables).await["itemImportTemplate"].take();
        assert_eq!(template["fileName"], name);
        let content = template["content"].as_str().unwrap().to_owned();
        let import = shop.import(content, json!({"dryRun": true})).await;
        assert_eq!(counts(&import), [1, 1, 0, 0, 0], "{format}: {import}");
    }
}
