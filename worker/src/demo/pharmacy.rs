//! The pharmacy: medicines by ingredient, strength, maker and pack, and the catalogue lines around them.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::branch::Draft;
use super::item::{Kind, Tracking};
use super::table::{self, Word};
use super::{lines, persian};

const MEDICINES: &str = include_str!("../../demo-data/medicines.tsv");
const FORMS: &str = include_str!("../../demo-data/forms.tsv");

pub(super) fn drafts() -> impl Iterator<Item = Draft> {
    table::rows(MEDICINES)
        .map(Medicine)
        .flat_map(Medicine::drafts)
        .chain(lines::drafts(lines::PHARMACY))
}

/// Columns: category, form, en, fa, strengths, packs, prescription, rials for each piece, millilitre or gram.
#[derive(Clone, Copy)]
struct Medicine([&'static str; 8]);

/// One combination of what a medicine is sold as.
struct Pack<'a> {
    strength: &'static str,
    /// Place of the strength among the medicine's strengths: a higher one costs more.
    rank: i64,
    maker: &'a Word,
    size: &'static str,
}

impl Medicine {
    fn drafts(self) -> Vec<Draft> {
        let [_, form, _, _, strengths, packs, ..] = self.0;
        let Some(form) = Form::find(form) else {
            return Vec::new();
        };
        let makers = table::list("maker");
        let mut drafts = Vec::new();
        for (rank, strength) in (0..).zip(strengths.split(';')) {
            for size in packs.split(';') {
                for maker in self.makers(&makers, size) {
                    drafts.push(self.draft(
                        &form,
                        &Pack {
                            strength,
                            rank,
                            maker,
                            size,
                        },
                    ));
                }
            }
        }
        drafts
    }

    /// Two makers for each medicine, and a third for the large pack, which sells best.
    fn makers<'a>(
        self,
        makers: &'a [Word],
        size: &str,
    ) -> impl Iterator<Item = &'a Word> + use<'a> {
        let first = self.0[2].len();
        let count = if size == "100" { 3 } else { 2 };
        makers
            .iter()
            .cycle()
            .skip(first % makers.len().max(1))
            .take(count)
    }

    fn draft(self, form: &Form, pack: &Pack<'_>) -> Draft {
        let [category, code, en, fa, ..] = self.0;
        let dose = persian::dose(pack.strength);
        let [pack_en, pack_fa] =
            [form.pack_en, form.pack_fa].map(|text| text.replace("{n}", pack.size));
        Draft {
            category: category.to_owned(),
            code: code.chars().take(3).collect::<String>().to_uppercase(),
            name_en: format!(
                "{en} {} {}, {pack_en}, {}",
                pack.strength, form.en, pack.maker.en
            ),
            name_fa: format!(
                "{} {fa} {dose} {} {}",
                form.fa,
                pack.maker.fa,
                persian::digits(&pack_fa)
            ),
            description: None,
            kind: Kind::Goods,
            unit: form.unit,
            tracking: Tracking::Lot,
            price: self.price(pack),
            tags: self.tags(),
            attributes: self.attributes(form, pack),
        }
    }

    fn needs_prescription(self) -> bool {
        self.0[6] == "true"
    }

    fn tags(self) -> Vec<String> {
        let sold = if self.needs_prescription() {
            "prescription"
        } else {
            "over-the-counter"
        };
        vec!["medicine".to_owned(), sold.to_owned()]
    }

    /// Each step of strength costs a fifth more; rounded to a thousand rials. Zero when the table is wrong.
    fn price(self, pack: &Pack<'_>) -> Decimal {
        let each = self.0[7].parse::<i64>().unwrap_or_default();
        let size = pack.size.parse::<i64>().unwrap_or_default();
        Decimal::from(each * size * (5 + pack.rank) / 5 / 1000 * 1000)
    }

    fn attributes(self, form: &Form, pack: &Pack<'_>) -> Map<String, Value> {
        let [_, _, ingredient, ..] = self.0;
        let pairs = [
            ("active_ingredient", json!(ingredient.to_lowercase())),
            ("strength", json!(pack.strength)),
            ("form", json!(form.code)),
            ("prescription", json!(self.needs_prescription())),
            (
                "pack_size",
                json!(pack.size.parse::<i64>().unwrap_or_default()),
            ),
            ("maker", json!(pack.maker.en)),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

/// A dosage form.
struct Form {
    code: &'static str,
    en: &'static str,
    fa: &'static str,
    /// With `{n}` for the number of pieces, millilitres or grams.
    pack_en: &'static str,
    pack_fa: &'static str,
    unit: &'static str,
}

impl Form {
    fn find(wanted: &str) -> Option<Self> {
        let [code, en, fa, pack_en, pack_fa, unit] =
            table::rows(FORMS).find(|row: &[_; 6]| row[0] == wanted)?;
        Some(Self {
            code,
            en,
            fa,
            pack_en,
            pack_fa,
            unit,
        })
    }
}
