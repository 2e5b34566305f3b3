//! Filters, compared with what the same conditions mean for a list in memory.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Shop;

const LIST: &str = "query($where: ItemWhere) { items(where: $where, first: 100) { nodes { sku } totalCount { count exact } } }";

/// What the filters look at.
struct Row {
    sku: String,
    names: Vec<String>,
    reference: Option<String>,
    kind: &'static str,
    category: usize,
    tags: Vec<&'static str>,
    price: Option<Decimal>,
    is_archived: bool,
}

/// A condition: as clients write it, and what it means.
struct Condition {
    input: Value,
    holds: Box<dyn Fn(&Row) -> bool>,
    says_archived: bool,
}

impl Condition {
    fn new(input: Value, holds: impl Fn(&Row) -> bool + 'static) -> Self {
        Self {
            input,
            holds: Box::new(holds),
            says_archived: false,
        }
    }
}

const KINDS: [&str; 3] = ["GOODS", "SERVICE", "DIGITAL"];
const TAGS: [&str; 4] = ["gold", "new", "50%", "a_b"];
const WORDS: [&str; 6] = ["Ring", "ring", "a_b", "50%", "گردن", "Band"];

/// Top > Middle > Leaf, and one beside them: the indexes say what lies in or below a category.
const WITHIN: [&[usize]; 4] = [&[0, 1, 2], &[1, 2], &[2], &[3]];

async fn furnished(random: &mut StdRng) -> (Shop, Vec<String>, Vec<Row>) {
    let shop = Shop::open().await;
    let mut categories = vec![shop.category.clone()];
    for (name, parent) in [("Middle", Some(0)), ("Leaf", Some(1)), ("Beside", None)] {
        let parent = parent.map(|parent: usize| categories[parent].clone());
        categories.push(shop.manager.category(name, parent.as_deref()).await);
    }
    let mut rows = Vec::new();
    for number in 0..50 {
        let row = random_row(random, number);
        let names: Vec<_> = ["en", "fa"]
            .iter()
            .zip(&row.names)
            .map(|(language, text)| json!({"language": language, "text": text}))
            .collect();
        let price = row
            .price
            .map(|amount| json!({"amount": amount.to_string(), "currency": "EUR"}));
        let more = json!({"name": names, "externalReference": row.reference, "kind": row.kind, "price": price,
            "categoryId": categories[row.category], "tags": row.tags});
        let item = shop.create(&row.sku, more).await;
        if row.is_archived {
            shop.manager
                .done("itemArchive", json!({"id": item["id"]}))
                .await;
        }
        rows.push(row);
    }
    (shop, categories, rows)
}

fn random_row(random: &mut StdRng, number: usize) -> Row {
    let name = |random: &mut StdRng| {
        format!(
            "{} {}",
            WORDS.choose(random).unwrap(),
            WORDS.choose(random).unwrap()
        )
    };
    let count = random.random_range(1..=2);
    Row {
        sku: format!("{}-{number}", ["RING", "A_B", "AXB", "Z"][number % 4]),
        names: (0..count).map(|_| name(random)).collect(),
        reference: random.random_bool(0.5).then(|| format!("ext-{number}")),
        kind: KINDS.choose(random).unwrap(),
        category: random.random_range(0..4),
        tags: TAGS
            .iter()
            .copied()
            .filter(|_| random.random_bool(0.4))
            .collect(),
        price: random
            .random_bool(0.7)
            .then(|| Decimal::new(random.random_range(0..500), 2)),
        is_archived: random.random_bool(0.2),
    }
}

/// One condition that looks at one thing.
fn simple(random: &mut StdRng, categories: &[String]) -> Condition {
    match random.random_range(0..15) {
        0 => {
            let sku = format!("RING-{}", random.random_range(0..50));
            Condition::new(json!({"sku": {"eq": sku}}), move |row| row.sku == sku)
        }
        1 => Condition::new(json!({"sku": {"startsWith": "A_"}}), |row| {
            row.sku.starts_with("A_")
        }),
        2 => Condition::new(json!({"sku": {"contains": "x"}}), |row| {
            row.sku.to_lowercase().contains('x')
        }),
        3 => Condition::new(json!({"sku": {"in": ["RING-0", "AXB-2", "NONE"]}}), |row| {
            ["RING-0", "AXB-2"].contains(&row.sku.as_str())
        }),
        4 => {
            let word = *WORDS.choose(random).unwrap();
            Condition::new(json!({"name": {"contains": word}}), move |row| {
                row.names
                    .iter()
                    .any(|name| name.to_lowercase().contains(&word.to_lowercase()))
            })
        }
        5 => {
            let word = *WORDS.choose(random).unwrap();
            Condition::new(json!({"name": {"startsWith": word}}), move |row| {
                row.names.iter().any(|name| name.starts_with(word))
            })
        }
        6 => {
            let is_null = random.random_bool(0.5);
            Condition::new(
                json!({"externalReference": {"isNull": is_null}}),
                move |row| row.reference.is_none() == is_null,
            )
        }
        7 => Condition::new(
            json!({"externalReference": {"startsWith": "ext-1"}}),
            |row| {
                row.reference
                    .as_ref()
                    .is_some_and(|reference| reference.starts_with("ext-1"))
            },
        ),
        8 => {
            let kinds: Vec<_> = KINDS
                .into_iter()
                .filter(|_| random.random_bool(0.5))
                .collect();
            Condition::new(json!({"kind": {"in": kinds}}), move |row| {
                kinds.contains(&row.kind)
            })
        }
        9 => {
            let chosen: Vec<_> = (0..4).filter(|_| random.random_bool(0.5)).collect();
            let ids: Vec<_> = chosen.iter().map(|index| &categories[*index]).collect();
            Condition::new(json!({"category": {"in": ids}}), move |row| {
                chosen.contains(&row.category)
            })
        }
        10 => {
            let top = random.random_range(0..4);
            Condition::new(
                json!({"category": {"descendantOf": categories[top]}}),
                move |row| WITHIN[top].contains(&row.category),
            )
        }
        11 => {
            let tags: Vec<_> = TAGS
                .into_iter()
                .filter(|_| random.random_bool(0.4))
                .collect();
            Condition::new(json!({"tags": {"all": tags}}), move |row| {
                !tags.is_empty() && tags.iter().all(|tag| row.tags.contains(tag))
            })
        }
        12 => {
            let (min, max) = (
                Decimal::new(random.random_range(0..300), 2),
                Decimal::new(random.random_range(100..500), 2),
            );
            Condition::new(
                json!({"price": {"range": {"min": min.to_string(), "max": max.to_string()}}}),
                move |row| row.price.is_some_and(|price| (min..=max).contains(&price)),
            )
        }
        13 => {
            let is_null = random.random_bool(0.5);
            Condition::new(json!({"price": {"isNull": is_null}}), move |row| {
                row.price.is_none() == is_null
            })
        }
        _ => {
            let archived = random.random_bool(0.5);
            Condition {
                says_archived: true,
                ..Condition::new(json!({"archived": archived}), move |row| {
                    row.is_archived == archived
                })
            }
        }
    }
}

