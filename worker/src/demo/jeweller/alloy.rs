//! What a piece is made of: metal, fineness, colour.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;

/// An alloy as it is hallmarked and spoken of.
#[derive(Clone, Copy)]
pub(super) struct Alloy {
    pub(super) metal: &'static str,
    /// Tenths per mille: 7500 is 18 karat.
    fineness: i64,
    /// Parts of 24; none for metals that are not counted in karats.
    pub(super) karat: Option<i64>,
    pub(super) colour: &'static str,
    /// Middle part of the SKU.
    pub(super) code: &'static str,
    pub(super) en: &'static str,
    pub(super) fa: &'static str,
}

const fn gold(
    karat: i64,
    fineness: i64,
    colour: &'static str,
    code: &'static str,
    names: [&'static str; 2],
) -> Alloy {
    Alloy {
        metal: "gold",
        fineness,
        karat: Some(karat),
        colour,
        code,
        en: names[0],
        fa: names[1],
    }
}

const YELLOW_18: Alloy = gold(
    18,
    7500,
    "yellow",
    "18K",
    ["18K yellow gold", "طلای زرد ۱۸ عیار"],
);
const WHITE_18: Alloy = gold(
    18,
    7500,
    "white",
    "18K",
    ["18K white gold", "طلای سفید ۱۸ عیار"],
);
const ROSE_18: Alloy = gold(
    18,
    7500,
    "rose",
    "18K",
    ["18K rose gold", "طلای رزگلد ۱۸ عیار"],
);
const ROSE_14: Alloy = gold(
    14,
    5850,
    "rose",
    "14K",
    ["14K rose gold", "طلای رزگلد ۱۴ عیار"],
);
const YELLOW_21: Alloy = gold(21, 8750, "yellow", "21K", ["21K gold", "طلای ۲۱ عیار"]);
const YELLOW_22: Alloy = gold(22, 9160, "yellow", "22K", ["22K gold", "طلای ۲۲ عیار"]);
const SILVER: Alloy = Alloy {
    metal: "silver",
    fineness: 9250,
    karat: None,
    colour: "white",
    code: "925",
    en: "sterling silver",
    fa: "نقره عیار ۹۲۵",
};
const PLATINUM: Alloy = Alloy {
    metal: "platinum",
    fineness: 9500,
    karat: None,
    colour: "white",
    code: "950",
    en: "platinum",
    fa: "پلاتین ۹۵۰",
};

/// In the proportions of a shop window: mostly 18 karat.
const SHOWN: [Alloy; 12] = [
    YELLOW_18, YELLOW_18, YELLOW_18, YELLOW_18, YELLOW_18, WHITE_18, WHITE_18, ROSE_18, ROSE_18,
    ROSE_14, YELLOW_21, YELLOW_22,
];
/// Soft high-karat gold does not hold a stone well.
const FOR_STONES: [Alloy; 5] = [YELLOW_18, WHITE_18, WHITE_18, ROSE_18, ROSE_14];
const FOR_BANDS: [Alloy; 6] = [YELLOW_18, YELLOW_18, WHITE_18, ROSE_18, YELLOW_22, PLATINUM];

impl Alloy {
    /// An alloy that suits a category and whether stones are set.
    pub(super) fn choose(category: &str, stones: bool, random: &mut ChaCha8Rng) -> Self {
        let choices: &[Self] = match category {
            _ if category.starts_with("silver") => &[SILVER],
            "rings:bands" => &FOR_BANDS,
            _ if stones => &FOR_STONES,
            _ => &SHOWN,
        };
        choices[random.random_range(0..choices.len())]
    }

    /// Parts per thousand with three decimals.
    pub(super) fn fineness(self) -> Decimal {
        let mut fineness = Decimal::new(self.fineness, 1);
        fineness.rescale(3);
        fineness
    }
}
