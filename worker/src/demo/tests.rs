//! What must be true of the whole demo content.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{DemoItem, Tracking, categories, generated, items};

/// Codes of the units that demo items are counted in.
const UNITS: [&str; 10] = [
    "box", "gram", "hour", "kilogram", "litre", "metre", "pack", "pair", "piece", "portion",
];

const TABLES: [(&str, &str); 13] = [
    ("branches", include_str!("../../demo-data/branches.tsv")),
    ("bullion", include_str!("../../demo-data/bullion.tsv")),
    ("forms", include_str!("../../demo-data/forms.tsv")),
    (
        "taxonomy",
        include_str!("../../demo-data/google-product-taxonomy.tsv"),
    ),
    ("jeweller", include_str!("../../demo-data/jeweller.tsv")),
    ("jewels", include_str!("../../demo-data/jewels.tsv")),
    ("lists", include_str!("../../demo-data/lists.tsv")),
    ("medicines", include_str!("../../demo-data/medicines.tsv")),
    ("pharmacy", include_str!("../../demo-data/pharmacy.tsv")),
    ("restaurant", include_str!("../../demo-data/restaurant.tsv")),
    ("stones", include_str!("../../demo-data/stones.tsv")),
    (
        "taxonomy-fa",
        include_str!("../../demo-data/taxonomy-fa.tsv"),
    ),
    ("workshop", include_str!("../../demo-data/workshop.tsv")),
];

/// A letter, digit or mark that belongs in Persian text. Arabic kaf and yeh do not: searches would miss them.
fn is_persian(c: char) -> bool {
    "اآبپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیءأؤئ۰۱۲۳۴۵۶۷۸۹٫٪ ،؛؟.:-×/()«»\u{200c}".contains(c)
}

fn count(branch: &str) -> usize {
    let prefix = format!("demo:{branch}:");
    items()
        .filter(|item| item.category.starts_with(&prefix))
        .count()
}

