//! Pieces of jewellery: each type of the table in many alloys, styles, weights and stones.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::alloy::Alloy;
use super::pricing::{self, Making};
use super::stone::{self, Setting, Stone};
use super::{certificate, grams};
use crate::demo::branch::Draft;
use crate::demo::item::{Kind, Tracking};
use crate::demo::persian;
use crate::demo::table::{self, Word};

const JEWELS: &str = include_str!("../../../demo-data/jewels.tsv");
const SEED: u64 = 18;
/// Number engraved on the first piece's label.
const FIRST_LABEL: u64 = 1001;

pub(super) fn drafts() -> impl Iterator<Item = Draft> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let stones = stone::all();
    let types = table::rows(JEWELS).map(Type::read).flat_map(Type::pieces);
    (0..).zip(types).map(move |(number, (kind, style))| {
        Piece::compose(&kind, style, &stones, number, &mut random).draft(&kind)
    })
}

/// A row of the table: what there are several pieces of.
#[derive(Clone, Copy)]
struct Type {
    category: &'static str,
    en: &'static str,
    fa: &'static str,
    count: usize,
    milligrams: [i64; 2],
    styles: &'static str,
    stones: &'static str,
    size: &'static str,
}

impl Type {
    fn read([category, en, fa, count, min, max, styles, stones, size]: [&'static str; 9]) -> Self {
        Self {
            category,
            en,
            fa,
            count: count.parse().unwrap_or_default(),
            milligrams: [min, max].map(|cell| cell.parse().unwrap_or_default()),
            styles,
            stones,
            size,
        }
    }

    /// The type once for each of its pieces, going round the styles.
    fn pieces(self) -> impl Iterator<Item = (Self, Word)> {
        let styles = table::list(self.styles);
        (0..self.count)
            .filter_map(move |index| Some((self, styles.get(index % styles.len())?.clone())))
    }

    /// How many stones a piece carries: sets and earrings carry several.
    fn stone_count(self, random: &mut ChaCha8Rng) -> i64 {
        match self.category.split(':').next() {
            _ if self.category.contains("earrings") => 2,
            Some("sets") => random.random_range(3..=9),
            _ => 1,
        }
    }

    /// Inner circumference, inner diameter or length in millimetres, where the type has one.
    fn size(self, random: &mut ChaCha8Rng) -> Option<(&'static str, i64)> {
        Some(match self.size {
            "ring" => ("ring_size", random.random_range(24..=33) * 2),
            "bangle" => ("diameter_mm", random.random_range(56..=68)),
            "wrist" => ("length_mm", random.random_range(34..=40) * 5),
            "ankle" => ("length_mm", random.random_range(46..=52) * 5),
            "neck" => ("length_mm", random.random_range(8..=12) * 50),
            _ => return None,
        })
    }
}

/// One piece of jewellery.
struct Piece<'a> {
    label: u64,
    style: Word,
    alloy: Alloy,
    net: i64,
    setting: Option<Setting<'a>>,
    making: Making,
    size: Option<(&'static str, i64)>,
}

impl<'a> Piece<'a> {
    fn compose(
        kind: &Type,
        style: Word,
        stones: &'a [Stone],
        number: u64,
        random: &mut ChaCha8Rng,
    ) -> Self {
        let [min, max] = kind.milligrams;
        let count = kind.stone_count(random);
        let set = kind.size == "ring" || random.random_ratio(1, 2);
        let setting = stone::choose(stones, kind.stones, count, random).filter(|_| set);
        Self {
            label: FIRST_LABEL + number,
            style,
            alloy: Alloy::choose(kind.category, setting.is_some(), random),
            net: random.random_range(min / 10..=max / 10) * 10,
            making: making(kind.category, random),
            size: kind.size(random),
            setting,
        }
    }

    fn draft(&self, kind: &Type) -> Draft {
        Draft {
            category: kind.category.to_owned(),
            code: self.alloy.code.to_owned(),
            name_en: self.name_en(kind),
            name_fa: self.name_fa(kind),
            description: Some(self.description()),
            kind: Kind::Goods,
            unit: "piece",
            tracking: Tracking::Serial,
            price: self.price(),
            tags: self.tags(),
            attributes: self.attributes(),
        }
    }

