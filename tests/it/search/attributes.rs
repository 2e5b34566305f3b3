//! Items by the values of their attributes, compared with what the same conditions mean for a list in memory.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tests::shop::english;

use super::Shop;

const METALS: [&str; 3] = ["gold", "silver", "steel"];
const STONES: [&str; 3] = ["ruby", "opal", "none"];
const DAYS: [&str; 3] = ["2024-12-31", "2025-01-01", "2025-06-30"];

#[derive(Debug)]
struct Row {
    sku: String,
    maker: Option<String>,
    size: Option<i64>,
    /// In hundredths of a gram.
    weight: Option<i64>,
    engraved: Option<bool>,
    made: Option<&'static str>,
    metal: Option<&'static str>,
    stones: Vec<&'static str>,
}

impl Row {
    fn random(random: &mut StdRng, number: usize) -> Self {
        let maker = random.random_bool(0.8).then(|| {
            ["Zargar", "zargar & sons", "50%_off"]
                .choose(random)
                .unwrap()
                .to_string()
        });
        let mut maybe = |most: i64| {
            random
                .random_bool(0.8)
                .then(|| random.random_range(0..most))
        };
        let (size, weight, engraved, made, metal) =
            (maybe(5), maybe(500), maybe(2), maybe(3), maybe(3));
        let at = |place: i64| usize::try_from(place).unwrap();
        Self {
            sku: format!("R-{number:02}"),
            maker,
            size: size.map(|size| size - 2),
            weight,
            engraved: engraved.map(|engraved| engraved == 1),
            made: made.map(|made| DAYS[at(made)]),
            metal: metal.map(|metal| METALS[at(metal)]),
            stones: STONES
                .into_iter()
                .filter(|_| random.random_bool(0.3))
                .collect(),
        }
    }

    fn attributes(&self) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                all.insert(name.to_owned(), value);
            }
        };
        put("maker", self.maker.as_ref().map(|it| json!(it)));
        put("size", self.size.map(|it| json!(it)));
        put("weight", self.weight.map(|it| json!(grams(it))));
        put("engraved", self.engraved.map(|it| json!(it)));
        put("made", self.made.map(|it| json!(it)));
        put("metal", self.metal.map(|it| json!(it)));
        put("stones", Some(json!(self.stones)));
        Value::Object(all)
    }
}

fn grams(hundredths: i64) -> String {
    Decimal::new(hundredths, 2).to_string()
}

async fn furnished(random: &mut StdRng) -> (Shop, Vec<Row>) {
    let shop = Shop::open().await;
    let gram = shop.manager.unit("gram").await;
    let options = |all: &[&str]| {
        let options = all
            .iter()
            .map(|value| json!({"value": value, "label": english(&format!("{value} it is"))}));
        Value::Array(options.collect())
    };
    shop.declare("maker", "TEXT", json!({})).await;
    shop.declare("size", "NUMBER", json!({})).await;
    shop.declare("weight", "DECIMAL", json!({"unitId": gram}))
        .await;
    shop.declare("engraved", "BOOLEAN", json!({})).await;
    shop.declare("made", "DATE", json!({})).await;
    shop.declare("metal", "ENUM", json!({"options": options(&METALS)}))
        .await;
    shop.declare("stones", "MULTI_ENUM", json!({"options": options(&STONES)}))
        .await;
    let mut rows = Vec::new();
    for number in 0..40 {
        let row = Row::random(random, number);
        shop.create(&row.sku, json!({"attributes": row.attributes()}))
            .await;
        rows.push(row);
    }
    (shop, rows)
}

type Holds = Box<dyn Fn(&Row) -> bool>;

