//! Attributes that change while items have values of them.

use domain::{
    Error, Viewer,
    item::{ItemRow, Kind, NewItem, Tracking},
};
use sea_orm::sqlx;
use serde_json::json;
use uuid::Uuid;

use super::{Shop, wrong};

async fn id(shop: &Shop, sql: &'static str) -> Uuid {
    sqlx::query_scalar(sql)
        .fetch_one(shop.app.sql())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_would_become_invalid_are_told_beforehand_and_nothing_is_changed() {
    let shop = Shop::open().await;
    for number in 0..30 {
        let _ = shop
            .create_ring(&format!("R-{number:02}"), json!({"pieces": number}))
            .await;
    }
    let input = |more| shop.attribute("pieces", "NUMBER", more);
    let dry = shop
        .manager
        .done(
            "attributeCreate",
            input(json!({"max": "4", "dryRun": true})),
        )
        .await;
    assert_eq!(
        (&dry["report"]["checked"], &dry["report"]["invalid"]),
        (&json!(30), &json!(25))
    );
    let examples = dry["report"]["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 20);
    assert_eq!(examples[0]["sku"], "R-05");
    assert_eq!(examples[0]["errors"][0]["code"], "OUT_OF_RANGE");
    assert_eq!(shop.app.count("SELECT count(*) FROM attribute").await, 0);
    let refused = shop
        .manager
        .not_done("attributeCreate", input(json!({"max": "4"})))
        .await;
    assert_eq!(refused, wrong("INVALID_ITEMS", ""));
    assert_eq!(shop.app.count("SELECT count(*) FROM attribute").await, 0);
    let kept = shop
        .manager
        .done(
            "attributeCreate",
            input(json!({"max": "4", "onInvalid": "KEEP"})),
        )
        .await;
    assert_eq!(kept["report"]["invalid"], 25);
    let again = input(json!({"max": "4", "onInvalid": "KEEP", "idempotencyKey": "k"}));
    assert_eq!(
        shop.manager.not_done("attributeCreate", again).await,
        wrong("ALREADY_TAKEN", "name")
    );
    assert_eq!(shop.attributes_of("R-29").await, json!({"pieces": 29}));
    // Those that were invalid before do not stand in the way of the next change.
    let change = json!({"id": kept["attribute"]["id"], "max": "3"});
    assert_eq!(
        shop.manager.not_done("attributeUpdate", change).await,
        wrong("INVALID_ITEMS", "id")
    );
    let change = json!({"id": kept["attribute"]["id"], "max": "3", "dryRun": true});
    assert_eq!(
        shop.manager.done("attributeUpdate", change).await["report"]["invalid"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_from_before_the_first_attribute_must_be_declared_or_kept() {
    let shop = Shop::open().await;
    let _ = shop
        .create_ring("R-1", json!({"colour": "yellow", "note": "old"}))
        .await;
    let declared = shop.attribute("colour", "TEXT", json!({}));
    let dry = super::laid_over(declared.clone(), json!({"dryRun": true}));
    let dry = shop.manager.done("attributeCreate", dry).await;
    assert_eq!(
        dry["report"]["examples"][0]["errors"][0]["code"],
        "UNKNOWN_ATTRIBUTE"
    );
    let kept = super::laid_over(declared, json!({"onInvalid": "KEEP"}));
    let _ = shop.manager.done("attributeCreate", kept).await;
    assert_eq!(
        shop.attributes_of("R-1").await,
        json!({"colour": "yellow", "note": "old"})
    );
    let _ = shop.declare("note", "TEXT", json!({})).await;
    assert_eq!(
        shop.not_a_ring("R-2", json!({"nota": "new"})).await,
        wrong("UNKNOWN_ATTRIBUTE", "attributes.nota")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_touches_no_item() {
    let shop = Shop::open().await;
    let attribute = shop.declare("color", "TEXT", json!({})).await;
    let ring = shop.create_ring("R-1", json!({"color": "yellow"})).await;
    let renamed = json!({"id": attribute["id"], "name": "colour"});
    let _ = shop.manager.done("attributeUpdate", renamed).await;
    let query = "{ item(by: {sku: \"R-1\"}) { attributes version } }";
    let item = shop.manager.ok(query, json!({})).await["item"].take();
    assert_eq!(
        item,
        json!({"attributes": {"colour": "yellow"}, "version": ring["version"]})
    );
    assert_eq!(
        shop.not_a_ring("R-2", json!({"color": "white"})).await,
        wrong("UNKNOWN_ATTRIBUTE", "attributes.color")
    );
    // The old name is free for something else, which does not meet the old values.
    let _ = shop.declare("color", "NUMBER", json!({})).await;
    let _ = shop
        .create_ring("R-2", json!({"color": 7, "colour": "white"}))
        .await;
    assert_eq!(shop.attributes_of("R-1").await, json!({"colour": "yellow"}));
    assert_eq!(
        shop.attributes_of("R-2").await,
        json!({"color": 7, "colour": "white"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_attribute_comes_back_with_its_values() {
    let shop = Shop::open().await;
    let attribute = shop.declare("huid", "TEXT", json!({"unique": true})).await;
    let _ = shop.declare("note", "TEXT", json!({})).await;
    let ring = shop
        .create_ring("R-1", json!({"huid": "AB12CD", "note": "a"}))
        .await;
    let retired = shop
        .manager
        .done("attributeRetire", json!({"id": attribute["id"]}))
        .await;
    assert!(retired["attribute"]["retiredAt"].is_string());
    assert_eq!(shop.attributes_of("R-1").await, json!({"note": "a"}));
    assert_eq!(
        shop.not_a_ring("R-2", json!({"huid": "X"})).await,
        wrong("UNKNOWN_ATTRIBUTE", "attributes.huid")
    );
    let _ = shop
        .manager
        .done(
            "itemUpdate",
            json!({"id": ring["id"], "attributes": {"note": "b"}}),
        )
        .await;
    let _ = shop
        .manager
        .done("attributeRestore", json!({"id": attribute["id"]}))
        .await;
    assert_eq!(
        shop.attributes_of("R-1").await,
        json!({"huid": "AB12CD", "note": "b"})
    );
    assert_eq!(
        shop.not_a_ring("R-2", json!({"huid": "AB12CD"})).await,
        wrong("ALREADY_TAKEN", "attributes.huid")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_can_become_unique_only_where_values_are() {
    let shop = Shop::open().await;
    let first = shop.create_ring("R-1", json!({"huid": "AB12CD"})).await;
    let _ = shop.create_ring("R-2", json!({"huid": "AB12CD"})).await;
    let input = shop.attribute("huid", "TEXT", json!({"unique": true}));
    assert_eq!(
        shop.manager
            .not_done("attributeCreate", input.clone())
            .await,
        wrong("ALREADY_TAKEN", "unique")
    );
    let _ = shop
        .manager
        .done(
            "itemUpdate",
            json!({"id": first["id"], "attributes": {"huid": "ZZ99ZZ"}}),
        )
        .await;
    let _ = shop.manager.done("attributeCreate", input).await;
    assert_eq!(
        shop.not_a_ring("R-3", json!({"huid": "ZZ99ZZ"})).await,
        wrong("ALREADY_TAKEN", "attributes.huid")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_leaves_a_trail_and_an_event_and_happens_once() {
    let shop = Shop::open().await;
    let before = shop
        .app
        .count("SELECT count(*) FROM event WHERE kind = 'category_tree.changed'")
        .await;
    let input = shop.attribute("note", "TEXT", json!({"idempotencyKey": "once"}));
    let first = shop.manager.done("attributeCreate", input.clone()).await;
    let again = shop.manager.done("attributeCreate", input).await;
    assert_eq!(first["attribute"]["id"], again["attribute"]["id"]);
    assert_eq!(shop.app.count("SELECT count(*) FROM attribute").await, 1);
    assert_eq!(
        shop.app
            .count("SELECT count(*) FROM audit WHERE action = 'attribute.create'")
            .await,
        1
    );
    let after = shop
        .app
        .count("SELECT count(*) FROM event WHERE kind = 'category_tree.changed'")
        .await;
    assert_eq!(after, before + 1);
    let stale = json!({"id": first["attribute"]["id"], "required": true, "expectedVersion": 7});
    assert_eq!(
        shop.manager.not_done("attributeUpdate", stale).await,
        wrong("STALE_VERSION", "expectedVersion")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_told_the_same_about_invalid_items() {
    let shop = Shop::open().await;
    let _ = shop.create_ring("R-1", json!({"pieces": 9})).await;
    let more = json!({"max": "4", "onInvalid": "KEEP", "idempotencyKey": "once"});
    let input = shop.attribute("pieces", "NUMBER", more);
    let first = shop.manager.done("attributeCreate", input.clone()).await;
    assert_eq!(
        first["report"]["examples"][0]["errors"][0]["code"],
        "OUT_OF_RANGE"
    );
    assert_eq!(shop.manager.done("attributeCreate", input).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_name_is_brought_back_and_not_given_away() {
    let shop = Shop::open().await;
    let attribute = shop.declare("note", "TEXT", json!({})).await;
    let _ = shop
        .manager
        .done("attributeRetire", json!({"id": attribute["id"]}))
        .await;
    for category in [&shop.jewellery, &shop.rings] {
        let again = shop.attribute("note", "TEXT", json!({"categoryId": category}));
        assert_eq!(
            shop.manager.not_done("attributeCreate", again).await,
            wrong("ARCHIVED", "name")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_held_to_what_is_demanded_row_by_row() {
    let shop = Shop::open().await;
    let _ = shop
        .declare("huid", "TEXT", json!({"unique": true, "required": true}))
        .await;
    let _ = shop
        .declare("set_of", "REFERENCE", json!({"refersTo": "ITEM"}))
        .await;
    let category = id(&shop, "SELECT id FROM category WHERE parent_id IS NOT NULL").await;
    let unit = id(&shop, "SELECT id FROM unit_of_measure WHERE code = 'piece'").await;
    let row = |sku: &str, attributes| ItemRow {
        item: NewItem {
            kind: Kind::Goods,
            sku: sku.into(),
            name: [("en".to_owned(), sku.to_owned())].into(),
            description: [].into(),
            category_id: category.into(),
            unit_id: unit.into(),
            tracking: Tracking::None,
            price: None,
            pricing: None,
            metal: None,
            attributes,
            tags: Vec::new(),
            barcodes: Vec::new(),
            external_reference: Some(sku.into()),
            template_id: None,
        },
        draw_code: false,
    };
    let import = async |rows: &[ItemRow]| {
        let items = shop.app.domain().items();
        match items.import(&Viewer::system("test"), rows).await {
            Ok(outcome) => vec![format!("{} created", outcome.created.len())],
            Err(Error::Refused(refused)) => refused
                .iter()
                .map(|refusal| format!("{:?} {}", refusal.code, refusal.path.join(".")))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    };
    let fine = row("I-1", json!({"huid": "A"}));
    let missing = import(&[fine.clone(), row("I-2", json!({}))]).await;
    assert_eq!(missing, ["Required rows.1.attributes.huid"]);
    let twice = import(&[fine.clone(), row("I-2", json!({"huid": "A"}))]).await;
    assert_eq!(twice, ["AlreadyTaken rows.1.attributes.huid"]);
    let nowhere = row("I-2", json!({"huid": "B", "set_of": "NONE"}));
    let nowhere = import(&[fine.clone(), nowhere]).await;
    assert_eq!(nowhere, ["NotFound rows.1.attributes.set_of"]);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 0);
    assert_eq!(import(&[fine]).await, ["1 created"]);
    assert_eq!(
        shop.not_a_ring("R-1", json!({"huid": "A"})).await,
        wrong("ALREADY_TAKEN", "attributes.huid")
    );
}
