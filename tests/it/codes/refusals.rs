//! What is not drawn, and for whom.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat};
use serde_json::{Value, json};
use tests::{app::TestApp, shop::global_id};

use super::{BATCH, Shop, logo};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(GrayImage::new(width, height));
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_drawn_is_refused() {
    let shop = Shop::of(TestApp::start().await).await;
    let (item, lot, location) = (&shop.items[0], &shop.lots[0], &shop.locations[0]);
    let nobody = |kind| global_id(kind, "01930000000070008000000000abcdef");
    for (input, expected) in [
        (json!({}), ("NOTHING_SELECTED", "itemIds")),
        (json!({"itemIds": []}), ("NOTHING_SELECTED", "itemIds")),
        (json!({"lotIds": []}), ("NOTHING_SELECTED", "lotIds")),
        (
            json!({"where": {"sku": {"eq": "NONE"}}}),
            ("NOTHING_SELECTED", "where"),
        ),
        (
            json!({"itemIds": vec![item; 1_001]}),
            ("TOO_MANY", "itemIds"),
        ),
        (json!({"lotIds": vec![lot; 1_001]}), ("TOO_MANY", "lotIds")),
        (
            json!({"locationIds": vec![location; 1_001]}),
            ("TOO_MANY", "locationIds"),
        ),
        (
            json!({"itemIds": [item, nobody("Item")]}),
            ("NOT_FOUND", "itemIds.1"),
        ),
        (
            json!({"lotIds": [nobody("Lot"), lot]}),
            ("NOT_FOUND", "lotIds.0"),
        ),
        (
            json!({"locationIds": [nobody("Location")]}),
            ("NOT_FOUND", "locationIds.0"),
        ),
        // An id of another kind.
        (
            json!({"itemIds": [item, lot]}),
            ("INVALID_FORMAT", "itemIds.1"),
        ),
        (
            json!({"locationIds": [item]}),
            ("INVALID_FORMAT", "locationIds.0"),
        ),
        // Two selections, and two ways to draw.
        (
            json!({"itemIds": [item], "lotIds": [lot]}),
            ("EXCLUSIVE", "lotIds"),
        ),
        (
            json!({"where": {}, "locationIds": [location]}),
            ("EXCLUSIVE", "locationIds"),
        ),
        (
            json!({"itemIds": [item], "format": "PDF", "picture": "PNG"}),
            ("EXCLUSIVE", "picture"),
        ),
    ] {
        let refused = shop.refused(input.clone(), None).await;
        let expected = (expected.0.to_owned(), expected.1.to_owned());
        assert_eq!(refused, [expected], "{input}");
    }
    assert_eq!(shop.app.count("SELECT count(*) FROM code_batch").await, 0);
    assert_eq!(shop.app.count(JOBS).await, 0, "nothing is half done");
}

const JOBS: &str = "SELECT count(*) FROM job WHERE kind = 'code.draw'";

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_none_or_too_large_is_refused_and_so_is_a_level_that_is_too_low_for_it() {
    let shop = Shop::of(TestApp::start().await).await;
    let item = &shop.items[0];
    let mut long = png(10, 10);
    long.resize(512 * 1024 + 1, 0);
    let cut = logo().map(|logo| logo[..logo.len() / 2].to_vec());
    for (bytes, code) in [
        (Some(b"MZ, a program".to_vec()), "UNSUPPORTED_TYPE"),
        (
            Some(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()),
            "UNSUPPORTED_TYPE",
        ),
        (Some(Vec::new()), "UNSUPPORTED_TYPE"),
        (Some(long), "TOO_LARGE"),
        (Some(png(4_001, 1)), "DIMENSIONS_TOO_LARGE"),
        (Some(png(2_001, 2_000)), "DIMENSIONS_TOO_LARGE"),
        (cut, "UNREADABLE"),
    ] {
        let refused = shop.refused(json!({"itemIds": [item]}), bytes).await;
        assert_eq!(refused, [(code.to_owned(), "logo".to_owned())]);
    }
    for level in ["L", "M"] {
        let input = json!({"itemIds": [item], "level": level});
        let refused = shop.refused(input, logo()).await;
        assert_eq!(refused, [("LEVEL_TOO_LOW".to_owned(), "level".to_owned())]);
    }
    assert_eq!(shop.app.count(JOBS).await, 0);
    // A file that did not come is none, whatever the variable says.
    let forged = json!({"itemIds": [item], "logo": "#__graphql_file__:0"});
    let refused = shop.refused(forged, None).await;
    assert_eq!(refused, [("REQUIRED".to_owned(), "logo".to_owned())]);
    // Without a level there is what a picture needs.
    let made = shop.asked(json!({"itemIds": [item]}), logo()).await["codeBatch"].take();
    assert_eq!(
        (&made["level"], &made["hasLogo"]),
        (&json!("H"), &json!(true))
    );
    let made = shop.asked(json!({"itemIds": [item, item]}), None).await["codeBatch"].take();
    let expected = json!({"subject": "ITEM", "format": "ZIP", "picture": "SVG", "level": "M", "hasLogo": false, "codeCount": 1});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_a_thing_gets_no_code_of_it() {
    let shop = Shop::of(TestApp::start().await).await;
    let batch = shop.ask(json!({"lotIds": shop.lots}), None).await;
    let user = shop.app.user("manager").await;
    let with = async |permission| {
        let only = [permission].into_iter().collect();
        let secret = shop
            .app
            .token(&user, Some(only), chrono::TimeDelta::hours(1))
            .await;
        shop.app.anonymous().with_token(&secret)
    };
    let catalogue = with(domain::Permission::CatalogueRead).await;
    let jobs = with(domain::Permission::JobRead).await;
    let items = json!({"itemIds": shop.items});
    let lots = json!({"lotIds": shop.lots});
    let locations = json!({"locationIds": shop.locations});
    for (actor, input, codes) in [
        (&shop.app.anonymous(), &items, vec!["UNAUTHENTICATED"]),
        (&jobs, &items, vec!["FORBIDDEN"]),
        (&catalogue, &items, vec![]),
        (&catalogue, &lots, vec!["FORBIDDEN"]),
        (&catalogue, &locations, vec!["FORBIDDEN"]),
    ] {
        let answer = actor.change("codeBatchCreate", input.clone()).await;
        assert_eq!(answer.codes(), codes, "{answer:?}");
    }
    let seen = catalogue.gql(BATCH, json!({"id": batch})).await;
    assert_eq!(seen.codes(), ["FORBIDDEN"]);
    // Nor is it found by scanning its code.
    let code = format!(
        "https://shop.example/lot/{}",
        tests::work::uuid_of(&shop.lots[0])
    );
    let scan = "query($code: String!) { scan(code: $code) { matchedCode } }";
    assert_eq!(
        catalogue.gql(scan, json!({"code": code})).await.codes(),
        ["FORBIDDEN"]
    );
    let nothing = json!({"id": global_id("CodeBatch", "01930000000070008000000000abcdef")});
    assert_eq!(
        shop.manager.ok(BATCH, nothing).await["codeBatch"],
        Value::Null
    );
    // The trail tells who has taken what along, and has no picture in it.
    shop.ask(json!({"itemIds": shop.items}), logo()).await;
    let audited = "SELECT count(*) FROM audit WHERE action = 'code_batch.create' AND octet_length(after::text) < 1000";
    assert_eq!(shop.app.count(audited).await, 3);
}