/// One condition, and what it means.
fn condition(random: &mut StdRng) -> (Value, Holds) {
    match random.random_range(0..12) {
        0 => (
            json!({"name": "maker", "eq": "Zargar"}),
            Box::new(|row| row.maker.as_deref() == Some("Zargar")),
        ),
        1 => (
            json!({"name": "maker", "contains": "ZARGAR"}),
            Box::new(|row| {
                row.maker
                    .as_ref()
                    .is_some_and(|it| it.to_lowercase().contains("zargar"))
            }),
        ),
        2 => (
            json!({"name": "maker", "startsWith": "50%_"}),
            Box::new(|row| row.maker.as_ref().is_some_and(|it| it.starts_with("50%_"))),
        ),
        3 => {
            let (min, below) = (random.random_range(-2..3), random.random_range(-2..3));
            (
                json!({"name": "size", "range": {"min": min.to_string(), "below": below.to_string()}}),
                Box::new(move |row| row.size.is_some_and(|it| it >= min && it < below)),
            )
        }
        4 => {
            let max = random.random_range(0..500);
            (
                // Half of it in another unit: a carat is 0.2 g.
                json!({"name": "weight", "range": {"max": format!("{} carat", grams(max * 5))}}),
                Box::new(move |row| row.weight.is_some_and(|it| it <= max)),
            )
        }
        5 => {
            let weight = random.random_range(0..500);
            (
                json!({"name": "weight", "in": [grams(weight), format!("{} gram", grams(weight + 1)), "7"]}),
                Box::new(move |row| {
                    row.weight
                        .is_some_and(|it| it == weight || it == weight + 1)
                }),
            )
        }
        6 => (
            json!({"name": "engraved", "eq": "بله"}),
            Box::new(|row| row.engraved == Some(true)),
        ),
        7 => (
            json!({"name": "made", "range": {"min": "2025-01-01", "max": "۲۰۲۵-۰۶-۳۰"}}),
            Box::new(|row| row.made.is_some_and(|it| it >= "2025-01-01")),
        ),
        8 => {
            let metal = *METALS.choose(random).unwrap();
            (
                json!({"name": "metal", "eq": format!("{metal} it is")}),
                Box::new(move |row| row.metal == Some(metal)),
            )
        }
        9 => {
            let stone = *STONES.choose(random).unwrap();
            (
                json!({"name": "stones", "eq": stone}),
                Box::new(move |row| row.stones.contains(&stone)),
            )
        }
        10 => {
            let is_null = random.random_bool(0.5);
            (
                json!({"name": "weight", "isNull": is_null}),
                Box::new(move |row| row.weight.is_none() == is_null),
            )
        }
        _ => (json!({"name": "metal", "in": []}), Box::new(|_| false)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attribute_filters_alone_and_with_others() {
    let mut random = StdRng::seed_from_u64(23);
    let (shop, rows) = furnished(&mut random).await;
    for _ in 0..150 {
        let (one, other, negated) = (
            condition(&mut random),
            condition(&mut random),
            condition(&mut random),
        );
        let filter = json!({"attributes": [one.0], "OR": [{"attributes": [other.0]}, {"NOT": {"attributes": [negated.0]}}]});
        let passes = |row: &&Row| one.1(row) && (other.1(row) || !negated.1(row));
        let expected: Vec<_> = rows
            .iter()
            .filter(passes)
            .map(|row| row.sku.as_str())
            .collect();
        assert_eq!(shop.filter(filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_schema_gives_a_type_is_taken_for_what_it_looks_like() {
    let shop = Shop::open().await;
    for (sku, attributes) in [
        ("A", json!({"length": "4.50", "colour": "red"})),
        (
            "B",
            json!({"length": 4, "colour": ["red", "blue"], "until": "2025-03-01"}),
        ),
        (
            "C",
            json!({"length": "long", "colour": "blue", "new": true}),
        ),
    ] {
        shop.create(sku, json!({"attributes": attributes})).await;
    }
    for (condition, expected) in [
        (json!({"name": "colour", "eq": "red"}), &["A", "B"][..]),
        (json!({"name": "length", "eq": "4"}), &["B"]),
        (json!({"name": "length", "range": {"min": "4.1"}}), &["A"]),
        (
            json!({"name": "until", "range": {"below": "2025-03-02"}}),
            &["B"],
        ),
        (json!({"name": "new", "eq": "true"}), &["C"]),
        (json!({"name": "new", "isNull": true}), &["A", "B"]),
        (json!({"name": "nothing", "eq": "x"}), &[]),
    ] {
        assert_eq!(
            shop.filter(json!({"attributes": [condition]})).await,
            expected,
            "{condition}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_may_be_declared_twice_and_renamed() {
    let shop = Shop::open().await;
    let tools = shop.manager.category("Tools", None).await;
    let gram = shop.manager.unit("gram").await;
    shop.declare("weight", "DECIMAL", json!({"unitId": gram}))
        .await;
    let declared =
        json!({"categoryId": tools, "name": "weight", "label": english("weight"), "type": "TEXT"});
    let declared = shop.manager.done("attributeCreate", declared).await["attribute"].take();
    shop.create("R-1", json!({"attributes": {"weight": "2"}}))
        .await;
    shop.create(
        "T-1",
        json!({"categoryId": tools, "attributes": {"weight": "2"}}),
    )
    .await;
    shop.create(
        "T-2",
        json!({"categoryId": tools, "attributes": {"weight": "heavy"}}),
    )
    .await;
    let weight = |condition: Value| json!({"attributes": [super::laid_over(json!({"name": "weight"}), condition)]});
    assert_eq!(
        shop.filter(weight(json!({"eq": "2"}))).await,
        ["R-1", "T-1"]
    );
    // Only one of them understands this.
    assert_eq!(shop.filter(weight(json!({"eq": "heavy"}))).await, ["T-2"]);
    assert_eq!(
        shop.filter(weight(json!({"range": {"max": "0.002 kilogram"}})))
            .await,
        ["R-1"]
    );
    let renamed = json!({"id": declared["id"], "name": "feel"});
    let _renamed = shop.manager.done("attributeUpdate", renamed).await;
    let feel = json!({"attributes": [{"name": "feel", "eq": "heavy"}]});
    assert_eq!(shop.filter(feel).await, ["T-2"]);
    assert_eq!(shop.filter(weight(json!({"eq": "2"}))).await, ["R-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_looked_for_by_the_id_of_its_row() {
    let shop = Shop::open().await;
    shop.declare("goes_with", "REFERENCE", json!({"refersTo": "ITEM"}))
        .await;
    let first = shop.create("R-1", json!({})).await;
    shop.create("R-2", json!({"attributes": {"goes_with": "R-1"}}))
        .await;
    let filter = json!({"attributes": [{"name": "goes_with", "eq": first["id"]}]});
    assert_eq!(shop.filter(filter).await, ["R-2"]);
}
