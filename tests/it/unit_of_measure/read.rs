//! Converting and reading.

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    shop::{english, global_id},
};

use super::{CONVERT, FINENESS, WEIGHT, unit, units, weight};

fn by(code: &str) -> Value {
    json!({"code": code})
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn quantities_are_converted_exactly_where_a_decimal_can_hold_them() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    for (value, from, to, expected, exact) in [
        ("8", "tola", "troy_ounce", "3", true),
        ("1", "pennyweight", "grain", "24", true),
        ("1", "pound", "gram", "453.59237", true),
        ("1", "pound", "grain", "7000", true),
        ("1", "troy_ounce", "pennyweight", "20", true),
        ("4608.3", "sut", "mesghal", "1", true),
        ("1", "gram", "troy_ounce", "0.032150746569", false),
        ("-90", "minute", "hour", "-1.5", true),
        ("2.5", "metre", "centimetre", "250", true),
        ("0.10", "gram", "gram", "0.1", true),
    ] {
        let variables = json!({"value": value, "from": by(from), "to": by(to)});
        let converted = clerk.ok(CONVERT, variables).await["unitConvert"]["converted"].take();
        let wanted = json!({"value": expected, "exact": exact, "unit": {"code": to}});
        assert_eq!(converted, wanted, "{value} {from} in {to}");
    }
    let carat = unit(&clerk, "carat").await["id"].take();
    let variables = json!({"value": 5, "from": {"id": carat}, "to": by("gram")});
    let converted = clerk.ok(CONVERT, variables).await;
    assert_eq!(converted["unitConvert"]["converted"]["value"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_converted_is_refused() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let unknown = global_id("UnitOfMeasure", "01930000000070008000000000abcdef");
    let item = global_id("Item", "01930000000070008000000000abcdef");
    let most = "79228162514264337593543950335";
    for (value, from, to, code, path) in [
        ("1", by("gram"), by("metre"), "INCOMPATIBLE_UNITS", "to"),
        ("1", by("stone"), by("gram"), "NOT_FOUND", "from.code"),
        (
            "1",
            by("gram"),
            json!({"id": unknown}),
            "NOT_FOUND",
            "to.id",
        ),
        (
            "1",
            json!({"id": item}),
            by("gram"),
            "INVALID_FORMAT",
            "from.id",
        ),
        (most, by("gram"), by("milligram"), "OUT_OF_RANGE", "value"),
    ] {
        let variables = json!({"value": value, "from": from, "to": to});
        let refused = clerk.refused(CONVERT, variables).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_read_as_people_write_them() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    for (text, grams, exact) in [
        ("2.5", "2.5", true),
        ("10 tola", "116.638038", true),
        ("2 tola", "23.327608", false),
        ("10 ozt", "311.034768", true),
        ("۱۰ اونس", "311.034768", true),
        ("۲٫۵ گرم", "2.5", true),
        ("1,234.5 G", "1234.5", true),
        ("۱٬۲۳۴ كيلو گرم", "1234000", true),
        ("۱ مثقال", "4.6083", true),
        ("۲۵۰ سوت", "0.25", true),
        ("0.5 ct", "0.1", true),
        ("1 grain", "0.064799", false),
    ] {
        let expected = Ok((grams.to_owned(), exact));
        assert_eq!(weight(&clerk, text).await, expected, "{text}");
    }
    for (text, code) in [
        ("", "REQUIRED"),
        ("gold", "INVALID_FORMAT"),
        ("-1 g", "OUT_OF_RANGE"),
        ("0.0000001 g", "OUT_OF_RANGE"),
        ("1,5 g", "AMBIGUOUS"),
        ("۲/۵ گرم", "AMBIGUOUS"),
        ("5 oz", "AMBIGUOUS"),
        ("5 gr", "AMBIGUOUS"),
        ("5 cm", "INCOMPATIBLE_UNITS"),
        ("5 stone", "UNKNOWN_UNIT"),
        (&"9".repeat(61), "TOO_LONG"),
    ] {
        assert_eq!(
            weight(&clerk, text).await,
            Err(vec![code.to_owned()]),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ambiguous_is_told_with_its_readings_in_the_viewers_language() {
    let app = TestApp::start().await;
    let (clerk, persian) = (app.clerk().await, app.persian_manager().await);
    for (actor, choices) in [
        (&clerk, "avoirdupois ounce, troy ounce"),
        (&persian, "اونس معمولی، اونس طلا"),
    ] {
        let answer = actor.gql(WEIGHT, json!({"text": "5 oz"})).await;
        let message = &answer.user_errors()[0].message;
        assert!(message.contains(choices), "{message}");
        assert!(message.contains("oz"), "{message}");
    }
    let answer = clerk.gql(WEIGHT, json!({"text": "1,5"})).await;
    let message = &answer.user_errors()[0].message;
    assert!(message.contains("1.5, 15"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_every_unit_of_mass_is_read_and_its_names_are_never_ambiguous() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let units = units(&clerk).await;
    let of_mass = units.iter().filter(|unit| unit["dimension"] == "MASS");
    let mut ambiguous = Vec::new();
    for unit in of_mass.clone() {
        let variables = json!({"value": "100000", "from": by(unit["code"].as_str().unwrap()), "to": by("gram")});
        let wanted = clerk.ok(CONVERT, variables).await["unitConvert"]["converted"]["value"].take();
        for spelling in texts(&unit["spellings"]) {
            match weight(&clerk, &format!("100000 {spelling}")).await {
                Ok((grams, _)) => assert_eq!(json!(grams), wanted, "{spelling}"),
                Err(codes) => {
                    assert_eq!(codes, ["AMBIGUOUS"], "{spelling}");
                    ambiguous.push(spelling.to_owned());
                }
            }
        }
        for name in unit["nameTranslations"].as_array().unwrap() {
            let name = name["text"].as_str().unwrap();
            let read = weight(&clerk, &format!("1{name}")).await;
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
    assert!(of_mass.count() >= 12);
    ambiguous.sort_unstable();
    assert_eq!(
        ambiguous,
        ["gr", "gr", "ounce", "ounce", "ounces", "ounces", "oz", "oz"]
    );
    assert!(
        units
            .iter()
            .all(|unit| !texts(&unit["spellings"]).is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn finenesses_are_read_as_people_write_them() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    for (text, parts, min, max) in [
        ("22K", "916.667", "916", "917"),
        ("916", "916", "916", "917"),
        ("۱۸ عیار", "750", "750", "750"),
        ("عیار ۷۵۰", "750", "750", "750"),
        ("۷۵٪", "750", "750", "750"),
        ("750/1000", "750", "750", "750"),
        (".585", "585", "583", "585.999"),
        ("24 karat", "1000", "999", "1000"),
    ] {
        let data = clerk.ok(FINENESS, json!({"text": text})).await;
        let wanted = json!({"partsPerThousand": parts, "alike": {"min": min, "max": max}});
        assert_eq!(data["finenessParse"]["fineness"], wanted, "{text}");
    }
    for (text, code) in [
        ("22", "AMBIGUOUS"),
        ("0/750", "AMBIGUOUS"),
        ("25K", "OUT_OF_RANGE"),
        ("gold", "INVALID_FORMAT"),
        (" ", "REQUIRED"),
    ] {
        let refused = clerk.refused(FINENESS, json!({"text": text})).await;
        assert_eq!(refused, [(code.to_owned(), "text".to_owned())], "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_read_as_people_write_them() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let attribute = json!({
        "categoryId": category, "name": "weight", "label": english("Weight"), "type": "DECIMAL", "unitId": manager.unit("gram").await,
    });
    manager.done("attributeCreate", attribute).await;
    let unit = manager.unit("piece").await;
    let item = |number: usize, weight: &Value| {
        let sku = format!("RING-{number}");
        json!({
            "sku": sku, "name": english(&sku), "categoryId": category, "unitId": unit, "attributes": {"weight": weight},
        })
    };
    for (number, (weight, expected)) in [
        (json!("5"), "5"),
        (json!("5 گرم"), "5"),
        (json!("۱٬۲۳۴٫۵ گرم"), "1234.5"),
        (json!("2 Tolas"), "23.3276076"),
        (json!("0.5 oz. t."), "15.5517384"),
        (json!("۵ كيلو"), "5000"),
        (json!({"value": "2", "unit": "tola"}), "23.3276076"),
        // A code means one unit, whatever people call it.
        (json!({"value": "1", "unit": "ounce"}), "28.349523125"),
        (json!({"value": "۱", "unit": "مثقال"}), "4.6083"),
    ]
    .iter()
    .enumerate()
    {
        let done = manager.done("itemCreate", item(number, weight)).await;
        assert_eq!(done["item"]["attributes"]["weight"], *expected, "{weight}");
    }
    for (weight, code) in [
        ("5 oz", "AMBIGUOUS"),
        ("1,5 g", "AMBIGUOUS"),
        ("5 cm", "INCOMPATIBLE_UNITS"),
        ("5 stone", "UNKNOWN_UNIT"),
        ("five g", "WRONG_TYPE"),
    ] {
        let refused = manager
            .not_done("itemCreate", item(99, &json!(weight)))
            .await;
        let expected = [(code.to_owned(), "attributes.weight".to_owned())];
        assert_eq!(refused, expected, "{weight}");
    }
}
