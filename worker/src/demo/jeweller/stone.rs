//! Stones: their table, and choosing some for a piece.

use rand::{Rng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::demo::table;

const STONES: &str = include_str!("../../../demo-data/stones.tsv");
const COLOURS: [&str; 5] = ["D", "E", "F", "G", "H"];
const CLARITIES: [&str; 5] = ["VVS1", "VVS2", "VS1", "VS2", "SI1"];

/// A kind of stone. Weights are points, hundredths of a carat.
#[derive(Clone)]
pub(super) struct Stone {
    pub(super) code: &'static str,
    pub(super) en: &'static str,
    pub(super) fa: &'static str,
    group: &'static str,
    rials_per_point: i64,
    points: [i64; 2],
    pub(super) cuts: Vec<&'static str>,
}

/// Stones of one kind in a piece.
pub(super) struct Setting<'a> {
    pub(super) stone: &'a Stone,
    count: i64,
    /// Points of one stone.
    points: i64,
    cut: &'static str,
    grade: Option<[&'static str; 2]>,
}

/// All kinds of stones.
pub(super) fn all() -> Vec<Stone> {
    let number = |cell: &str| cell.parse().unwrap_or_default();
    let rows = table::rows(STONES);
    rows.map(|[code, en, fa, group, rials, min, max, cuts]| Stone {
        code,
        en,
        fa,
        group,
        rials_per_point: number(rials),
        points: [number(min), number(max)],
        cuts: cuts.split(';').collect(),
    })
    .collect()
}

/// `count` equal stones of a kind from the group; none when the group has none.
pub(super) fn choose<'a>(
    stones: &'a [Stone],
    group: &str,
    count: i64,
    random: &mut ChaCha8Rng,
) -> Option<Setting<'a>> {
    let fitting: Vec<_> = stones.iter().filter(|stone| stone.group == group).collect();
    let stone = *fitting.choose(random)?;
    Some(stone.set(count, random))
}

impl Stone {
    /// `count` equal stones of this kind, of a weight and cut that is usual for it.
    pub(super) fn set(&self, count: i64, random: &mut ChaCha8Rng) -> Setting<'_> {
        let [min, max] = self.points;
        Setting {
            stone: self,
            count,
            points: random.random_range(min..=max),
            cut: self.cuts.choose(random).copied().unwrap_or_default(),
            grade: (self.group == "diamond").then(|| grade(random)),
        }
    }
}

fn grade(random: &mut ChaCha8Rng) -> [&'static str; 2] {
    [COLOURS, CLARITIES].map(|grades| grades[random.random_range(0..grades.len())])
}

impl Setting<'_> {
    /// Weight of all stones: a point is two milligrams.
    pub(super) const fn milligrams(&self) -> i64 {
        self.count * self.points * 2
    }

    /// Carats of one stone.
    pub(super) fn carat(&self) -> Decimal {
        Decimal::new(self.points, 2)
    }

    pub(super) const fn cut(&self) -> &'static str {
        self.cut
    }

    /// Rials for all stones.
    pub(super) fn price(&self) -> Decimal {
        Decimal::from(self.count * self.points * self.stone.rials_per_point)
    }

    /// The attribute that describes them; `carat` is that of one stone.
    pub(super) fn attribute(&self) -> Value {
        let mut stone = json!({
            "stone": self.stone.code,
            "count": self.count,
            "carat": self.carat().to_string(),
            "cut": self.cut,
        });
        if let Some([colour, clarity]) = self.grade {
            stone["colour"] = colour.into();
            stone["clarity"] = clarity.into();
        }
        stone
    }
}
