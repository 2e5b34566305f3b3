//! Many items at once with their metal and their prices.

use domain::{
    Error, Viewer,
    item::{ItemRow, Kind, MetalDetails, NewItem, Tracking},
    metal_rate::Metal,
    pricing::{Formula, Pricing, WeightBased},
};
use sea_orm::sqlx;
use serde_json::json;
use tests::shop::english;
use uuid::Uuid;

use super::amount;
use crate::{item::Shop, metal_rate::record};

async fn id(shop: &Shop, sql: &'static str) -> Uuid {
    sqlx::query_scalar(sql)
        .fetch_one(shop.app.sql())
        .await
        .unwrap()
}

async fn row(shop: &Shop, sku: &str, huid: &str, pricing: Pricing) -> ItemRow {
    let metal = MetalDetails {
        metal: Metal::Gold,
        fineness: "18K".to_owned(),
        gross_weight: None,
        net_weight: Some("۴ گرم".to_owned()),
        stone_weight: None,
        making: None,
        stones: Vec::new(),
        huid: Some(huid.to_owned()),
        certificate_number: None,
    };
    let item = NewItem {
        kind: Kind::Goods,
        sku: sku.to_owned(),
        name: [("en".to_owned(), sku.to_owned())].into(),
        description: [].into(),
        category_id: id(shop, "SELECT id FROM category").await.into(),
        unit_id: id(shop, "SELECT id FROM unit_of_measure WHERE code = 'piece'")
            .await
            .into(),
        tracking: Tracking::None,
        price: None,
        pricing: Some(pricing),
        metal: Some(metal),
        attributes: json!({}),
        tags: Vec::new(),
        barcodes: Vec::new(),
        external_reference: Some(sku.to_owned()),
        template_id: None,
    };
    ItemRow {
        item,
        draw_code: false,
    }
}

fn by_weight() -> Pricing {
    Pricing::WeightBased(WeightBased {
        currency: "IRR".to_owned(),
        profit_percent: 7.into(),
        minimum_price: None,
    })
}

fn by_formula(text: &str) -> Pricing {
    Pricing::Formula(Formula {
        currency: "IRR".to_owned(),
        text: text.to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_items_have_their_metal_and_their_prices() {
    let shop = Shop::open().await;
    record(&shop.manager, "100", json!({})).await;
    let import = async |rows: &[ItemRow]| {
        let items = shop.app.domain().items();
        items.import(&Viewer::system("test"), rows).await
    };
    let done = import(&[
        row(&shop, "RING-1", "AAAAA1", by_weight()).await,
        row(&shop, "RING-2", "AAAAA2", by_formula("net_weight * rate")).await,
    ])
    .await
    .unwrap();
    assert_eq!(done.created.len(), 2);
    for (sku, expected) in [("RING-1", "428.00"), ("RING-2", "400.00")] {
        let found = shop
            .manager
            .ok(
                "query($sku: String!) { item(by: {sku: $sku}) { id metal { huid } } }",
                json!({"sku": sku}),
            )
            .await;
        assert_eq!(amount(&shop.manager, &found["item"]).await, expected);
    }
    // Who comes with the hallmark id of another item is left out, and the others are not.
    let rows = [
        row(&shop, "RING-3", "aaaaa1", by_weight()).await,
        row(&shop, "RING-4", "AAAAA4", by_weight()).await,
    ];
    let done = import(&rows).await.unwrap();
    assert_eq!((done.created.len(), done.skipped), (1, 1));
    assert!(done.created.contains_key("RING-4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_row_is_said_with_its_place() {
    let shop = Shop::open().await;
    let input = json!({
        "categoryId": shop.input("", json!({}))["categoryId"], "name": "stones", "label": english("Stones"), "type": "NUMBER",
    });
    shop.manager.done("attributeCreate", input).await;
    let rows = [
        row(&shop, "RING-1", "AAAAA1", by_weight()).await,
        row(&shop, "RING-2", "AAAAA2", by_formula("attr_stonse")).await,
    ];
    let refused = shop
        .app
        .domain()
        .items()
        .import(&Viewer::system("test"), &rows)
        .await;
    let Err(Error::Refused(refused)) = refused else {
        panic!("it is refused")
    };
    let told: Vec<_> = refused
        .iter()
        .map(|refusal| format!("{:?} {}", refusal.code, refusal.path.join(".")))
        .collect();
    assert_eq!(told, ["UnknownName rows.1.pricing.formula.text"]);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 0);
}