/// Conditions put together with AND, OR and NOT.
fn compound(random: &mut StdRng, categories: &[String], depth: usize) -> Condition {
    let choice = if depth == 0 {
        9
    } else {
        random.random_range(0..6)
    };
    let mut parts = |most: usize| {
        let count = random.random_range(0..=most);
        (0..count)
            .map(|_| compound(random, categories, depth - 1))
            .collect::<Vec<_>>()
    };
    match choice {
        0 => all("AND", parts(3), |parts, row| {
            parts.iter().all(|part| (part.holds)(row))
        }),
        1 | 2 => all("OR", parts(3), |parts, row| {
            parts.iter().any(|part| (part.holds)(row))
        }),
        3 | 4 => {
            let part = compound(random, categories, depth - 1);
            let says_archived = part.says_archived;
            Condition {
                says_archived,
                ..Condition::new(json!({"NOT": part.input.clone()}), move |row| {
                    !(part.holds)(row)
                })
            }
        }
        _ => simple(random, categories),
    }
}

fn all(name: &str, parts: Vec<Condition>, holds: fn(&[Condition], &Row) -> bool) -> Condition {
    let inputs: Vec<_> = parts.iter().map(|part| part.input.clone()).collect();
    let says_archived = parts.iter().any(|part| part.says_archived);
    Condition {
        says_archived,
        ..Condition::new(json!({name: inputs}), move |row| holds(&parts, row))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_mean_what_they_say() {
    let mut random = StdRng::seed_from_u64(11);
    let (shop, categories, rows) = furnished(&mut random).await;
    for round in 0..300 {
        let condition = compound(&mut random, &categories, round % 4);
        let passes =
            |row: &&Row| (condition.holds)(row) && (condition.says_archived || !row.is_archived);
        let expected: Vec<_> = rows
            .iter()
            .filter(passes)
            .map(|row| row.sku.as_str())
            .collect();
        let list = shop
            .manager
            .ok(LIST, json!({"where": condition.input}))
            .await["items"]
            .take();
        let found: Vec<_> = list["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["sku"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{}", condition.input);
        assert_eq!(
            list["totalCount"],
            json!({"count": expected.len(), "exact": true}),
            "{}",
            condition.input
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_lists_match_nothing_and_no_condition_matches_all() {
    let shop = Shop::open().await;
    shop.create("RING-1", json!({"tags": ["gold"]})).await;
    for filter in [
        json!({"sku": {"in": []}}),
        json!({"kind": {"in": []}}),
        json!({"category": {"in": []}}),
        json!({"tags": {"all": []}}),
        json!({"OR": []}),
    ] {
        let list = shop.manager.ok(LIST, json!({"where": filter})).await;
        assert_eq!(list["items"]["nodes"], json!([]), "{filter}");
    }
    for filter in [
        Value::Null,
        json!({}),
        json!({"AND": []}),
        json!({"sku": {}}),
        json!({"category": {}}),
        json!({"OR": [{}]}),
    ] {
        let list = shop.manager.ok(LIST, json!({"where": filter})).await;
        assert_eq!(
            list["items"]["nodes"],
            json!([{"sku": "RING-1"}]),
            "{filter}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_cost_too_much_are_refused() {
    let shop = Shop::open().await;
    let deep = (0..8).fold(json!({}), |inner, _| json!({"NOT": inner}));
    let wide: Vec<_> = (0..101)
        .map(|number| json!({"sku": {"eq": format!("S-{number}")}}))
        .collect();
    let list: Vec<_> = (0..200).map(|number| format!("S-{number}")).collect();
    for (filter, code) in [
        (deep, "TOO_MANY"),
        (json!({"OR": wide}), "TOO_MANY"),
        (json!({"sku": {"in": list}}), "TOO_MANY"),
        (json!({"name": {"contains": "x".repeat(201)}}), "TOO_LONG"),
        (json!({"name": {"contains": "a\u{0}b"}}), "INVALID_FORMAT"),
        (json!({"tags": {"all": ["a\u{0}b"]}}), "INVALID_FORMAT"),
        (json!({"category": {"descendantOf": "x"}}), "INVALID_FORMAT"),
    ] {
        let answer = shop.manager.gql(LIST, json!({"where": filter})).await;
        assert_eq!(answer.codes(), [code], "{:.80}", filter.to_string());
    }
}
