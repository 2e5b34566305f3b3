//! A catalogue of any size for benchmarks: items composed from word lists, spread unevenly over the taxonomy's leaves.

use std::collections::{HashMap, HashSet};

use rand::{
    Rng, SeedableRng,
    distr::{Distribution, weighted::WeightedIndex},
    seq::{IndexedRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::branch::gtin13;
use super::category::DemoCategory;
use super::item::{CURRENCY, DemoItem, Kind, Tracking};
use super::persian;
use super::table::{self, Word};

const SEED: u64 = 1_000_000;
const BARCODE_PREFIX: u64 = 29;
const LEAF_PREFIX: &str = "demo:taxonomy:";
/// The root that a demo has no use for.
const LEFT_OUT: &str = "demo:taxonomy:4109";

/// `n` items under the taxonomy leaves among `categories`; none without leaves.
///
/// The k-th leaf of a fixed shuffle gets a share of 1/k. Item `i` does not depend on `n`, and memory does not grow with it.
pub fn generated(n: u64, categories: &[DemoCategory]) -> impl Iterator<Item = DemoItem> + use<> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let words = Words::read();
    let mut leaves = leaves(categories);
    leaves.shuffle(&mut random);
    let shares = (1..=leaves.len()).map(|rank| 1_000_000_000 / rank);
    let pick = WeightedIndex::new(shares).ok();
    (1..=n).map_while(move |number| {
        let leaf = &leaves[pick.as_ref()?.sample(&mut random)];
        Some(leaf.item(number, &words, &mut random))
    })
}

/// A category that has none below it.
struct Leaf {
    reference: String,
    en: String,
    /// Persian name of the nearest category above that has one.
    fa: String,
}

fn leaves(categories: &[DemoCategory]) -> Vec<Leaf> {
    let parents: HashSet<_> = categories
        .iter()
        .filter_map(|category| category.parent.as_deref())
        .collect();
    let by_reference: HashMap<_, _> = categories
        .iter()
        .map(|category| (category.reference.as_str(), category))
        .collect();
    let wanted = categories.iter().filter(|category| {
        category.reference.starts_with(LEAF_PREFIX)
            && !parents.contains(category.reference.as_str())
    });
    wanted
        .filter_map(|category| leaf(category, &by_reference))
        .collect()
}

/// None for a leaf of the root that is left out.
fn leaf(category: &DemoCategory, all: &HashMap<&str, &DemoCategory>) -> Option<Leaf> {
    let mut fa = None;
    let mut above = Some(category);
    while let Some(node) = above {
        if node.reference == LEFT_OUT {
            return None;
        }
        fa = fa.or(node.name_fa.as_ref());
        above = node
            .parent
            .as_deref()
            .and_then(|parent| all.get(parent).copied());
    }
    Some(Leaf {
        reference: category.reference.clone(),
        en: category.name_en.clone(),
        fa: fa?.clone(),
    })
}

struct Words {
    series: Vec<Word>,
    colours: Vec<Word>,
    materials: Vec<Word>,
}

impl Words {
    fn read() -> Self {
        Self {
            series: table::list("series"),
            colours: table::list("colour"),
            materials: table::list("material"),
        }
    }
}

/// One of the words in both languages; empty texts for an empty list.
fn any<'a>(words: &'a [Word], random: &mut ChaCha8Rng) -> (&'a str, &'a str) {
    words
        .choose(random)
        .map_or(("", ""), |word| (&word.en, &word.fa))
}

impl Leaf {
    fn item(&self, number: u64, words: &Words, random: &mut ChaCha8Rng) -> DemoItem {
        let series = any(&words.series, random);
        let colour = any(&words.colours, random);
        let model = random.random_range(100..10_000_u16).to_string();
        let model_fa = persian::digits(&model);
        DemoItem {
            external_reference: format!("demo:generated:{number:09}"),
            sku: format!("GEN-{number:09}"),
            barcode: gtin13(BARCODE_PREFIX, number),
            name_en: format!("{} {model} {}, {}", series.0, self.en, colour.0),
            name_fa: format!("{} {} مدل {model_fa} {}", self.fa, series.1, colour.1),
            description_en: None,
            description_fa: None,
            category: self.reference.clone(),
            kind: Kind::Goods,
            unit: "piece",
            tracking: if random.random_ratio(1, 20) {
                Tracking::Serial
            } else {
                Tracking::None
            },
            price: price(random),
            currency: CURRENCY,
            tags: vec![colour.0.to_owned()],
            attributes: Value::Object(attributes([series.0, &model, colour.0], words, random)),
            picture: None,
        }
    }
}

/// Most things are cheap, some a hundred times dearer: from a hundred thousand to some hundred million rials.
fn price(random: &mut ChaCha8Rng) -> Decimal {
    let scale = 10_i64.pow(random.random_range(0..3));
    Decimal::from(random.random_range(10..400_i64) * scale * 10_000)
}

/// Three facts of every item, and up to three more.
fn attributes(facts: [&str; 3], words: &Words, random: &mut ChaCha8Rng) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, fact) in ["brand", "model", "colour"].into_iter().zip(facts) {
        all.insert(name.to_owned(), fact.into());
    }
    if random.random_ratio(2, 3) {
        all.insert(
            "material".to_owned(),
            any(&words.materials, random).0.into(),
        );
    }
    if random.random_ratio(1, 2) {
        all.insert(
            "weight".to_owned(),
            Decimal::new(random.random_range(20..20_000), 3)
                .to_string()
                .into(),
        );
    }
    if random.random_ratio(1, 3) {
        all.insert(
            "warranty_months".to_owned(),
            (random.random_range(1..=4) * 6).into(),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::generated;
    use crate::demo::categories;

    #[test]
    fn generated_items_crowd_in_few_categories_and_reach_many() {
        let mut counts = HashMap::<_, usize>::new();
        for item in generated(20_000, &categories()) {
            *counts.entry(item.category).or_default() += 1;
        }
        let largest = counts.values().max().copied().unwrap_or_default();
        assert!((1_000..6_000).contains(&largest), "{largest}");
        assert!(counts.len() > 2_000, "{}", counts.len());
    }

    #[test]
    fn nothing_is_generated_without_leaves() {
        assert_eq!(generated(10, &[]).count(), 0);
    }

    #[test]
    fn an_item_does_not_depend_on_how_many_are_generated() {
        let all = categories();
        let long: Vec<_> = generated(700, &all).take(500).collect();
        assert!(
            generated(500, &all).eq(long),
            "an item must not depend on how many are generated"
        );
    }
}
