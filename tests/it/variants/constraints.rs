//! What the database itself does not let happen, whoever writes.

use serde_json::json;

use super::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_variants_right() {
    let shop = Shop::open().await;
    let template = shop.template("RING").await;
    let _other = shop.template("OTHER").await;
    shop.generate(&template, json!({})).await;
    shop.ring(
        "PLAIN",
        json!({"attributes": {"size": "50", "colour": "white"}}),
    )
    .await;
    let set = "UPDATE item SET ";
    for (sql, constraint) in [
        (
            r#"attributes = attributes || '{"size": "52"}' WHERE sku = 'RING-50-WHITE'"#,
            "item_variant_unique",
        ),
        (
            r#"attributes = attributes || '{"size": "51"}' WHERE sku = 'RING-50-WHITE'"#,
            "item_variant_options",
        ),
        (
            "attributes = attributes - 'size' WHERE sku = 'RING-50-WHITE'",
            "item_variant_options",
        ),
        (
            "template_id = (SELECT id FROM item WHERE sku = 'RING') WHERE sku = 'PLAIN'",
            "item_variant_unique",
        ),
        (
            "template_id = (SELECT id FROM item WHERE sku = 'PLAIN') WHERE sku = 'PLAIN'",
            "item_variant_whole",
        ),
        (
            "template_id = gen_random_uuid() WHERE sku = 'PLAIN'",
            "item_variant_whole",
        ),
        (
            "is_template = true WHERE sku = 'RING-50-WHITE'",
            "item_template_alone",
        ),
        ("is_template = false WHERE sku = 'RING'", "item_"),
        (
            "of_template = false WHERE sku = 'PLAIN'",
            "item_of_template",
        ),
    ] {
        let refused = sea_orm::sqlx::query(sea_orm::sqlx::AssertSqlSafe(format!("{set}{sql}")))
            .execute(shop.app.sql())
            .await;
        let error = refused.expect_err(sql);
        let broken = error
            .as_database_error()
            .and_then(|error| error.constraint());
        assert!(
            broken.is_some_and(|broken| broken.starts_with(constraint)),
            "{sql}: {error}"
        );
    }
    // What was chosen cannot be said: it follows.
    shop.app
        .execute(
            r#"UPDATE item SET variant_options = '{"size": "52"}' WHERE sku = 'RING-50-WHITE'"#,
        )
        .await;
    shop.app
        .execute(r#"UPDATE item SET variant_options = '{}' WHERE sku = 'PLAIN'"#)
        .await;
    let untouched = shop
        .app
        .count(
            r#"SELECT count(*) FROM item WHERE sku = 'RING-50-WHITE' AND variant_options = '{"size": "50", "colour": "white"}'
               OR sku = 'PLAIN' AND variant_options IS NULL"#,
        )
        .await;
    assert_eq!(untouched, 2);
}
