//! Loose stones: a few of each kind, each with its own weight, cut and report.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::stone::{self, Setting, Stone};
use super::{certificate, grams, pricing};
use crate::demo::branch::Draft;
use crate::demo::item::{Kind, Tracking};
use crate::demo::persian;

const SEED: u64 = 57;
const OF_EACH_KIND: usize = 4;
/// Reports of loose stones are numbered from here, away from those of pieces.
const FIRST_REPORT: u64 = 50_000;

pub(super) fn drafts() -> impl Iterator<Item = Draft> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let kinds = stone::all()
        .into_iter()
        .flat_map(|kind| (0..OF_EACH_KIND).map(move |_| kind.clone()));
    (FIRST_REPORT..)
        .zip(kinds)
        .map(move |(number, kind)| draft(&kind, &kind.set(1, &mut random), number))
}

fn draft(kind: &Stone, setting: &Setting<'_>, number: u64) -> Draft {
    let carat = setting.carat().to_string();
    Draft {
        category: category(kind).to_owned(),
        code: "STN".to_owned(),
        name_en: format!("Loose {}, {}, {carat} ct", kind.en, setting.cut()),
        name_fa: format!(
            "{} {} {} قیراط",
            kind.fa,
            cut_fa(setting.cut()),
            persian::digits(&carat)
        ),
        description: None,
        kind: Kind::Goods,
        unit: "piece",
        tracking: Tracking::Serial,
        price: pricing::rounded(setting.price()),
        tags: vec!["loose-stone".to_owned(), kind.code.to_owned()],
        attributes: attributes(setting, number),
    }
}

fn category(kind: &Stone) -> &'static str {
    match kind.code {
        "diamond" => "stones:diamonds",
        "pearl" => "stones:pearls",
        _ => "stones:coloured",
    }
}

fn cut_fa(cut: &str) -> &'static str {
    match cut {
        "princess" => "تراش پرنسس",
        "oval" => "تراش بیضی",
        "cushion" => "تراش کوشن",
        "emerald" => "تراش زمردی",
        "pear" => "تراش اشک",
        "spherical" => "گرد",
        "drop" => "اشکی",
        "cabochon" => "تراش دامله",
        _ => "تراش گرد",
    }
}

fn attributes(setting: &Setting<'_>, number: u64) -> Map<String, Value> {
    let weight = grams(setting.milligrams()).to_string();
    let pairs = [
        ("gross_weight", json!(weight)),
        ("net_weight", json!(Decimal::new(0, 3).to_string())),
        ("stone_weight", json!(weight)),
        ("stones", json!([setting.attribute()])),
        ("certificate", certificate::report(number)),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}