    fn name_en(&self, kind: &Type) -> String {
        let stone = self
            .setting
            .as_ref()
            .map_or_else(String::new, |setting| format!(" with {}", setting.stone.en));
        let start = format!(
            "{} {} {}{stone}, no. {}",
            self.alloy.en, self.style.en, kind.en, self.label
        );
        capitalised(&start)
    }

    fn name_fa(&self, kind: &Type) -> String {
        let stone = self.setting.as_ref().map_or_else(String::new, |setting| {
            format!(" با نگین {}", setting.stone.fa)
        });
        let label = persian::digits(&self.label.to_string());
        format!(
            "{} {} {}{stone} کد {label}",
            kind.fa, self.alloy.fa, self.style.fa
        )
    }

    fn description(&self) -> (String, String) {
        let [gross, net] = [self.gross(), self.net].map(|weight| grams(weight).to_string());
        let en = format!(
            "Gross weight {gross} g, net weight {net} g of {}.",
            self.alloy.en
        );
        let [gross, net] = [gross, net].map(|weight| persian::digits(&weight));
        (
            en,
            format!(
                "وزن ناخالص {gross} گرم، وزن خالص {net} گرم {}.",
                self.alloy.fa
            ),
        )
    }

    fn stone_weight(&self) -> i64 {
        self.setting.as_ref().map_or(0, Setting::milligrams)
    }

    fn gross(&self) -> i64 {
        self.net + self.stone_weight()
    }

    fn price(&self) -> Decimal {
        let net = grams(self.net);
        let metal = pricing::metal_value(self.alloy.metal, self.alloy.fineness(), net);
        let stones = self.setting.as_ref().map_or(Decimal::ZERO, Setting::price);
        pricing::price(metal, self.making.charge(metal, net), stones)
    }

    fn tags(&self) -> Vec<String> {
        let stone = self
            .setting
            .as_ref()
            .map(|setting| setting.stone.code.to_owned());
        [self.alloy.metal, self.alloy.colour]
            .map(str::to_owned)
            .into_iter()
            .chain(stone)
            .collect()
    }

    fn attributes(&self) -> Map<String, Value> {
        let mut all = self.weights();
        all.insert("metal".into(), self.alloy.metal.into());
        all.insert("fineness".into(), self.alloy.fineness().to_string().into());
        all.insert("colour".into(), self.alloy.colour.into());
        all.insert("making_charge".into(), self.making.attribute());
        all.insert(
            "hallmark_code".into(),
            certificate::hallmark(self.label).into(),
        );
        all.insert(
            "stones".into(),
            self.setting.iter().map(Setting::attribute).collect(),
        );
        if let Some(karat) = self.alloy.karat {
            all.insert(
                "karat".into(),
                Decimal::new(karat * 1000, 3).to_string().into(),
            );
        }
        if let Some((name, millimetres)) = self.size {
            all.insert(name.into(), json!(millimetres));
        }
        if self
            .setting
            .as_ref()
            .is_some_and(|setting| setting.stone.code == "diamond")
        {
            all.insert("certificate".into(), certificate::report(self.label));
        }
        all
    }

    fn weights(&self) -> Map<String, Value> {
        let weights = [
            ("gross_weight", self.gross()),
            ("net_weight", self.net),
            ("stone_weight", self.stone_weight()),
        ];
        weights
            .map(|(name, weight)| (name.to_owned(), grams(weight).to_string().into()))
            .into_iter()
            .collect()
    }
}

fn making(category: &str, random: &mut ChaCha8Rng) -> Making {
    match category {
        _ if category.starts_with("silver") => {
            Making::Fixed(random.random_range(30..=160) * 100_000)
        }
        "chains" | "bracelets:bangles" if random.random_ratio(1, 3) => {
            Making::PerGram(random.random_range(60..=150) * 100_000)
        }
        "chains" | "bracelets:bangles" => Making::Percent(random.random_range(5..=14)),
        _ => Making::Percent(random.random_range(11..=28)),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