/// Fails on the first value that appears twice.
fn assert_unique(what: &str, values: impl Iterator<Item = String>) {
    let mut seen = HashSet::new();
    for value in values {
        assert!(seen.insert(value.clone()), "{what} {value} appears twice");
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn every_row_of_every_table_has_a_cell_for_each_column() {
    for (name, text) in TABLES {
        let columns = text.lines().next().unwrap().split('\t').count();
        for line in text.lines() {
            assert_eq!(line.split('\t').count(), columns, "{name}: {line}");
        }
    }
}

#[test]
fn there_are_enough_items_of_each_business() {
    assert!(
        (900..=1_050).contains(&count("jeweller")),
        "{}",
        count("jeweller")
    );
    assert!(
        (600..=700).contains(&count("pharmacy")),
        "{}",
        count("pharmacy")
    );
    assert!(
        (500..=600).contains(&count("workshop")),
        "{}",
        count("workshop")
    );
    assert!(
        (400..=450).contains(&count("restaurant")),
        "{}",
        count("restaurant")
    );
}

#[test]
fn about_three_hundred_items_have_a_picture_half_of_them_jewellery() {
    let pictured: Vec<_> = items().filter(DemoItem::has_picture).collect();
    assert!((280..=340).contains(&pictured.len()), "{}", pictured.len());
    let jewellery = pictured
        .iter()
        .filter(|item| item.category.starts_with("demo:jeweller:"))
        .count();
    assert!(
        jewellery * 2 > pictured.len(),
        "{jewellery} of {}",
        pictured.len()
    );
}

#[test]
fn every_item_stands_in_a_category_without_children() {
    let all = categories();
    let known: HashSet<_> = all
        .iter()
        .map(|category| category.reference.as_str())
        .collect();
    let parents: HashSet<_> = all
        .iter()
        .filter_map(|category| category.parent.as_deref())
        .collect();
    let made = items().chain(generated(2_000, &all));
    for item in made {
        assert!(
            known.contains(item.category.as_str()),
            "{}: {}",
            item.sku,
            item.category
        );
        assert!(
            !parents.contains(item.category.as_str()),
            "{}: {}",
            item.sku,
            item.category
        );
    }
}

#[test]
fn references_skus_barcodes_and_hallmarks_are_unique() {
    let all: Vec<_> = items().chain(generated(5_000, &categories())).collect();
    assert_unique(
        "reference",
        all.iter().map(|item| item.external_reference.clone()),
    );
    assert_unique("SKU", all.iter().map(|item| item.sku.clone()));
    assert_unique("barcode", all.iter().map(|item| item.barcode.clone()));
    let hallmarks = all
        .iter()
        .filter_map(|item| item.attributes["hallmark_code"].as_str());
    assert!(hallmarks.clone().count() > 800);
    assert_unique("hallmark", hallmarks.map(str::to_owned));
}

#[test]
fn names_of_one_business_are_told_apart() {
    assert_unique(
        "English name",
        items().map(|item| format!("{} {}", item.category, item.name_en)),
    );
    assert_unique(
        "Persian name",
        items().map(|item| format!("{} {}", item.category, item.name_fa)),
    );
}

#[test]
fn barcodes_are_in_store_gtins_with_a_right_check_digit() {
    for item in items().chain(generated(1_000, &categories())) {
        let digits: Vec<u32> = item
            .barcode
            .chars()
            .map(|c| c.to_digit(10).unwrap())
            .collect();
        assert_eq!((digits.len(), digits[0]), (13, 2), "{}", item.barcode);
        let odd: u32 = digits.iter().step_by(2).sum();
        let even: u32 = digits.iter().skip(1).step_by(2).sum();
        assert_eq!((odd + 3 * even) % 10, 0, "{}", item.barcode);
    }
}

#[test]
fn texts_are_present_filled_in_and_tidy() {
    for item in items().chain(generated(5_000, &categories())) {
        for text in [&item.name_en, &item.name_fa] {
            assert!(
                !text.is_empty() && text.trim() == text && !text.contains("  "),
                "{}: {text:?}",
                item.sku
            );
            assert!(
                !text.contains(['{', '}', '=', '@']),
                "{}: {text:?}",
                item.sku
            );
        }
        assert_eq!(item.description_en.is_some(), item.description_fa.is_some());
    }
}

#[test]
fn persian_texts_are_written_with_persian_letters_only() {
    let named = categories()
        .into_iter()
        .filter_map(|category| category.name_fa);
    let made = items().chain(generated(5_000, &categories()));
    let texts = named.chain(
        made.flat_map(|item| [Some(item.name_fa), item.description_fa])
            .flatten(),
    );
    for text in texts {
        assert!(
            text.chars().all(is_persian),
            "{text:?}: {:?}",
            text.chars().find(|c| !is_persian(*c))
        );
    }
}

#[test]
fn weights_add_up() {
    let mut weighed = 0;
    for item in items().filter(|item| item.attributes.get("gross_weight").is_some()) {
        let [gross, net, stones] = ["gross_weight", "net_weight", "stone_weight"]
            .map(|name| decimal(&item.attributes[name]));
        assert_eq!(gross, net + stones, "{}", item.sku);
        assert!(gross > Decimal::ZERO, "{}", item.sku);
        weighed += 1;
    }
    assert!(weighed > 900, "{weighed}");
}

#[test]
fn stones_weigh_what_their_carats_say() {
    for item in items().filter(|item| item.attributes.get("stone_weight").is_some()) {
        let stones = item.attributes["stones"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let carats: Decimal = stones
            .iter()
            .map(|stone| decimal(&stone["carat"]) * Decimal::from(stone["count"].as_i64().unwrap()))
            .sum();
        assert_eq!(
            carats * Decimal::new(2, 1),
            decimal(&item.attributes["stone_weight"]),
            "{}",
            item.sku
        );
    }
}

#[test]
fn gold_is_as_fine_as_its_karat_says() {
    for item in items().filter(|item| item.attributes.get("karat").is_some()) {
        let [karat, fineness] = ["karat", "fineness"].map(|name| decimal(&item.attributes[name]));
        let apart = fineness - karat * Decimal::ONE_THOUSAND / Decimal::from(24);
        assert!(
            apart.abs() < Decimal::from(2),
            "{}: {karat} karat of {fineness}",
            item.sku
        );
    }
}

#[test]
fn every_item_has_a_whole_price_a_known_unit_and_sorted_tags() {
    for item in items().chain(generated(5_000, &categories())) {
        assert!(
            item.price > Decimal::ZERO && item.price.fract().is_zero(),
            "{}: {}",
            item.sku,
            item.price
        );
        assert!(UNITS.contains(&item.unit), "{}: {}", item.sku, item.unit);
        assert!(
            item.tags.is_sorted() && !item.tags.is_empty(),
            "{}",
            item.sku
        );
        assert!(
            item.tags
                .iter()
                .all(|tag| !tag.is_empty() && *tag == tag.to_lowercase()),
            "{}",
            item.sku
        );
    }
}

#[test]
fn services_are_never_tracked() {
    assert!(
        items()
            .filter(|item| item.kind.as_str() == "service")
            .all(|item| item.tracking == Tracking::None)
    );
}

#[test]
fn attributes_hold_no_fractional_json_numbers() {
    fn exact(value: &Value) -> bool {
        match value {
            Value::Number(number) => number.is_i64(),
            Value::Array(values) => values.iter().all(exact),
            Value::Object(values) => values.values().all(exact),
            _ => true,
        }
    }
    assert!(
        items()
            .chain(generated(2_000, &categories()))
            .all(|item| item.attributes.is_object() && exact(&item.attributes))
    );
}

#[test]
fn everything_is_the_same_on_every_run() {
    assert!(items().eq(items()));
    assert_eq!(categories(), categories());
}
