//! Several people at one template.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{GENERATE, Shop, options_of};

const SOUND: &str = "SELECT count(*) FROM item i WHERE i.template_id IS NOT NULL AND (
    NOT (i.attributes @> i.variant_options) OR EXISTS (SELECT FROM item_option o WHERE o.template_id = i.template_id
        AND NOT EXISTS (SELECT FROM jsonb_array_elements(o.choices) c WHERE c = i.attributes -> o.key)))";

#[tokio::test(flavor = "multi_thread")]
async fn many_generate_at_once_and_each_variant_is_there_once() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    let input = json!({"input": {"templateId": id}});
    let answers = join_all((0..8).map(|_| shop.manager.gql(GENERATE, input.clone()))).await;
    let created: i64 = answers
        .into_iter()
        .map(|answer| {
            answer.ok()["itemVariantsGenerate"]["created"]
                .as_i64()
                .unwrap()
        })
        .sum();
    assert_eq!(created, 4);
    assert_eq!(shop.item("RING").await["variantCount"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn attaching_and_generating_do_not_make_two_of_one() {
    let shop = Shop::open().await;
    for round in 0..6 {
        let id = shop.template(&format!("RING-{round}")).await;
        let plain = shop
            .ring(
                &format!("PLAIN-{round}"),
                json!({"attributes": {"size": "50", "colour": "white"}}),
            )
            .await;
        let generate = shop
            .manager
            .gql(GENERATE, json!({"input": {"templateId": id}}));
        let attach = shop
            .manager
            .change("itemUpdate", json!({"id": plain, "templateId": id}));
        let (generated, attached) = join(generate, attach).await;
        let created = generated.ok()["itemVariantsGenerate"]["created"]
            .as_i64()
            .unwrap();
        let refused = attached.user_errors();
        assert!(attached.errors.is_empty(), "{attached:?}");
        match (created, refused.first()) {
            (4, Some(refusal)) => assert_eq!(refusal.code, "VARIANT_EXISTS"),
            (3, None) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(shop.item(&format!("RING-{round}")).await["variantCount"], 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_do_not_go_while_somebody_chooses_them() {
    let shop = Shop::open().await;
    for round in 0..6 {
        let id = shop.template(&format!("RING-{round}")).await;
        let only = json!({"only": [super::chosen(&[("size", "50"), ("colour", "white")])]});
        shop.generate(&id, only).await;
        let variant = shop.id(&format!("RING-{round}-50-WHITE")).await;
        let fewer = json!({"id": id, "options": options_of(&[("size", &["50"]), ("colour", &["white", "rose gold"])])});
        let change = json!({"id": variant, "attributes": {"size": "52", "colour": "white"}});
        let many = json!({"rows": [change.clone()]});
        let chooses = async {
            if round % 2 == 0 {
                shop.manager.change("itemUpdate", change).await
            } else {
                shop.manager.change("itemsUpdate", many).await
            }
        };
        let (set, chosen) = join(shop.manager.change("itemOptionsSet", fewer), chooses).await;
        assert!(
            set.errors.is_empty() && chosen.errors.is_empty(),
            "{set:?} {chosen:?}"
        );
        assert_eq!(
            set.user_errors().len() + chosen.user_errors().len(),
            1,
            "{set:?} {chosen:?}"
        );
    }
    assert_eq!(shop.app.count(SOUND).await, 0);
}

/// Whoever changes a template and whoever changes its variants do not wait for each other in a circle.
#[tokio::test(flavor = "multi_thread")]
async fn templates_and_variants_are_changed_at_once() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    shop.generate(&id, json!({})).await;
    let variant = shop.id("RING-50-WHITE").await;
    let both = |round: u32| {
        let tags = json!([format!("t{round}")]);
        let attributes = json!({"size": "50", "colour": "white", "karat": round});
        json!({"rows": [{"id": id, "tags": tags, "attributes": {"karat": round}}, {"id": variant, "attributes": attributes}]})
    };
    for round in 0..10 {
        let attributes = json!({"size": "50", "colour": "white", "karat": round + 100});
        let single = json!({"id": variant, "attributes": attributes});
        let own = json!({"id": id, "tags": [format!("s{round}")]});
        let (many, (single, own)) = join(
            shop.manager.change("itemsUpdate", both(round)),
            join(
                shop.manager.change("itemUpdate", single),
                shop.manager.change("itemUpdate", own),
            ),
        )
        .await;
        for answer in [many, single, own] {
            let _done = answer.ok();
        }
    }
    assert_eq!(shop.app.count(SOUND).await, 0);
}
